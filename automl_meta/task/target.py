"""Inference of the target: classes with their original labels, or numbers."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from automl_meta.exceptions import DataError, UsageError
from automl_meta.metrics import TaskType
from automl_meta.task.inference import infer_numbers
from automl_meta.task.levels import case_variants
from automl_meta.task.numbers import Decimal, NumberFormat, is_missing_word
from automl_meta.task.options import ReadingOptions
from automl_meta.task.texts import plain_if_numbers
from automl_meta.task.values import counted, finite, hashable, listed, present_texts

__all__ = ["Target", "infer_target"]

_MAX_INTEGER_CLASSES = 20
_MIN_ROWS_PER_INTEGER_CLASS = 10
_INTEGER = r"-?(0|[1-9]\d{0,17})"  # canonical representations of integers


class Target(NamedTuple):
    """Target of a task.

    Parameters
    ----------
    values : Series
        Original labels, or float64; NaN where missing.
    task_type : {"classification", "regression"}
        Type of task.
    notes : tuple of str
        Messages about conversions and guesses.
    number : NumberFormat, optional
        Format of numbers given as text that Python does not parse.
    mark : {".", ","} or None
        Decimal mark of numbers given as text, if it is certain.
    is_ambiguous : bool
        Whether the decimal mark must be inferred from other columns.
    """

    values: pd.Series
    task_type: TaskType
    notes: tuple[str, ...] = ()
    number: NumberFormat | None = None
    mark: Decimal | None = None
    is_ambiguous: bool = False


class _Numbers(NamedTuple):
    """Numeric interpretation of a target."""

    values: pd.Series
    number: NumberFormat | None = None
    notes: tuple[str, ...] = ()
    mark: Decimal | None = None
    is_ambiguous: bool = False


def infer_target(target: pd.Series, task_type: TaskType | Literal["auto"], options: ReadingOptions) -> Target:
    """Infer the type of task, and convert the target accordingly.

    Parameters
    ----------
    target : Series
        Target of any dtype; not modified.
    task_type : {"auto", "classification", "regression"}
        Type of task, see `TabularTask.from_frame`.
    options : ReadingOptions
        User-specified formats.

    Returns
    -------
    Target
        Converted target with its type of task.

    Raises
    ------
    DataError
        If the target is missing in every row, or is not numeric although regression is requested.
    UsageError
        If `task_type` is invalid.
    """
    if task_type not in ("auto", "classification", "regression"):
        raise UsageError(f"task_type is {task_type!r}; it must be 'auto', 'classification' or 'regression'.")
    if isinstance(target.dtype, (pd.ArrowDtype, pd.SparseDtype)):
        target = target.astype(object)
    is_number = pd.api.types.is_numeric_dtype(target.dtype) and not pd.api.types.is_bool_dtype(target.dtype)
    numbers = _Numbers(finite(target)) if is_number else None
    labels = target if is_number else _labels(target)
    if numbers is None and not isinstance(target.dtype, pd.CategoricalDtype):
        numbers = _read_numbers(labels, options, force=task_type == "regression")
    if labels.isna().all() or (numbers is not None and numbers.values.isna().all()):
        raise DataError(f"The target {str(target.name)!r} is missing in every row.")
    chosen = _infer_task_type(numbers) if task_type == "auto" else task_type
    if task_type == "auto" and not is_number and not options.is_file and _are_codes(labels):
        chosen = "classification"
    if chosen == "regression":
        if numbers is None:
            raise DataError(
                f"The target {str(target.name)!r} has values that are not numbers, such as "
                f"{str(_first_word(labels))!r}: regression needs numbers. Choose another target, or classification."
            )
        return Target(
            numbers.values, "regression", numbers.notes, numbers.number, numbers.mark, numbers.is_ambiguous
        )
    notes = _guess_noted(numbers, labels) if task_type == "auto" else ()
    if numbers is not None and (is_number or options.is_file):
        exact, more = _exact_numbers(target if is_number else labels, numbers)
        return Target(exact, "classification", (*more, *notes))
    return Target(labels, "classification", (*_labels_noted(labels), *notes))


def _labels(target: pd.Series) -> pd.Series:
    """Clean labels: empty strings become missing, and labels of mixed types become text."""
    labels = hashable(target.astype(object))
    is_empty = labels.map(lambda value: isinstance(value, str) and not value.strip()).astype(bool)
    labels = labels.where(labels.notna() & ~is_empty, np.nan)
    types = set(labels.dropna().map(type))
    return labels.where(labels.isna(), labels.map(str)) if len(types) > 1 and str in types else labels


def _read_numbers(labels: pd.Series, options: ReadingOptions, *, force: bool) -> _Numbers | None:
    """Parse text or Python objects as numbers; None if they are not numeric."""
    types = set(labels.dropna().map(type))
    if not types or bool in types or np.bool_ in types:
        return None
    if str not in types:
        try:
            return _Numbers(finite(labels.map(float, na_action="ignore").astype(float)))
        except (TypeError, ValueError):
            return None
    found = infer_numbers(labels, options)
    if found is None:
        # Codes such as 007, if regression is requested; integers that are not distinct in float64.
        plain = plain_if_numbers(labels) if force or _are_codes(labels) else None
        return None if plain is None else _Numbers(finite(plain))
    has_words = bool((present_texts(labels).notna() & found.values.isna()).any())
    if has_words and not force and _infer_task_type(_Numbers(found.values)) == "classification":
        return None  # 1, 2, 3 and U are labels
    notes = tuple(f"the target: {note}" for note in found.column.notes if "not numbers" not in note)
    if found.column.number is None:
        notes = ()
    return _Numbers(
        found.values,
        found.column.number,
        (*notes, *_missing_noted(labels, found.values)),
        found.mark,
        found.is_ambiguous,
    )


def _missing_noted(labels: pd.Series, values: pd.Series) -> tuple[str, ...]:
    lost = labels[labels.notna() & values.isna()].astype(str)
    if len(lost) == 0:
        return ()
    return (f"{counted(len(lost))} of the target, such as {lost.iloc[0]!r}: not numbers, treated as missing",)


def _exact_numbers(target: pd.Series, numbers: _Numbers) -> tuple[pd.Series, tuple[str, ...]]:
    """Use numbers as labels: integers exactly, even with missing values; text in other formats stays text."""
    present = target[numbers.values.notna()]
    notes = () if pd.api.types.is_numeric_dtype(target.dtype) else _missing_noted(target, numbers.values)
    if pd.api.types.is_integer_dtype(target.dtype):
        present = present.astype(np.dtype(str(present.dtype).lower()))
    elif pd.api.types.is_numeric_dtype(target.dtype):
        whole = bool((present % 1 == 0).all() and present.abs().max() < 2**53)
        present = present.astype("int64" if whole else "float64")
    elif all(isinstance(value, str) and re.fullmatch(_INTEGER, value) for value in present.unique()):
        present = present.map(int).astype("int64")
    return (present if len(present) == len(target) else present.astype(object).reindex(target.index)), notes


def _are_codes(labels: pd.Series) -> bool:
    """Whether all labels are integers as text: in Python, numbers passed as text are meant as labels."""
    return all(isinstance(label, str) and re.fullmatch(_INTEGER, label) for label in labels.dropna().unique())


def _infer_task_type(numbers: _Numbers | None) -> TaskType:
    if numbers is None:
        return "classification"
    present = numbers.values.dropna()
    n_distinct = present.nunique()
    if n_distinct <= 2:
        return "classification"
    few = n_distinct <= min(_MAX_INTEGER_CLASSES, len(present) / _MIN_ROWS_PER_INTEGER_CLASS)
    return "classification" if few and bool((present % 1 == 0).all()) else "regression"


def _guess_noted(numbers: _Numbers | None, labels: pd.Series) -> tuple[str, ...]:
    if numbers is None or set(numbers.values.dropna().unique()) <= {0.0, 1.0}:
        return ()
    n_distinct = labels.nunique()
    return (
        f"the {n_distinct} distinct numbers of the target were treated as classes; if they are quantities, choose "
        "regression (--task-type regression, or task_type='regression')",
    )


def _labels_noted(labels: pd.Series) -> tuple[str, ...]:
    notes = []
    written = [value for value in labels.dropna().unique() if isinstance(value, str)]
    variants = case_variants(written)
    if variants:
        shown = "; ".join(" and ".join(map(repr, group)) for group in variants[:3])
        notes.append(
            f"labels of the target differ in case or whitespace only ({shown}): they were kept as distinct classes; "
            "unify them in the data if they mean the same"
        )
    words = sorted(value for value in written if is_missing_word(value))
    if words:
        notes.append(
            f"{listed(words, 4)} in the target are treated as labels, since only empty fields of a text target are "
            "missing: leave the field empty where the label is unknown"
        )
    return tuple(notes)


def _first_word(labels: pd.Series) -> Any:
    present = labels.dropna()
    return next(
        (value for value in present if pd.isna(pd.to_numeric(value, errors="coerce"))), present.iloc[0]
    )
