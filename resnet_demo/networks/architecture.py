"""A network as the paper's table 1 has it: stages, blocks, sizes, parameters, multiply-adds. Counted, not copied."""

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from torch import nn

from resnet_demo.networks import Network, NetworkSpec, empty_network, parameter_count, parse_name
from resnet_demo.networks.blocks import ZeroPadShortcut
from resnet_demo.networks.naming import on_main_path, stage_of
from resnet_demo.records import BlockSummary, Row, Table

# He et al. 2016, table 3: ResNet-34 on ImageNet's validation set, 10-crop top-1 error in percent.
SHORTCUT_ERRORS = {"A": 25.03, "B": 24.52, "C": 24.19}
# Xie et al. 2017, table 2: width of a group for each cardinality at about the cost of ResNet-50.
CARDINALITIES = ((1, 64), (2, 40), (4, 24), (8, 14), (32, 4))
IMAGENET_SIZE, CIFAR_SIZE = 224, 32


@lru_cache(maxsize=256)  # Visitors name the networks.
def block_summaries(network: str | NetworkSpec) -> tuple[BlockSummary, ...]:
    """The blocks of a network in forward order. Raises `InputError`."""
    spec = network if isinstance(network, NetworkSpec) else parse_name(network)
    kinds = {nn.Identity: "identity", ZeroPadShortcut: "padding", nn.Sequential: "projection", type(None): "none"}
    return tuple(
        BlockSummary(
            name=name,
            stage=name.partition(".")[0],
            shortcut=kinds[type(getattr(block, "downsample", None))],
            gated=hasattr(block, "gate"),
            stride=max(getattr(block, f"conv{i}").stride[0] for i in range(1, block.depth + 1)),
        )
        for name, block in empty_network(spec).named_blocks()
    )


@lru_cache(maxsize=256)  # Visitors name the networks.
def describe(network: str | NetworkSpec, size: int | None = None) -> Table:
    """The table of a network; for 224 x 224 images in the imagenet family and 32 x 32 in the cifar family unless
    `size` is given. Counted from the layers: nothing is computed. Raises `InputError`."""
    spec = network if isinstance(network, NetworkSpec) else parse_name(network)
    size = size or (IMAGENET_SIZE if spec.family == "imagenet" else CIFAR_SIZE)
    built = empty_network(spec)
    multiply_adds: dict[str, int] = defaultdict(int)
    # Every weight is used once at each position of its layer's output.
    side = _strided(size, built.conv1)
    multiply_adds["stem"] = built.conv1.weight.numel() * side**2
    side = math.ceil(side / 2) if spec.stem == "7x7" else side
    outputs = {"stem": (built.conv1.out_channels, side, side)}
    for name, block in built.named_blocks():
        stage = stage_of(name)
        for i in range(1, block.depth + 1):
            conv = getattr(block, f"conv{i}")
            side = _strided(side, conv)
            multiply_adds[stage] += conv.weight.numel() * side**2
        beside = [m for inner, m in block.named_modules() if isinstance(m, nn.Conv2d) and not on_main_path(f".{inner}")]
        multiply_adds[stage] += sum(conv.weight.numel() for conv in beside) * side**2
        outputs[name] = (block.out_channels, side, side)
    multiply_adds["fc"] = built.fc.weight.numel()
    return Table(spec.name, size, tuple(_rows(built, outputs, multiply_adds)))


def _strided(side: int, conv: nn.Conv2d) -> int:
    """The side of the output of a convolution that pads by half of its kernel."""
    return math.ceil(side / conv.stride[0])


def _rows(network: Network, outputs: dict[str, tuple[int, ...]], multiply_adds: dict[str, int]) -> Iterator[Row]:
    stem = [module for name, module in network.named_children() if name in ("conv1", "bn1")]
    pooled = ("3x3 max-pool, stride 2",) if network.spec.stem == "7x7" else ()
    layers = (_layer(network.conv1), *pooled)
    yield Row("stem", 1, layers, outputs["stem"], sum(map(parameter_count, stem)), multiply_adds["stem"])
    for i, count in enumerate(network.spec.stages, 1):
        stage = getattr(network, f"layer{i}")
        size = outputs[f"layer{i}.{count - 1}"]
        convolutions = tuple(_layer(getattr(stage[-1], f"conv{j}")) for j in range(1, stage[-1].depth + 1))
        yield Row(f"layer{i}", count, convolutions, size, parameter_count(stage), multiply_adds[f"layer{i}"])
    rest = [network.fc, *([network.bn_last] if network.spec.connection == "preactivation" else [])]
    classes = network.spec.num_classes
    layers = ("average pool", f"fc, {classes}")
    yield Row("fc", 1, layers, (classes, 1, 1), sum(map(parameter_count, rest)), multiply_adds["fc"])


def _layer(conv: nn.Conv2d) -> str:
    kernel = "x".join(map(str, conv.kernel_size))
    stride = f", stride {conv.stride[0]}" if conv.stride[0] > 1 else ""
    groups = f", groups {conv.groups}" if conv.groups > 1 else ""
    return f"{kernel}, {conv.out_channels}{stride}{groups}"
