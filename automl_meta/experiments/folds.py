"""Folds: training and test rows, decided once for all configurations."""

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
"""Positions of the training rows, and of the test rows."""


@dataclass(frozen=True, eq=False)
class Folds:
    """Training and test rows, decided once for all configurations.

    Parameters
    ----------
    name : str
        Name under which runs are stored and compared: that of the `Protocol`, with the suffix
        ``-allclasses`` if a sample of training rows was changed to keep a rare class; or a digest
        of the splits.
    repeats : tuple of tuple of Fold
        Folds of each repeat of the cross-validation.
    seed : int
        Random seed of the estimators.
    sample_weight : ndarray of shape (n_rows,), optional
        Weight of each row in training; scores weight all rows equally.
    """

    name: str
    repeats: tuple[tuple[Fold, ...], ...]
    seed: int = 0
    sample_weight: NDArray[np.float64] | None = None

    @classmethod
    def of_protocol(
        cls, task: TabularTask, protocol: Protocol, sample_weight: ArrayLike | None = None
    ) -> Folds:
        """Make the folds of a protocol.

        No training fold lacks a class that has two rows outside the test fold, unless it is
        sampled down to fewer rows than there are such classes.

        Parameters
        ----------
        task : TabularTask
            Task to split.
        protocol : Protocol
            Number of folds and repeats, sample size of the training rows, and seed.
        sample_weight : array-like of shape (n_rows,), optional
            Weight of each row in training.

        Returns
        -------
        Folds
            Folds, stratified for classification.
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
        """Make the folds of a scikit-learn splitter, or of groups of rows.

        A training fold that is sampled down keeps each class of which the splitter gives it two rows.

        Parameters
        ----------
        task : TabularTask
            Task to split.
        splitter : cross-validation splitter, iterable of splits, or int
            As ``cv`` in scikit-learn; a number of folds only with `groups`.
        protocol : Protocol
            Seed, and sample size of the training rows.
        groups : array-like of shape (n_rows,), optional
            Group of each row; rows of one group are never in both sides of a split.
        sample_weight : array-like of shape (n_rows,), optional
            Weight of each row in training.

        Returns
        -------
        Folds
            Folds whose name is a digest of the splits.

        Raises
        ------
        DataError
            If `groups` or `sample_weight` has another length than the task, or there are fewer
            groups than folds.
        UsageError
            If `splitter` is not a splitter, or its splits are empty.
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
        """Folds of all repeats, one after another."""
        return tuple(fold for repeat in self.repeats for fold in repeat)

    @cached_property
    def tested(self) -> NDArray[np.int64]:
        """Positions of the test rows, fold after fold; shape (n_tested,)."""
        return np.concatenate([test for _, test in self.all])

    @cached_property
    def slices(self) -> tuple[tuple[slice, ...], ...]:
        """Slice of each fold in `tested`, for each repeat."""
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
    """Sample rows of a task, with at least one of each class, and their weights.

    Parameters
    ----------
    task : TabularTask
        Task to sample from.
    folds : Folds
        Folds with the random seed and the weights.
    n_rows : int
        Approximate number of rows.

    Returns
    -------
    task : TabularTask
        Task with these rows and the same class codes.
    folds : Folds
        Seed and weights for a fit on all of its rows.
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
        raise DataError("All rows have one group, so none can be held out. Give no groups.")
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
    """Sample training rows down to the size of the protocol, stratified by class."""
    limit = protocol.max_train_rows
    if limit is None or len(train) <= limit:
        return train
    codes = task.y_codes[train]
    if (
        task.task_type == "classification"
        and np.bincount(codes)[np.unique(codes)].min() >= 2
        and len(np.unique(codes)) <= min(limit, len(train) - limit)  # the splitter needs both
    ):
        splitter = StratifiedShuffleSplit(1, train_size=limit, random_state=protocol.seed)
        return train[next(splitter.split(train, codes))[0]]
    return np.random.default_rng(protocol.seed).permutation(train)[:limit]


def _with_all_classes(
    drawn: NDArray[np.int64], train: NDArray[np.int64], task: TabularTask
) -> NDArray[np.int64]:
    """Replace rows of the largest class in `drawn` by rows of classes with two in `train` and none in `drawn`.

    If there are none, `drawn` is returned as it is, so that stored runs stay comparable.
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
