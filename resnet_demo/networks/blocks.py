"""The building block: F(x), its shortcut S(x), and the four ways of connecting them.

    residual       act(F(x) + S(x))              He et al. 2016, eq. 1 and 2
    plain          act(F(x))                     the same layers, section 3.3 "plain network"
    preactivation  F(x) + S(x), F = act first    He et al. 2016b, figure 1(b)
    highway        T(x) act(F(x)) + (1 - T(x)) S(x), T = sigmoid(1x1 convolution)   Srivastava et al. 2015, eq. 3

Parameter names are torchvision's (`conv1 bn1 conv2 bn2 [conv3 bn3] downsample.0 downsample.1`). No activation
works in place and none is shared, so that the tensors of a trace are never overwritten.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.networks.spec import NetworkSpec

Role = Literal["main", "projection", "gate"]
# The shape of a convolution: channels in and out, kernel, stride, groups.
Shape = tuple[int, int, int, int, int]
# A highway block initially carries its input: the gate is sigmoid(-2) = 0.12 (Srivastava et al. 2015, section 2.2).
GATE_BIAS = -2.0
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def convolution(
    spec: NetworkSpec, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """A "same" convolution, with a bias only where no normalization follows."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=spec.norm == "none")


class BatchNorm2d(nn.BatchNorm2d):
    """As torch's, but computed as a scale and a shift, which is equivalent, when a gradient passes through frozen
    statistics: on a CPU the backward pass of torch's implementation takes five times as long as a multiplication's."""

    def forward(self, input: Tensor) -> Tensor:
        x, mean, variance = input, self.running_mean, self.running_var
        if self.training or mean is None or variance is None or not x.requires_grad or x.device.type != "cpu":
            return super().forward(x)
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return torch.addcmul(shift[:, None, None], x, scale[:, None, None])


class PassingReLU(nn.ReLU):
    """The ReLU whose subgradient at exactly 0 is 1. An input that a folded block hands on is often exactly 0, as it was
    rectified before; its gradient passes, as it does through the shortcut that was folded."""

    def forward(self, input: Tensor) -> Tensor:
        return input.masked_fill(input < 0, 0)


def normalization(spec: NetworkSpec, channels: int) -> nn.Module:
    return BatchNorm2d(channels) if spec.norm == "batch" else nn.Identity()


class ZeroPadShortcut(nn.Module):
    """Option A: every `stride`-th pixel, with zeros appended as the new channels."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


class Projection(nn.Sequential):
    """Options B and C: a 1x1 convolution and its normalization; torchvision calls them "downsample.0" and ".1"."""

    @property
    def conv(self) -> nn.Conv2d:
        conv = self[0]
        assert isinstance(conv, nn.Conv2d)  # noqa: S101
        return conv

    @property
    def norm(self) -> nn.Module:
        return self[1]


@dataclass(frozen=True)
class Layer:
    """A convolution or fc whose weight is measured.

    name    as in the state dict, without ".weight"
    stage   "stem", "layer1", ... or "fc"
    role    "main" on the main path, fc included; otherwise "projection" (of a shortcut) or "gate" (of a highway block)
    """

    name: str
    module: nn.Conv2d | nn.Linear
    stage: str
    role: Role = "main"

    @property
    def is_main(self) -> bool:
        return self.role == "main"


class Unit(NamedTuple):
    """A convolution with its normalization and its nonlinearity."""

    name: str
    conv: nn.Conv2d
    norm: nn.Module
    act: nn.Module


@dataclass
class BlockTrace:
    """The intermediate tensors of one pass through a block; dictionaries by the name of a convolution in the network.

    layer_inputs    input of each convolution, projections and gates included
    layer_outputs   output of each of them, before normalization
    responses       output of each of them after normalization (in F(x) of a pre-activation block, where the
                    normalization comes first, the same as `layer_outputs`)
    activations     output of the nonlinearity after the convolution; in a pre-activation block, of the one before it.
                    For the last convolution of a residual block it follows the addition and is the block's output
    branch          F(x) and S(x) where they are added; None in plain and highway blocks
    """

    output: Tensor
    layer_inputs: dict[str, Tensor] = field(default_factory=dict)
    layer_outputs: dict[str, Tensor] = field(default_factory=dict)
    responses: dict[str, Tensor] = field(default_factory=dict)
    activations: dict[str, Tensor] = field(default_factory=dict)
    branch: tuple[Tensor, Tensor] | None = None

    def convolve(self, name: str, conv: nn.Conv2d, x: Tensor) -> Tensor:
        """conv(x); records its input and output."""
        y = conv(x)
        self.layer_inputs[name], self.layer_outputs[name] = x, y
        return y


class Block(nn.Module):
    """One block, `(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)`.

    name   of the block in its network, e.g. "layer1.0"
    """

    def __init__(self, spec: NetworkSpec, name: str, in_channels: int, planes: int, stride: int) -> None:
        super().__init__()
        self.name, self.stage = name, name.partition(".")[0]
        self.projection_name, self.gate_name = f"{name}.downsample.0", f"{name}.gate"
        self.connection = spec.connection
        self.bottleneck = spec.bottleneck
        self.stride = stride
        self.out_channels = planes * spec.expansion
        shapes = (_bottleneck if spec.bottleneck else _basic)(spec, in_channels, planes, stride)
        self.conv1, self.bn1, self.act1 = _unit(spec, *shapes[0])
        if spec.folded:
            self.act1 = PassingReLU()
        self.conv2, self.bn2, self.act2 = _unit(spec, *shapes[1])
        if spec.bottleneck:
            self.conv3, self.bn3, self.act3 = _unit(spec, *shapes[2])
        plain, highway = spec.connection == "plain", spec.connection == "highway"
        self.downsample = None if plain else _shortcut(spec, in_channels, self.out_channels, stride)
        # `bypass` replaces a plain block by this identity.
        self.identity = ZeroPadShortcut(self.out_channels - in_channels, stride) if plain else None
        self.gate = nn.Conv2d(in_channels, self.out_channels, 1, stride) if highway else None

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units of F(x), in forward order."""
        units = (
            Unit(f"{self.name}.conv1", self.conv1, self.bn1, self.act1),
            Unit(f"{self.name}.conv2", self.conv2, self.bn2, self.act2),
        )
        return (*units, Unit(f"{self.name}.conv3", self.conv3, self.bn3, self.act3)) if self.bottleneck else units

    def layers(self) -> list[Layer]:
        """The block's convolutions, those of F(x) first, by their names in the network."""
        layers = [Layer(unit.name, unit.conv, self.stage) for unit in self.units]
        if isinstance(self.downsample, Projection):
            layers.append(Layer(self.projection_name, self.downsample.conv, self.stage, "projection"))
        if self.gate is not None:
            layers.append(Layer(self.gate_name, self.gate, self.stage, "gate"))
        return layers

    def forward(self, x: Tensor) -> Tensor:
        return self.trace(x).output

    def trace(self, x: Tensor) -> BlockTrace:
        """The same computation as `forward`, returning the intermediate tensors by name."""
        trace = BlockTrace(x)
        units = self.units
        last = units[-1]
        transform = _preactivated if self.connection == "preactivation" else _transform
        out = transform(units, x, trace)

        if self.downsample is None:
            trace.output = trace.activations[last.name] = last.act(out)
            return trace

        shortcut = self._shortcut(x, trace)
        if self.gate is not None:
            gate = trace.responses[self.gate_name] = trace.convolve(self.gate_name, self.gate, x)
            share = torch.sigmoid(gate)
            out = trace.activations[last.name] = last.act(out)
            trace.output = share * out + (1 - share) * shortcut
            return trace

        trace.branch = out, shortcut
        if self.connection == "preactivation":
            trace.output = out + shortcut
        else:
            trace.output = trace.activations[last.name] = last.act(out + shortcut)
        return trace

    def bypass(self, x: Tensor) -> Tensor:
        """The block's output for F(x) = 0 (Veit et al. 2016), computed from its shortcut alone.

        A plain block has no shortcut; it is replaced by the option-A identity of the same shape. The gate of a highway
        block is 0 as well, so that it copies its input (Srivastava et al. 2015, "Training Very Deep Networks").
        """
        if self.identity is not None:
            return self.identity(x)
        assert self.downsample is not None  # noqa: S101 - for the type checker: only plain blocks have none
        shortcut = self.downsample(x)
        return self.units[-1].act(shortcut) if self.connection == "residual" else shortcut

    def _shortcut(self, x: Tensor, trace: BlockTrace) -> Tensor:
        if isinstance(self.downsample, Projection):
            y = trace.convolve(self.projection_name, self.downsample.conv, x)
            y = trace.responses[self.projection_name] = self.downsample.norm(y)
            return y
        assert self.downsample is not None  # noqa: S101
        return self.downsample(x)


