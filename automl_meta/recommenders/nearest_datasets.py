"""NearestDatasets: what did best on data sets like this one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl_meta.recommenders._base import Recommender

__all__ = ["NearestDatasets"]


class NearestDatasets(Recommender):
    """Order configurations by their mean normalised regret on the nearest known data sets.

    Nearness is the L1 distance over scaled meta-features; the neighbours count by a Gaussian of
    their distance. Without any shared meta-feature all known data sets count alike.

    Parameters
    ----------
    n_neighbors : int, default=15
        How many data sets count.

    References
    ----------
    Brazdil, Soares & Da Costa (2003), Ranking learning algorithms: using IBL and meta-learning
    on accuracy and time results, Machine Learning 50. Feurer et al. (2015), Efficient and robust
    automated machine learning, NeurIPS.
    """

    def __init__(self, n_neighbors: int = 15) -> None:
        self.n_neighbors = n_neighbors

    def _weights(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        n_neighbors = min(self.n_neighbors, distances.shape[1])
        widths = np.sort(distances, axis=1)[:, n_neighbors - 1 : n_neighbors]
        widths = np.where(np.isfinite(widths) & (widths > 0.0), widths, 1.0)
        kernel = np.exp(-((np.nan_to_num(distances, nan=0.0, posinf=np.inf) / widths) ** 2))
        return np.where(distances > widths, 0.0, kernel)
