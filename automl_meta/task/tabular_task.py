"""TabularTask: a table, its target, and what its columns are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from automl_meta.exceptions import DataError, UsageError
from automl_meta.metrics import TaskType
from automl_meta.task.columns import Column, ColumnKind
from automl_meta.task.fingerprint import hash_values, mixed
from automl_meta.task.frames import as_frame, as_series, split_target
from automl_meta.task.inference import AS_SAID, decimal_mark, infer_columns
from automl_meta.task.numbers import Decimal, NumberFormat
from automl_meta.task.options import ReadingOptions
from automl_meta.task.target import infer_target
from automl_meta.task.values import columns_option, counted

__all__ = ["BUNDLED", "TabularTask"]

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
"""Data sets that come with scikit-learn, by name: an offline demonstration."""
_FIRST_ROWS = 50


@dataclass(frozen=True, eq=False)
class TabularTask:
    """A table, its target, and what its columns are.

    Made by `from_frame`, `from_file` or `bundled`; never changes the caller's data.

    Parameters
    ----------
    name : str
        Human-readable name.
    X : DataFrame of shape (n_rows, n_features)
        Each column in the one form of its kind (see `automl_meta.task.inference.infer_columns`).
    y : Series of shape (n_rows,)
        Without missing values; labels as they came for classification, float64 for regression.
    task_type : {"classification", "regression"}
        What is to be predicted.
    columns : mapping of str to Column
        What each column of `X` holds, and how its values were written.
    notes : tuple of str
        What was changed or left out, in words.
    target_format : NumberFormat, optional
        How the numbers of the target were written, if they were text that Python does not read as numbers.

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
    columns: Mapping[str, Column]
    notes: tuple[str, ...] = field(default=())
    target_format: NumberFormat | None = None

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
        kinds: Mapping[str, ColumnKind] | None = None,
        decimal: Decimal | None = None,
        date_format: str | None = None,
    ) -> TabularTask:
        """Make a task from a table.

        Parameters
        ----------
        X : DataFrame of pandas, Polars or PyArrow, or array-like of shape (n_rows, n_features)
            The features; with the target among its columns if `y` is a name. Text that is numbers or dates
            becomes such; columns of dtype ``category`` stay categories, also when they are numbers.
        y : str or array-like of shape (n_rows,)
            The target, or the name of its column. Rows without it are left out.
        task_type : {"auto", "classification", "regression"}
            ``"auto"`` takes text, booleans and few whole numbers (at most 20 different ones, ten
            rows each on average) for classes.
        name : str
            Human-readable name.
        kinds : mapping of str to ColumnKind, optional
            The kinds of columns where the guess is wrong; ``"identifier"`` leaves a column out.
        decimal : {".", ","}, optional
            The decimal mark of numbers that are text, where the guess is wrong.
        date_format : str, optional
            The format of dates that are text, as for `strptime`, where the guess is wrong.

        Raises
        ------
        DataError
            If nothing can be learnt from the table: no such target, fewer than two rows or classes,
            no usable column, two columns of one name.
        UsageError
            If `task_type`, `kinds`, `decimal` or `date_format` is none of the accepted values.
        """
        return cls._of_table(
            as_frame(X), y, task_type, name, ReadingOptions(decimal, date_format, kinds or {})
        )

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        target: str,
        *,
        task_type: TaskType | Literal["auto"] = "auto",
        name: str | None = None,
        separator: str | None = None,
        kinds: Mapping[str, ColumnKind] | None = None,
        decimal: Decimal | None = None,
        date_format: str | None = None,
    ) -> TabularTask:
        """Make a task from a file, an address or standard input (see `read_table`).

        Parameters
        ----------
        path : str or Path
            See `read_table`.
        target : str
            The name of its column.
        task_type, kinds, decimal, date_format
            See `from_frame`.
        name : str, optional
            Human-readable name; that of the file by default.
        separator : str, optional
            What separates the fields of a CSV file, where the guess is wrong.

        Raises
        ------
        DataError
            If the file cannot be read, or nothing can be learnt from it (see `from_frame`).
        UsageError
            See `from_frame`.
        """
        from automl_meta.task.opening import source_name
        from automl_meta.task.reading import read_raw

        options = ReadingOptions(decimal, date_format, kinds or {})
        raw = read_raw(path, separator)
        options = replace(options, is_file=raw.is_text, decimal=decimal or raw.decimal)
        task = cls._of_table(as_frame(raw.frame), target, task_type, name or source_name(path), options)
        return replace(task, notes=(*raw.notes, *task.notes))

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
    def _of_table(
        cls,
        frame: pd.DataFrame,
        y: ArrayLike | str,
        task_type: TaskType | Literal["auto"],
        name: str,
        options: ReadingOptions,
    ) -> TabularTask:
        if isinstance(y, str):
            frame, target = split_target(frame, y)
        else:
            target = as_series(y)
            if len(target) != len(frame):
                raise DataError(f"X has {len(frame)} rows and y has {len(target)}: they must be as many.")
        if len(target) == 0:
            raise DataError("The table has no rows.")
        target = target.reset_index(drop=True)
        found = infer_target(target, task_type, options)
        if found.is_ambiguous and options.decimal is None:
            found = infer_target(target, task_type, replace(options, decimal=decimal_mark(frame, options)))
        labels, notes = found.values, list(found.notes)
        frame = frame.reset_index(drop=True)
        if labels.isna().any():
            keep = labels.notna()
            notes.append(f"{counted(int((~keep).sum()), 'row')} without a target left out")
            frame, labels = frame[keep.to_numpy()].reset_index(drop=True), labels[keep].reset_index(drop=True)
        labels = labels.astype(np.float64) if found.task_type == "regression" else labels.infer_objects()
        _check_rows(labels, found.task_type, notes)
        values, columns = infer_columns(frame, options, found.mark)
        notes += [
            f"column {column!r}: {note}"
            for column, about in columns.items()
            for note in _notes_of(column, about)
        ]
        if all(about.kind in ("constant", "identifier") for about in columns.values()):
            raise DataError(
                f"There is nothing to learn from: all {len(columns)} features are constant, empty or name rows."
                if columns
                else "There is no column but the target. Give a table with features."
            )
        task = cls(
            name,
            values,
            labels.rename(str(target.name)),
            found.task_type,
            columns,
            tuple(notes),
            found.number,
        )
        return replace(task, notes=(*notes, *_target_copies(task)))

    @cached_property
    def column_kinds(self) -> dict[str, ColumnKind]:
        """The kind of each column of `X`."""
        return {name: column.kind for name, column in self.columns.items()}

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
            rows += mixed(hash_values(self.X[column]))
        rows = mixed(rows) + mixed(hash_values(self.y) ^ np.uint64(0x9E3779B97F4A7C15))
        digest = hashlib.sha256(np.sort(rows).astype("<u8").tobytes())
        digest.update(f"{self.task_type}:{self.n_features}".encode())
        return digest.hexdigest()[:32]

    def __repr__(self) -> str:
        classes = f", {len(self.classes)} classes" if self.task_type == "classification" else ""
        return (
            f"TabularTask({self.name!r}, {self.task_type}, {self.n_rows} rows, "
            f"{self.n_features} features{classes})"
        )


