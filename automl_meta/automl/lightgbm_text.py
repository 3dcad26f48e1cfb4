"""Check the text of a LightGBM model before LightGBM reads it.

LightGBM does not check whether indices in the text are out of bounds or form a cycle.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from automl_meta.exceptions import DataError

__all__ = ["check_lightgbm_text"]

# Fields of a tree with one number per split, and with one number per leaf.
_OF_SPLITS: dict[str, Callable[[str], Any]] = {
    "split_feature": int, "split_gain": float, "threshold": float, "decision_type": int, "left_child": int,
    "right_child": int, "internal_value": float, "internal_weight": float, "internal_count": int,
}  # fmt: skip
_OF_LEAVES: dict[str, Callable[[str], Any]] = {"leaf_value": float, "leaf_weight": float, "leaf_count": int}
_OF_CATEGORIES = ("cat_boundaries", "cat_threshold")
_OF_A_TREE = {
    "Tree",
    "num_leaves",
    "num_cat",
    "is_linear",
    "shrinkage",
    *_OF_CATEGORIES,
    *_OF_SPLITS,
    *_OF_LEAVES,
}
_OF_THE_HEADER = {
    "tree", "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "average_output", "feature_names", "monotone_constraints", "feature_infos", "tree_sizes",
}  # fmt: skip
_NUMBER = re.compile(
    "[-+.0-9einfaEINFA]+"
)  # Python accepts more than LightGBM does: 1_000, digits of all scripts
_IS_CATEGORICAL = 1  # bit of decision_type
_MOST_LEAVES = 1 << 20


def check_lightgbm_text(text: str) -> int:
    """Check that LightGBM can use each index of a model, and return the number of features.

    Raises
    ------
    DataError
        If an index is out of bounds, or the text is malformed.
    """
    if re.search(r"[\x00-\x09\x0b-\x1f]", text):  # LightGBM may take one for the end of a line or of the text
        raise DataError("its LightGBM model holds control characters")
    head, *rest = re.split(r"(?m)^(?=Tree=\d+$)", text.partition("\nend of trees\n")[0] + "\n")
    try:
        header = _lines(head)
        n_features, n_outputs = int(header["max_feature_idx"]) + 1, int(header["num_class"])
        _check_header(header, n_features, n_outputs)
        sizes = [int(size) for size in header["tree_sizes"].split()]
        # The last one ends where "end of trees" begins.
        if [len(tree.encode()) for tree in rest] != sizes or len(rest) % n_outputs:
            raise ValueError("tree_sizes")
        for tree in rest:
            _check_tree(_lines(tree), n_features)
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"its LightGBM model is damaged ({error})") from None
    return n_features


def _lines(text: str) -> dict[str, str]:
    """Values by name; the first lines of a model are names without values."""
    found: dict[str, str] = {}
    for line in filter(None, text.split("\n")):
        name, _, value = line.partition("=")
        if name in found:
            raise ValueError(f"{name[:20]} twice")
        found[name] = value
    return found


def _check_header(header: dict[str, str], n_features: int, n_outputs: int) -> None:
    if unknown := header.keys() - _OF_THE_HEADER:
        raise ValueError(sorted(unknown)[0][:20])
    if n_features < 1 or n_outputs < 1 or int(header["num_tree_per_iteration"]) != n_outputs:
        raise ValueError("num_class")
    if len(header["feature_names"].split(" ")) != n_features:
        raise ValueError("feature_names")
    objective = header.get("objective", "").split()
    said = [int(word.partition(":")[2]) for word in objective if word.startswith("num_class:")]
    if said != ([n_outputs] if objective[:1] in (["multiclass"], ["multiclassova"]) else []):
        raise ValueError("objective")


def _check_tree(tree: dict[str, str], n_features: int) -> None:
    if unknown := tree.keys() - _OF_A_TREE:
        raise ValueError(sorted(unknown)[0][:20])
    n_leaves, n_categorical = int(tree["num_leaves"]), int(tree["num_cat"])
    if not 1 <= n_leaves <= _MOST_LEAVES or n_categorical < 0 or tree.get("is_linear", "0") != "0":
        raise ValueError("num_leaves, num_cat or is_linear")
    n_splits = n_leaves - 1
    splits = {name: _numbers(tree, name, kind, n_splits) for name, kind in _OF_SPLITS.items()}
    for name, kind in _OF_LEAVES.items():
        _numbers(tree, name, kind, n_leaves if n_splits or tree.get(name) else 0)
    if not all(0 <= feature < n_features for feature in splits["split_feature"]):
        raise ValueError("split_feature")
    for split in range(n_splits):
        for side in ("left_child", "right_child"):
            child = splits[side][split]
            # A split comes after its parent; leaves are numbered from -1 downwards.
            if not (split < child < n_splits or -n_leaves <= child < 0):
                raise ValueError(side)
    _check_categories(tree, splits, n_categorical)


def _check_categories(tree: dict[str, str], splits: dict[str, list], n_categorical: int) -> None:
    """A categorical split refers to one of the sets of categories, each a run of 32-bit words."""
    bounds = _numbers(tree, "cat_boundaries", int, n_categorical + 1 if n_categorical else 0)
    _numbers(tree, "cat_threshold", int, bounds[-1] if bounds else 0, most=2**32 - 1)
    if bounds != sorted(bounds) or bounds[:1] not in ([], [0]):
        raise ValueError("cat_boundaries")
    for kind, threshold in zip(splits["decision_type"], splits["threshold"], strict=True):
        if not -128 <= kind <= 127:
            raise ValueError("decision_type")
        if kind & _IS_CATEGORICAL and threshold not in range(n_categorical):
            raise ValueError("threshold")


def _numbers(
    tree: dict[str, str], name: str, kind: Callable[[str], Any], expected: int, most: int = 2**31 - 1
) -> list[Any]:
    written = tree.get(name, "").split(" ") if tree.get(name) else []
    if len(written) != expected or not all(map(_NUMBER.fullmatch, written)):
        raise ValueError(name)
    numbers = [kind(word) for word in written]
    if kind is int and any(not -most <= number <= most for number in numbers):
        raise ValueError(name)
    return numbers
