"""SimilarityForest: learnt similarity of data sets by the leaves that they share."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

_SMALLEST_LEAF = 2
_LEAF_SHARE = 0.02  # smallest leaf, as a share of the known data sets
_FEWEST_FEATURES = 10  # candidates for a split; a third of the features if that is more
_FEWEST_COMPONENTS = 5
_FEWEST_DATASETS = 6  # fewer cannot be split
_REMEMBERED = 8  # cached forests, of about 2 MB each


class SimilarityForest:
    """Extremely randomised trees from meta-features to targets, used as a similarity.

    The similarity of two data sets is the share of the trees in which they share a leaf. Since it is
    learnt, meta-features that do not predict the targets do not count.

    Parameters
    ----------
    points : ndarray of shape (n_datasets, n_metafeatures)
        Scaled meta-features without missing values.
    targets : ndarray of shape (n_datasets, n_targets)
        Targets without missing values.
    n_trees, n_components : int
        Number of trees, and maximum number of principal components of the targets that they predict:
        a few meta-features cannot predict many.
    random_state : int
        Random seed of the splits.

    References
    ----------
    Geurts, Ernst & Wehenkel (2006), Extremely randomized trees, Machine Learning 63, for the
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
        self._trees: tuple[Any, ...] = ()
        self._leaves = np.zeros((len(points), 1), dtype=np.int64)
        targets = targets - targets.mean(axis=0)
        if len(points) < _FEWEST_DATASETS or not points.shape[1] or np.allclose(targets, 0.0):
            return
        left, singular, _ = np.linalg.svd(targets, full_matrices=False)
        n_components = min(n_components, max(points.shape[1], _FEWEST_COMPONENTS))
        components = (left * singular)[:, :n_components]
        self._trees = grow_trees(
            np.ascontiguousarray(points, dtype=np.float32).tobytes(),
            np.ascontiguousarray(components, dtype=np.float64).tobytes(),
            len(points),
            n_trees,
            random_state,
        )
        self._leaves = self._apply(points)

    def between(self, families: NDArray[np.int64]) -> NDArray[np.float64]:
        """Similarities of the known data sets, shape (n_datasets, n_datasets); 0 within a family."""
        n_datasets, n_trees = self._leaves.shape
        names = self._leaves + np.arange(n_trees) * (self._leaves.max() + 1)
        rows = np.repeat(np.arange(n_datasets), n_trees)
        lies_in = csr_array((np.ones(names.size), (rows, names.ravel())))  # (n_datasets, leaf names)
        result = (lies_in @ (lies_in / np.maximum(lies_in.sum(axis=0), 1.0)).T).toarray()
        result[families[:, None] == families[None, :]] = 0.0
        return result

    def votes(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of the known data sets in each tree, shape (n_trees, n_datasets); rows sum to one."""
        leaves = self._leaves[:1] if not self._trees else self._apply(point[None, :])
        together = (self._leaves == leaves).T
        return together / together.sum(axis=1, keepdims=True)

    def _apply(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        converted = np.ascontiguousarray(points, dtype=np.float32)
        return np.column_stack([tree.apply(converted) for tree in self._trees])


@lru_cache(maxsize=_REMEMBERED)
def grow_trees(
    points: bytes, targets: bytes, n_datasets: int, n_trees: int, random_state: int
) -> tuple[Any, ...]:
    """Trees for float32 points and float64 targets, cached: most requests use the same experience."""
    from sklearn import config_context  # slow to import, and not needed by the other recommenders
    from sklearn.tree import ExtraTreeRegressor

    inputs = np.frombuffer(points, dtype=np.float32).reshape(n_datasets, -1)
    outputs = np.frombuffer(targets, dtype=np.float64).reshape(n_datasets, -1)
    n_features = inputs.shape[1]
    seeds = np.random.default_rng(random_state).integers(2**31, size=n_trees)
    # Single trees without validation: for trees this small, the overhead of a forest object dominates.
    with config_context(skip_parameter_validation=True):
        return tuple(
            ExtraTreeRegressor(
                max_features=max(n_features // 3, min(n_features, _FEWEST_FEATURES)),
                min_samples_leaf=max(_SMALLEST_LEAF, round(_LEAF_SHARE * n_datasets)),
                random_state=int(seed),
            )
            .fit(inputs, outputs, check_input=False)
            .tree_
            for seed in seeds
        )
