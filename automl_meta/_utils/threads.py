"""Single-threaded linear algebra: faster for small matrices, and reproducible across machines."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

__all__ = ["single_threaded"]


@cache
def _controller() -> ThreadpoolController:
    """Detecting the loaded libraries takes tens of milliseconds, so the result is cached."""
    return ThreadpoolController()


def single_threaded() -> AbstractContextManager:
    """Context manager that limits BLAS to one thread; the limit applies to the whole process.

    Examples
    --------
    >>> import numpy as np
    >>> with single_threaded():
    ...     product = np.ones((2, 2)) @ np.ones((2, 2))
    """
    return _controller().limit(limits=1, user_api="blas")
