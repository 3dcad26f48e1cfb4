"""Checks of the fields of a loaded model, before anything relies on them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from automl_meta.exceptions import AutomlMetaWarning, DataError
from automl_meta.records import Environment
from automl_meta.task import Column
from automl_meta.task.columns import KINDS

__all__ = ["CRITICAL", "check_soundness", "check_versions"]

CRITICAL = ("scikit-learn", "lightgbm")
"""Libraries whose fitted models change between versions."""


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
    """Check the types and the consistency of the fields of a `TabularModel`.

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
        raise DataError("its fields are inconsistent")
    for name, column in columns.items():
        if not _is_column(column):
            raise DataError(f"its description of column {name!r} is inconsistent")
    for pipeline in pipelines if task_type == "classification" else ():
        codes = np.asarray(pipeline.classes_)
        if codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() >= len(labels):
            raise DataError("its labels are not those of its pipelines")


def check_versions(versions: Mapping[str, str], newest_format: int, file: str | Path) -> None:
    """Check the versions that a model was made with.

    Parameters
    ----------
    versions : mapping of str to str
        Versions by library, and the format of the file.
    newest_format : int
        Newest format that this version reads.
    file : str or Path
        File of the model.

    Raises
    ------
    DataError
        If a newer version of this library wrote the file.

    Warns
    -----
    AutomlMetaWarning
        If another version of a `CRITICAL` library fitted the model.
    """
    if int(versions["format"]) > newest_format:
        raise DataError(f"{file} was written by a newer automl_meta: install that one.")
    now = Environment.current().versions
    for name in CRITICAL:
        if versions.get(name) != now[name]:
            warnings.warn(
                f"{file} was made with {name} {versions.get(name)}, and this is {now[name]}: "
                "predictions may differ.",
                AutomlMetaWarning,
                stacklevel=3,
            )


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
