"""What every measurement on a network needs: to leave it as it was, to be exact, to give plain numbers."""

import copy
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from resnet_demo.errors import InputError, quoted


def view_of(network: nn.Module) -> nn.Module:
    """The network itself if it is in evaluation mode; else a copy of its modules, over the same tensors, that is: one
    in training mode must be neither used as it is nor changed, for other threads use it."""
    return copy_of(network) if any(m.training for m in network.modules()) else network


def copy_of(network: nn.Module) -> nn.Module:
    """A copy of its modules in evaluation mode, over the same tensors: for whoever hangs hooks on a network."""
    parameters = network.parameters()
    shared: dict[int, Tensor] = {id(p): nn.Parameter(p.detach()) for p in parameters}
    shared |= {id(buffer): buffer for buffer in network.buffers()}
    return copy.deepcopy(network, shared).eval()


def in_faster_layout(x: Tensor) -> Tensor:
    """On a CPU channels come last in memory, where its convolutions are faster. A copy, for a caller's inference mode
    may have made x."""
    channels_last = x.device.type == "cpu"
    return x.clone(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


# Norms outside of this range are summed again in float64: their squares leave, or nearly leave, what float32 holds.
SAFE = (1e-16, 1e16)
# A variance below this share of the mean square has lost a digit to the subtraction, and is summed the slow way.
CANCELLED = 0.1


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """The L2 norm of each."""
    return norms_by_image([one_row_each(tensor).reshape(1, -1) for tensor in tensors])[0]


def norms_by_image(tensors: Sequence[Tensor]) -> list[list[float]]:
    """L2 norms of each image of tensors (N, ...): for each image, one for each tensor. Exact to about 1e-6.

    As scalar products, the fastest exact sum there is; stacked, so that a GPU is waited for once and not every time.
    """
    found = torch.stack([squares_by_image(tensor.detach().float()) for tensor in tensors], 1).sqrt().tolist()
    for i, image in enumerate(found):
        for k, norm in enumerate(image):
            if not SAFE[0] < norm < SAFE[1]:
                # A vanishing gradient must not be taken for none.
                image[k] = torch.linalg.vector_norm(tensors[k][i].detach().cpu(), dtype=torch.float64).item()
    return found


def deviations_by_image(tensors: Sequence[Tensor]) -> list[list[float]]:
    """Standard deviations of all values of each image, as `norms_by_image`."""
    norms = norms_by_image(tensors)
    means = torch.stack([one_row_each(tensor.detach().float()).mean(1) for tensor in tensors], 1).tolist()
    found = []
    for i, image in enumerate(norms):
        deviations = []
        for k, norm in enumerate(image):
            square = norm**2 / tensors[k][i].numel()
            variance = square - means[i][k] ** 2
            if not variance > CANCELLED * square:
                variance = tensors[k][i].detach().float().var(correction=0).item()
            deviations.append(variance**0.5)
        found.append(deviations)
    return found


def squares_by_image(tensor: Tensor) -> Tensor:
    """The squared norm (N,) of each image."""
    # One by one: the sum of a batched product is a hundred times less exact on a CPU.
    return torch.stack([row @ row for row in one_row_each(tensor)])


def one_row_each(tensor: Tensor) -> Tensor:
    """The values of each image, (N, values), without a copy in either layout, so in no particular order."""
    if tensor.ndim == 4 and not tensor.is_contiguous():
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.reshape(len(tensor), -1)


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


def precisions(device: str) -> tuple[str, ...]:
    """What can be computed in there; the first one is exact."""
    return ("float32", "bfloat16", "tf32") if device.startswith("cuda") else ("float32", "bfloat16")


@contextmanager
def computing_in(precision: str, device: torch.device) -> Iterator[None]:
    """Whatever the caller has turned on: "float32" without autocast, "bfloat16" with it; on CUDA a fixed order of
    summation, and TF32 only for "tf32". Raises `InputError` for a precision that the device does not have."""
    if precision not in (offered := precisions(device.type)):
        raise InputError(f"There is no precision {quoted(precision)} on {device}: choose {' or '.join(offered)}.")
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
        if device.type != "cuda":
            yield
            return
        settings = _cuda_settings("tf32" if precision == "tf32" else "ieee")
        with _CUDA_FLAGS:
            before = [getattr(owner, name) for owner, name, _ in settings]
            try:
                for owner, name, value in settings:
                    setattr(owner, name, value)
                yield
            finally:
                for (owner, name, _), value in zip(settings, before, strict=True):
                    setattr(owner, name, value)


def _cuda_settings(precision: str) -> list[tuple[Any, str, Any]]:
    """torch has had two names for the precision of products, and refuses callers that mix them."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(matmul, "fp32_precision"):
        products = [(matmul, "fp32_precision", precision), (cudnn.conv, "fp32_precision", precision)]
    else:
        products = [(matmul, "allow_tf32", precision == "tf32"), (cudnn, "allow_tf32", precision == "tf32")]
    return [(cudnn, "deterministic", True), *products]


def exact_float32(device: torch.device) -> AbstractContextManager[None]:
    """`computing_in` the precision of everything that is compared with something."""
    return computing_in("float32", device)
