"""How a process that only trains should use its memory."""

import ctypes
import sys


def reuse_freed_memory() -> None:
    """Keep glibc from returning every freed activation to the system: on a CPU that costs a fifth of the training.

    For a process that does nothing but train: it changes how the whole process allocates.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, (1 << 31) - 1)
