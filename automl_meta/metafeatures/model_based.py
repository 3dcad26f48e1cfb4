"""Model-based meta-features: the structure of a decision tree fitted on a sample of the task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from automl_meta.metafeatures.encoded import LEARNER_NEEDS
from automl_meta.metafeatures.extractor import (
    MetaFeature,
    MetaFeatureExtractor,
    Summary,
    summaries,
    summarised,
)
from automl_meta.metafeatures.references import BENSUSAN_2000, PENG_2002
from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType

__all__ = ["ModelBased", "node_depths", "tree_structure"]

_MIN_SAMPLES_LEAF_REGRESSION = 5
_CLASSES: tuple[TaskType, ...] = ("classification",)
_FAMILIES: tuple[tuple[str, str, str, tuple[Summary, ...]], ...] = (
    ("depth", "the depth of each node, with the root at depth 0", PENG_2002, ("mean", "max", "sd")),
    ("branch_length", "the branch length of each leaf (its depth)", PENG_2002, ("min", "mean", "sd")),
    (
        "leaf_support",
        "the leaf corroboration of each leaf: the share of training rows in it",
        BENSUSAN_2000,
        ("min", "mean", "max", "sd"),
    ),
    (
        "leaf_arrival",
        "the tree shape term -p log2 p of each leaf, p the probability that a random walk ends in the leaf",
        BENSUSAN_2000,
        ("min", "mean", "max", "sd"),
    ),
    (
        "homogeneity",
        "the leaf homogeneity: the number of leaves divided by the tree shape term of each leaf",
        BENSUSAN_2000,
        ("mean",),
    ),
    ("nodes_per_level", "the number of internal nodes at each depth", PENG_2002, ("mean", "max", "sd")),
    (
        "column_use",
        "the number of internal nodes that split on each used feature (repeated nodes)",
        BENSUSAN_2000,
        ("mean", "max", "sd"),
    ),
    ("importance", "the impurity-based importance of each feature", BENSUSAN_2000, ("min", "max", "sd")),
    (
        "imbalance",
        "the tree imbalance -q log2 q, q = 2^(-p n), over the distinct leaf depths, where each of n leaves "
        "is reached by a random walk with probability p",
        BENSUSAN_2000,
        ("mean", "max", "sd"),
    ),
)


class ModelBased(MetaFeatureExtractor):
    """Structure of an unpruned CART tree; leaves of regression trees hold at least five rows."""

    name = "model_based"
    features = (
        MetaFeature("tree_leaves", "Number of leaves.", PENG_2002, LEARNER_NEEDS),
        MetaFeature("tree_nodes", "Number of internal nodes.", PENG_2002, LEARNER_NEEDS),
        MetaFeature(
            "tree_nodes_per_feature",
            "Number of internal nodes divided by encoded features.",
            BENSUSAN_2000,
            LEARNER_NEEDS,
        ),
        MetaFeature(
            "tree_nodes_per_row", "Number of internal nodes divided by rows.", BENSUSAN_2000, LEARNER_NEEDS
        ),
        MetaFeature(
            "tree_used_share",
            "Share of the encoded features that the tree splits on.",
            BENSUSAN_2000,
            LEARNER_NEEDS,
        ),
        MetaFeature(
            "tree_importance_entropy",
            "Entropy of the feature importances divided by that of the uniform distribution.",
            BENSUSAN_2000,
            LEARNER_NEEDS,
        ),
        *(
            feature
            for name, description, source, statistics in _FAMILIES
            for feature in summarised(
                f"tree_{name}", description, source, LEARNER_NEEDS, statistics=statistics
            )
        ),
        *summarised(
            "tree_leaves_per_class",
            "the share of the leaves that predict each class, over the predicted classes",
            PENG_2002,
            LEARNER_NEEDS,
            _CLASSES,
        ),
        MetaFeature(
            "tree_fit",
            "Coefficient of determination (R²) of the tree on its training rows.",
            BENSUSAN_2000,
            LEARNER_NEEDS,
            ("regression",),
        ),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Fit the tree and describe its structure; `rng` breaks ties between splits."""
        block = view.encoded
        if not block.is_learnable:
            return dict.fromkeys(self.names(view.task_type), float("nan"))
        seed = int(rng.integers(2**31))
        model = (
            DecisionTreeClassifier(random_state=seed)
            if view.is_classification
            else DecisionTreeRegressor(random_state=seed, min_samples_leaf=_MIN_SAMPLES_LEAF_REGRESSION)
        )
        model.fit(block.X.astype(np.float32), block.y, check_input=False)
        values = tree_structure(model, block.n_rows)
        statistics = {name: kept for name, _, _, kept in _FAMILIES}
        result = dict(values[0])
        for name, family in values[1].items():
            result |= summaries(f"tree_{name}", family, statistics[name])
        tree = model.tree_
        if view.is_classification:
            votes = tree.value[tree.children_left < 0, 0].argmax(axis=1)
            counts = np.bincount(votes)
            result |= summaries("tree_leaves_per_class", counts[counts > 0] / tree.n_leaves)
        else:
            leaves = tree.children_left < 0
            unexplained = float(tree.impurity[leaves] @ tree.n_node_samples[leaves]) / block.n_rows
            spread = float(tree.impurity[0])
            result["tree_fit"] = 1.0 - unexplained / spread if spread > 0 else float("nan")
        return result


def tree_structure(
    model: DecisionTreeClassifier | DecisionTreeRegressor, n_rows: int
) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """Return scalar values, and families of values to be summarised."""
    tree = model.tree_
    is_leaf = tree.children_left < 0
    depths = node_depths(tree.children_left, tree.children_right)
    leaf_depths, split_depths = depths[is_leaf], depths[~is_leaf]
    arrival = np.exp2(-leaf_depths)
    term = arrival * leaf_depths
    importances = np.asarray(model.feature_importances_)
    positive = importances[importances > 0]
    n_columns, n_splits = len(importances), int((~is_leaf).sum())
    uses = np.bincount(tree.feature[~is_leaf], minlength=n_columns)
    chances, n_leaves_with = np.unique(arrival, return_counts=True)
    exponent = chances * n_leaves_with
    single = {
        "tree_leaves": float(tree.n_leaves),
        "tree_nodes": float(n_splits),
        "tree_nodes_per_feature": n_splits / n_columns,
        "tree_nodes_per_row": n_splits / n_rows,
        "tree_used_share": float(np.mean(uses > 0)),
        "tree_importance_entropy": float(-np.sum(positive * np.log(positive)) / np.log(max(n_columns, 2))),
    }
    with np.errstate(divide="ignore"):
        homogeneity = tree.n_leaves / term  # infinite, and thus ignored, if the root is a leaf
    return single, {
        "depth": depths.astype(np.float64),
        "branch_length": leaf_depths.astype(np.float64),
        "leaf_support": tree.n_node_samples[is_leaf] / n_rows,
        "leaf_arrival": term,
        "homogeneity": homogeneity,
        "nodes_per_level": np.bincount(split_depths).astype(np.float64),
        "column_use": uses[uses > 0].astype(np.float64),
        "importance": importances,
        "imbalance": exponent * np.exp2(-exponent),
    }


def node_depths(left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.int64]:
    """Compute the depth of each node of a tree, given its left and right children (-1 for leaves)."""
    depths = np.zeros(len(left), dtype=np.int64)
    level = np.array([0])
    depth = 0
    while level.size:
        depths[level] = depth
        level = level[left[level] >= 0]
        level = np.concatenate([left[level], right[level]])
        depth += 1
    return depths
