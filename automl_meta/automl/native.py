"""Check what compiled code assumes of a fitted model: indices within bounds, and consistent sizes.

scikit-learn and LightGBM validate the rows to predict but not their own state: a tree is followed wherever its
indices lead. There are two kinds of checks: of a state, before an object is created from it, and of a created model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from lightgbm import LGBMModel
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.ensemble import BaseEnsemble
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors._base import NeighborsBase
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm._base import BaseLibSVM
from sklearn.tree import BaseDecisionTree

from automl_meta.automl.lightgbm_text import check_lightgbm_text
from automl_meta.exceptions import DataError

__all__ = ["CHECKED_STATES", "check_estimators"]

_MOST_JOBS = 1024
_WORDS = CountVectorizer().token_pattern


def _require(condition: Any, what: str) -> None:
    if not condition:
        raise DataError(f"its {what} is inconsistent")


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


# States, before an object is created from them---------------------------------------------------


def _check_tree(state: Any, arguments: Any) -> None:
    """State of ``sklearn.tree._tree.Tree``: children come after their parent, features are within bounds."""
    n_features, n_classes, n_outputs = arguments
    nodes, values = state["nodes"], state["values"]
    _require(_is_whole(n_features) and n_features > 0 and _is_whole(n_outputs) and n_outputs > 0, "tree")
    _require(n_classes.shape == (n_outputs,) and n_classes.dtype.kind == "i" and n_classes.min() > 0, "tree")
    _require(nodes.ndim == 1 and len(nodes) > 0 and state["node_count"] == len(nodes), "tree")
    _require(values.shape == (len(nodes), n_outputs, n_classes.max()), "tree")
    left, right, feature = (nodes[name].astype(np.int64) for name in ("left_child", "right_child", "feature"))
    inner = left != -1
    _check_children(np.flatnonzero(inner), left[inner], right[inner], len(nodes), "tree")
    _require((feature[inner] >= 0).all() and (feature[inner] < n_features).all(), "tree")


def _check_children(parents: NDArray, left: NDArray, right: NDArray, n_nodes: int, what: str) -> None:
    for children in (left, right):
        _require((children > parents).all() and (children < n_nodes).all(), what)


def _check_predictor(state: Any, _: Any) -> None:
    """State of a HistGradientBoosting tree; its features are checked with the model."""
    nodes, sets = state["nodes"], state["raw_left_cat_bitsets"]
    _require(nodes.ndim == 1 and len(nodes) > 0 and nodes.dtype == PREDICTOR_RECORD_DTYPE, "boosted tree")
    _require(sets.ndim == 2 and sets.shape[1] == 8 and sets.dtype == np.uint32, "boosted tree")
    inner = nodes["is_leaf"] == 0
    left, right = (nodes[side][inner].astype(np.int64) for side in ("left", "right"))
    _check_children(np.flatnonzero(inner), left, right, len(nodes), "boosted tree")
    by_category = inner & (nodes["is_categorical"] != 0)
    _require((nodes["bitset_idx"][by_category] < len(sets)).all(), "boosted tree")


def _check_kd_tree(state: Any, _: Any) -> None:
    data, order, nodes, bounds, leaf_size, n_levels, n_nodes, *_counts, _metric, weights = state
    _require(len(state) == 13 and data.ndim == 2 and data.dtype == np.float64 and data.size, "k-d tree")
    n_rows, n_columns = data.shape
    _require(order.shape == (n_rows,) and order.dtype == np.intp, "k-d tree")
    _require((order >= 0).all() and (order < n_rows).all(), "k-d tree")
    _require(all(map(_is_whole, (leaf_size, n_levels, n_nodes))) and 0 < n_levels < 50, "k-d tree")
    _require(leaf_size > 0 and n_nodes == 2**n_levels - 1 and nodes.shape == (n_nodes,), "k-d tree")
    _require(bounds.shape == (2, n_nodes, n_columns) and bounds.dtype == np.float64, "k-d tree")
    _require(weights is None or weights.shape == (n_rows,), "k-d tree")
    begin, end = nodes["idx_start"], nodes["idx_end"]
    _require((begin >= 0).all() and (begin <= end).all() and (end <= n_rows).all(), "k-d tree")
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    _require((2 * inner + 2 < n_nodes).all(), "k-d tree")


def _check_booster(state: Any, _: Any) -> None:
    handles = [state[name] for name in ("_handle", "handle") if name in state]
    _require(len(handles) == 1 and isinstance(handles[0], str), "LightGBM model")
    check_lightgbm_text(handles[0])


CHECKED_STATES: Mapping[str, Callable[[Any, Any], None]] = {
    "sklearn.tree._tree.Tree": _check_tree,
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": _check_predictor,
    "sklearn.neighbors._kd_tree.KDTree": _check_kd_tree,
    "lightgbm.basic.Booster": _check_booster,
}
"""By type name: the check of the state and of the constructor's arguments."""


# Models, once they are created-----------------------------------------------------------------


def check_estimators(model: object) -> None:
    """Check that the parts of a model are consistent, as far as compiled code relies on it.

    Raises
    ------
    DataError
        If they are not.
    """
    for part in _parts(model):
        if sparse.issparse(part):
            part.check_format(full_check=True)
        for kind, attribute, check in _CHECKED_KINDS:
            if isinstance(part, kind) and getattr(part, attribute, None) is not None:
                check(part)


def _parts(model: object) -> Iterator[Any]:
    seen: set[int] = set()
    waiting: list[Any] = [model]
    while waiting:
        part = waiting.pop()
        if isinstance(part, (str, bytes, int, float, type(None))) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple, set)):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype == object else ()
        else:
            waiting += getattr(part, "__dict__", {}).values()


