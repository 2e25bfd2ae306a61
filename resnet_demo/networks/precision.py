"""Computing in a given precision, independent of the caller's settings."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

from resnet_demo.errors import InputError, quoted

# The flags are global to the process, so only one thread at a time may set them. A GPU works serially anyway.
# Reentrant, so that these contexts can be nested.
_CUDA_FLAGS = threading.RLock()


def precisions(device: str) -> tuple[str, ...]:
    """The precisions that the device offers; the first one is exact."""
    return ("float32", "bfloat16", "tf32") if device.startswith("cuda") else ("float32", "bfloat16")


@contextmanager
def computing_in(precision: str, device: torch.device) -> Iterator[None]:
    """Whatever the caller has turned on: "float32" without autocast, "bfloat16" with it; on CUDA a fixed order of
    summation, and TF32 only for "tf32". Raises `InputError` for a precision that the device does not have.

    Not for training: autocast keeps its copies of the weights until the outermost of its contexts ends.
    """
    if precision not in (offered := precisions(device.type)):
        raise InputError(f"There is no precision {quoted(precision)} on {device}: choose {' or '.join(offered)}.")
    autocast = torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")
    with autocast, fixed_order(device, precision == "tf32"):
        yield


@contextmanager
def fixed_order(device: torch.device, tf32: bool = False) -> Iterator[None]:
    """On CUDA the same order of summation every time, and products in TF32 only if asked for."""
    if device.type != "cuda":
        yield
        return
    settings = _cuda_settings("tf32" if tf32 else "ieee")
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
    """The flags to set. torch has two generations of flags for matrix products and raises when a program mixes them."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(matmul, "fp32_precision"):
        products = [(matmul, "fp32_precision", precision), (cudnn.conv, "fp32_precision", precision)]
    else:
        products = [(matmul, "allow_tf32", precision == "tf32"), (cudnn, "allow_tf32", precision == "tf32")]
    return [(cudnn, "deterministic", True), (cudnn, "benchmark", False), *products]


def exact_float32(device: torch.device) -> AbstractContextManager[None]:
    """`computing_in` float32, for every result that is compared with another."""
    return computing_in("float32", device)
