"""Checks of the target: whether it can be predicted at all, and whether columns already reveal it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.exceptions import DataError
from automl_meta.metrics import TaskType
from automl_meta.task.columns import ColumnKind
from automl_meta.task.values import columns_option

__all__ = ["check_target", "target_copies"]

_FIRST_ROWS = 50


def check_target(target: pd.Series, task_type: TaskType) -> list[str]:
    """Check that a target without missing values can be predicted; return notes to the user.

    Raises
    ------
    DataError
        If there are fewer than two rows or distinct values, or too many classes.
    """
    name, n_rows = str(target.name), len(target)
    if n_rows < 2:
        raise DataError(f"There is only {n_rows} row with a target: at least two are needed.")
    counts = target.value_counts()
    if len(counts) == 1:
        kind = "class" if task_type == "classification" else "value"
        raise DataError(
            f"The target {name!r} has a single {kind}, {target.tolist()[0]!r}: there is nothing to predict. "
            "Choose another target."
        )
    if task_type == "classification":
        if len(counts) > n_rows / 2 and len(counts) > 2:
            is_number = pd.api.types.is_numeric_dtype(target.dtype)
            raise DataError(
                f"The target {name!r} has {len(counts)} distinct values in {n_rows} rows: too many classes. "
                + ("Choose regression, or another target." if is_number else "Choose another target.")
            )
        alone = [label for label, count in counts.items() if count == 1]
        if alone:
            shown = ", ".join(map(repr, alone[:5])) + (", …" if len(alone) > 5 else "")
            return [
                f"{len(alone)} classes have one row each ({shown}): their predictions cannot be validated"
            ]
    return []


def target_copies(
    X: pd.DataFrame, kinds: Mapping[str, ColumnKind], y_codes: NDArray, n_classes: int
) -> list[str]:
    """Note columns that are equivalent to the target; `n_classes` is 0 for regression."""
    numeric = [name for name, kind in kinds.items() if kind == "numeric"]
    others = [name for name, kind in kinds.items() if n_classes and kind in ("categorical", "boolean")]
    likely = [*_copies_at_first(X[numeric].iloc[:_FIRST_ROWS], y_codes[:_FIRST_ROWS], n_classes), *others]
    return [
        f"column {name!r} is equivalent to the target: if it is unknown at prediction time, drop it "
        f"({columns_option(name, 'identifier')})"
        for name in likely
        if _equals_target(X[name], y_codes, n_classes)
    ]


def _equals_target(column: pd.Series, y_codes: NDArray, n_classes: int) -> bool:
    if column.isna().any():
        return False
    if n_classes == 0:
        return np.array_equal(column.to_numpy(), y_codes)
    own = pd.factorize(column)[0]
    n_own = own.max() + 1
    return bool(n_own == n_classes and len(np.unique(own * n_own + y_codes)) == n_own)


def _copies_at_first(first_rows: pd.DataFrame, y_codes: NDArray, n_classes: int) -> list[str]:
    """Preselect numeric columns that may equal the target, by the first rows only, for very wide tables."""
    first = first_rows.to_numpy(dtype=np.float64)
    if n_classes == 0:
        return list(first_rows.columns[(first == y_codes[:, None]).all(axis=0)])
    changes = first[1:] != first[:-1]
    ordered = np.sort(first, axis=0)
    few = (ordered[1:] != ordered[:-1]).sum(axis=0) < n_classes
    same = few & (changes == (np.diff(y_codes) != 0)[:, None])
    return list(first_rows.columns[same.all(axis=0)])
