"""The building block: F(x), its shortcut S(x), and the four ways of connecting them.

    residual       act(F(x) + S(x))              He et al. 2016, eq. 1 and 2
    plain          act(F(x))                     the same layers, section 3.3 "plain network"
    preactivation  F(x) + S(x), F = act first    He et al. 2016b, figure 1(b)
    highway        T(x) act(F(x)) + (1 - T(x)) S(x), T = sigmoid(1x1 convolution)   Srivastava et al. 2015, eq. 3

Parameter names are torchvision's (`conv1 bn1 conv2 bn2 [conv3 bn3] downsample.0 downsample.1`). No activation
works in place and none is shared, so that every tensor a trace hands out stays what its name says.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.networks.spec import NetworkSpec

EXPANSION = 4
# A highway block starts by carrying its input: sigmoid(-2) = 0.12 of the transform (Srivastava et al. 2015, 2.2).
GATE_BIAS = -2.0
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def convolution(
    spec: NetworkSpec, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """A "same" convolution; it has a bias only where no normalization follows."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=spec.norm == "none")


class BatchNorm2d(nn.BatchNorm2d):
    """torch's, but where a gradient will go back through frozen statistics a scale and a shift, which is all it then
    is: on a CPU the backward pass of torch's takes five times as long as that of a multiplication."""

    def forward(self, x: Tensor) -> Tensor:
        frozen = not self.training and self.running_var is not None
        if not (frozen and x.requires_grad and x.device.type == "cpu"):
            return super().forward(x)
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return torch.addcmul(shift[:, None, None], x, scale[:, None, None])


def normalization(spec: NetworkSpec, channels: int) -> nn.Module:
    return BatchNorm2d(channels) if spec.norm == "batch" else nn.Identity()


