"""The three equivalent forms of a ResNeXt block's F(x) (Xie et al. 2017, figure 3), from the weights of one block.

    split         figure 3(a): C paths of 1x1, 3x3, 1x1, each with its slice of the normalizations, summed
    concatenate   figure 3(b): the paths are concatenated before one 1x1 (early concatenation)
    grouped       figure 3(c): one grouped convolution, as in `Block`

Batch normalization uses the running statistics, channel by channel, so it can be split like a convolution; the last
one follows the sum in every form.
"""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.networks.blocks import Block
from resnet_demo.networks.network import create_network


def grouped(block: Block, x: Tensor) -> Tensor:
    """Figure 3(c): the block's own F(x), before its shortcut is added. (N, C, H, W)."""
    return block.trace(x).responses[block.units[-1].name]


def concatenated(block: Block, x: Tensor) -> Tensor:
    """Figure 3(b): a 1x1 and a 3x3 for each path, concatenation, and one 1x1."""
    paths = [_path(block, x, i) for i in range(block.conv2.groups)]
    return block.bn3(block.conv3(torch.cat(paths, dim=1)))


def split_transform_merge(block: Block, x: Tensor) -> Tensor:
    """Figure 3(a): each path ends with a 1x1 of its own, and their outputs are summed."""
    groups = block.conv2.groups
    width = block.conv3.in_channels // groups
    total: Tensor | float = 0.0
    for i in range(groups):
        weight = block.conv3.weight[:, i * width : (i + 1) * width]
        total = total + F.conv2d(_path(block, x, i), weight)
    if block.conv3.bias is not None:
        total = total + block.conv3.bias[:, None, None]
    return block.bn3(total)


FORMS = {
    "split, transform, merge": split_transform_merge,
    "early concatenation": concatenated,
    "grouped convolution": grouped,
}


@functools.cache
def largest_differences() -> dict[str, float]:
    """The largest difference between the output of each form and that of the grouped form, in standard deviations of
    the latter, for the second block of a ResNeXt-50 with random weights and random input."""
    network = create_network("resnext50_32x4d", generator=torch.Generator().manual_seed(0)).eval()
    block = list(network.layer1)[1]
    x = torch.randn(1, 256, 56, 56, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        outputs = {name: form(block, x) for name, form in FORMS.items()}
    expected = outputs["grouped convolution"]
    return {name: ((output - expected).abs().max() / expected.std()).item() for name, output in outputs.items()}


def _path(block: Block, x: Tensor, group: int) -> Tensor:
    """The 1x1 and the 3x3 convolution of one path, each with its slice of the normalization."""
    width = block.conv1.out_channels // block.conv2.groups
    mine = slice(group * width, (group + 1) * width)
    x = block.act1(_normalized(block.bn1, _part(block.conv1, x, mine), mine))
    return block.act2(_normalized(block.bn2, _part(block.conv2, x, mine), mine))


def _part(conv: nn.Conv2d, x: Tensor, channels: slice) -> Tensor:
    """Some output channels of a convolution, from the input of their own group."""
    bias = None if conv.bias is None else conv.bias[channels]
    return F.conv2d(x, conv.weight[channels], bias, conv.stride, conv.padding)


def _normalized(norm: nn.Module, x: Tensor, channels: slice) -> Tensor:
    if not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None or norm.running_var is None:
        return norm(x)  # An identity: the network has no normalization.
    mean, variance = norm.running_mean[channels], norm.running_var[channels]
    return F.batch_norm(x, mean, variance, norm.weight[channels], norm.bias[channels], False, 0.0, norm.eps)
