"""Views and copies that leave a network unchanged, as other threads may be using it."""

import copy

import torch
from torch import Tensor, nn

from resnet_demo.networks.protocol import TraceableNetwork


def view_of(network: TraceableNetwork) -> TraceableNetwork:
    """The network itself if it is in evaluation mode; otherwise a copy of its modules in evaluation mode that shares
    the tensors, since changing the mode of the network itself would affect other threads."""
    return copy_of(network) if any(m.training for m in network.modules()) else network


def copy_of(network: TraceableNetwork) -> TraceableNetwork:
    """A copy of the modules in evaluation mode that shares the tensors, for callers that register hooks."""
    parameters = network.parameters()
    shared: dict[int, Tensor] = {id(p): nn.Parameter(p.detach()) for p in parameters}
    shared |= {id(buffer): buffer for buffer in network.buffers()}
    copied = copy.deepcopy(network, shared)
    copied.eval()
    return copied


def mixes_images(network: TraceableNetwork) -> bool:
    """Whether the answer to an image depends on the others of its batch, as where batch normalization has no running
    statistics: in untrained networks."""
    return any(isinstance(m, nn.BatchNorm2d) and m.running_mean is None for m in network.modules())


def in_faster_layout(x: Tensor) -> Tensor:
    """A copy of x, channels last in memory on a CPU, where convolutions are then faster. Always a copy, as x may have
    been created in a caller's inference mode."""
    channels_last = x.device.type == "cpu"
    return x.clone(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
