"""Contingency tables of all columns with the target, computed in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["ContingencyBlock"]

_MAX_DENSE_CELLS = 4_000_000  # 32 MB; larger tables are counted by sorting
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ContingencyBlock:
    """Marginal and joint distributions of discrete columns and a discrete target.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_columns), int64
        Levels of each column as codes from 0.
    target : ndarray of shape (n_rows,), int64
        Classes, or bins of a numeric target, as codes from 0.
    max_dense_cells : int
        Size of the joint distribution above which it is counted by sorting.
    """

    codes: Codes
    target: Codes
    max_dense_cells: int = _MAX_DENSE_CELLS

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.codes.shape[0]

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return self.codes.shape[1]

    @cached_property
    def n_levels(self) -> Codes:
        """Highest code of each column plus 1."""
        return self.codes.max(axis=0, initial=0) + 1

    @cached_property
    def _offsets(self) -> Codes:
        """Position of each column's first level in the concatenation of all levels."""
        return np.concatenate([[0], np.cumsum(self.n_levels)])

    @cached_property
    def target_shares(self) -> Floats:
        """Relative frequency of each class."""
        return np.bincount(self.target) / self.n_rows

    @cached_property
    def target_entropy(self) -> float:
        """Shannon entropy of the target in bits."""
        return float(np.sum(_surprise(self.target_shares)))

    @cached_property
    def _levels(self) -> tuple[Floats, Codes]:
        """Relative frequencies of the levels of all columns, and the column index of each."""
        shares = np.bincount((self.codes + self._offsets[:-1]).ravel(), minlength=self._offsets[-1])
        return shares / self.n_rows, np.repeat(np.arange(self.n_columns), self.n_levels)

    @cached_property
    def _cells(self) -> tuple[Floats, Codes, Codes]:
        """Relative frequency, level and class of each combination of level and class that occurs."""
        n_classes = len(self.target_shares)
        cells = ((self.codes + self._offsets[:-1]) * n_classes + self.target[:, None]).ravel()
        if self._offsets[-1] * n_classes <= self.max_dense_cells:
            counts = np.bincount(cells)
            present = np.flatnonzero(counts)
            counts = counts[present]
        else:
            present, counts = np.unique(cells, return_counts=True)
        return counts / self.n_rows, present // n_classes, present % n_classes

    def _per_column(self, values: Floats, columns: Codes) -> Floats:
        """Sum values by column."""
        return np.bincount(columns, weights=values, minlength=self.n_columns).astype(np.float64)

    @cached_property
    def entropies(self) -> Floats:
        """Shannon entropy of each column in bits."""
        shares, columns = self._levels
        return self._per_column(_surprise(shares), columns)

    @cached_property
    def joint_entropies(self) -> Floats:
        """Joint Shannon entropy of each column and the target in bits."""
        shares, levels, _ = self._cells
        return self._per_column(_surprise(shares), self._levels[1][levels])

    @cached_property
    def mutual_information(self) -> Floats:
        """Mutual information of each column and the target in bits; never negative."""
        return np.maximum(self.entropies + self.target_entropy - self.joint_entropies, 0.0)

    @cached_property
    def column_given_target(self) -> Floats:
        """Goodman and Kruskal's tau of each column predicted from the target; NaN for a constant column."""
        shares, levels, classes = self._cells
        level_shares, columns = self._levels
        chance = self._per_column(level_shares**2, columns)
        explained = self._per_column(shares**2 / self.target_shares[classes], columns[levels])
        return _tau(explained, chance)

    @cached_property
    def target_given_column(self) -> Floats:
        """Goodman and Kruskal's tau of the target predicted from each column; NaN for a constant target."""
        shares, levels, _ = self._cells
        level_shares, columns = self._levels
        explained = self._per_column(shares**2 / level_shares[levels], columns[levels])
        return _tau(explained, np.sum(self.target_shares**2))

    def concentration_between(self, columns: NDArray[np.intp]) -> Floats:
        """Goodman and Kruskal's tau for each ordered pair of the given columns, of shape (n_pairs,)."""
        tau: list[Floats] = []
        for position, column in enumerate(columns[:-1]):
            block = ContingencyBlock(self.codes[:, columns[position + 1 :]], self.codes[:, column])
            tau += [block.column_given_target, block.target_given_column]
        return np.concatenate([np.empty(0), *tau])


def _surprise(shares: Floats) -> Floats:
    """-p log2 p, and 0 for p = 0."""
    return -shares * np.log2(shares, where=shares > 0, out=np.zeros_like(shares))


def _tau(explained: Floats, chance: Floats | float) -> Floats:
    remaining = 1.0 - np.asarray(chance)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(remaining > 1e-12, (explained - chance) / remaining, np.nan)
