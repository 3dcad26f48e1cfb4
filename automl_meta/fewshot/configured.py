"""Configured: a module that knows its constructor arguments."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn
from typing_extensions import override

__all__ = ["Configured"]


class Configured(nn.Module):
    """Module that stores each constructor argument under its own name, from which it can be created again."""

    @property
    def config(self) -> dict[str, Any]:
        """The constructor arguments except the backbone, which is a module itself."""
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names if name != "backbone"}

    @override
    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.config.items())
