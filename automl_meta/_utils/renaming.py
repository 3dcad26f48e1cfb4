"""Arguments under an old name, for one release."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["renamed"]


def renamed(old_name: str, old: Any, new_name: str, new: Any) -> Any:
    """Return the value of a renamed argument, and warn if it was given under its old name.

    Parameters
    ----------
    old_name : str
        Name that still works for one release.
    old : object or None
        Value under that name; None if it was not given.
    new_name : str
        Name that replaces it.
    new : object or None
        Value under the new name, which takes precedence; None if it was not given.

    Returns
    -------
    object or None
        Value of the argument.
    """
    if old is None:
        return new
    warnings.warn(
        f"{old_name} is now called {new_name}; the old name will be removed in the next release.",
        FutureWarning,
        stacklevel=3,
    )
    return old if new is None else new
