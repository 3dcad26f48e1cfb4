"""Conversion to plain values for JSON and databases, without NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["number_or_none", "plain"]


def number_or_none(value: float | None) -> float | None:
    """Convert a number to a Python float; NaN and infinity become None.

    Examples
    --------
    >>> number_or_none(1), number_or_none(float("nan"))
    (1.0, None)
    """
    return None if value is None or not math.isfinite(value) else float(value)


def plain(content: Any) -> Any:
    """Convert content for JSON: NumPy scalars to Python's, tuples to lists, non-finite numbers to None.

    Examples
    --------
    >>> plain({"scores": (0.5, float("nan"))})
    {'scores': [0.5, None]}
    """
    if isinstance(content, Mapping):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain(value) for value in content]
    if hasattr(content, "item"):
        content = content.item()
    return None if isinstance(content, float) and not math.isfinite(content) else content
