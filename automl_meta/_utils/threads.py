"""Linear algebra on one thread: faster for small matrices, and the same digits on every machine."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

__all__ = ["single_threaded"]


@cache
def _controller() -> ThreadpoolController:
    """Searching the process for its libraries takes tens of milliseconds, so it is done once."""
    return ThreadpoolController()


def single_threaded() -> AbstractContextManager:
    """A context in which BLAS uses one thread; like it, the limit is shared by the whole process.

    Examples
    --------
    >>> import numpy as np
    >>> with single_threaded():
    ...     product = np.ones((2, 2)) @ np.ones((2, 2))
    """
    return _controller().limit(limits=1, user_api="blas")