def _check_jobs(estimator: Any) -> None:
    _require(_is_whole(estimator.n_jobs) and abs(estimator.n_jobs) <= _MOST_JOBS, "n_jobs")


def _check_decision_tree(estimator: Any) -> None:
    _require(estimator.tree_.n_features == estimator.n_features_in_, "tree")


def _check_ensemble(ensemble: Any) -> None:
    """Members that get the rows as they are rely on the number of features of the ensemble."""
    for member in np.ravel(np.asarray(ensemble.estimators_, dtype=object)):
        if isinstance(member, BaseDecisionTree) and not hasattr(ensemble, "estimators_features_"):
            _require(member.n_features_in_ == ensemble.n_features_in_, "ensemble")


def _check_boosting(estimator: Any) -> None:
    n_features, binning = estimator.n_features_in_, estimator._bin_mapper
    is_categorical = np.asarray(binning.is_categorical_, dtype=bool)
    _require(_is_whole(n_features) and is_categorical.shape == (n_features,), "boosting")
    _require(len(binning.bin_thresholds_) == n_features, "boosting")
    for index in np.flatnonzero(is_categorical):
        known = np.asarray(binning.bin_thresholds_[index], dtype=float)
        _require(((known >= 0) & (known < 256)).all(), "boosting")
    for predictors in estimator._predictors:
        _require(len(predictors) == estimator.n_trees_per_iteration_, "boosting")
        for predictor in predictors:
            inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            feature = inner["feature_idx"]
            _require((feature >= 0).all() and (feature < n_features).all(), "boosting")
            _require(is_categorical[feature[inner["is_categorical"] != 0]].all(), "boosting")


def _check_svm(estimator: Any) -> None:
    support, vectors, counts = estimator.support_, estimator.support_vectors_, estimator._n_support
    is_classifier = hasattr(estimator, "classes_")
    n_classes = len(estimator.classes_) if is_classifier else 2
    n_pairs = n_classes * (n_classes - 1) // 2
    n_rows = len(support)
    _require(is_classifier == (estimator._impl in ("c_svc", "nu_svc")) and not estimator._sparse, "SVM")
    _require(vectors.shape in ((n_rows, estimator.n_features_in_), (0, 0)), "SVM")
    _require(counts.shape == (n_classes,) and (counts >= 0).all(), "SVM")
    _require((counts.sum() if is_classifier else counts[0]) == n_rows, "SVM")
    _require(estimator._dual_coef_.shape == (n_classes - 1, n_rows), "SVM")
    _require(estimator._intercept_.shape == (n_pairs,), "SVM")
    for calibration in (estimator._probA, estimator._probB):
        _require(calibration.shape in ((0,), (n_pairs,)), "SVM")


def _check_neighbours(estimator: Any) -> None:
    rows, tree, labels = estimator._fit_X, estimator._tree, getattr(estimator, "_y", None)
    n_rows, n_columns = rows.shape
    _require(
        n_columns == estimator.n_features_in_ and n_rows == estimator.n_samples_fit_, "table of neighbours"
    )
    _require(estimator._fit_method in ("brute", "kd_tree", "ball_tree"), "table of neighbours")
    _require((tree is None) == (estimator._fit_method == "brute"), "table of neighbours")
    _require(tree is None or tree.__getstate__()[0].shape == (n_rows, n_columns), "table of neighbours")
    n_neighbors = getattr(estimator, "n_neighbors", None)
    _require(
        n_neighbors is None or (_is_whole(n_neighbors) and 0 < n_neighbors <= n_rows), "table of neighbours"
    )
    if labels is None:
        return
    _require(len(labels) == n_rows, "table of neighbours")
    if isinstance(getattr(estimator, "classes_", None), np.ndarray):
        _require(labels.min() >= 0 and labels.max() < len(estimator.classes_), "table of neighbours")


def _check_words(vectorizer: Any) -> None:
    """An untrusted regular expression could run forever; the index of a word becomes a memory offset."""
    places = list(getattr(vectorizer, "vocabulary_", {}).values())
    _require(all(map(_is_whole, places)) and sorted(places) == list(range(len(places))), "vocabulary")
    if vectorizer.token_pattern != _WORDS:
        raise DataError("it splits text by a regular expression of its own, which is not taken from a file")


def _check_one_hot(encoder: Any) -> None:
    widths = encoder._compute_n_features_outs()
    _require(encoder._n_features_outs == widths and len(widths) == encoder.n_features_in_, "encoder")
    mappings = encoder._default_to_infrequent_mappings if encoder._infrequent_enabled else []
    for mapping, width in zip(mappings, widths, strict=False):
        if mapping is not None:
            _require(len(mapping) and mapping.min() >= 0 and mapping.max() <= width, "encoder")


def _check_lightgbm(estimator: Any) -> None:
    booster = estimator._Booster
    _require(booster.num_feature() == estimator._n_features, "LightGBM model")
    _require(booster.num_model_per_iteration() in (1, estimator._n_classes), "LightGBM model")


# Types, the attribute without which their compiled code is not reached, and the check.
_CHECKED_KINDS: tuple[tuple[Any, str, Callable[[Any], None]], ...] = (
    (BaseEstimator, "n_jobs", _check_jobs),
    (BaseDecisionTree, "tree_", _check_decision_tree),
    (BaseEnsemble, "estimators_", _check_ensemble),
    (BaseHistGradientBoosting, "_predictors", _check_boosting),
    (BaseLibSVM, "support_vectors_", _check_svm),
    (NeighborsBase, "_fit_X", _check_neighbours),
    (CountVectorizer, "token_pattern", _check_words),
    (OneHotEncoder, "categories_", _check_one_hot),
    (LGBMModel, "_Booster", _check_lightgbm),
)
