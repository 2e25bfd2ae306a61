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
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from resnet_demo.networks.blocks import ACTIVATIONS, GATE_BIAS, Block, BlockTrace, convolution, normalization
from resnet_demo.networks.spec import NetworkSpec, parse_name


@dataclass(frozen=True)
class Trace:
    """One forward pass, looked at from the inside. The tensors belong to the autograd graph of `logits`.

    logits      (N, num_classes)
    passes      by the name of each layer of `Network.layers`: what entered it, and what left it before normalization
    outputs     by name in forward order: "stem" (what enters the first block), "layer1.0", "layer1.1", ...
    responses   by the name of each convolution in forward order: its output after normalization, before the
                nonlinearity (He et al. 2016, section 4.2, "layer responses")
    activations by the name of each convolution of the main path: what its nonlinearity lets through
    shortcuts   by the name of each block that has one: S(x), to which F(x) is added
    """

    logits: Tensor
    passes: dict[str, tuple[Tensor, Tensor]]
    outputs: dict[str, Tensor]
    responses: dict[str, Tensor]
    activations: dict[str, Tensor]
    shortcuts: dict[str, Tensor]


class Network(nn.Module):
    """`(N, in_channels, H, W) -> (N, num_classes)`. Build it with `create_network`."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        planes = 64 if spec.family == "imagenet" else 16
        self.conv1 = convolution(spec, spec.in_channels, planes, *((7, 2) if spec.stem == "7x7" else (3, 1)))
        if spec.connection != "preactivation":
            self.bn1 = normalization(spec, planes)
            self.act1 = ACTIVATIONS[spec.activation]()
        if spec.stem == "7x7":
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

        channels = planes
        for stage, count in enumerate(spec.stages):
            blocks = []
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                blocks.append(Block(spec, channels, planes * 2**stage, stride))
                channels = blocks[-1].out_channels
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))

        if spec.connection == "preactivation":
            self.bn_last = normalization(spec, channels)
            self.act_last = ACTIVATIONS[spec.activation]()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, spec.num_classes)

    def named_blocks(self) -> Iterator[tuple[str, Block]]:
        """The blocks in forward order, as "layer1.0", "layer1.1", ..."""
        for stage in range(1, len(self.spec.stages) + 1):
            for i, block in enumerate(getattr(self, f"layer{stage}")):
                yield f"layer{stage}.{i}", block

    def forward(self, x: Tensor) -> Tensor:
        x = self._stem(x).output
        for _, block in self.named_blocks():
            x = block(x)
        return self.fc(self._pooled(x))

    def trace(self, x: Tensor) -> Trace:
        """The same computation as `forward`, keeping every named tensor on the way. No hooks."""
        stem = self._stem(x)
        x = stem.output
        outputs, shortcuts = {"stem": x}, {}
        passes, responses, activations = stem.passes, stem.responses, stem.activations
        for name, block in self.named_blocks():
            inner = block.trace(x)
            x = outputs[name] = inner.output
            passes.update({f"{name}.{conv}": pair for conv, pair in inner.passes.items()})
            responses.update({f"{name}.{conv}": tensor for conv, tensor in inner.responses.items()})
            activations.update({f"{name}.{conv}": tensor for conv, tensor in inner.activations.items()})
            if inner.shortcut is not None:
                shortcuts[name] = inner.shortcut
        x = self._pooled(x)
        logits = self.fc(x)
        passes["fc"] = x, logits
        return Trace(logits, passes, outputs, responses, activations, shortcuts)

    def lesioned(self, x: Tensor, removed: Collection[str]) -> Tensor:
        """The logits without the F(x) of the `removed` blocks (Veit et al. 2016)."""
        x = self._stem(x).output
        for name, block in self.named_blocks():
            x = block.bypass(x) if name in removed else block(x)
        return self.fc(self._pooled(x))

    def begin(self, x: Tensor, upto: str) -> Tensor:
        """The output of the block called `upto`, or of "stem": what `finish` goes on from."""
        x = self._stem(x).output
        for name, block in self.named_blocks() if upto != "stem" else ():
            x = block(x)
            if name == upto:
                break
        return x

    def finish(self, x: Tensor, after: str) -> Tensor:
        """The logits from the output of the block called `after`, or of "stem"."""
        names = ["stem", *(name for name, _ in self.named_blocks())]
        for _, block in list(self.named_blocks())[names.index(after) :]:
            x = block(x)
        return self.fc(self._pooled(x))

    def layers(self) -> dict[str, nn.Conv2d | nn.Linear]:
        """Every convolution and fc by name, in forward order. A block's projection and gate come after the
        convolutions of its F(x)."""
        layers = [("conv1", self.conv1)]
        for name, block in self.named_blocks():
            layers += [(f"{name}.{inner}", m) for inner, m in block.named_modules() if isinstance(m, nn.Conv2d)]
        return dict([*layers, ("fc", self.fc)])

    def weights(self) -> dict[str, nn.Parameter]:
        """The weight of each of `layers`."""
        return {name: layer.weight for name, layer in self.layers().items()}

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights by `spec.init`; biases are 0 and normalizations the identity. fc keeps PyTorch's own
        initialization, whose scale does not depend on the number of classes."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                _INITS[self.spec.init](module.weight, generator)
                if module.bias is not None:
                    nn.init.constant_(module.bias, GATE_BIAS if name.endswith(".gate") else 0.0)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
        bound = self.fc.in_features**-0.5
        nn.init.uniform_(self.fc.weight, -bound, bound, generator=generator)
        nn.init.uniform_(self.fc.bias, -bound, bound, generator=generator)

    def _stem(self, x: Tensor) -> BlockTrace:
        """How what enters the first block comes about."""
        trace = BlockTrace(x)
        x = trace.convolve("conv1", self.conv1, x)
        if self.spec.connection != "preactivation":
            x = self.bn1(x)
        trace.responses["conv1"] = x
        if self.spec.connection != "preactivation":
            x = trace.activations["conv1"] = self.act1(x)
        if self.spec.stem == "7x7":
            x = self.maxpool(x)
        trace.output = x
        return trace

    def _pooled(self, x: Tensor) -> Tensor:
        """What enters fc."""
        if self.spec.connection == "preactivation":
            x = self.act_last(self.bn_last(x))
        x = self.avgpool(x)
        return torch.flatten(x, 1)


# He et al. 2015 with fan_out keeps the size of the gradients; it is what torchvision's weights started from.
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


def create_network(name: str | NetworkSpec, *, generator: torch.Generator | None = None, **overrides: Any) -> Network:
    """A freshly initialized network in training mode, e.g. `create_network("resnet34-C", num_classes=10)`.

    `overrides` are fields of `NetworkSpec`. With a `generator` the global random state is not touched. Raises
    `InputError` for a name or a value that does not exist.
    """
    spec = name if isinstance(name, NetworkSpec) else parse_name(name, **overrides)
    network = empty_network(spec).to_empty(device="cpu")
    network.reset_parameters(generator)
    return network


def parameter_count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
