"""TaskView: intermediate results shared by all groups of meta-features, computed lazily and cached."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from automl_meta._utils.budget import Budget
from automl_meta._utils.random import child_generator
from automl_meta.metafeatures.canonical import Canonical, canonical_order, numeric_values
from automl_meta.metafeatures.contingency import ContingencyBlock
from automl_meta.metafeatures.encoded import EncodedBlock, encode
from automl_meta.metafeatures.numeric import NumericBlock
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask

__all__ = ["TaskView"]


class TaskView:
    """Task in canonical order, with bounded samples and lazily computed shared results.

    Parameters
    ----------
    task : TabularTask
        Task to describe; not modified.
    seed : int, default=0
        Random seed of the samples.
    budget : Budget, optional
        Remaining time; no limit by default.
    max_rows, max_columns : int
        Maximum number of rows, and of numeric and of categorical columns, for statistics. Larger
        tables are subsampled, stratified by class.
    max_learner_rows, max_learner_columns : int
        Maximum numbers of rows and encoded columns for fitting models.
    max_distance_rows : int
        Maximum number of rows for pairwise distances.
    """

    def __init__(
        self,
        task: TabularTask,
        *,
        seed: int = 0,
        budget: Budget | None = None,
        max_rows: int = 5000,
        max_columns: int = 200,
        max_learner_rows: int = 1000,
        max_learner_columns: int = 100,
        max_distance_rows: int = 500,
    ) -> None:
        self.task = task
        self.seed = seed
        self.budget = Budget() if budget is None else budget
        self.max_rows = max_rows
        self.max_columns = max_columns
        self.max_learner_rows = max_learner_rows
        self.max_learner_columns = max_learner_columns
        self.max_distance_rows = max_distance_rows

    @property
    def task_type(self) -> TaskType:
        """Type of task."""
        return self.task.task_type

    @property
    def is_classification(self) -> bool:
        """Whether the task is a classification task."""
        return self.task.task_type == "classification"

    @cached_property
    def canonical(self) -> Canonical:
        """Canonical order of rows, columns and classes."""
        return canonical_order(self.task)

    @cached_property
    def target(self) -> NDArray:
        """Target of all rows in canonical order: class codes, the most frequent class first, or float64."""
        ordered = self.task.y_codes[self.canonical.rows]
        return self.canonical.class_ranks[ordered] if self.is_classification else ordered

    @cached_property
    def class_counts(self) -> NDArray[np.int64]:
        """Number of rows of each class in descending order; empty for regression."""
        return np.bincount(self.target) if self.is_classification else np.array([], dtype=np.int64)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Row indices of the sample used for statistics, at most `max_rows`."""
        return self.canonical.rows[self._sample(self.target, self.max_rows, "rows")]

    @cached_property
    def y(self) -> NDArray:
        """Target of `rows`: contiguous class codes from 0 (int64), or float64."""
        y = self.target[self._sample(self.target, self.max_rows, "rows")]
        return np.unique(y, return_inverse=True)[1].astype(np.int64) if self.is_classification else y

    @cached_property
    def numeric(self) -> NumericBlock:
        """Numeric columns that are not constant in `rows`; at most `max_columns` of them."""
        return NumericBlock.of_varying(self._numbers(self._columns("numeric")))

    @cached_property
    def categories(self) -> NDArray[np.int64]:
        """Level codes of the categorical and boolean columns in `rows`, of shape (n_rows, n_columns).

        Codes are assigned from 0 in order of appearance; missing values are a level of their own.
        """
        columns = self._columns("categorical", "boolean")
        levels = np.empty((len(self.rows), len(columns)), dtype=np.int64)
        for position, column in enumerate(columns):
            levels[:, position] = _by_appearance(self.canonical.codes[column][self.rows])
        return levels

    @cached_property
    def contingency(self) -> ContingencyBlock:
        """Contingency tables of categorical and binned numeric columns with the (binned) target."""
        y = self.y if self.is_classification else self.target_block.bins[:, 0]
        return ContingencyBlock(np.hstack([self.categories, self.numeric.bins]), y)

    @cached_property
    def target_block(self) -> NumericBlock:
        """Numeric target of `rows` as a column, scaled by its largest absolute value."""
        return NumericBlock(self.y[:, None] / np.abs(self.y).max())

    @cached_property
    def encoded(self) -> EncodedBlock:
        """Numeric encoding of all usable columns for learners; at most `max_learner_rows` rows.

        A numeric target is scaled to [0, 1].
        """
        kept = self._sample(self.y, self.max_learner_rows, "learner rows")
        # In canonical order, equal rows are sorted by class, so that ties would always favour the largest.
        kept = child_generator(self.seed, "order of learner rows").permutation(kept)
        moments = self._numbers(self._columns("datetime"))
        numbers = np.hstack([self.numeric.values, moments])[kept]
        y = self.y[kept]
        if self.is_classification:
            y = np.unique(y, return_inverse=True)[1].astype(np.int64)
        elif np.ptp(y) > 0:
            y = y / np.abs(y).max()  # scaled first, so that differences do not overflow
            y = (y - y.min()) / np.ptp(y)
        rng = child_generator(self.seed, "learner columns")
        return encode(numbers, self.categories[kept], y, self.max_learner_columns, rng)

    @cached_property
    def points(self) -> EncodedBlock:
        """Sample of `encoded` for pairwise distances; at most `max_distance_rows` rows."""
        return self.encoded.take(self._sample(self.encoded.y, self.max_distance_rows, "distance rows"))

    def _columns(self, *kinds: str) -> list[str]:
        """Columns of the given kinds in canonical order; a random subset if more than `max_columns`."""
        columns = [name for name in self.canonical.columns if self.task.column_kinds[name] in kinds]
        if len(columns) <= self.max_columns:
            return columns
        rng = child_generator(self.seed, f"columns {kinds}")
        chosen = rng.choice(len(columns), self.max_columns, replace=False)
        return [columns[position] for position in sorted(chosen)]

    def _numbers(self, columns: list[str]) -> NDArray[np.float64]:
        return numeric_values(self.task.X.take(self.rows)[columns])  # selecting rows first copies less

    def _sample(self, y: NDArray, limit: int, name: str) -> NDArray[np.intp]:
        """Positions of at most `limit` rows in ascending order; stratified by class for classification."""
        if len(y) <= limit:
            return np.arange(len(y))
        rng = child_generator(self.seed, name)
        shuffled = rng.permutation(len(y))
        if self.is_classification:
            quota = _quotas(np.bincount(y), limit)
            by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
            counts = np.bincount(y)
            rank = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
            return np.sort(by_class[rank < np.repeat(quota, counts)])
        return np.sort(shuffled[:limit])


def _quotas(counts: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Number of rows to sample from each class: proportional, but at least two if `limit` allows."""
    least = np.minimum(counts, 2) if 2 * len(counts) <= limit else np.zeros_like(counts)
    exact = counts * limit / counts.sum()
    quota = np.maximum(np.floor(exact).astype(np.int64), least)
    by_remainder = np.argsort(quota - exact, kind="stable")
    room = limit - int(quota.sum())
    if room > 0:
        quota[by_remainder[:room]] += 1
    while room < 0:  # the minimum of two rows per small class is offset by the largest class
        quota[np.argmax(quota)] -= 1
        room += 1
    return np.minimum(quota, counts)


def _by_appearance(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber codes from 0 in order of first appearance."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
