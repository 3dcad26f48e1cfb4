"""MetaModel: a learnt similarity as the prior, scores on the task itself as the evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automl_meta.recommenders.experience_matrix import ExperienceMatrix
from automl_meta.recommenders.portfolio import Portfolio
from automl_meta.recommenders.similarity_forest import SimilarityForest
from automl_meta.transfer import KnownTasks, shares_of_best

__all__ = ["MetaModel"]


class MetaModel(Portfolio):
    """Greedy expected improvement over known data sets, weighted by a learnt similarity.

    The prior weight of a known data set is the number of extremely randomised trees that put it and
    the task into the same leaf. The trees are trained to predict from meta-features each
    configuration's probability of being the best, so that neither the order of the losers nor the
    size of a failure decides a split. Scores observed on the task itself then weigh and move all rows
    (see `KnownTasks`). The trees vote on the next configuration: each ranks the configurations by
    expected score or, once a score was observed, by expected improvement over the best so far, per
    square root of a second if ``remaining_seconds`` is given; the best mean rank wins. A task that is
    further from all known data sets than any of these is from the others gets the static portfolio.

    Fitting takes a fraction of a second, so no pre-trained model is shipped: the model always
    reflects the current experience, including the user's own runs.

    Parameters
    ----------
    n_trees : int, default=200
        Number of trees of the similarity.
    n_components : int, default=20
        Maximum number of principal components of the probabilities that the trees predict; fewer
        if there are few meta-features.
    uniform_share : float, default=0.7
        Share of the weight that is spread evenly over all known data sets, for expected scores,
        their covariance, and all places of a list but the first, which the trees alone decide.
    scale_power : float, default=0.5
        Power of each data set's regret scale by which regrets are divided before they are averaged:
        with 1 all data sets count alike, with 0 regrets are not normalised.
    random_state : int, default=0
        Random seed of the trees.

    References
    ----------
    Xu, Hutter, Hoos & Leyton-Brown (2011), SATzilla2012, for voting; Geurts, Ernst & Wehenkel
    (2006), Extremely randomized trees; Yang et al. (2019), OBOE, KDD, for the update by scores.
    """

    def __init__(
        self,
        n_trees: int = 200,
        n_components: int = 20,
        uniform_share: float = 0.7,
        scale_power: float = 0.5,
        random_state: int = 0,
    ) -> None:
        self.n_trees = n_trees
        self.n_components = n_components
        self.uniform_share = uniform_share
        self.scale_power = scale_power
        self.random_state = random_state

    def _learn(self, experience: ExperienceMatrix) -> None:
        self._forest = SimilarityForest(
            self._space.known,
            shares_of_best(experience.scores, experience.scale),
            n_trees=self.n_trees,
            n_components=self.n_components,
            random_state=self.random_state,
        )

    def _known_weights(self) -> NDArray[np.float64]:
        allowed = np.isfinite(self._space.between)
        uniform = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
        near = self._forest.between(self._space.families)
        total = near.sum(axis=1, keepdims=True)
        near = np.where(total > 0.0, near / np.where(total > 0.0, total, 1.0), uniform)
        return (1.0 - self.uniform_share) * near + self.uniform_share * uniform

    def _known_tasks(self, point: NDArray[np.float64], distances: NDArray[np.float64]) -> KnownTasks:
        known_tasks = replace(super()._known_tasks(point, distances), scale_power=self.scale_power)
        if not self._space.percentile(distances.min()) < 1.0:
            return known_tasks
        voters = self._forest.votes(np.nan_to_num(point))
        weights = (1.0 - self.uniform_share) * voters.mean(axis=0) + self.uniform_share * known_tasks.weights
        return replace(known_tasks, weights=weights, voters=voters)
