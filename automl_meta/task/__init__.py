"""Supervised learning tasks: a table, its target, and the kinds of its columns."""

from typing import TYPE_CHECKING, Any

from automl_meta.task.columns import Column, ColumnKind
from automl_meta.task.tabular_task import TabularTask

if TYPE_CHECKING:
    from automl_meta.task.reading import read_table

__all__ = ["Column", "ColumnKind", "TabularTask", "read_table"]


def __getattr__(name: str) -> Any:
    """Import the file readers lazily, since tables in memory do not need them."""
    if name == "read_table":
        from automl_meta.task.reading import read_table

        return read_table
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
