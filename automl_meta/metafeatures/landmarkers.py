"""Landmarkers: performance of fast, simple learners on a sample of the task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from automl_meta.metafeatures.encoded import LEARNER_NEEDS, EncodedBlock
from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor
from automl_meta.metafeatures.learners import (
    balanced_accuracy,
    gaussian_naive_bayes,
    linear_discriminant,
    nearest_centroid,
    neighbours_predict,
    predict_stump,
    r_squared,
    ridge,
    stratified_folds,
)
from automl_meta.metafeatures.references import (
    BENSUSAN_2000,
    FUERNKRANZ_2001,
    PFAHRINGER_2000,
    REIF_2014,
    RIVOLLI_2022,
)
from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType

__all__ = ["Landmarkers", "predict_to_depth"]

_N_FOLDS = 5
_N_TREES = 15
_CLASSES: tuple[TaskType, ...] = ("classification",)
_NUMBERS: tuple[TaskType, ...] = ("regression",)
_BOTH = _CLASSES + _NUMBERS


def _landmarker(
    name: str,
    learner: str,
    source: str,
    task_types: tuple[TaskType, ...] = _BOTH,
    validation: str = "cross-validated",
) -> MetaFeature:
    description = f"Score of {learner}, {validation}."
    return MetaFeature(f"landmarker_{name}", description, source, LEARNER_NEEDS, task_types)


def _relative(name: str, description: str, task_types: tuple[TaskType, ...] = _BOTH) -> MetaFeature:
    return MetaFeature(f"landmarker_{name}", description, FUERNKRANZ_2001, LEARNER_NEEDS, task_types)


class Landmarkers(MetaFeatureExtractor):
    """Landmarkers, scored by balanced accuracy for classification and R² clipped at -1 for regression.

    Nearest neighbours are validated leave-one-out, extremely randomised trees out of bag, all other
    learners by 5-fold cross-validation on the pooled out-of-fold predictions.
    """

    name = "landmarkers"
    features = (
        _landmarker("1nn", "the 1-nearest-neighbour learner", PFAHRINGER_2000, validation="leave-one-out"),
        _landmarker("5nn", "the 5-nearest-neighbours learner", REIF_2014, validation="leave-one-out"),
        _landmarker(
            "elite_1nn",
            "the 1-nearest-neighbour learner on the most important feature of a decision tree (elite NN)",
            PFAHRINGER_2000,
        ),
        _landmarker(
            "linear", "linear discriminant analysis (classification) or ridge regression", PFAHRINGER_2000
        ),
        _landmarker("naive_bayes", "Gaussian naive Bayes", PFAHRINGER_2000, _CLASSES),
        _landmarker("nearest_centroid", "the nearest-centroid classifier", RIVOLLI_2022, _CLASSES),
        _landmarker("quadratic", "ridge regression on all features and their squares", REIF_2014, _NUMBERS),
        _landmarker("best_node", "a decision stump, the root node of a decision tree", BENSUSAN_2000),
        _landmarker(
            "worst_node", "a stump on the least important feature of a decision tree", PFAHRINGER_2000
        ),
        _landmarker("random_node", "a stump on a random feature", PFAHRINGER_2000),
        _landmarker("tree_3", "a decision tree of depth 3", REIF_2014),
        _landmarker("tree", "a fully grown decision tree", PFAHRINGER_2000),
        _landmarker("extra_trees", "15 extremely randomised trees", REIF_2014, validation="out of bag"),
        _relative(
            "tree_over_linear", "Score of the fully grown decision tree minus that of the linear learner."
        ),
        _relative(
            "1nn_over_linear", "Score of the 1-nearest-neighbour learner minus that of the linear learner."
        ),
        _relative(
            "trees_over_tree", "Score of 15 extremely randomised trees minus that of the decision tree."
        ),
        _relative(
            "tree_over_node", "Score of the fully grown decision tree minus that of the decision stump."
        ),
        _relative(
            "naive_bayes_over_linear",
            "Score of Gaussian naive Bayes minus that of linear discriminant analysis.",
            _CLASSES,
        ),
        _relative(
            "quadratic_over_linear",
            "Score of ridge regression with squared features minus that of ridge regression.",
            _NUMBERS,
        ),
        _relative(
            "1nn_gain",
            "Score of the 1-nearest-neighbour learner minus its score with a random half of the training rows "
            "(subsampling landmarker).",
        ),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Fit and score the learners; `rng` draws folds, columns and the trees' seeds."""
        block = view.encoded
        if not block.is_learnable:
            return dict.fromkeys(self.names(view.task_type), float("nan"))
        score = balanced_accuracy if view.is_classification else r_squared
        scores = _neighbour_scores(block, score, rng)
        folds = stratified_folds(block.y, _N_FOLDS, rng)
        seeds = rng.integers(2**31, size=_N_FOLDS)
        random_column = int(rng.integers(block.n_columns))
        predictions: dict[str, NDArray] = {}
        predict = _classify if view.is_classification else _regress
        for fold in range(_N_FOLDS):
            if view.budget.exhausted:
                return scores
            test = folds == fold
            predicted = predict(block, ~test, test)
            with config_context(skip_parameter_validation=True):  # validation takes longer than the fit
                predicted |= _trees(block, ~test, test, random_column, int(seeds[fold]))
            for name, values in predicted.items():
                predictions.setdefault(f"landmarker_{name}", np.empty_like(block.y))[test] = values
        with config_context(skip_parameter_validation=True):
            predictions["landmarker_extra_trees"] = _bagged_trees(block, rng)
        scores |= {name: score(block.y, values) for name, values in predictions.items()}
        return scores | _differences(scores)


