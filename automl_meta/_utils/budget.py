"""Budget: one deadline that is passed down the whole call stack."""

from __future__ import annotations

import math
import time

from automl_meta.exceptions import UsageError

__all__ = ["Budget"]


class Budget:
    """Wall-clock time budget that starts when the object is created.

    Parameters
    ----------
    seconds : float or None, default=None
        Time limit in seconds; None means no limit, 0 is exhausted immediately.

    Raises
    ------
    UsageError
        If `seconds` is negative or not a number.

    Examples
    --------
    >>> Budget(0).exhausted, Budget().exhausted, Budget().remaining
    (True, False, inf)
    """

    def __init__(self, seconds: float | None = None) -> None:
        if seconds is not None and not seconds >= 0:
            raise UsageError(f"A time budget must be a number of seconds from 0, or None; it is {seconds!r}.")
        self.seconds = math.inf if seconds is None else float(seconds)
        self._started = time.monotonic()

    @property
    def remaining(self) -> float:
        """Seconds left; 0 once exhausted, infinite without a limit."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since creation."""
        return time.monotonic() - self._started

    @property
    def exhausted(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0.0

    def __repr__(self) -> str:
        return f"Budget({self.seconds:g} s, {self.remaining:.3g} s left)"
