"""Canonical order of rows, columns and classes, determined by their content alone.

Meta-features are computed on the table in canonical order, and samples and folds are drawn from
it. They are therefore invariant to the order of rows and columns in a file and to class names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.task import TabularTask
from automl_meta.task.fingerprint import mixed

__all__ = ["Canonical", "canonical_order", "numeric_values"]

_CHUNK = 2_000_000  # cells hashed at once: 16 MB


@dataclass(frozen=True, eq=False)
class Canonical:
    """Canonical order of a task, with by-products of its computation.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,), intp
        Row indices of the task in canonical order.
    columns : tuple of str
        Names of the usable columns (neither constant nor identifier) in canonical order.
    class_ranks : ndarray of shape (n_classes,), int64
        Rank of each class code of ``task.y_codes``, the most frequent class first; empty for
        regression.
    n_missing : mapping of str to int
        Number of missing values in each of `columns`.
    has_missing : ndarray of shape (n_rows,), bool
        Whether each row of the task has a missing value in one of `columns`.
    codes : mapping of str to ndarray of shape (n_rows,), int64
        Integer codes from 0 of each column of strings, -1 where missing.
    """

    rows: NDArray[np.intp]
    columns: tuple[str, ...]
    class_ranks: NDArray[np.int64]
    n_missing: Mapping[str, int]
    has_missing: NDArray[np.bool_]
    codes: Mapping[str, NDArray[np.int64]]


def canonical_order(task: TabularTask) -> Canonical:
    """Hash every cell once, and sort rows, columns and classes by the sums of their hashes."""
    keys = np.zeros(task.n_rows, dtype=np.uint64)
    has_missing = np.zeros(task.n_rows, dtype=bool)
    digests: dict[str, int] = {}
    n_missing: dict[str, int] = {}
    codes: dict[str, NDArray[np.int64]] = {}
    for columns, hashes, missing in _hashed_columns(task, codes):
        column_digests = mixed(hashes).sum(axis=0, dtype=np.uint64)
        # The hash of a cell includes its column, which is identified by its content.
        keys += mixed(hashes ^ column_digests).sum(axis=1, dtype=np.uint64)
        has_missing |= missing.any(axis=1)
        digests.update(zip(columns, column_digests.tolist(), strict=True))
        n_missing.update(zip(columns, missing.sum(axis=0).tolist(), strict=True))
    class_ranks = np.array([], dtype=np.int64)
    target = task.y_codes
    if task.task_type == "classification":
        class_ranks = _class_ranks(task.y_codes, keys, len(task.classes))
        target = class_ranks[task.y_codes]
    return Canonical(
        rows=np.lexsort((target, keys)),
        columns=tuple(sorted(digests, key=digests.__getitem__)),
        class_ranks=class_ranks,
        n_missing=n_missing,
        has_missing=has_missing,
        codes=codes,
    )


def _hashed_columns(
    task: TabularTask, codes: dict[str, NDArray[np.int64]]
) -> Iterator[tuple[list[str], NDArray[np.uint64], NDArray[np.bool_]]]:
    """Yield names, hashes and missingness, chunk by chunk; fill `codes` for columns of strings."""
    numbers = task.columns_of("numeric", "datetime")
    step = max(1, _CHUNK // task.n_rows)
    for start in range(0, len(numbers), step):
        chunk = numbers[start : start + step]
        values = numeric_values(task.X[chunk])
        missing = np.isnan(values)
        values[missing] = np.nan  # NaN and zero have several bit patterns each
        values += 0.0
        yield chunk, values.view(np.uint64), missing
    for column in task.columns_of("categorical", "boolean", "text"):
        codes[column], levels = pd.factorize(task.X[column])
        level_hashes = pd.util.hash_array(np.append(np.asarray(levels, dtype=object), ""), categorize=False)
        yield [column], level_hashes[codes[column]][:, None], (codes[column] < 0)[:, None]


def numeric_values(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Convert numeric and datetime columns to an array; dates become seconds since 1970.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), float64
        A copy, NaN where missing.
    """
    if all(dtype.kind == "f" for dtype in frame.dtypes):
        return frame.to_numpy(dtype=np.float64, copy=True)
    values = np.empty(frame.shape)
    for position, column in enumerate(frame.columns):
        series = frame[column]
        if series.dtype.kind == "M":
            seconds = series.to_numpy("datetime64[us]").astype(np.int64) / 1e6
            values[:, position] = np.where(series.isna(), np.nan, seconds)
        else:
            values[:, position] = series.to_numpy(dtype=np.float64)
    return values


def _class_ranks(y: NDArray[np.int64], keys: NDArray[np.uint64], n_classes: int) -> NDArray[np.int64]:
    """Rank classes by size, breaking ties by the content of their rows."""
    counts = np.bincount(y, minlength=n_classes)
    by_class = np.argsort(y, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    digests = np.add.reduceat(mixed(keys)[by_class], starts)
    ranks = np.empty(n_classes, dtype=np.int64)
    ranks[np.lexsort((digests, -counts))] = np.arange(n_classes)
    return ranks
