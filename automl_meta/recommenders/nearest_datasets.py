"""NearestDatasets: what did best on data sets like this one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl_meta.recommenders.recommender import Recommender

__all__ = ["NearestDatasets"]


class NearestDatasets(Recommender):
    """Order configurations by their mean normalised regret on the nearest known data sets.

    Nearness is the L1 distance over scaled meta-features; the neighbours count by a Gaussian of
    their distance. Without any shared meta-feature all known data sets count alike.

    Parameters
    ----------
    n_neighbors : int, default=10
        How many data sets count.

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
        # All neighbours may be copies at distance 0: they count, and nothing else.
        kernel = np.exp(-((distances / np.maximum(widths, 1e-12)) ** 2))
        return np.where(allowed & (distances <= widths), kernel, 0.0)