class ZeroPadShortcut(nn.Module):
    """Option A: every `stride`-th pixel, and zeros as the new channels, behind the old ones."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


@dataclass
class BlockTrace:
    """One pass through a block, looked at from the inside; everything by the name of its convolution.

    passes        what entered it and what left it, before normalization; those of "downsample.0" and "gate" too
    responses     its output after normalization (in a pre-activation block, where the normalization comes first, its
                  bare output), and those of "downsample.0" and "gate"
    activations   what the nonlinearity that follows it lets through; in a pre-activation block the one before it. That
                  of a residual block's last convolution follows the addition: it is the block's output
    shortcut      S(x), or None in a plain block
    """

    output: Tensor
    passes: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    responses: dict[str, Tensor] = field(default_factory=dict)
    activations: dict[str, Tensor] = field(default_factory=dict)
    shortcut: Tensor | None = None

    def convolve(self, name: str, conv: nn.Conv2d, x: Tensor) -> Tensor:
        """conv(x), kept as a pass."""
        y = conv(x)
        self.passes[name] = x, y
        return y


class Block(nn.Module):
    """One block, `(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)`."""

    def __init__(self, spec: NetworkSpec, in_channels: int, planes: int, stride: int) -> None:
        super().__init__()
        self.connection = spec.connection
        self.out_channels = planes * (EXPANSION if spec.bottleneck else 1)
        shapes = (
            _bottleneck(spec, in_channels, planes, stride)
            if spec.bottleneck
            else (
                (in_channels, planes, 3, stride, 1),
                (planes, planes, 3, 1, 1),
            )
        )
        self.depth = len(shapes)
        for i, (channels_in, channels_out, kernel, step, groups) in enumerate(shapes, 1):
            normalized = channels_in if spec.connection == "preactivation" else channels_out
            setattr(self, f"conv{i}", convolution(spec, channels_in, channels_out, kernel, step, groups))
            setattr(self, f"bn{i}", normalization(spec, normalized))
            setattr(self, f"act{i}", ACTIVATIONS[spec.activation]())
        if spec.connection == "plain":
            self.bypassed = ZeroPadShortcut(self.out_channels - in_channels, stride)
        else:
            self.downsample = _shortcut(spec, in_channels, self.out_channels, stride)
        if spec.connection == "highway":
            self.gate = nn.Conv2d(in_channels, self.out_channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.trace(x).output

    def trace(self, x: Tensor) -> BlockTrace:
        """The same computation as `forward`, with everything named on the way."""
        trace = BlockTrace(x)
        out = self._preactivated(x, trace) if self.connection == "preactivation" else self._transform(x, trace)
        _, _, activation = self._unit(self.depth)
        last = f"conv{self.depth}"

        if self.connection == "plain":
            trace.output = trace.activations[last] = activation(out)
            return trace

        shortcut = trace.shortcut = self._shortcut(x, trace)
        if self.connection == "preactivation":
            trace.output = out + shortcut
        elif self.connection == "residual":
            trace.output = trace.activations[last] = activation(out + shortcut)
        else:
            gate = trace.responses["gate"] = trace.convolve("gate", self.gate, x)
            share = torch.sigmoid(gate)
            out = trace.activations[last] = activation(out)
            trace.output = share * out + (1 - share) * shortcut
        return trace

    def bypass(self, x: Tensor) -> Tensor:
        """The block's output if F(x) were 0 (Veit et al. 2016): what its shortcut passes on.

        A plain block has no shortcut; it is replaced by the identity of option A that it could have been.
        """
        if self.connection == "plain":
            return self.bypassed(x)
        shortcut = self.downsample(x)
        if self.connection == "residual":
            return self._unit(self.depth)[2](shortcut)
        return shortcut

    def _unit(self, i: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        """The i-th convolution, its normalization and its activation, counted from 1."""
        return getattr(self, f"conv{i}"), getattr(self, f"bn{i}"), getattr(self, f"act{i}")

    def _transform(self, x: Tensor, trace: BlockTrace) -> Tensor:
        """F(x): convolution, normalization, activation; the last activation is left to the connection."""
        for i in range(1, self.depth + 1):
            conv, norm, activation = self._unit(i)
            x = trace.responses[f"conv{i}"] = norm(trace.convolve(f"conv{i}", conv, x))
            if i < self.depth:
                x = trace.activations[f"conv{i}"] = activation(x)
        return x

    def _preactivated(self, x: Tensor, trace: BlockTrace) -> Tensor:
        """F(x): normalization, activation, convolution."""
        for i in range(1, self.depth + 1):
            conv, norm, activation = self._unit(i)
            x = trace.activations[f"conv{i}"] = activation(norm(x))
            x = trace.responses[f"conv{i}"] = trace.convolve(f"conv{i}", conv, x)
        return x

    def _shortcut(self, x: Tensor, trace: BlockTrace) -> Tensor:
        if not isinstance(self.downsample, nn.Sequential):
            return self.downsample(x)
        conv, norm = self.downsample
        x = trace.responses["downsample.0"] = norm(trace.convolve("downsample.0", conv, x))
        return x


def _bottleneck(spec: NetworkSpec, in_channels: int, planes: int, stride: int) -> tuple[tuple[int, ...], ...]:
    """(in, out, kernel, stride, groups) of the 1x1, 3x3, 1x1 convolutions; width by Xie et al. 2017, section 3.3."""
    width = int(planes * spec.base_width / 64) * spec.cardinality
    first, second = (stride, 1) if spec.stride_in == "1x1" else (1, stride)
    return (
        (in_channels, width, 1, first, 1),
        (width, width, 3, second, spec.cardinality),
        (width, planes * EXPANSION, 1, 1, 1),
    )


def _shortcut(spec: NetworkSpec, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    same_shape = stride == 1 and in_channels == out_channels
    if spec.shortcut != "C" and same_shape:
        return nn.Identity()
    if spec.shortcut == "A":
        return ZeroPadShortcut(out_channels - in_channels, stride)
    return nn.Sequential(
        convolution(spec, in_channels, out_channels, 1, stride),
        normalization(spec, out_channels),
    )
