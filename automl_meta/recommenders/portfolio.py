"""Portfolio: configurations that complement each other on the known data sets."""

from __future__ import annotations

from automl_meta.recommenders.recommender import Choice, Recommender

__all__ = ["Portfolio"]


class Portfolio(Recommender):
    """Greedy portfolio over all known data sets, with equal weights.

    Each place goes to the configuration that most reduces the expected normalised regret of the
    best so far. Meta-features do not change the order; observed scores do.

    References
    ----------
    Xu, Hoos & Leyton-Brown (2010), Hydra, AAAI. Wistuba, Schilling & Schmidt-Thieme (2015),
    Sequential model-free hyperparameter tuning, ICDM. Feurer et al. (2022), Auto-Sklearn 2.0,
    JMLR 23.
    """

    def _order(self, choice: Choice) -> list[int]:
        return choice.known_tasks.greedy_portfolio(choice.candidates, choice.n, choice.seconds)
