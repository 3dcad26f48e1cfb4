"""What a model from a file says of itself, looked at before anything relies on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from automl_meta.exceptions import DataError
from automl_meta.task import Column
from automl_meta.task.columns import KINDS

__all__ = ["check_soundness"]


def check_soundness(
    task_type: Any,
    pipelines: Sequence[Any],
    weights: Sequence[Any],
    configurations: Sequence[Any],
    columns: Mapping[Any, Column],
    labels: NDArray[Any],
    target: Any,
    metric: Any,
    cv_score: Any,
    versions: Mapping[Any, Any],
) -> None:
    """See that the fields of a `TabularModel` are of their types, and agree with each other.

    Raises
    ------
    DataError
        If they do not.
    """
    is_sound = (
        task_type in ("classification", "regression")
        and all(isinstance(pipeline, Pipeline) for pipeline in pipelines)
        and 0 < len(pipelines) == len(weights) == len(configurations)
        and all(isinstance(weight, float) and weight >= 0 for weight in weights)
        and abs(sum(weights) - 1) < 1e-6
        and isinstance(labels, np.ndarray)
        and labels.ndim == 1
        and (len(labels) > 0) == (task_type == "classification")
        and isinstance(cv_score, float)
        and all(isinstance(text, str) for text in (target, metric, *configurations, *columns))
        and all(isinstance(text, str) for pair in versions.items() for text in pair)
    )
    if not is_sound:
        raise DataError("what it says of itself contradicts itself")
    for name, column in columns.items():
        if not _is_column(column):
            raise DataError(f"what it says of column {name!r} contradicts itself")
    for pipeline in pipelines if task_type == "classification" else ():
        codes = np.asarray(pipeline.classes_)
        if codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() >= len(labels):
            raise DataError("its labels are not those of its pipelines")


def _is_column(column: Column) -> bool:
    units = {} if column.number is None else column.number.units
    texts = (column.kind, column.date_format, column.dropped, *column.notes, *(column.levels or ()), *units)
    return (
        column.kind in KINDS
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(value, float) for value in (*column.range, *units.values()))
        and len(column.range) == 2
        and (column.number is None or column.number.decimal in (".", ","))
        and type(column.n_unfit) is int
    )
