"""Model-based meta-features: the shape of a decision tree that was grown on a sample of the task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

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

__all__ = ["ModelBased"]

_MIN_LEAF_FOR_NUMBERS = 5
_NEEDS = (
    "ten rows, four for each class on average, and a numeric, categorical, boolean or date column that varies"
)
_CLASSES: tuple[TaskType, ...] = ("classification",)
_FAMILIES: tuple[tuple[str, str, str, tuple[Summary, ...]], ...] = (
    ("depth", "the depth of each node, the root at 0", PENG_2002, ("mean", "max", "sd")),
    ("branch_length", "the depth of each leaf", PENG_2002, ("min", "mean", "sd")),
    ("leaf_support", "the share of the rows in each leaf", BENSUSAN_2000, ("min", "mean", "max", "sd")),
    (
        "leaf_arrival",
        "-p log2 p over the leaves, where p is the chance that a walk at random ends in the leaf",
        BENSUSAN_2000,
        ("min", "mean", "max", "sd"),
    ),
    (
        "homogeneity",
        "the number of leaves divided by the term of each leaf in tree_leaf_arrival",
        BENSUSAN_2000,
        ("mean",),
    ),
    ("nodes_per_level", "the number of splits at each depth", PENG_2002, ("mean", "max", "sd")),
    (
        "column_use",
        "the number of splits on each column that is used at all",
        BENSUSAN_2000,
        ("mean", "max", "sd"),
    ),
    (
        "importance",
        "the share of the impurity that splits on each column remove",
        BENSUSAN_2000,
        ("min", "max", "sd"),
    ),
    (
        "imbalance",
        "-q log2 q, q = 2 to the minus p n, over the different depths of leaves, where n leaves are each "
        "reached with chance p by a walk at random",
        BENSUSAN_2000,
        ("mean", "max", "sd"),
    ),
)


class ModelBased(MetaFeatureExtractor):
    """Shape of one unpruned CART tree; for numeric targets its leaves hold at least five rows."""

    name = "model_based"
    features = (
        MetaFeature("tree_leaves", "Number of leaves.", PENG_2002, _NEEDS),
        MetaFeature("tree_nodes", "Number of splits.", PENG_2002, _NEEDS),
        MetaFeature(
            "tree_nodes_per_feature", "Number of splits divided by encoded columns.", BENSUSAN_2000, _NEEDS
        ),
        MetaFeature("tree_nodes_per_row", "Number of splits divided by rows.", BENSUSAN_2000, _NEEDS),
        MetaFeature(
            "tree_used_share", "Share of the encoded columns that the tree splits on.", BENSUSAN_2000, _NEEDS
        ),
        MetaFeature(
            "tree_importance_entropy",
            "Entropy of the columns' importances divided by that of equal ones.",
            BENSUSAN_2000,
            _NEEDS,
        ),
        *(
            feature
            for name, description, source, statistics in _FAMILIES
            for feature in summarised(f"tree_{name}", description, source, _NEEDS, statistics=statistics)
        ),
        *summarised(
            "tree_leaves_per_class",
            "the share of the leaves that vote for each class that has one",
            PENG_2002,
            _NEEDS,
            _CLASSES,
        ),
        MetaFeature(
            "tree_fit",
            "Share of the target's variance that the tree explains on the rows that it was grown on.",
            BENSUSAN_2000,
            _NEEDS,
            ("regression",),
        ),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Grow the tree and measure it; `rng` settles ties between splits."""
        block = view.encoded
        if block.n_columns == 0 or block.n_rows < max(10, 4 * block.n_classes):
            return dict.fromkeys(self.names(view.task_type), float("nan"))
        seed = int(rng.integers(2**31))
        model = (
            DecisionTreeClassifier(random_state=seed)
            if view.is_classification
            else DecisionTreeRegressor(random_state=seed, min_samples_leaf=_MIN_LEAF_FOR_NUMBERS)
        )
        model.fit(block.X.astype(np.float32), block.y, check_input=False)
        values = _shape(model, block.n_rows)
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


def _shape(
    model: DecisionTreeClassifier | DecisionTreeRegressor, n_rows: int
) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """Single values, and families of values that are summarised."""
    tree = model.tree_
    is_leaf = tree.children_left < 0
    depths = _depths(tree.children_left, tree.children_right)
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
        homogeneity = tree.n_leaves / term  # infinite, and so left out, if the root is a leaf
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


def _depths(left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.int64]:
    """Depth of each node, level by level."""
    depths = np.zeros(len(left), dtype=np.int64)
    level = np.array([0])
    depth = 0
    while level.size:
        depths[level] = depth
        level = level[left[level] >= 0]
        level = np.concatenate([left[level], right[level]])
        depth += 1
    return depths
