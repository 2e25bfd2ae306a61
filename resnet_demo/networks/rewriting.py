"""Rewriting a network as another one that computes the same function (as Net2Net, Chen et al. 2016).

What shortcuts change is not what a network can compute: a residual network can be rewritten as a plain one, and a
plain network as a deeper plain one. They change what training finds.
"""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from resnet_demo.errors import InputError
from resnet_demo.networks.blocks import Block, Projection
from resnet_demo.networks.network import Network, create_network, empty_network, materialized
from resnet_demo.networks.spec import NetworkSpec

SEED = 0


def folded_spec(spec: NetworkSpec) -> NetworkSpec:
    """The plain network that `fold_shortcuts` makes of a residual one. Raises `InputError` as it does."""
    if spec.connection != "residual":
        raise InputError(f"{spec.name} is not a residual network: only its shortcuts can be folded away.")
    if spec.bottleneck:
        raise InputError(
            f"{spec.name} has bottlenecks, whose 3x3 convolution would become five times as wide: pick a network of "
            "two 3x3 convolutions a block (depth 18, 34 or 6n+2)."
        )
    if spec.activation != "relu":
        raise InputError(f"{spec.name} has no ReLUs, which hand a block's input on unchanged: it cannot be folded.")
    return replace(spec, connection="plain", shortcut="none", norm="none", folded=True)


@torch.no_grad()
def fold_shortcuts(network: Network) -> Network:
    """The plain network without normalization that computes what `network` computes in evaluation mode; the network
    itself is not changed ("reserving and merging", Meng et al. 2021, arXiv 2111.00687).

    The first convolution of a block gets as many more outputs as the block has inputs, and hands each input on by a
    centre tap of 1; it is not negative, so the ReLU does not change it. The second one adds them to F(x): by centre
    taps of 1 for an identity or option A, by the projection's weights for options B and C. Normalizations become part
    of the convolution before them. Outputs of the blocks are the same tensors up to rounding, and so are their
    gradients; those of the weights are not, as there are more weights.

    Raises `InputError` for a network of bottlenecks, another connection or activation, and for one that normalizes by
    the statistics of its input.
    """
    spec = folded_spec(network.spec)
    _require_statistics(network)
    folded = materialized(empty_network(spec).to(network.fc.weight.dtype), network.fc.weight.device)
    _assign(folded.conv1, *_fused(network.conv1, network.bn1))
    for (_, block), (_, plain) in zip(network.named_blocks(), folded.named_blocks(), strict=True):
        _fold(block, plain)
    folded.fc.load_state_dict(network.fc.state_dict())
    return folded.train(network.training)


def _require_statistics(network: Network) -> None:
    if any(isinstance(module, nn.BatchNorm2d) and module.running_mean is None for module in network.modules()):
        raise InputError(f"{network.spec.name} normalizes by the statistics of each input: load trained weights first.")


def _fold(block: Block, plain: Block) -> None:
    planes, inputs = block.conv1.out_channels, block.conv1.in_channels
    weight, bias = _fused(block.conv1, block.bn1)
    _assign(plain.conv1, torch.cat([weight, _centred(torch.eye(inputs))]), torch.cat([bias, torch.zeros(inputs)]))
    weight, bias = _fused(block.conv2, block.bn2)
    if isinstance(block.downsample, Projection):
        shortcut, shift = _fused(block.downsample.conv, block.downsample.norm)
        _assign(plain.conv2, torch.cat([weight, _centred(shortcut[:, :, 0, 0])], 1), bias + shift)
    else:
        # Option A's new channels are 0: the rows below those of the identity.
        _assign(plain.conv2, torch.cat([weight, _centred(torch.eye(planes, inputs))], 1), bias)


