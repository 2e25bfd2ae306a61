"""The paper's table 1 for any network: stages, blocks, sizes, parameters, multiply-adds. Counted from its layers."""

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from torch import nn

from resnet_demo.networks import Network, NetworkSpec, empty_network, parameter_count, parse_name
from resnet_demo.networks.blocks import Projection, ZeroPadShortcut
from resnet_demo.records import BlockSummary, Row, Table

# He et al. 2016, table 3: ResNet-34 on ImageNet's validation set, 10-crop top-1 error in percent.
SHORTCUT_ERRORS = {"A": 25.03, "B": 24.52, "C": 24.19}
# Xie et al. 2017, table 2: group width for each cardinality, at about the cost of ResNet-50.
CARDINALITIES = ((1, 64), (2, 40), (4, 24), (8, 14), (32, 4))
IMAGENET_SIZE, CIFAR_SIZE = 224, 32


@lru_cache(maxsize=256)  # Bounded, as visitors choose the names.
def block_summaries(network: str | NetworkSpec) -> tuple[BlockSummary, ...]:
    """The blocks of a network in forward order. Raises `InputError`."""
    spec = network if isinstance(network, NetworkSpec) else parse_name(network)
    kinds = {nn.Identity: "identity", ZeroPadShortcut: "padding", Projection: "projection", type(None): "none"}
    return tuple(
        BlockSummary(
            name=name,
            stage=block.stage,
            shortcut=kinds[type(block.downsample)],
            gated=block.gate is not None,
            stride=block.stride,
        )
        for name, block in empty_network(spec).named_blocks()
    )


@lru_cache(maxsize=256)  # Bounded, as visitors choose the names.
def describe(network: str | NetworkSpec, size: int | None = None) -> Table:
    """The table of a network, for images of `size` x `size` pixels; by default 224 x 224 in the imagenet family and
    32 x 32 in the cifar family. Counted from the layers, without a forward pass. Raises `InputError`."""
    spec = network if isinstance(network, NetworkSpec) else parse_name(network)
    size = size or (IMAGENET_SIZE if spec.family == "imagenet" else CIFAR_SIZE)
    built = empty_network(spec)
    # Each weight is used once per position of its layer's output.
    side = _strided(size, built.conv1)
    multiply_adds = {"stem": built.conv1.weight.numel() * side**2, "fc": built.fc.weight.numel()}
    side = math.ceil(side / 2) if built.maxpool is not None else side
    outputs = {"stem": (built.conv1.out_channels, side, side)}
    for name, block in built.named_blocks():
        stage = block.stage
        multiply_adds.setdefault(stage, 0)
        for unit in block.units:
            side = _strided(side, unit.conv)
            multiply_adds[stage] += unit.conv.weight.numel() * side**2
        beside = sum(layer.module.weight.numel() for layer in block.layers() if not layer.is_main)
        multiply_adds[stage] += beside * side**2
        outputs[name] = (block.out_channels, side, side)
    return Table(spec.name, size, tuple(_rows(built, outputs, multiply_adds)))


def _strided(side: int, conv: nn.Conv2d) -> int:
    """The output's side of a convolution that pads by half of its kernel."""
    return math.ceil(side / conv.stride[0])


def _rows(network: Network, outputs: dict[str, tuple[int, int, int]], multiply_adds: dict[str, int]) -> Iterator[Row]:
    stem = [module for module in (network.conv1, network.bn1) if module is not None]
    pooled = ("3x3 max-pool, stride 2",) if network.maxpool is not None else ()
    layers = (_layer(network.conv1), *pooled)
    yield Row("stem", 1, layers, outputs["stem"], sum(map(parameter_count, stem)), multiply_adds["stem"])
    for stage, members in groupby(network.named_blocks(), lambda named: named[1].stage):
        names, blocks = zip(*members, strict=True)
        convolutions = tuple(_layer(unit.conv) for unit in blocks[-1].units)
        parameters = sum(map(parameter_count, blocks))
        yield Row(stage, len(blocks), convolutions, outputs[names[-1]], parameters, multiply_adds[stage])
    rest = [module for module in (network.fc, network.bn_last) if module is not None]
    classes = network.spec.num_classes
    layers = ("average pool", f"fc, {classes}")
    yield Row("fc", 1, layers, (classes, 1, 1), sum(map(parameter_count, rest)), multiply_adds["fc"])


def _layer(conv: nn.Conv2d) -> str:
    kernel = "x".join(map(str, conv.kernel_size))
    stride = f", stride {conv.stride[0]}" if conv.stride[0] > 1 else ""
    groups = f", groups {conv.groups}" if conv.groups > 1 else ""
    return f"{kernel}, {conv.out_channels}{stride}{groups}"
