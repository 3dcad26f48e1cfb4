"""SimilarityPortfolio: a portfolio in which similar data sets have larger weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl_meta.recommenders.portfolio import Portfolio

__all__ = ["SimilarityPortfolio"]


class SimilarityPortfolio(Portfolio):
    """Greedy portfolio with weights that decrease with the distance of the meta-features.

    A share of the weight is uniform over all known data sets: meta-features are weak predictors,
    and a task for which they mislead still gets nearly the static portfolio. A task that is far
    from all known data sets gets exactly that.

    Parameters
    ----------
    neighborhood : float, default=0.1
        Share of the known data sets within the width of the Gaussian kernel.
    uniform_share : float, default=0.3
        Share of the weight that is uniform; 1 gives `Portfolio`.

    References
    ----------
    Feurer et al. (2022), Auto-Sklearn 2.0, JMLR 23, for the portfolio; Atkeson, Moore & Schaal
    (1997), Locally weighted learning, for the weights.
    """

    def __init__(self, neighborhood: float = 0.1, uniform_share: float = 0.3) -> None:
        self.neighborhood = neighborhood
        self.uniform_share = uniform_share

    def _weights(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        allowed = ~np.isinf(distances)
        uniform = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
        position = min(int(np.ceil(self.neighborhood * distances.shape[1])), distances.shape[1]) - 1
        ordered = np.sort(distances, axis=1)
        widths = ordered[:, max(position, 0), None]
        widths = np.where(np.isfinite(widths) & (widths > 0.0), widths, 1.0)
        kernel = np.exp(-((distances / widths) ** 2))
        kernel = np.where(np.isfinite(kernel), kernel, 0.0)
        total = kernel.sum(axis=1, keepdims=True)
        near = np.where(total > 0.0, kernel / np.where(total > 0.0, total, 1.0), uniform)
        return np.where(
            self._space.is_far(ordered[:, :1]),
            uniform,
            (1.0 - self.uniform_share) * near + self.uniform_share * uniform,
        )
