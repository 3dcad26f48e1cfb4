"""Numeric columns of a task, with cached moments, quantiles and correlations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["NumericBlock"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NumericBlock:
    """Non-constant numeric columns with cached statistics.

    Missing values are ignored in univariate statistics and replaced by the column mean in
    multivariate ones.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), float64
        NaN where missing. Every column has at least two distinct values.
    """

    values: Floats

    @classmethod
    def of_varying(cls, values: Floats) -> Self:
        """Create a block of the non-constant columns of an array, NaN where missing."""
        present = ~np.isnan(values)
        lowest = np.min(values, axis=0, where=present, initial=np.inf)
        highest = np.max(values, axis=0, where=present, initial=-np.inf)
        return cls(values[:, lowest < highest])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.values.shape[0]

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return self.values.shape[1]

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Mask of missing values, of shape (n_rows, n_columns)."""
        return np.isnan(self.values)

    @cached_property
    def n_present(self) -> NDArray[np.int64]:
        """Number of non-missing values of each column, of shape (n_columns,)."""
        return self.n_rows - self.missing.sum(axis=0)

    @cached_property
    def any_missing(self) -> bool:
        """Whether any value is missing."""
        return bool(self.missing.any())

    @cached_property
    def sorted(self) -> Floats:
        """Each column in ascending order, missing values last."""
        return np.sort(self.values, axis=0)

    def quantiles(self, shares: Floats) -> Floats:
        """Linearly interpolated quantiles, of shape (n_shares, n_columns)."""
        position = shares[:, None] * (self.n_present - 1)
        below = np.floor(position).astype(np.intp)
        above = np.minimum(below + 1, self.n_present - 1)
        low = np.take_along_axis(self.sorted, below, axis=0)
        high = np.take_along_axis(self.sorted, above, axis=0)
        # The weighted sum avoids the difference low - high, which may overflow for huge values.
        weight = position - below
        return np.where(low == high, low, low * (1.0 - weight) + high * weight)

    @cached_property
    def quartiles(self) -> Floats:
        """Minimum, quartiles and maximum, of shape (5, n_columns)."""
        return self.quantiles(np.linspace(0.0, 1.0, 5))

    @cached_property
    def magnitude(self) -> Floats:
        """Largest absolute value of each column, the unit of moments, which therefore cannot overflow."""
        return np.maximum(np.abs(self.quartiles[0]), np.abs(self.quartiles[4]))

    @cached_property
    def _centred(self) -> Floats:
        """Deviations from the mean, in units of `magnitude`; 0 where missing."""
        scaled = self.values / self.magnitude
        if self.any_missing:
            scaled[self.missing] = 0.0
        scaled -= scaled.sum(axis=0) / self.n_present
        if self.any_missing:
            scaled[self.missing] = 0.0
        return scaled

    @cached_property
    def mean(self) -> Floats:
        """Arithmetic mean of each column."""
        scaled = self.values / self.magnitude
        return np.nansum(scaled, axis=0) / self.n_present * self.magnitude

    @cached_property
    def _second_moment(self) -> Floats:
        """Biased variance, in squared units of `magnitude`."""
        return np.einsum("ij,ij->j", self._centred, self._centred) / self.n_present

    @cached_property
    def sd(self) -> Floats:
        """Sample standard deviation (``ddof=1``)."""
        return np.sqrt(self._second_moment * self.n_present / (self.n_present - 1)) * self.magnitude

    @cached_property
    def skewness(self) -> Floats:
        """Third standardised moment."""
        third = np.einsum("ij,ij,ij->j", self._centred, self._centred, self._centred) / self.n_present
        return third / self._second_moment**1.5

    @cached_property
    def kurtosis(self) -> Floats:
        """Excess kurtosis: fourth standardised moment minus 3."""
        squares = self._centred**2
        return np.einsum("ij,ij->j", squares, squares) / self.n_present / self._second_moment**2 - 3.0

    @cached_property
    def median_absolute_deviation(self) -> Floats:
        """Median absolute deviation from the median, unscaled."""
        distances = np.abs(self.values - self.quartiles[2])
        return np.nanmedian(distances, axis=0) if self.any_missing else np.median(distances, axis=0)

    @cached_property
    def n_distinct(self) -> NDArray[np.int64]:
        """Number of distinct non-missing values of each column."""
        return 1 + (np.diff(self.sorted, axis=0) > 0).sum(axis=0)  # comparisons with NaN are false

    @cached_property
    def standardised(self) -> Floats:
        """Columns with zero mean and unit standard deviation (``ddof=0``); missing values are 0."""
        return self._centred / np.sqrt(self._second_moment)

    @cached_property
    def correlation(self) -> Floats:
        """Pearson correlations of shape (n_columns, n_columns)."""
        product = self.standardised.T @ self.standardised
        if self.any_missing:  # mean imputation reduces the norms of the columns
            lengths = np.sqrt(np.diag(product))
            product = product / lengths / lengths[:, None]
        else:
            product /= self.n_rows
        return np.clip(product, -1.0, 1.0)

    @cached_property
    def correlation_eigenvalues(self) -> Floats:
        """Eigenvalues of `correlation` in ascending order, clipped at 0."""
        return np.maximum(np.linalg.eigvalsh(self.correlation), 0.0)

    @cached_property
    def bins(self) -> NDArray[np.int64]:
        """Codes of equal-frequency bins, of shape (n_rows, n_columns).

        The number of bins is the cube root of the number of rows, rounded down. Equal values share
        a bin. Missing values form an additional last bin.
        """
        n_bins = max(2, int(np.floor(np.cbrt(self.n_rows) + 1e-9)))
        edges = self.quantiles(np.arange(1, n_bins) / n_bins)
        codes = np.zeros(self.values.shape, dtype=np.int64)
        for edge in edges:
            codes += self.values > edge
        codes[self.missing] = n_bins
        return codes
