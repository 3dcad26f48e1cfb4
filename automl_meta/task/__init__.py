"""What is to be learnt: a table, a target, and what its columns are."""

from automl_meta.task.columns import Column, ColumnKind
from automl_meta.task.reading import read_table
from automl_meta.task.tabular_task import TabularTask

__all__ = ["Column", "ColumnKind", "TabularTask", "read_table"]
