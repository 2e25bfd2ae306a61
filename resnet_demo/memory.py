"""How a process that computes on a CPU should use its memory."""

import ctypes
import sys

_reused = False


def reuse_freed_memory() -> None:
    """Keep glibc from returning every freed activation to the system, only to ask for it again: that costs up to a
    fifth of the time of training and of analyses.

    For the process of a command or of the page, and before it starts threads: it changes how the whole process
    allocates. Elsewhere than on Linux with glibc it does nothing.
    """
    global _reused
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold, arena_max = -1, -3, -8
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, (1 << 31) - 1)
        # A thread's own arena gives its memory back whatever the thresholds say.
        libc.mallopt(arena_max, 1)
        _reused = True


def return_freed_memory() -> None:
    """After something unusually large: give the system back what `reuse_freed_memory` would keep for the next such."""
    if _reused:
        ctypes.CDLL(None).malloc_trim(0)
