"""AverageRank: the configurations with the best mean rank."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from automl_meta.recommenders.experience_matrix import ExperienceMatrix
from automl_meta.recommenders.recommender import Choice, Recommender

__all__ = ["AverageRank"]


class AverageRank(Recommender):
    """Order configurations by their mean rank over all known data sets.

    The baseline: the task's meta-features and observed scores do not change the order. Missing
    scores are imputed from the means of their data set and configuration.

    References
    ----------
    Brazdil & Soares (2000), A comparison of ranking methods for classification algorithm
    selection, ECML.
    """

    def _learn(self, experience: ExperienceMatrix) -> None:
        self._mean_ranks = np.round(rankdata(-experience.scores, axis=1).mean(axis=0), 9)

    def _order(self, choice: Choice) -> list[int]:
        ranks = self._mean_ranks[choice.candidates]
        order = choice.candidates[np.argsort(ranks, kind="stable")]
        return [int(column) for column in order[: choice.n]]
