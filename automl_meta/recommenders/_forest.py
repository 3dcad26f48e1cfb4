"""SimilarityForest: on which known data sets the same wins as on a task, from meta-features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALLEST_LEAF = 2
_LEAF_SHARE = 0.02  # of the known data sets
_FEWEST_FEATURES = 10  # that compete for a split; a third of them where there are more
_FEWEST_DATASETS = 6  # with fewer there is nothing to split


class SimilarityForest:
    """Trees that put data sets with alike targets into one leaf, by their meta-features.

    Two data sets are alike as often as they meet in a leaf: a similarity that was learnt, in
    which meta-features that say nothing about the targets do not count.

    Parameters
    ----------
    points : ndarray of shape (n_datasets, n_metafeatures)
        Scaled meta-features without gaps.
    targets : ndarray of shape (n_datasets, n_targets)
        What makes data sets alike, without gaps.
    n_trees, n_components : int
        How many trees; and principal components of the targets that they predict.
    random_state : int
        Decides the splits.

    References
    ----------
    Geurts, Ernst & Wehenkel (2006), Extremely randomized trees, Machine Learning 63, with the
    kernel that the trees define.
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        targets: NDArray[np.float64],
        *,
        n_trees: int,
        n_components: int,
        random_state: int,
    ) -> None:
        self._forest: Any = None
        self._leaves = np.zeros((len(points), 1), dtype=np.int64)
        targets = targets - targets.mean(axis=0)
        if len(points) < _FEWEST_DATASETS or not points.shape[1] or np.allclose(targets, 0.0):
            return
        from sklearn.ensemble import ExtraTreesRegressor  # slow to import; not needed by the others

        left, singular, _ = np.linalg.svd(targets, full_matrices=False)
        self._forest = ExtraTreesRegressor(
            n_trees,
            max_features=max(points.shape[1] // 3, min(points.shape[1], _FEWEST_FEATURES)),
            min_samples_leaf=max(_SMALLEST_LEAF, round(_LEAF_SHARE * len(points))),
            random_state=random_state,
        )
        self._forest.fit(points, (left * singular)[:, :n_components])
        self._leaves = self._apply(points)

    def between(self, families: NDArray[np.int64]) -> NDArray[np.float64]:
        """Similarities of the known data sets, (n_datasets, n_datasets); none within a family."""
        result = np.zeros((len(self._leaves), len(self._leaves)))
        for leaves in self._leaves.T:
            together = leaves[:, None] == leaves[None, :]
            result += together / together.sum(axis=1, keepdims=True)
        result[families[:, None] == families[None, :]] = 0.0
        return result

    def votes(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of the known data sets in each tree, shape (n_trees, n_datasets); rows sum to one."""
        leaves = self._leaves[:1] if self._forest is None else self._apply(point[None, :])
        together = (self._leaves == leaves).T
        return together / together.sum(axis=1, keepdims=True)

    def _apply(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        converted = np.ascontiguousarray(points, dtype=np.float32)
        return np.column_stack([tree.tree_.apply(converted) for tree in self._forest.estimators_])
