"""A small design matrix for learners and distances: a few rows, all columns as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from automl_meta.metafeatures.numeric import NumericBlock

__all__ = ["EncodedBlock", "encode"]

Floats = NDArray[np.float64]
_MAX_LEVELS = 10


@dataclass(frozen=True, eq=False)
class EncodedBlock:
    """Rows as points.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), float64
        Numeric columns standardised, missing values at their mean; levels of categorical columns
        as indicators, so that two different ones are as far apart as two numbers are expected
        to be: a squared distance of 2.
    unit : ndarray of shape (n_rows, n_columns), float64
        The same columns scaled so that the city-block distance of two rows is Gower's: each source
        column adds at most 1.
    y : ndarray of shape (n_rows,)
        Class codes ``0 .. n_classes - 1`` (int64), every one present, or the target in [0, 1] (float64).
    n_sources : int
        Columns of the task that went in.
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

    @cached_property
    def gower(self) -> Floats:
        """Gower's (1971) distances between all rows, in [0, 1], of shape (n_rows, n_rows)."""
        return squareform(pdist(self.unit, "cityblock") / max(self.n_sources, 1))

    @cached_property
    def squared_distances(self) -> Floats:
        """Squared Euclidean distances in `X`, infinite from a row to itself, of shape (n_rows, n_rows)."""
        lengths = np.einsum("ij,ij->i", self.X, self.X)
        distances = lengths[:, None] + lengths - 2.0 * (self.X @ self.X.T)
        np.maximum(distances, 0.0, out=distances)
        np.fill_diagonal(distances, np.inf)
        return distances

    def take(self, rows: NDArray[np.intp]) -> EncodedBlock:
        """Some of the rows, classes numbered anew."""
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
    """Encode columns, drawn at random if they are too many.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numbers), float64
        NaN where missing.
    categories : ndarray of shape (n_rows, n_categories), int64
        Levels from 0; missing values are a level of their own. Each column's ten most frequent
        levels become indicators.
    y : ndarray of shape (n_rows,)
        Kept as it is.
    max_columns : int
        As many encoded columns at most.
    rng : Generator
        Draws the columns.
    """
    present = ~np.isnan(numbers)
    lowest = np.min(numbers, axis=0, where=present, initial=np.inf)
    highest = np.max(numbers, axis=0, where=present, initial=-np.inf)
    block = NumericBlock(numbers[:, lowest < highest])
    sources = [_number(column) for column in block.standardised.T]
    sources += [_indicators(levels) for levels in categories.T]
    chosen, width = [], 0
    for source in rng.permutation(len(sources)):
        n_columns = sources[source][0].shape[1]
        if 0 < n_columns <= max_columns - width:
            chosen.append(source)
            width += n_columns
    nothing = np.empty((len(y), 0))
    # Drawn at random, but kept in their order: with room for all, nothing depends on the draw.
    X, unit = (np.hstack([nothing, *(sources[source][part] for source in sorted(chosen))]) for part in (0, 1))
    return EncodedBlock(X, unit, y, len(chosen))


def _number(column: Floats) -> tuple[Floats, Floats]:
    """A standardised column, and with a range of 1."""
    return column[:, None], (column / np.ptp(column))[:, None]


def _indicators(levels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Indicators of the most frequent levels, in both scales; none for a constant column."""
    counts = np.bincount(levels)
    n_present = np.count_nonzero(counts)
    if n_present == 2:  # one column tells all
        column = (levels == np.argmax(counts)).astype(np.float64)[:, None]
        return np.sqrt(2.0) * column, column
    n_indicators = min(n_present, _MAX_LEVELS) if n_present > 1 else 0
    frequent = np.argsort(-counts, kind="stable")[:n_indicators]
    columns = (levels[:, None] == frequent).astype(np.float64)
    return columns, 0.5 * columns
