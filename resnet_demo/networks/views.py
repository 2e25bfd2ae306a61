"""Other ways to look at the same network, which is left as it was: other threads use it."""

import copy

import torch
from torch import Tensor, nn

from resnet_demo.networks.protocol import TraceableNetwork


def view_of(network: TraceableNetwork) -> TraceableNetwork:
    """The network itself if it is in evaluation mode; else a copy of its modules, over the same tensors, that is: one
    in training mode must be neither used as it is nor changed, for other threads use it."""
    return copy_of(network) if any(m.training for m in network.modules()) else network


def copy_of(network: TraceableNetwork) -> TraceableNetwork:
    """A copy of its modules in evaluation mode, over the same tensors: for whoever hangs hooks on a network."""
    parameters = network.parameters()
    shared: dict[int, Tensor] = {id(p): nn.Parameter(p.detach()) for p in parameters}
    shared |= {id(buffer): buffer for buffer in network.buffers()}
    copied = copy.deepcopy(network, shared)
    copied.eval()
    return copied


def in_faster_layout(x: Tensor) -> Tensor:
    """On a CPU channels come last in memory, where its convolutions are faster. A copy, for a caller's inference mode
    may have made x."""
    channels_last = x.device.type == "cpu"
    return x.clone(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
