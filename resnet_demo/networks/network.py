"""The one class that builds every network of the paper from a `NetworkSpec`.

name          blocks      stem              channels           parameters (1000 / 10 classes)
resnet18      2-2-2-2     7x7/2, max-pool   64-128-256-512     11,689,512
resnet34      3-4-6-3                                          21,797,672
resnet50      3-4-6-3     bottlenecks       256-...-2048       25,557,032
resnet101     3-4-23-3                                         44,549,160
resnet152     3-8-36-3                                         60,192,808
resnet20      3-3-3       3x3               16-32-64              269,722  (option A; a plain net has the same)
resnet32      5-5-5                                               464,154
resnet44      7-7-7                                               658,586
resnet56      9-9-9                                               853,018
resnet110     18-18-18                                          1,727,962
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from resnet_demo.errors import InputError, quoted
from resnet_demo.networks.blocks import ACTIVATIONS, GATE_BIAS, Block, BlockTrace, Layer, convolution, normalization
from resnet_demo.networks.spec import NetworkSpec, parse_name


@dataclass(frozen=True)
class Trace:
    """The intermediate tensors of one forward pass. They belong to the autograd graph of `logits`.

    logits          (N, num_classes)
    layer_inputs    input of each of `Network.layers`, by name in forward order
    layer_outputs   output of each of them, before normalization
    outputs         by name in forward order: "stem" (the input of the first block), "layer1.0", "layer1.1", ...
    responses       output of each convolution after normalization and before the nonlinearity, by name in forward
                    order (He et al. 2016, section 4.2, "layer responses")
    activations     output of the nonlinearity of each convolution on the main path, by the convolution's name
    branches        F(x) and S(x) of each block that adds them, by the block's name
    """

    logits: Tensor
    layer_inputs: dict[str, Tensor]
    layer_outputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    responses: dict[str, Tensor] = field(default_factory=dict)
    activations: dict[str, Tensor] = field(default_factory=dict)
    branches: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)


class Network(nn.Module):
    """`(N, in_channels, H, W) -> (N, num_classes)`. Build it with `create_network`."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        preactivation, large = spec.connection == "preactivation", spec.stem == "7x7"
        planes, channels = spec.planes[0], spec.planes[-1] * spec.expansion

        self.conv1 = convolution(spec, spec.in_channels, planes, *((7, 2) if large else (3, 1)))
        self.bn1 = None if preactivation else normalization(spec, planes)
        self.act1 = None if preactivation else ACTIVATIONS[spec.activation]()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if large else None
        self.layer1 = Stage(spec, 1)
        self.layer2 = Stage(spec, 2)
        self.layer3 = Stage(spec, 3)
        self.layer4 = Stage(spec, 4) if len(spec.stages) == 4 else None
        self.bn_last = normalization(spec, channels) if preactivation else None
        self.act_last = ACTIVATIONS[spec.activation]() if preactivation else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, spec.num_classes)

    def named_blocks(self) -> Iterator[tuple[str, Block]]:
        """The blocks in forward order, as "layer1.0", "layer1.1", ..."""
        stages = (self.layer1, self.layer2, self.layer3, self.layer4)
        for number, stage in enumerate(stages, 1):
            for i, block in enumerate(stage or ()):
                yield f"layer{number}.{i}", block

    def layers(self) -> list[Layer]:
        """Every convolution and fc in forward order. A block's projection and gate come after the convolutions of its
        F(x)."""
        inner = [layer for _, block in self.named_blocks() for layer in block.layers()]
        return [Layer("conv1", self.conv1, "stem"), *inner, Layer("fc", self.fc, "fc")]

    def forward(self, x: Tensor) -> Tensor:
        x = self._stem(x).output
        for _, block in self.named_blocks():
            x = block(x)
        return self.fc(self._pooled(x))

    def trace(self, x: Tensor) -> Trace:
        """The same computation as `forward`, returning the intermediate tensors by name. Uses no hooks."""
        stem = self._stem(x)
        x = stem.output
        outputs, branches = {"stem": x}, {}
        inputs, passed, responses, activations = stem.layer_inputs, stem.layer_outputs, stem.responses, stem.activations
        for name, block in self.named_blocks():
            inner = block.trace(x)
            x = outputs[name] = inner.output
            inputs.update(inner.layer_inputs)
            passed.update(inner.layer_outputs)
            responses.update(inner.responses)
            activations.update(inner.activations)
            if inner.branch is not None:
                branches[name] = inner.branch
        x = inputs["fc"] = self._pooled(x)
        logits = passed["fc"] = self.fc(x)
        return Trace(logits, inputs, passed, outputs, responses, activations, branches)

    def lesioned(self, x: Tensor, removed: Collection[str]) -> Tensor:
        """The logits without the F(x) of the `removed` blocks (Veit et al. 2016). Raises `InputError` for a block that
        is not there."""
        self._require_blocks(removed)
        x = self._stem(x).output
        for name, block in self.named_blocks():
            x = block.bypass(x) if name in removed else block(x)
        return self.fc(self._pooled(x))

    def begin(self, x: Tensor, upto: str) -> Tensor:
        """The output of the block called `upto`, or of "stem", from which `finish` continues. Raises `InputError` for a
        block that is not there."""
        self._require_blocks({upto} - {"stem"})
        x = self._stem(x).output
        for name, block in self.named_blocks() if upto != "stem" else ():
            x = block(x)
            if name == upto:
                break
        return x

    def finish(self, x: Tensor, after: str) -> Tensor:
        """The logits from the output of the block called `after`, or of "stem". Raises `InputError` for a block that is
        not there."""
        self._require_blocks({after} - {"stem"})
        blocks = list(self.named_blocks())
        names = ["stem", *(name for name, _ in blocks)]
        for _, block in blocks[names.index(after) :]:
            x = block(x)
        return self.fc(self._pooled(x))

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights by `spec.init`; biases are 0 and normalizations the identity. fc keeps PyTorch's own
        initialization, whose scale does not depend on the number of classes."""
        for layer in self.layers():
            if isinstance(layer.module, nn.Conv2d):
                _INITS[self.spec.init](layer.module.weight, generator)
                if layer.module.bias is not None:
                    nn.init.constant_(layer.module.bias, GATE_BIAS if layer.role == "gate" else 0.0)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
        bound = self.fc.in_features**-0.5
        nn.init.uniform_(self.fc.weight, -bound, bound, generator=generator)
        nn.init.uniform_(self.fc.bias, -bound, bound, generator=generator)

    def _require_blocks(self, names: Collection[str]) -> None:
        unknown = sorted(set(names).difference(name for name, _ in self.named_blocks()))
        if unknown:
            raise InputError(f"{self.spec.name} has no block {quoted(unknown[0])}: they are layer1.0 and so on.")

    def _stem(self, x: Tensor) -> BlockTrace:
        """Trace the layers before the first block."""
        trace = BlockTrace(x)
        x = trace.convolve("conv1", self.conv1, x)
        if self.bn1 is not None:
            x = self.bn1(x)
        trace.responses["conv1"] = x
        if self.act1 is not None:
            x = trace.activations["conv1"] = self.act1(x)
        if self.maxpool is not None:
            x = self.maxpool(x)
        trace.output = x
        return trace

    def _pooled(self, x: Tensor) -> Tensor:
        """The input of fc."""
        if self.bn_last is not None and self.act_last is not None:
            x = self.act_last(self.bn_last(x))
        x = self.avgpool(x)
        return torch.flatten(x, 1)


class Stage(nn.Sequential):
    """The blocks of "layer1", "layer2", ...; except in the first stage, the first block halves the size."""

    def __init__(self, spec: NetworkSpec, number: int) -> None:
        planes = spec.planes[number - 1]
        out_channels = planes * spec.expansion
        in_channels, stride = (spec.planes[number - 2] * spec.expansion, 2) if number > 1 else (planes, 1)
        first = Block(spec, f"layer{number}.0", in_channels, planes, stride)
        others = (Block(spec, f"layer{number}.{i}", out_channels, planes, 1) for i in range(1, spec.stages[number - 1]))
        super().__init__(first, *others)

    def __iter__(self) -> Iterator[Block]:
        return cast(Iterator[Block], super().__iter__())


# He et al. 2015 with fan_out preserves the size of gradients; torchvision's weights were initialized this way.
_INITS = {
    "he": lambda weight, generator: nn.init.kaiming_normal_(
        weight, mode="fan_out", nonlinearity="relu", generator=generator
    ),
    "xavier": lambda weight, generator: nn.init.xavier_uniform_(weight, generator=generator),
    "normal": lambda weight, generator: nn.init.normal_(weight, std=0.01, generator=generator),
}


def empty_network(spec: NetworkSpec) -> Network:
    """The network without storage, on torch's meta device: for counting, or for assigning loaded weights."""
    with torch.device("meta"):
        return Network(spec)


def materialized(network: Network, device: torch.device) -> Network:
    """Give a network of `empty_network` storage on `device`, with arbitrary values, and return it. Everything in it is
    in its state dict, once. `to_empty` does the same, and the first time it imports a part of torch's compiler, half a
    second."""
    state = network.state_dict()
    stored = {name: torch.empty(values.shape, dtype=values.dtype, device=device) for name, values in state.items()}
    network.load_state_dict(stored, assign=True)
    return network


def create_network(name: str | NetworkSpec, *, generator: torch.Generator | None = None, **overrides: Any) -> Network:
    """A freshly initialized network in training mode, e.g. `create_network("resnet34-C", num_classes=10)`.

    `overrides` are fields of `NetworkSpec`. With a `generator`, the global random state is not touched. Raises
    `InputError` for an unknown name or an invalid value.
    """
    spec = replace(name, **overrides) if isinstance(name, NetworkSpec) else parse_name(name, **overrides)
    network = materialized(empty_network(spec), torch.device("cpu"))
    network.reset_parameters(generator)
    return network


def parameter_count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
