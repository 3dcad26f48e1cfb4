"""Memory that is freed and asked for again, step after step."""

from __future__ import annotations

import ctypes
from functools import cache

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_KEPT = 1 << 30  # bytes at most at the end of the heap
_FROM_HEAP = 32 * 2**20  # blocks up to here, the most that glibc allows


@cache
def keep_freed_memory() -> None:
    """Have the process keep up to 1 GiB of the memory it frees, where glibc allocates it.

    By default glibc gives freed memory back to the system as soon as some tens of megabytes lie together, or not,
    by chance of what was allocated in between. Training frees all activations after each step and fills
    as many in the next, and to get the pages anew takes longer than to compute a layer.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another system, or another C library
        return
    set_option(_MMAP_THRESHOLD, _FROM_HEAP)
    set_option(_TRIM_THRESHOLD, _KEPT)
