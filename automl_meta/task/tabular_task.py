"""TabularTask: a table, its target, and what its columns are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from automl_meta.exceptions import DataError, UsageError
from automl_meta.metrics import TaskType
from automl_meta.task.columns import ColumnKind, canonical_column
from automl_meta.task.reading import read_table

__all__ = ["BUNDLED", "TabularTask"]

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
"""Data sets that come with scikit-learn, by name: an offline demonstration."""

_MAX_INTEGER_CLASSES = 20
_MIN_ROWS_PER_INTEGER_CLASS = 10


@dataclass(frozen=True, eq=False)
class TabularTask:
    """A table, its target, and what its columns are.

    Made by `from_frame`, `from_file` or `bundled`; never changes the caller's data.

    Parameters
    ----------
    name : str
        How people call it.
    X : DataFrame of shape (n_rows, n_features)
        Each column in the one form of its kind (see `automl_meta.task.columns.canonical_column`).
    y : Series of shape (n_rows,)
        Without missing values; labels as they came for classification, float64 for regression.
    task_type : {"classification", "regression"}
        What is to be predicted.
    column_kinds : mapping of str to ColumnKind
        One for each column of `X`.
    notes : tuple of str
        What was changed or left out, in words.

    Examples
    --------
    >>> task = TabularTask.bundled("iris")
    >>> task
    TabularTask('iris', classification, 150 rows, 4 features, 3 classes)
    >>> task.column_kinds["petal width (cm)"]
    'numeric'
    """

    name: str
    X: pd.DataFrame
    y: pd.Series
    task_type: TaskType
    column_kinds: Mapping[str, ColumnKind]
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        X: TabularTask | pd.DataFrame | ArrayLike,
        y: ArrayLike | str | None = None,
        *,
        task_type: TaskType | Literal["auto"] = "auto",
    ) -> TabularTask:
        """Take a task as it is, or make one of a table and a target, as `from_frame` does.

        Raises
        ------
        UsageError
            If there is no target, or two, or another type is asked for than the task has.
        DataError
            If nothing can be learnt from the table.
        """
        if isinstance(X, TabularTask):
            if y is not None:
                raise UsageError("The task has its target already: give no y beside it.")
            if task_type not in ("auto", X.task_type):
                raise UsageError(
                    f"The task is one of {X.task_type}; task_type={task_type!r} cannot change it."
                )
            return X
        if y is None:
            raise UsageError("There is no target: give y, or the name of its column in X.")
        return cls.from_frame(X, y, task_type=task_type)

    @classmethod
    def from_frame(
        cls,
        X: pd.DataFrame | ArrayLike,
        y: ArrayLike | str,
        *,
        task_type: TaskType | Literal["auto"] = "auto",
        name: str = "task",
    ) -> TabularTask:
        """Make a task from a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The features; with the target among its columns if `y` is a name. Columns of dtype
            ``category`` stay categories, also when they are numbers.
        y : str or array-like of shape (n_rows,)
            The target, or the name of its column. Rows without it are left out.
        task_type : {"auto", "classification", "regression"}
            ``"auto"`` takes text, booleans and few whole numbers (at most 20 different ones, ten
            rows each on average) for classes.
        name : str
            How people call it.

        Raises
        ------
        DataError
            If nothing can be learnt from the table: no such target, fewer than two rows or classes,
            no usable column, two columns of one name.
        UsageError
            If `task_type` is none of the three.
        """
        frame = X if isinstance(X, pd.DataFrame) else _frame_of(X)
        if not frame.columns.is_unique:
            doubled = sorted({str(column) for column in frame.columns[frame.columns.duplicated()]})
            raise DataError(
                f"More than one column is named {', '.join(map(repr, doubled))}. "
                "Rename them, so that each column has a name of its own."
            )
        if isinstance(y, str):
            if y not in frame.columns:
                raise DataError(_no_target(y, [str(column) for column in frame.columns]))
            target, frame = frame[y], frame.drop(columns=y)
        else:
            target = y if isinstance(y, pd.Series) else pd.Series(np.asarray(y).ravel(), name="target")
            if len(target) != len(frame):
                raise DataError(f"X has {len(frame)} rows and y has {len(target)}: they must be as many.")
        return cls._build(frame, target, task_type, name)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        target: str,
        *,
        task_type: TaskType | Literal["auto"] = "auto",
        name: str | None = None,
    ) -> TabularTask:
        """Make a task from a CSV, Parquet or ARFF file (see `read_table`).

        Raises
        ------
        DataError
            If the file cannot be read, or nothing can be learnt from it (see `from_frame`).
        """
        path = Path(path)
        stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
        return cls.from_frame(read_table(path), target, task_type=task_type, name=name or stem)

    @classmethod
    def bundled(cls, name: str, *, task_type: TaskType | Literal["auto"] = "auto") -> TabularTask:
        """Make a task from a data set that comes with scikit-learn: one of `BUNDLED`.

        Raises
        ------
        UsageError
            If there is no data set of that name.
        """
        if name not in BUNDLED:
            raise UsageError(f"There is no bundled data set {name!r}. Choose one of: {', '.join(BUNDLED)}.")
        from sklearn import datasets

        loaded = getattr(datasets, f"load_{name}")(as_frame=True)
        target = loaded.target if isinstance(loaded.target, pd.Series) else loaded.target.iloc[:, 0]
        if "target_names" in loaded and name not in ("linnerud", "digits"):
            target = target.map(lambda code: str(loaded.target_names[code]))
        return cls.from_frame(loaded.data, target, task_type=task_type, name=name)

    @classmethod
    def _build(
        cls, frame: pd.DataFrame, target: pd.Series, task_type: TaskType | Literal["auto"], name: str
    ) -> TabularTask:
        notes: list[str] = []
        target = target.reset_index(drop=True)
        frame = frame.reset_index(drop=True)
        target, task_type = _check_target(target, task_type, notes)
        if target.isna().any():
            keep = target.notna()
            notes.append(f"{int((~keep).sum())} rows without a target were left out")
            frame, target = frame[keep.to_numpy()].reset_index(drop=True), target[keep].reset_index(drop=True)
        target = target.astype(np.float64) if task_type == "regression" else target.infer_objects()
        _check_rows(target, task_type, notes)
        columns: dict[str, pd.Series] = {}
        kinds: dict[str, ColumnKind] = {}
        for column in frame.columns:
            columns[str(column)], kinds[str(column)], note = canonical_column(frame[column])
            if note:
                notes.append(f"column {str(column)!r}: {note}")
        if len(columns) < frame.shape[1]:
            raise DataError("Two columns have one name once their names are text. Rename them.")
        if all(kind in ("constant", "identifier") for kind in kinds.values()):
            raise DataError(
                f"There is nothing to learn from: all {len(kinds)} features are constant, empty or name rows."
                if kinds
                else "There is no column but the target. Give a table with features."
            )
        X = pd.DataFrame(columns)
        return cls(name, X, target.rename(str(target.name)), task_type, kinds, tuple(notes))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.X)

    @property
    def n_features(self) -> int:
        """Number of feature columns, unusable ones included."""
        return self.X.shape[1]

    @cached_property
    def classes(self) -> NDArray[Any]:
        """The labels, sorted; empty for regression."""
        if self.task_type == "regression":
            return np.array([])
        labels = self.y.unique()
        try:
            return np.sort(np.asarray(labels))
        except TypeError:  # labels of different types have no order but that of their names
            return np.array(sorted(labels, key=str), dtype=object)

    @cached_property
    def y_codes(self) -> NDArray[Any]:
        """Class codes ``0 .. n_classes - 1`` (int64), or the target itself (float64)."""
        if self.task_type == "regression":
            return self.y.to_numpy(dtype=np.float64)
        return pd.Index(self.classes).get_indexer(pd.Index(self.y)).astype(np.int64)

    def columns_of(self, *kinds: ColumnKind) -> list[str]:
        """Names of the columns of these kinds, in their order."""
        return [column for column, kind in self.column_kinds.items() if kind in kinds]

    @cached_property
    def fingerprint(self) -> str:
        """What the content is, whatever its name and the order of its rows and columns.

        32 hexadecimal digits. Column names do not count either, and numbers do to 12 digits, so
        that a copy in another format is known as the same.
        """
        rows = np.zeros(self.n_rows, dtype=np.uint64)
        for column in self.X.columns:
            rows += _mixed(_hash_values(self.X[column]))
        rows = _mixed(rows) + _mixed(_hash_values(self.y) ^ np.uint64(0x9E3779B97F4A7C15))
        digest = hashlib.sha256(np.sort(rows).astype("<u8").tobytes())
        digest.update(f"{self.task_type}:{self.n_features}".encode())
        return digest.hexdigest()[:32]

    def __repr__(self) -> str:
        classes = f", {len(self.classes)} classes" if self.task_type == "classification" else ""
        return (
            f"TabularTask({self.name!r}, {self.task_type}, {self.n_rows} rows, "
            f"{self.n_features} features{classes})"
        )


def _frame_of(X: ArrayLike) -> pd.DataFrame:
    values = np.asarray(X)
    if values.ndim != 2:
        raise DataError(f"X must be a table of shape (n_rows, n_features), but has shape {values.shape}.")
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])
    return frame.infer_objects() if values.dtype == object else frame


def _no_target(name: str, columns: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, columns, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(columns[:12]) + (", …" if len(columns) > 12 else "")
    return f"There is no column {name!r} to be the target.{hint} The columns are: {shown}."


def _check_target(
    target: pd.Series, task_type: TaskType | Literal["auto"], notes: list[str]
) -> tuple[pd.Series, TaskType]:
    """Infinities and empty texts out, the type of the task decided."""
    if task_type not in ("auto", "classification", "regression"):
        raise UsageError(f"task_type is {task_type!r}; it must be 'auto', 'classification' or 'regression'.")
    if len(target) == 0:
        raise DataError("The table has no rows.")
    is_number = pd.api.types.is_numeric_dtype(target.dtype) and not pd.api.types.is_bool_dtype(target.dtype)
    target = _numeric_target(target) if is_number else _labels(target, notes)
    if target.isna().all():
        raise DataError(f"The target {str(target.name)!r} is missing in every row.")
    present = target.dropna()
    if task_type == "auto":
        task_type = _infer_task_type(present, is_number)
    if task_type == "regression" and not is_number:
        try:
            target = pd.to_numeric(target)
        except (ValueError, TypeError):
            raise DataError(
                f"The target {str(target.name)!r} has values that are no numbers, such as "
                f"{str(present.iloc[0])!r}: regression needs numbers. Leave the task type out or say classification."
            ) from None
    if task_type == "classification" and is_number and target.notna().all() and _all_whole(present):
        target = target.astype("int64")
    return target, task_type


def _numeric_target(target: pd.Series) -> pd.Series:
    values = target.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    values[np.isinf(values)] = np.nan
    return pd.Series(values, name=target.name)


def _labels(target: pd.Series, notes: list[str]) -> pd.Series:
    """Labels without the blanks around them; text if they mix types; empty ones missing."""
    target = target.astype(object).map(lambda value: value.strip() if isinstance(value, str) else value)
    target = target.mask(target == "", np.nan)
    types = set(target.dropna().map(type))
    if len(types) > 1 and str in types:
        notes.append("the target mixes types, so its values were taken as text")
        return target.where(target.isna(), target.map(str))
    return target


def _all_whole(numbers: pd.Series) -> bool:
    # Beyond 2**53 a float64 cannot tell two whole numbers apart.
    return bool((numbers == numbers.round()).all() and numbers.abs().max() < 2**53)


def _infer_task_type(present: pd.Series, is_number: bool) -> TaskType:
    if not is_number:
        return "classification"
    n_distinct = present.nunique()
    if n_distinct <= 2:
        return "classification"
    few = n_distinct <= min(_MAX_INTEGER_CLASSES, len(present) / _MIN_ROWS_PER_INTEGER_CLASS)
    return "classification" if few and _all_whole(present) else "regression"


def _check_rows(target: pd.Series, task_type: TaskType, notes: list[str]) -> None:
    name, n_rows = str(target.name), len(target)
    if n_rows < 2:
        raise DataError(f"There is only {n_rows} row with a target: nothing can be learnt from it.")
    counts = target.value_counts()
    if len(counts) == 1:
        kind = "class" if task_type == "classification" else "value"
        raise DataError(
            f"The target {name!r} has one {kind} only, {target.iloc[0]!r}: there is nothing to tell apart. "
            "Choose another target."
        )
    if task_type == "classification":
        if len(counts) > n_rows / 2 and len(counts) > 2:
            raise DataError(
                f"The target {name!r} has {len(counts)} different values in {n_rows} rows: too many classes. "
                "Choose another target, or regression if it is a number."
            )
        alone = [label for label, count in counts.items() if count == 1]
        if alone:
            shown = ", ".join(map(repr, alone[:5])) + (", …" if len(alone) > 5 else "")
            notes.append(
                f"{len(alone)} classes have one row each ({shown}): no score can tell whether they are learnt"
            )


def _hash_values(column: pd.Series) -> NDArray[np.uint64]:
    """One 64-bit hash for each value; equal for equal numbers, whatever their dtype."""
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        codes, distinct = pd.factorize(column)  # each different text is looked at once
        numbers = pd.to_numeric(pd.Series(distinct), errors="coerce")
        if numbers.notna().all():
            column = numbers.reindex(codes)  # the code of a missing value is -1, which no number has
        else:
            hashes = pd.util.hash_array(np.array([*map(str, distinct), "\x00missing"], dtype=object))
            return hashes[codes]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = column.astype("datetime64[us]").astype("int64")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    finite = np.isfinite(values) & (values != 0)
    magnitude = 10.0 ** (11 - np.floor(np.log10(np.abs(values[finite]))))
    usable = np.isfinite(magnitude)
    rounded = values[finite]
    rounded[usable] = np.round(rounded[usable] * magnitude[usable]) / magnitude[usable]
    values[finite] = rounded
    values[np.isnan(values)] = np.nan
    return pd.util.hash_array(values + 0.0)


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble, so that sums of hashes do not cancel (the finaliser of splitmix64, Steele et al. 2014)."""
    z = hashes.copy()
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
