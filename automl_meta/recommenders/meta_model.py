"""MetaModel: a learnt similarity as the prior, the task's own scores as the evidence."""

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

    Before anything was tried, a known data set counts by how often trees that learnt to tell from
    meta-features which configurations win put it and the task into one leaf. What they learn is
    each configuration's chance to be the best, so that neither the order of the losers nor the
    depth of a failure decides a split. Scores observed on the task itself then weigh and move all
    rows (see `KnownTasks`). The trees vote on what comes next: each ranks the configurations by the
    score it expects, or once something was tried by the expected improvement of the best so far,
    per square root of a second if ``remaining_seconds`` is given; the best mean rank wins. A task
    that is further from all that is known than any known data set is from the others gets the
    static portfolio.

    Fitting takes a fraction of a second, so nothing is trained ahead and shipped: the model is
    always that of the experience as it is now, the user's own runs included.

    Parameters
    ----------
    n_trees : int, default=200
        Of the similarity.
    n_components : int, default=20
        Principal components of the chances that the trees learn; with a few meta-features fewer.
    uniform_share : float, default=0.7
        Part of the weight that is spread evenly over all known data sets, for expected scores, how
        scores go together, and all places of a list but the first, which is the trees' alone.
    scale_power : float, default=0.5
        How far regrets are normalised by each data set's regret scale before they are averaged:
        1 makes all data sets count alike, 0 those where most can be lost count most.
    random_state : int, default=0
        Decides the trees.

    References
    ----------
    Xu, Hutter, Hoos & Leyton-Brown (2011), SATzilla2012, for voting; Geurts, Ernst & Wehenkel
    (2006), Extremely randomized trees; Yang et al. (2019), OBOE, KDD, for what is updated.
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
