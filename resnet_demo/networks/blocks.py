"""The building block: F(x), its shortcut S(x), and the four ways of connecting them.

    residual       act(F(x) + S(x))              He et al. 2016, eq. 1 and 2
    plain          act(F(x))                     the same layers, section 3.3 "plain network"
    preactivation  F(x) + S(x), F = act first    He et al. 2016b, figure 1(b)
    highway        T(x) act(F(x)) + (1 - T(x)) S(x), T = sigmoid(1x1 convolution)   Srivastava et al. 2015, eq. 3

Parameter names are torchvision's (`conv1 bn1 conv2 bn2 [conv3 bn3] downsample.0 downsample.1`). No activation
works in place and none is shared, so that every tensor a trace hands out stays what its name says.
"""

from dataclasses import dataclass

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


def normalization(spec: NetworkSpec, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if spec.norm == "batch" else nn.Identity()


class ZeroPadShortcut(nn.Module):
    """Option A: every `stride`-th pixel, and zeros as the new channels, behind the old ones."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


@dataclass(frozen=True)
class BlockTrace:
    """One pass through a block, looked at from the inside; everything by the name of its convolution.

    responses     its output after normalization (in a pre-activation block, where the normalization comes first, its
                  bare output), and those of "downsample.0" and "gate"
    activations   what the nonlinearity that follows it lets through; in a pre-activation block the one before it. That
                  of a residual block's last convolution follows the addition: it is the block's output
    shortcut      S(x), or None in a plain block
    """

    output: Tensor
    responses: dict[str, Tensor]
    activations: dict[str, Tensor]
    shortcut: Tensor | None = None


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

    def trace(self, x: Tensor) -> "BlockTrace":
        """The same computation as `forward`, with everything named on the way."""
        transform = self._preactivated if self.connection == "preactivation" else self._transform
        out, responses, activations = transform(x)
        _, _, activation = self._unit(self.depth)

        if self.connection == "plain":
            out = activations[f"conv{self.depth}"] = activation(out)
            return BlockTrace(out, responses, activations)

        shortcut = self.downsample(x)
        if isinstance(self.downsample, nn.Sequential):
            responses["downsample.0"] = shortcut

        if self.connection == "preactivation":
            return BlockTrace(out + shortcut, responses, activations, shortcut)
        if self.connection == "residual":
            out = activations[f"conv{self.depth}"] = activation(out + shortcut)
            return BlockTrace(out, responses, activations, shortcut)

        gate = self.gate(x)
        responses["gate"] = gate
        share = torch.sigmoid(gate)
        out = activations[f"conv{self.depth}"] = activation(out)
        return BlockTrace(share * out + (1 - share) * shortcut, responses, activations, shortcut)

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

    def _transform(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """F(x): convolution, normalization, activation; the last activation is left to the connection."""
        responses: dict[str, Tensor] = {}
        activations: dict[str, Tensor] = {}
        for i in range(1, self.depth + 1):
            conv, norm, activation = self._unit(i)
            x = norm(conv(x))
            responses[f"conv{i}"] = x
            if i < self.depth:
                x = activations[f"conv{i}"] = activation(x)
        return x, responses, activations

    def _preactivated(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """F(x): normalization, activation, convolution."""
        responses: dict[str, Tensor] = {}
        activations: dict[str, Tensor] = {}
        for i in range(1, self.depth + 1):
            conv, norm, activation = self._unit(i)
            x = activations[f"conv{i}"] = activation(norm(x))
            x = responses[f"conv{i}"] = conv(x)
        return x, responses, activations


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
