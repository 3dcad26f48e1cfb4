"""TabularTask: a table, its target, and the kinds of its columns."""

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
from automl_meta.task.inference import AS_REQUESTED, decimal_mark, infer_columns
from automl_meta.task.numbers import Decimal, NumberFormat
from automl_meta.task.options import ReadingOptions
from automl_meta.task.target import infer_target
from automl_meta.task.target_checks import check_target, target_copies
from automl_meta.task.values import columns_option, counted

__all__ = ["BUNDLED", "TabularTask"]

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
"""Names of the data sets bundled with scikit-learn, which are available offline."""


@dataclass(frozen=True, eq=False)
class TabularTask:
    """Supervised learning task: a table, its target, and the kinds of its columns.

    Created by `from_frame`, `from_file` or `bundled`; never modifies the caller's data.

    Parameters
    ----------
    name : str
        Human-readable name.
    X : DataFrame of shape (n_rows, n_features)
        Features, each column in the canonical form of its kind (see
        `automl_meta.task.inference.infer_columns`).
    y : Series of shape (n_rows,)
        Target without missing values: the original labels for classification, float64 for regression.
    task_type : {"classification", "regression"}
        Type of task.
    columns : mapping of str to Column
        Kind and format of each column of `X`.
    notes : tuple of str
        Messages about conversions, guesses and dropped columns or rows.
    target_format : NumberFormat, optional
        Format of the target, if it was numbers given as text that Python does not parse.

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
        """Return a task unchanged, or create one from a table and a target by `from_frame`.

        Parameters
        ----------
        X : TabularTask, DataFrame or array-like of shape (n_rows, n_features)
            A task, or the features of one.
        y : str or array-like of shape (n_rows,), default=None
            Target values, or the name of the target column; None if `X` is a task.
        task_type : {"auto", "classification", "regression"}, default="auto"
            Type of task, see `from_frame`.

        Returns
        -------
        TabularTask
            `X` itself, or a new task.

        Raises
        ------
        UsageError
            If the target is missing or specified twice, or `task_type` contradicts the task.
        DataError
            If the table cannot be used.
        """
        if isinstance(X, TabularTask):
            if y is not None:
                raise UsageError("The task already has a target: pass no y.")
            if task_type not in ("auto", X.task_type):
                raise UsageError(
                    f"The task is a {X.task_type} task; task_type={task_type!r} cannot change that."
                )
            return X
        if y is None:
            raise UsageError("There is no target: pass y, or the name of the target column in X.")
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
        """Create a task from a table.

        Parameters
        ----------
        X : DataFrame of pandas, Polars or PyArrow, or array-like of shape (n_rows, n_features)
            Features, including the target column if `y` is a name. Numbers and dates given as text are
            parsed; columns of dtype ``category`` stay categorical, even if they are numbers.
        y : str or array-like of shape (n_rows,)
            Target values, or the name of the target column. Rows with a missing target are dropped.
        task_type : {"auto", "classification", "regression"}, default="auto"
            Type of task. ``"auto"`` treats text, booleans and few integers (at most 20 distinct ones,
            with ten rows each on average) as classes.
        name : str, default="task"
            Human-readable name.
        kinds : mapping of str to ColumnKind, optional
            Kinds of columns, overriding the inferred ones; ``"identifier"`` drops a column.
        decimal : {".", ","}, optional
            Decimal mark of numbers given as text, overriding the inferred one.
        date_format : str, optional
            `strptime` format of dates given as text, overriding the inferred one.

        Returns
        -------
        TabularTask
            Task with a new index.

        Raises
        ------
        DataError
            If the table cannot be used: unknown target column, fewer than two rows or classes, no usable
            column, or duplicate column names.
        UsageError
            If `task_type`, `kinds`, `decimal` or `date_format` has an invalid value.
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
        """Create a task from a file, a URL or standard input.

        Parameters
        ----------
        path : str or Path
            Source of the table, see `read_table`.
        target : str
            Name of the target column.
        task_type : {"auto", "classification", "regression"}, default="auto"
            Type of task, see `from_frame`.
        name : str, optional
            Human-readable name; the name of the file by default.
        separator : str, optional
            Field separator of a CSV file; detected by default.
        kinds : mapping of str to ColumnKind, optional
            Kinds of columns, overriding the inferred ones; ``"identifier"`` drops a column.
        decimal : {".", ","}, optional
            Decimal mark of numbers given as text, overriding the inferred one.
        date_format : str, optional
            `strptime` format of dates given as text, overriding the inferred one.

        Returns
        -------
        TabularTask
            Task with the notes of the file reader.

        Raises
        ------
        DataError
            If the file cannot be read, or the table cannot be used (see `from_frame`).
        UsageError
            If an option has an invalid value (see `from_frame`).
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
        """Create a task from a data set that is bundled with scikit-learn.

        Parameters
        ----------
        name : {"breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine"}
            Name of the data set.
        task_type : {"auto", "classification", "regression"}, default="auto"
            Type of task, see `from_frame`.

        Returns
        -------
        TabularTask
            Task of the same name.

        Raises
        ------
        UsageError
            If there is no data set of this name.
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
                raise DataError(
                    f"X has {len(frame)} rows and y has {len(target)}: they must have equal lengths."
                )
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
            notes.append(f"{counted(int((~keep).sum()), 'row')} with a missing target dropped")
            frame, labels = frame[keep.to_numpy()].reset_index(drop=True), labels[keep].reset_index(drop=True)
        labels = labels.astype(np.float64) if found.task_type == "regression" else labels.infer_objects()
        notes += check_target(labels, found.task_type)
        values, columns = infer_columns(frame, options, found.mark)
        notes += [
            f"column {column!r}: {note}"
            for column, about in columns.items()
            for note in _notes_of(column, about)
        ]
        if all(about.kind in ("constant", "identifier") for about in columns.values()):
            raise DataError(
                f"There are no usable features: all {len(columns)} are constant, empty or identifiers."
                if columns
                else "There is no column other than the target. Pass a table with features."
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
        copies = target_copies(values, task.column_kinds, task.y_codes, len(task.classes))
        return replace(task, notes=(*notes, *copies))

    @cached_property
    def column_kinds(self) -> dict[str, ColumnKind]:
        """Kind of each column of `X`."""
        return {name: column.kind for name, column in self.columns.items()}

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.X)

    @property
    def n_features(self) -> int:
        """Number of feature columns, including unusable ones."""
        return self.X.shape[1]

    @cached_property
    def classes(self) -> NDArray[Any]:
        """Sorted class labels; empty for regression."""
        if self.task_type == "regression":
            return np.array([])
        labels = self.y.unique()
        try:
            return np.sort(np.asarray(labels))
        except TypeError:  # labels of mixed types can only be sorted as strings
            return np.array(sorted(labels, key=str), dtype=object)

    @cached_property
    def y_codes(self) -> NDArray[Any]:
        """Class codes ``0 .. n_classes - 1`` (int64), or the target itself (float64)."""
        if self.task_type == "regression":
            return self.y.to_numpy(dtype=np.float64)
        return pd.Index(self.classes).get_indexer(pd.Index(self.y)).astype(np.int64)

    def columns_of(self, *kinds: ColumnKind) -> list[str]:
        """List the columns of the given kinds.

        Parameters
        ----------
        *kinds : ColumnKind
            Kinds of columns.

        Returns
        -------
        list of str
            Column names, in table order.
        """
        return [column for column, kind in self.column_kinds.items() if kind in kinds]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content, invariant to the order of rows and columns and to all names.

        32 hexadecimal digits. Numbers are rounded to 12 significant digits, so that a copy in another
        file format has the same fingerprint.
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
    """Notes of a column; a column dropped as constant, or as requested by the user, needs no further note."""
    if about.kind != "identifier" or about.dropped == AS_REQUESTED:
        return about.notes
    return (
        *about.notes,
        f"{about.dropped}, so it was dropped ({columns_option(name, 'categorical')} keeps it)",
    )
