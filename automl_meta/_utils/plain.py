"""Plain values for JSON and databases, which have no NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["number_or_none", "plain"]


def number_or_none(value: float | None) -> float | None:
    """Convert a number to a Python float; None stands for NaN and infinity.

    Examples
    --------
    >>> number_or_none(1), number_or_none(float("nan"))
    (1.0, None)
    """
    return None if value is None or not math.isfinite(value) else float(value)


def plain(content: Any) -> Any:
    """Convert content for JSON: NumPy scalars to Python's, tuples to lists, numbers that are not finite to None.

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
