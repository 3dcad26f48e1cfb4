"""TaskView: what all groups of meta-features share, computed when first asked for and then kept."""

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
    """A task in the order of its content, in samples of bounded size, with lazy shared blocks.

    Parameters
    ----------
    task : TabularTask
        Left as it is.
    seed : int, default=0
        Decides the samples.
    budget : Budget, optional
        What is left of the time; without one there is no limit.
    max_rows, max_columns : int
        Statistics are taken of so many rows, and so many numeric and categorical columns each, at
        most. Above that a sample is drawn, stratified by class.
    max_learner_rows, max_learner_columns : int
        The same for whatever fits a model.
    max_distance_rows : int
        The same for whatever needs the distances of all pairs of rows.
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
        """What is to be predicted."""
        return self.task.task_type

    @property
    def is_classification(self) -> bool:
        """Whether classes are to be predicted."""
        return self.task.task_type == "classification"

    @cached_property
    def canonical(self) -> Canonical:
        """The order of rows, columns and classes that follows from the content."""
        return canonical_order(self.task)

    @cached_property
    def target(self) -> NDArray:
        """Target of all rows, ordered: classes from 0, the most frequent first, or float64."""
        ordered = self.task.y_codes[self.canonical.rows]
        return self.canonical.class_ranks[ordered] if self.is_classification else ordered

    @cached_property
    def class_counts(self) -> NDArray[np.int64]:
        """Rows of each class, descending; empty for regression."""
        return np.bincount(self.target) if self.is_classification else np.array([], dtype=np.int64)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Row numbers of the task that statistics are taken of: at most `max_rows`."""
        return self.canonical.rows[self._sample(self.target, self.max_rows, "rows")]

    @cached_property
    def y(self) -> NDArray:
        """Target of `rows`: class codes from 0 without a gap (int64), or float64."""
        y = self.target[self._sample(self.target, self.max_rows, "rows")]
        return np.unique(y, return_inverse=True)[1].astype(np.int64) if self.is_classification else y

    @cached_property
    def numeric(self) -> NumericBlock:
        """The numeric columns that vary in `rows`; at most `max_columns` of them."""
        values = self._numbers(self._columns("numeric"))
        present = ~np.isnan(values)
        lowest = np.min(values, axis=0, where=present, initial=np.inf)
        highest = np.max(values, axis=0, where=present, initial=-np.inf)
        return NumericBlock(values[:, lowest < highest])

    @cached_property
    def categories(self) -> NDArray[np.int64]:
        """Levels of the categorical and boolean columns in `rows`, of shape (n_rows, n_columns).

        Numbered from 0 in the order of appearance; missing values are a level of their own.
        """
        columns = self._columns("categorical", "boolean")
        levels = np.empty((len(self.rows), len(columns)), dtype=np.int64)
        for position, column in enumerate(columns):
            levels[:, position] = _by_appearance(self.canonical.codes[column][self.rows])
        return levels

    @cached_property
    def contingency(self) -> ContingencyBlock:
        """Categorical columns and binned numeric ones against the target, a numeric one binned alike."""
        y = self.y if self.is_classification else self.target_block.bins[:, 0]
        return ContingencyBlock(np.hstack([self.categories, self.numeric.bins]), y)

    @cached_property
    def target_block(self) -> NumericBlock:
        """The numeric target of `rows`, as a column in units of its largest absolute value."""
        return NumericBlock(self.y[:, None] / np.abs(self.y).max())

    @cached_property
    def encoded(self) -> EncodedBlock:
        """All usable columns as numbers, for learners: at most `max_learner_rows` rows.

        A numeric target is scaled to [0, 1].
        """
        kept = self._sample(self.y, self.max_learner_rows, "learner rows")
        # In the order of content, equal rows stand sorted by class: a tie would always go to the largest.
        kept = child_generator(self.seed, "order of learner rows").permutation(kept)
        moments = self._numbers(self._columns("datetime"))
        numbers = np.hstack([self.numeric.values, moments])[kept]
        y = self.y[kept]
        if self.is_classification:
            y = np.unique(y, return_inverse=True)[1].astype(np.int64)
        elif np.ptp(y) > 0:
            y = y / np.abs(y).max()  # first, so that no difference overflows
            y = (y - y.min()) / np.ptp(y)
        rng = child_generator(self.seed, "learner columns")
        return encode(numbers, self.categories[kept], y, self.max_learner_columns, rng)

    @cached_property
    def points(self) -> EncodedBlock:
        """The same, for distances: at most `max_distance_rows` rows."""
        return self.encoded.take(self._sample(self.encoded.y, self.max_distance_rows, "distance rows"))

    def _columns(self, *kinds: str) -> list[str]:
        """Columns of these kinds, in order, drawn at random if there are more than `max_columns`."""
        columns = [name for name in self.canonical.columns if self.task.column_kinds[name] in kinds]
        if len(columns) <= self.max_columns:
            return columns
        rng = child_generator(self.seed, f"columns {kinds}")
        chosen = rng.choice(len(columns), self.max_columns, replace=False)
        return [columns[position] for position in sorted(chosen)]

    def _numbers(self, columns: list[str]) -> NDArray[np.float64]:
        return numeric_values(self.task.X.take(self.rows)[columns])  # in this order: few rows are copied

    def _sample(self, y: NDArray, limit: int, name: str) -> NDArray[np.intp]:
        """Positions of at most `limit` rows, ascending; stratified if `y` holds classes."""
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
    """How many rows of each class to keep: in proportion, two of each if there is room."""
    least = np.minimum(counts, 2) if 2 * len(counts) <= limit else np.zeros_like(counts)
    exact = counts * limit / counts.sum()
    quota = np.maximum(np.floor(exact).astype(np.int64), least)
    by_remainder = np.argsort(quota - exact, kind="stable")
    room = limit - int(quota.sum())
    if room > 0:
        quota[by_remainder[:room]] += 1
    while room < 0:  # the small classes' second rows are taken from the largest class
        quota[np.argmax(quota)] -= 1
        room += 1
    return np.minimum(quota, counts)


def _by_appearance(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number codes anew from 0, in the order in which they first appear."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
