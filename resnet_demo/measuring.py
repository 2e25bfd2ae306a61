"""What every measurement on a network needs: to leave it as it was, to be exact, to give plain numbers."""

import copy
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def view_of(network: nn.Module) -> nn.Module:
    """The network itself if it is ready; else a copy of its modules, over the same tensors, that is.

    A frozen network, or one in training mode, must be neither used as it is nor changed, for other threads use it.
    """
    parameters = list(network.parameters())
    if all(p.requires_grad for p in parameters) and not any(m.training for m in network.modules()):
        return network
    return copy_of(network)


def copy_of(network: nn.Module) -> nn.Module:
    """A copy of its modules in evaluation mode, over the same tensors: for whoever hangs hooks on a network."""
    parameters = network.parameters()
    shared: dict[int, Tensor] = {id(p): nn.Parameter(p.detach()) for p in parameters}
    shared |= {id(buffer): buffer for buffer in network.buffers()}
    return copy.deepcopy(network, shared).eval()


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """L2 norms, summed in float64 where the device has it: in float32 the squares of a gradient below 1e-22 are all 0,
    and a vanishing gradient would be taken for none. Stacked, so that a GPU is waited for once and not every time."""
    dtype = torch.float32 if tensors[0].device.type == "mps" else torch.float64
    return torch.stack([torch.linalg.vector_norm(tensor.detach(), dtype=dtype) for tensor in tensors]).tolist()


def stage_of(layer: str) -> str:
    return "stem" if layer == "conv1" else layer.split(".")[0]


def kind_of(layer: str) -> str:
    """ "projection" or "gate" beside the main path; "main" or "fc" on it."""
    if "downsample" in layer:
        return "projection"
    if layer.endswith(".gate"):
        return "gate"
    return "fc" if layer == "fc" else "main"


def on_main_path(layer: str) -> bool:
    return kind_of(layer) in ("main", "fc")


def finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# The flags belong to the process, so only one thread at a time may set them. A GPU works serially anyway.
_CUDA_FLAGS = threading.Lock()


@contextmanager
def exact_float32(device: torch.device) -> Iterator[None]:
    """No autocast and, on CUDA, no TF32 and a fixed order of summation, whatever the caller has turned on."""
    with torch.autocast(device.type, enabled=False):
        if device.type != "cuda":
            yield
            return
        with _CUDA_FLAGS, torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
