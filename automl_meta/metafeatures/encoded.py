"""Numeric design matrix of a sample of the rows, for learners and distances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from automl_meta.metafeatures.numeric import NumericBlock

__all__ = ["LEARNER_NEEDS", "EncodedBlock", "encode"]

LEARNER_NEEDS = (
    "ten rows, four per class on average, and a non-constant numeric, categorical, boolean or datetime column"
)
"""What `EncodedBlock.is_learnable` requires, in words."""

Floats = NDArray[np.float64]
_MAX_LEVELS = 10


@dataclass(frozen=True, eq=False)
class EncodedBlock:
    """Encoded rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), float64
        Standardised numeric columns, with missing values replaced by the mean, and indicators of
        the levels of categorical columns. Two different levels have a squared distance of 2, the
        expected squared distance of two standardised numbers.
    unit : ndarray of shape (n_rows, n_columns), float64
        The same columns scaled so that the Manhattan distance of two rows is the sum of Gower's
        per-column distances: each source column contributes at most 1.
    y : ndarray of shape (n_rows,)
        Class codes ``0 .. n_classes - 1`` (int64), all of them present, or the target in [0, 1] (float64).
    n_sources : int
        Number of encoded columns of the task.
    """

    X: Floats
    unit: Floats
    y: NDArray
    n_sources: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.X.shape[0]

    @property
    def n_columns(self) -> int:
        """Number of encoded columns."""
        return self.X.shape[1]

    @cached_property
    def n_classes(self) -> int:
        """Number of classes; 0 for a numeric target."""
        return int(self.y.max()) + 1 if self.y.dtype.kind == "i" else 0

    @property
    def is_learnable(self) -> bool:
        """Whether there are enough rows and columns to fit and score learners (see `LEARNER_NEEDS`)."""
        return self.n_columns > 0 and self.n_rows >= max(10, 4 * self.n_classes)

    @cached_property
    def gower(self) -> Floats:
        """Gower's (1971) distances between all pairs of rows, in [0, 1], of shape (n_rows, n_rows)."""
        return squareform(pdist(self.unit, "cityblock") / max(self.n_sources, 1))

    @cached_property
    def squared_distances(self) -> Floats:
        """Squared Euclidean distances in `X`, infinite on the diagonal, of shape (n_rows, n_rows)."""
        lengths = np.einsum("ij,ij->i", self.X, self.X)
        distances = lengths[:, None] + lengths - 2.0 * (self.X @ self.X.T)
        np.maximum(distances, 0.0, out=distances)
        np.fill_diagonal(distances, np.inf)
        return distances

    def take(self, rows: NDArray[np.intp]) -> EncodedBlock:
        """Select rows and renumber the classes that remain."""
        y = self.y[rows]
        if self.n_classes:
            y = np.unique(y, return_inverse=True)[1].astype(np.int64)
        return EncodedBlock(self.X[rows], self.unit[rows], y, self.n_sources)


def encode(
    numbers: Floats,
    categories: NDArray[np.int64],
    y: NDArray,
    max_columns: int,
    rng: np.random.Generator,
) -> EncodedBlock:
    """Encode columns; a random subset if there are too many.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numbers), float64
        Numeric columns, NaN where missing.
    categories : ndarray of shape (n_rows, n_categories), int64
        Level codes from 0, with missing values as a level of their own. Each column's ten most
        frequent levels are one-hot encoded.
    y : ndarray of shape (n_rows,)
        Target, stored unchanged.
    max_columns : int
        Maximum number of encoded columns.
    rng : Generator
        Source of randomness for the choice of columns.
    """
    block = NumericBlock.of_varying(numbers)
    sources = [_number(column) for column in block.standardised.T]
    sources += [_indicators(levels) for levels in categories.T]
    chosen, width = [], 0
    for source in rng.permutation(len(sources)):
        n_columns = sources[source][0].shape[1]
        if 0 < n_columns <= max_columns - width:
            chosen.append(source)
            width += n_columns
    no_columns = np.empty((len(y), 0))
    # Chosen at random but kept in order: if all columns fit, the result is independent of the draw.
    X, unit = (
        np.hstack([no_columns, *(sources[source][part] for source in sorted(chosen))]) for part in (0, 1)
    )
    return EncodedBlock(X, unit, y, len(chosen))


def _number(column: Floats) -> tuple[Floats, Floats]:
    """Return a standardised column, and the column scaled to a range of 1."""
    return column[:, None], (column / np.ptp(column))[:, None]


def _indicators(levels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """One-hot encode the most frequent levels, in both scales; no columns for a constant column."""
    counts = np.bincount(levels)
    n_present = np.count_nonzero(counts)
    if n_present == 2:  # one indicator is sufficient
        column = (levels == np.argmax(counts)).astype(np.float64)[:, None]
        return np.sqrt(2.0) * column, column
    n_indicators = min(n_present, _MAX_LEVELS) if n_present > 1 else 0
    frequent = np.argsort(-counts, kind="stable")[:n_indicators]
    columns = (levels[:, None] == frequent).astype(np.float64)
    return columns, 0.5 * columns
