"""Portfolio: configurations that complement each other on all that is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl_meta.recommenders._base import Recommender
from automl_meta.recommenders._ensemble import Ensemble

__all__ = ["Portfolio"]


class Portfolio(Recommender):
    """Greedy portfolio over all known data sets, each counting alike.

    Each place goes to the configuration that most lowers the expected normalised regret of the
    best so far. Meta-features do not change the order; observed scores do.

    References
    ----------
    Xu, Hoos & Leyton-Brown (2010), Hydra, AAAI. Wistuba, Schilling & Schmidt-Thieme (2015),
    Sequential model-free hyperparameter tuning, ICDM. Feurer et al. (2022), Auto-Sklearn 2.0,
    JMLR 23.
    """

    def _order(
        self,
        ensemble: Ensemble,
        candidates: NDArray[np.int64],
        n: int,
        seconds: NDArray[np.float64] | None = None,
    ) -> list[int]:
        return ensemble.greedy_portfolio(candidates, n, seconds)