def _notes_of(name: str, about: Column) -> tuple[str, ...]:
    """What a column needs to say; that one is constant, or left out as the user said, goes without saying."""
    if about.kind != "identifier" or about.dropped == AS_SAID:
        return about.notes
    return (
        *about.notes,
        f"{about.dropped}, so it was left out ({columns_option(name, 'categorical')} keeps it)",
    )


def _target_copies(task: TabularTask) -> list[str]:
    """Columns that say the target in other words."""
    kinds = ("numeric",) if task.task_type == "regression" else ("numeric", "categorical", "boolean")
    likely = [*_copies_at_first(task, task.columns_of("numeric")), *task.columns_of(*kinds[1:])]
    return [
        f"column {name!r} equals the target: if it is not known when predictions are made, leave it out "
        f"({columns_option(name, 'identifier')})"
        for name in likely
        if _says_the_target(task, task.X[name])
    ]


def _says_the_target(task: TabularTask, column: pd.Series) -> bool:
    if column.isna().any():
        return False
    if task.task_type == "regression":
        return np.array_equal(column.to_numpy(), task.y_codes)
    own = pd.factorize(column)[0]
    n_own = own.max() + 1
    return bool(n_own == len(task.classes) and len(np.unique(own * n_own + task.y_codes)) == n_own)


def _copies_at_first(task: TabularTask, names: list[str]) -> list[str]:
    """Numeric columns that can be the target by their first rows: few, of tens of thousands."""
    first = task.X[names].iloc[:_FIRST_ROWS].to_numpy(dtype=np.float64)
    if task.task_type == "regression":
        return [names[i] for i in np.flatnonzero((first == task.y_codes[:_FIRST_ROWS, None]).all(axis=0))]
    changes = first[1:] != first[:-1]
    ordered = np.sort(first, axis=0)
    few = (ordered[1:] != ordered[:-1]).sum(axis=0) < len(task.classes)
    same = few & (changes == (np.diff(task.y_codes[:_FIRST_ROWS]) != 0)[:, None])
    return [names[i] for i in np.flatnonzero(same.all(axis=0))]


def _check_rows(target: pd.Series, task_type: TaskType, notes: list[str]) -> None:
    name, n_rows = str(target.name), len(target)
    if n_rows < 2:
        raise DataError(f"There is only {n_rows} row with a target: nothing can be learnt from it.")
    counts = target.value_counts()
    if len(counts) == 1:
        kind = "class" if task_type == "classification" else "value"
        raise DataError(
            f"The target {name!r} has one {kind} only, {target.tolist()[0]!r}: there is nothing to tell apart. "
            "Choose another target."
        )
    if task_type == "classification":
        if len(counts) > n_rows / 2 and len(counts) > 2:
            is_number = pd.api.types.is_numeric_dtype(target.dtype)
            raise DataError(
                f"The target {name!r} has {len(counts)} different values in {n_rows} rows: too many classes. "
                + ("Choose regression, or another target." if is_number else "Choose another target.")
            )
        alone = [label for label, count in counts.items() if count == 1]
        if alone:
            shown = ", ".join(map(repr, alone[:5])) + (", …" if len(alone) > 5 else "")
            notes.append(
                f"{len(alone)} classes have one row each ({shown}): no score can tell whether they are learnt"
            )
