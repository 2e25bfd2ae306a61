"""Memory settings for processes that compute on a CPU, or that run for long."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_reused = False


def reuse_freed_memory() -> None:
    """Keep glibc from returning every freed activation to the system and requesting it again, which costs up to a
    fifth of the time of training and of analyses.

    To be called by the process of a command or of the page before it starts threads, as it changes how the whole
    process allocates. Does nothing except on Linux with glibc.
    """
    global _reused
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold, arena_max = -1, -3, -8
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, (1 << 31) - 1)
        # The arenas of threads return their memory regardless of the thresholds.
        libc.mallopt(arena_max, 1)
        _reused = True


def return_freed_memory() -> None:
    """Return to the system, after an unusually large allocation, the memory that `reuse_freed_memory` would keep."""
    if _reused:
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def made_to_stay() -> Iterator[None]:
    """What is made within, as modules and a page are, stays until the process ends, and so does all that was there
    before. The garbage collector would look through it several times meanwhile, a good part of a start, and again
    later, while all visitors wait."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
