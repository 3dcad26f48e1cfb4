"""Docstrings of subclasses whose constructor is inherited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["with_parameters_of"]

Class = TypeVar("Class", bound=type[Any])


def with_parameters_of(parent: type[Any]) -> Callable[[Class], Class]:
    """Replace ``{parameters}`` in the docstring of a class by the Parameters section of its parent."""

    def complete(child: Class) -> Class:
        if parent.__doc__ and child.__doc__:  # None under python -OO
            start = parent.__doc__.index("Parameters\n")
            section = parent.__doc__[start : parent.__doc__.index("\n\n", start)]
            child.__doc__ = child.__doc__.replace("{parameters}", section)
        return child

    return complete
