"""Folds: which rows are learnt from and which are predicted, decided once for all configurations."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    check_cv,
)

from automl_meta.exceptions import DataError, UsageError
from automl_meta.records import Protocol
from automl_meta.task import TabularTask

__all__ = ["Fold", "Folds", "fewer_rows"]

_ALL_CLASSES = "-allclasses"

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Positions of the rows to learn from, and of those to predict."""


@dataclass(frozen=True, eq=False)
class Folds:
    """Which rows are learnt from and which are predicted, decided once for all configurations.

    Parameters
    ----------
    name : str
        Under which runs are stored and compared: that of the `Protocol`, with the suffix
        ``-allclasses`` if a sample of training rows had to be changed to keep a rare class; or a
        digest of the splits.
    repeats : tuple of tuple of Fold
        One cross-validation after another.
    seed : int
        Of the estimators that are fitted on them.
    sample_weight : ndarray of shape (n_rows,), optional
        How much each row counts when it is learnt from; scores count all rows alike.
    """

    name: str
    repeats: tuple[tuple[Fold, ...], ...]
    seed: int = 0
    sample_weight: NDArray[np.float64] | None = None

    @classmethod
    def of_protocol(
        cls, task: TabularTask, protocol: Protocol, sample_weight: ArrayLike | None = None
    ) -> Folds:
        """The splits that a protocol means on a task.

        No training fold lacks a class that has two rows outside of the test fold, unless it is
        sampled down to fewer rows than there are such classes.
        """
        whole = [list(_splits(task, protocol, repeat)) for repeat in range(protocol.n_repeats)]
        drawn = [[_drawn(train, protocol, task) for train, _ in folds] for folds in whole]
        repeats = tuple(
            tuple(
                (_with_all_classes(rows, train, task), test)
                for rows, (train, test) in zip(samples, folds, strict=True)
            )
            for samples, folds in zip(drawn, whole, strict=True)
        )
        is_changed = any(
            not np.array_equal(rows, train)
            for samples, folds in zip(drawn, repeats, strict=True)
            for rows, (train, _) in zip(samples, folds, strict=True)
        )
        name = f"{protocol.name}{_ALL_CLASSES}" if is_changed else protocol.name
        return cls(name, repeats, protocol.seed)._weighted(sample_weight, task)

    @classmethod
    def of_splitter(
        cls,
        task: TabularTask,
        splitter: Any,
        protocol: Protocol,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Folds:
        """The splits of a splitter of scikit-learn, or of groups of rows that stay together.

        A training fold that is sampled down keeps each class of which the splitter gives it two rows.

        Parameters
        ----------
        task : TabularTask
            What is split.
        splitter : cross-validation splitter, iterable of splits, or int
            As ``cv`` in scikit-learn; a number of folds only with `groups`.
        protocol : Protocol
            Says the seed, and to how many rows the training folds are sampled down.
        groups : array-like of shape (n_rows,), optional
            Rows of one group are never on both sides.
        sample_weight : array-like of shape (n_rows,), optional
            See `Folds`.

        Raises
        ------
        DataError
            If `groups` or `sample_weight` has another length than the task, or there are fewer
            groups than folds.
        UsageError
            If it is no splitter, or its splits are empty.
        """
        if groups is not None and len(np.asarray(groups)) != task.n_rows:
            raise DataError(
                f"There are {task.n_rows} rows and {len(np.asarray(groups))} groups: give one for each row."
            )
        if isinstance(splitter, (int, np.integer)):
            splitter = _group_splitter(task, int(splitter), np.asarray(groups), protocol.seed)
        try:
            chosen = check_cv(splitter, task.y_codes, classifier=task.task_type == "classification")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # classes with fewer members than folds
                pairs = list(chosen.split(task.X, task.y_codes, groups))
        except (ValueError, TypeError) as error:
            raise UsageError(f"The rows cannot be split by {splitter!r}: {error}") from error
        folds = tuple(
            (_sampled(np.asarray(train, dtype=np.int64), protocol, task), np.asarray(test, dtype=np.int64))
            for train, test in _as_positions(pairs)
        )
        if not folds or any(len(train) == 0 or len(test) == 0 for train, test in folds):
            raise UsageError(f"{splitter!r} gives no split, or an empty one, of {task.n_rows} rows.")
        return cls(
            f"custom-{_digest(*(rows for fold in folds for rows in fold))}", (folds,), protocol.seed
        )._weighted(sample_weight, task)

    @cached_property
    def all(self) -> tuple[Fold, ...]:
        """The folds of all repeats, one after another."""
        return tuple(fold for repeat in self.repeats for fold in repeat)

    @cached_property
    def tested(self) -> NDArray[np.int64]:
        """Positions of the rows that are predicted, one fold after another; shape (n_tested,)."""
        return np.concatenate([test for _, test in self.all])

    @cached_property
    def slices(self) -> tuple[tuple[slice, ...], ...]:
        """Where in `tested` each fold lies, for each repeat."""
        ends = np.cumsum([len(test) for _, test in self.all])
        flat = iter(
            [slice(int(end) - len(test), int(end)) for end, (_, test) in zip(ends, self.all, strict=True)]
        )
        return tuple(tuple(next(flat) for _ in repeat) for repeat in self.repeats)

    def _weighted(self, sample_weight: ArrayLike | None, task: TabularTask) -> Folds:
        if sample_weight is None:
            return self
        weights = np.asarray(sample_weight, dtype=np.float64)
        if weights.shape != (task.n_rows,) or not np.isfinite(weights).all() or weights.min() < 0:
            raise DataError(
                f"sample_weight must be {task.n_rows} numbers from 0, one for each row; "
                f"it has shape {weights.shape}."
            )
        return Folds(f"{self.name}-weighted-{_digest(weights)}", self.repeats, self.seed, weights)


def fewer_rows(task: TabularTask, folds: Folds, n_rows: int) -> tuple[TabularTask, Folds]:
    """A task of some rows of another, with all its classes, and the folds' weights of these rows.

    Parameters
    ----------
    task : TabularTask
        Of more rows.
    folds : Folds
        Whose seed draws them.
    n_rows : int
        About so many: one of each class is there in any case.

    Returns
    -------
    task : TabularTask
        Whose codes of classes mean the same.
    folds : Folds
        For nothing but a fit on all rows of it.
    """
    whole = np.arange(task.n_rows)
    rows = _sampled(whole, Protocol(max_train_rows=n_rows, seed=folds.seed), task)
    if task.task_type == "classification":
        rows = np.union1d(rows, np.unique(task.y_codes, return_index=True)[1])
    weights = None if folds.sample_weight is None else folds.sample_weight[rows]
    some = replace(
        task, X=task.X.iloc[rows].reset_index(drop=True), y=task.y.iloc[rows].reset_index(drop=True)
    )
    return some, replace(folds, sample_weight=weights)


def _splits(task: TabularTask, protocol: Protocol, repeat: int) -> Iterator[Fold]:
    n_folds, seed = min(protocol.n_folds, task.n_rows), protocol.seed + repeat
    y = task.y_codes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer members than folds
        if task.task_type == "classification" and np.bincount(y).max() >= n_folds:
            yield from StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(task.X, y)
        else:
            yield from KFold(n_folds, shuffle=True, random_state=seed).split(task.X)


def _group_splitter(task: TabularTask, n_folds: int, groups: NDArray[Any], seed: int) -> Any:
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise DataError("All rows are of one group: there is nothing to hold out. Give no groups.")
    make = StratifiedGroupKFold if task.task_type == "classification" else GroupKFold
    return make(min(n_folds, n_groups), shuffle=True, random_state=seed)


def _as_positions(pairs: Iterable[Sequence[Any]]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Splits may be masks."""
    for pair in pairs:
        train, test = (
            np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows) for rows in pair
        )
        yield train, test


def _sampled(train: NDArray[np.int64], protocol: Protocol, task: TabularTask) -> NDArray[np.int64]:
    return _with_all_classes(_drawn(train, protocol, task), train, task)


def _drawn(train: NDArray[np.int64], protocol: Protocol, task: TabularTask) -> NDArray[np.int64]:
    """No more rows than the protocol says, in about the proportions of the classes."""
    limit = protocol.max_train_rows
    if limit is None or len(train) <= limit:
        return train
    codes = task.y_codes[train]
    if (
        task.task_type == "classification"
        and np.bincount(codes)[np.unique(codes)].min() >= 2
        and len(np.unique(codes)) <= min(limit, len(train) - limit)  # the splitter asks for both
    ):
        splitter = StratifiedShuffleSplit(1, train_size=limit, random_state=protocol.seed)
        return train[next(splitter.split(train, codes))[0]]
    return np.random.default_rng(protocol.seed).permutation(train)[:limit]


def _with_all_classes(
    drawn: NDArray[np.int64], train: NDArray[np.int64], task: TabularTask
) -> NDArray[np.int64]:
    """Put a row of each class that has two in `train` and none in `drawn` in place of one of the largest class.

    Where there is nothing to put, `drawn` comes back as it is: runs that are stored stay comparable.
    """
    if task.task_type == "regression" or len(drawn) == len(train):
        return drawn
    codes = task.y_codes
    counts = np.bincount(codes[drawn], minlength=len(task.classes))
    is_needed = np.bincount(codes[train], minlength=len(task.classes)) >= 2
    changed = drawn.copy()
    for missing in np.flatnonzero(is_needed & (counts == 0)):
        spare = np.where(is_needed & (counts <= 1), 0, counts)  # the last row of a class stays
        largest = int(spare.argmax())
        if spare[largest] == 0:
            break  # there are more classes than rows to draw
        changed[np.flatnonzero(codes[changed] == largest)[-1]] = train[codes[train] == missing][0]
        counts[largest] -= 1
        counts[missing] += 1
    return changed


def _digest(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]
