"""How often each value of each column meets each class: one pass for all columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["ContingencyBlock"]

_MAX_DENSE_CELLS = 4_000_000  # 32 MB; more are counted by sorting
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ContingencyBlock:
    """Shares of the values of discrete columns, alone and together with a discrete target.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_columns), int64
        Values of each column as numbers from 0.
    target : ndarray of shape (n_rows,), int64
        Classes, or bins of a numeric target, as numbers from 0.
    """

    codes: Codes
    target: Codes

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
        """For each column the highest code plus 1."""
        return self.codes.max(axis=0, initial=0) + 1

    @cached_property
    def _offsets(self) -> Codes:
        """Where each column's levels begin when those of all columns stand in one row."""
        return np.concatenate([[0], np.cumsum(self.n_levels)])

    @cached_property
    def target_shares(self) -> Floats:
        """Share of each class."""
        return np.bincount(self.target) / self.n_rows

    @cached_property
    def target_entropy(self) -> float:
        """Shannon entropy of the target in bits."""
        return float(np.sum(_surprise(self.target_shares)))

    @cached_property
    def _levels(self) -> tuple[Floats, Codes]:
        """Share of each level of all columns, and the column of each."""
        shares = np.bincount((self.codes + self._offsets[:-1]).ravel(), minlength=self._offsets[-1])
        return shares / self.n_rows, np.repeat(np.arange(self.n_columns), self.n_levels)

    @cached_property
    def _cells(self) -> tuple[Floats, Codes, Codes]:
        """Share, level and class of each combination of level and class that occurs."""
        n_classes = len(self.target_shares)
        cells = ((self.codes + self._offsets[:-1]) * n_classes + self.target[:, None]).ravel()
        if self._offsets[-1] * n_classes <= _MAX_DENSE_CELLS:
            counts = np.bincount(cells)
            present = np.flatnonzero(counts)
            counts = counts[present]
        else:
            present, counts = np.unique(cells, return_counts=True)
        return counts / self.n_rows, present // n_classes, present % n_classes

    def _per_column(self, values: Floats, columns: Codes) -> Floats:
        """Sums of values that belong to columns."""
        return np.bincount(columns, weights=values, minlength=self.n_columns).astype(np.float64)

    @cached_property
    def entropies(self) -> Floats:
        """Shannon entropy of each column in bits."""
        shares, columns = self._levels
        return self._per_column(_surprise(shares), columns)

    @cached_property
    def joint_entropies(self) -> Floats:
        """Shannon entropy of each column together with the target, in bits."""
        shares, levels, _ = self._cells
        return self._per_column(_surprise(shares), self._levels[1][levels])

    @cached_property
    def mutual_information(self) -> Floats:
        """Bits that each column tells about the target; never below 0."""
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
        """Goodman and Kruskal's tau for each ordered pair of some columns, of shape (n_pairs,)."""
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