def _transform(units: tuple[Unit, ...], x: Tensor, trace: BlockTrace) -> Tensor:
    """F(x): convolution, normalization, activation; the last activation is applied by the connection."""
    *inner, last = units
    for name, conv, norm, act in inner:
        x = trace.responses[name] = norm(trace.convolve(name, conv, x))
        x = trace.activations[name] = act(x)
    x = trace.responses[last.name] = last.norm(trace.convolve(last.name, last.conv, x))
    return x


def _preactivated(units: tuple[Unit, ...], x: Tensor, trace: BlockTrace) -> Tensor:
    """F(x): normalization, activation, convolution."""
    for name, conv, norm, act in units:
        x = trace.activations[name] = act(norm(x))
        x = trace.responses[name] = trace.convolve(name, conv, x)
    return x


def _unit(
    spec: NetworkSpec, in_channels: int, out_channels: int, kernel: int, stride: int, groups: int
) -> tuple[nn.Conv2d, nn.Module, nn.Module]:
    normalized = in_channels if spec.connection == "preactivation" else out_channels
    conv = convolution(spec, in_channels, out_channels, kernel, stride, groups)
    return conv, normalization(spec, normalized), ACTIVATIONS[spec.activation]()


def _basic(spec: NetworkSpec, in_channels: int, planes: int, stride: int) -> tuple[Shape, ...]:
    """The two 3x3 convolutions. Between those of a folded block there is also the block's input."""
    between = planes + in_channels if spec.folded else planes
    return (in_channels, between, 3, stride, 1), (between, planes, 3, 1, 1)


def _bottleneck(spec: NetworkSpec, in_channels: int, planes: int, stride: int) -> tuple[Shape, ...]:
    """The 1x1, 3x3, 1x1 convolutions; width by Xie et al. 2017, section 3.3."""
    width = int(planes * spec.base_width / 64) * spec.cardinality
    first, second = (stride, 1) if spec.stride_in == "1x1" else (1, stride)
    return (
        (in_channels, width, 1, first, 1),
        (width, width, 3, second, spec.cardinality),
        (width, planes * spec.expansion, 1, 1, 1),
    )


def _shortcut(spec: NetworkSpec, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    same_shape = stride == 1 and in_channels == out_channels
    if spec.shortcut != "C" and same_shape:
        return nn.Identity()
    if spec.shortcut == "A":
        return ZeroPadShortcut(out_channels - in_channels, stride)
    return Projection(
        convolution(spec, in_channels, out_channels, 1, stride),
        normalization(spec, out_channels),
    )
