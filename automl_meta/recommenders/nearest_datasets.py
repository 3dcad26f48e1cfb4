"""NearestDatasets: the configurations with the smallest regret on the nearest data sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl_meta.recommenders.recommender import Recommender

__all__ = ["NearestDatasets"]


class NearestDatasets(Recommender):
    """Order configurations by their mean normalised regret on the nearest known data sets.

    The distance is L1 over scaled meta-features; the weights of the neighbours are a Gaussian kernel
    of their distance. Without any common meta-feature all known data sets have equal weights.

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of neighbours.

    References
    ----------
    Brazdil, Soares & Da Costa (2003), Ranking learning algorithms: using IBL and meta-learning
    on accuracy and time results, Machine Learning 50. Feurer et al. (2015), Efficient and robust
    automated machine learning, NeurIPS.
    """

    def __init__(self, n_neighbors: int = 10) -> None:
        self.n_neighbors = n_neighbors

    def _weights(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        distances = np.where(np.isnan(distances), 0.0, distances)
        allowed = np.isfinite(distances)
        last = np.minimum(self.n_neighbors, allowed.sum(axis=1, keepdims=True)) - 1
        widths = np.take_along_axis(np.sort(distances, axis=1), np.maximum(last, 0), axis=1)
        # All neighbours may be copies at distance 0: then only these count.
        kernel = np.exp(-((distances / np.maximum(widths, 1e-12)) ** 2))
        return np.where(allowed & (distances <= widths), kernel, 0.0)
