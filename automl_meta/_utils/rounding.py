"""Rounding of hyperparameters."""

from __future__ import annotations

__all__ = ["six_digits"]


def six_digits(value: float, low: float, high: float) -> float:
    """Round a number within bounds to six significant digits, which keeps stored configurations readable.

    Examples
    --------
    >>> six_digits(0.123456789, 0.0, 1.0), six_digits(0.123456789, 0.0, 0.1234567)
    (0.123457, 0.1234567)
    """
    return min(max(float(f"{value:.6g}"), low), high)