def _neighbour_scores(
    block: EncodedBlock, score: Callable[[NDArray, NDArray], float], rng: np.random.Generator
) -> dict[str, float]:
    distances = block.squared_distances
    one = score(block.y, neighbours_predict(distances, block.y, 1))
    half = rng.permutation(block.n_rows)[: block.n_rows // 2]
    return {
        "landmarker_1nn": one,
        "landmarker_5nn": score(block.y, neighbours_predict(distances, block.y, 5)),
        "landmarker_1nn_gain": one - score(block.y, block.y[half][np.argmin(distances[:, half], axis=1)]),
    }


def _bagged_trees(block: EncodedBlock, rng: np.random.Generator) -> NDArray:
    """Out-of-bag predictions of extremely randomised trees, cheaper than a forest per fold."""
    X = block.X.astype(np.float32)
    outputs = np.zeros((block.n_rows, max(block.n_classes, 1)))
    n_votes = np.zeros((block.n_rows, 1))
    for seed in rng.integers(2**31, size=_N_TREES):
        drawn = rng.integers(block.n_rows, size=block.n_rows)
        left_out = np.ones(block.n_rows, dtype=bool)
        left_out[drawn] = False
        if block.n_classes:
            tree = ExtraTreeClassifier(max_features="sqrt", random_state=seed)
        else:
            tree = ExtraTreeRegressor(max_features=1 / 3, random_state=seed)
        tree.fit(X[drawn], block.y[drawn], check_input=False)
        columns = tree.classes_ if block.n_classes else np.array([0])
        outputs[np.ix_(left_out, columns)] += tree.tree_.predict(X[left_out])
        n_votes[left_out] += 1
    if block.n_classes:
        return outputs.argmax(axis=1)
    in_every_bag = n_votes[:, 0] == 0  # no tree may predict these rows
    return np.where(in_every_bag, block.y.mean(), outputs[:, 0] / np.maximum(n_votes[:, 0], 1))


def _differences(scores: dict[str, float]) -> dict[str, float]:
    pairs = {
        "tree_over_linear": ("tree", "linear"),
        "1nn_over_linear": ("1nn", "linear"),
        "trees_over_tree": ("extra_trees", "tree"),
        "tree_over_node": ("tree", "best_node"),
        "naive_bayes_over_linear": ("naive_bayes", "linear"),
        "quadratic_over_linear": ("quadratic", "linear"),
    }
    return {
        f"landmarker_{name}": scores[f"landmarker_{better}"] - scores[f"landmarker_{worse}"]
        for name, (better, worse) in pairs.items()
        if f"landmarker_{better}" in scores
    }


def _classify(block: EncodedBlock, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> dict[str, NDArray]:
    """Predictions of the closed-form classifiers for the test rows of one fold."""
    X, y, X_test = block.X[train], block.y[train], block.X[test]
    return {
        "linear": linear_discriminant(X, y, X_test),
        "naive_bayes": gaussian_naive_bayes(X, y, X_test),
        "nearest_centroid": nearest_centroid(X, y, X_test),
    }


def _regress(block: EncodedBlock, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> dict[str, NDArray]:
    """Predictions of the closed-form regressors for the test rows of one fold."""
    X, y, X_test = block.X[train], block.y[train], block.X[test]
    return {
        "linear": ridge(X, y, X_test),
        "quadratic": ridge(np.hstack([X, X**2]), y, np.hstack([X_test, X_test**2])),
    }


def _trees(
    block: EncodedBlock, train: NDArray[np.bool_], test: NDArray[np.bool_], random_column: int, seed: int
) -> dict[str, NDArray]:
    """Predictions of a decision tree, of its truncations and stumps, and of elite nearest neighbour."""
    X, y, X_test = block.X[train], block.y[train], block.X[test]
    make = DecisionTreeClassifier if block.n_classes else DecisionTreeRegressor
    tree = make(random_state=seed).fit(X.astype(np.float32), y, check_input=False)
    best = int(np.argmax(tree.feature_importances_))
    worst = int(np.argmin(tree.feature_importances_))
    X_float32 = X_test.astype(np.float32)
    return {
        "tree": predict_to_depth(tree, X_float32, None),
        "tree_3": predict_to_depth(tree, X_float32, 3),
        "best_node": predict_to_depth(tree, X_float32, 1),
        "worst_node": predict_stump(X[:, worst], y, X_test[:, worst]),
        "random_node": predict_stump(X[:, random_column], y, X_test[:, random_column]),
        "elite_1nn": y[np.argmin(np.abs(X_test[:, [best]] - X[:, best]), axis=1)],
    }


def predict_to_depth(
    model: DecisionTreeClassifier | DecisionTreeRegressor, X: NDArray[np.float32], depth: int | None
) -> NDArray:
    """Predict with a decision tree truncated at a maximum depth; None means no truncation.

    A tree grown to `depth` has the same first splits, so that one fit serves all depths.
    """
    tree = model.tree_
    if depth is None:
        nodes = tree.apply(X)
    else:
        rows, nodes = np.arange(len(X)), np.zeros(len(X), dtype=np.intp)
        for _ in range(depth):
            # A leaf has no feature; the result of its comparison is not used, since it has no children.
            goes_left = X[rows, np.maximum(tree.feature[nodes], 0)] <= tree.threshold[nodes]
            children = np.where(goes_left, tree.children_left[nodes], tree.children_right[nodes])
            nodes = np.where(children < 0, nodes, children)
    values = tree.value[nodes, 0]
    return model.classes_[values.argmax(axis=1)] if hasattr(model, "classes_") else values[:, 0]