def _fused(conv: nn.Conv2d, norm: nn.Module | None) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that computes norm(conv(x)): float64, on the CPU."""
    weight = conv.weight.detach().cpu().double()
    bias = None if conv.bias is None else conv.bias.detach().cpu().double()
    if isinstance(norm, nn.BatchNorm2d):
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None and variance is not None  # noqa: S101 - `fold_shortcuts` has looked
        values = (tensor.detach().cpu().double() for tensor in (mean, variance, norm.weight, norm.bias))
        mean, variance, scale, shift = values
        weight, bias = fuse_conv_bn_weights(weight, bias, mean, variance, norm.eps, scale, shift)
    return weight.detach(), torch.zeros(len(weight), dtype=torch.float64) if bias is None else bias.detach()


def _centred(matrix: Tensor) -> Tensor:
    """The 3x3 convolution that applies a matrix (K, C) to each pixel: (K, C, 3, 3)."""
    return nn.functional.pad(matrix.double()[:, :, None, None], (1, 1, 1, 1))


def _assign(conv: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    assert conv.weight.shape == weight.shape and conv.bias is not None  # noqa: S101
    conv.weight.copy_(weight)
    conv.bias.copy_(bias)


def grown_spec(spec: NetworkSpec, depth: int) -> NetworkSpec:
    """The spec of the deeper network that `grow` makes. Raises `InputError` as it does."""
    deeper = replace(spec, depth=depth)
    if any(more < fewer for more, fewer in zip(deeper.stages, spec.stages, strict=True)) or depth == spec.depth:
        raise InputError(f"{spec.name} can grow to more layers than {spec.depth} only, not to {depth}.")
    if deeper.bottleneck != spec.bottleneck:
        raise InputError(f"{spec.name} and {deeper.name} are built of different blocks: grow it to another depth.")
    if spec.connection == "plain" and spec.bottleneck:
        raise InputError(f"A bottleneck narrows its input, so it cannot be an identity: {spec.name} cannot grow.")
    if spec.connection == "highway":
        raise InputError(f"The gates of {spec.name} never close, so a block of it is not an identity.")
    if spec.connection != "preactivation" and spec.activation != "relu":
        raise InputError(f"{spec.name} has no ReLUs, which leave what is not negative unchanged: it cannot grow.")
    return deeper


@torch.no_grad()
def grow(network: Network, depth: int, images: Tensor | None = None) -> Network:
    """The network of `depth` layers that computes what `network` computes in evaluation mode, which is the paper's
    argument for why deeper networks should not be worse (He et al. 2016, section 1); the network is not changed.

    Identity blocks are added at the end of each stage. In plain networks, both of their convolutions are Dirac's, and
    their normalizations have a mean of 0 and a scale of 1; their input is not negative, so the ReLUs do not change it.
    In residual ones F(x) = 0: the scale of its last normalization is 0, as in the initialization by Goyal et al. 2017,
    and its other weights are drawn as for training.

    In training mode, a normalization uses the statistics of its batch, so the identity of a plain block holds for one
    mean and deviation only: for those of its input when `images`, if given, are the batch.

    images   standardized (N, C, H, W), on the network's device

    Raises `InputError` if the network has no such blocks, or is as deep already.
    """
    deeper = create_network(grown_spec(network.spec, depth), generator=torch.Generator().manual_seed(SEED))
    _require_statistics(network)
    deeper.to(network.fc.weight)
    kept, last, x = {name for name, _ in network.named_blocks()}, "", None
    for name, block in deeper.named_blocks():
        if name in kept:
            last, x = name, None
            continue
        if x is None and images is not None:
            x = copy.deepcopy(network).train().begin(images, upto=last)
        _make_identity(block, x)
    missing, unexpected = deeper.load_state_dict(network.state_dict(), strict=False)
    assert not unexpected and not any(key.startswith(tuple(f"{name}." for name in kept)) for key in missing)  # noqa: S101
    return deeper.train(network.training)


def _make_identity(block: Block, x: Tensor | None) -> None:
    """x   the block's input, for which it is to be an identity in training mode too"""
    if block.connection == "plain":
        for unit in block.units:
            _pass_on(unit.conv, unit.norm, x)
        return
    if isinstance(block.downsample, Projection):
        _pass_on(block.downsample.conv, block.downsample.norm, x)
    last = block.units[-1]
    silenced = last.norm if isinstance(last.norm, nn.BatchNorm2d) and block.connection == "residual" else last.conv
    nn.init.zeros_(silenced.weight)


def _pass_on(conv: nn.Conv2d, norm: nn.Module, x: Tensor | None) -> None:
    nn.init.dirac_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    if not isinstance(norm, nn.BatchNorm2d):
        return
    if x is not None:
        _standardize_and_back(norm, x)
    elif norm.running_var is not None:
        norm.running_var.fill_(1 - norm.eps)  # The scale is 1 / sqrt(variance + eps).


def _standardize_and_back(norm: nn.BatchNorm2d, x: Tensor) -> None:
    """Make of `norm` the identity that subtracts the mean of x, divides by its deviation, and undoes both."""
    assert norm.running_mean is not None and norm.running_var is not None  # noqa: S101 - a new network's
    variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(mean)
