"""MetafeatureSpace: distances between tasks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

_FAR_QUANTILE = 0.95
_LIMIT = 3.0  # largest absolute scaled value: about ten interquartile ranges from the median


class MetafeatureSpace:
    """Scaled meta-features of the known data sets.

    Values are scaled robustly (median and interquartile range) and transformed by arcsinh, because
    many meta-features (sizes, kurtoses) span orders of magnitude. A missing value of a known data set
    is imputed by the median; a missing value of the new task is left out of its distances. Distances
    are mean absolute differences (L1: Brazdil, Soares & Da Costa 2003; Feurer et al. 2015).

    Parameters
    ----------
    metafeatures : DataFrame of shape (n_datasets, n_metafeatures)
        Meta-features of the known data sets, NaN where unknown.
    families : ndarray of shape (n_datasets,)
        Integer codes; distances within a family are not used as a reference.
    """

    def __init__(self, metafeatures: pd.DataFrame, families: NDArray[np.int64]) -> None:
        metafeatures = metafeatures[sorted(metafeatures.columns)]
        values = metafeatures.to_numpy(np.float64)
        values = np.where(np.isfinite(values), values, np.nan)
        # Sorting puts NaN last; one pass over all columns then gives all quantiles.
        ordered, counts = np.sort(values, axis=0), (~np.isnan(values)).sum(axis=0)
        quarter, median, three_quarters = (_quantile(ordered, counts, share) for share in (0.25, 0.5, 0.75))
        filled = np.where(np.isnan(values), median, values)
        spread = filled.std(axis=0) if len(filled) else np.zeros(values.shape[1])
        width = np.where(three_quarters > quarter, (three_quarters - quarter) / 1.35, spread)
        varies = (counts > 0) & (width > 0.0) & np.isfinite(width)
        self.names = [str(name) for name in metafeatures.columns[varies]]
        self._median, self._width = median[varies], width[varies]
        self.known = np.nan_to_num(self._squashed(values[:, varies]))
        self.families = families
        self.between = self._distances(self.known, self.known)
        self.between[families[:, None] == families[None, :]] = np.inf
        nearest = self.between.min(axis=1)
        self._reference = nearest[np.isfinite(nearest)]
        self._limit = float(np.quantile(self._reference, _FAR_QUANTILE)) if len(self._reference) else 0.0

    def locate(self, metafeatures: Mapping[str, float]) -> NDArray[np.float64]:
        """Coordinates of a task, shape (n_metafeatures,); NaN where it lacks one."""
        values = np.array([metafeatures.get(name, np.nan) for name in self.names], dtype=np.float64)
        return self._squashed(np.where(np.isfinite(values), values, np.nan))

    def distances(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distances of a task to the known data sets, shape (n_datasets,); NaN without a common meta-feature."""
        shared = ~np.isnan(point)
        if not shared.any():
            return np.full(len(self.known), np.nan)
        return self._distances(point[None, shared], self.known[:, shared])[0]

    def percentile(self, distance: float) -> float:
        """Share of the known data sets whose nearest one outside their family is nearer than `distance`."""
        if np.isnan(distance) or not len(self._reference):
            return float("nan")
        return float(np.mean(self._reference < distance))

    def is_far(self, distance: ArrayLike) -> NDArray[np.bool_]:
        """Whether tasks at these distances from their nearest data set are far from all known data sets."""
        return ~(np.asarray(distance) <= self._limit)  # NaN is far

    def _squashed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(np.arcsinh((values - self._median) / self._width), -_LIMIT, _LIMIT)

    @staticmethod
    def _distances(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
        return cdist(left, right, "cityblock") / max(left.shape[1], 1)


def _quantile(ordered: NDArray[np.float64], counts: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    if not len(ordered):
        return np.full(ordered.shape[1], np.nan)
    position = share * np.maximum(counts - 1, 0)
    low, high = np.floor(position).astype(int), np.ceil(position).astype(int)
    columns = np.arange(ordered.shape[1])
    return (1 - (position - low)) * ordered[low, columns] + (position - low) * ordered[high, columns]
