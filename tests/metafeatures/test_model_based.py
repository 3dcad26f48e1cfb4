import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from automl_meta.metafeatures import extract_metafeatures
from automl_meta.metafeatures.model_based import node_depths, tree_structure
from automl_meta.task import TabularTask


def test_the_shape_of_a_tree_of_three_leaves() -> None:
    X = np.array([0.0, 1.0, 2.0, 3.0] * 3).reshape(-1, 1)
    y = np.array(["a", "b", "b", "c"] * 3)
    values = extract_metafeatures(X, y, groups=["model_based"]).values
    assert (values["tree_leaves"], values["tree_nodes"]) == (3, 2)
    assert values["tree_branch_length_mean"] == pytest.approx(5 / 3)
    assert values["tree_depth_mean"] == pytest.approx((0 + 1 + 1 + 2 + 2) / 5)
    assert values["tree_leaf_support_max"] == pytest.approx(0.5)
    assert values["tree_leaf_arrival_mean"] == pytest.approx(0.5)
    assert values["tree_nodes_per_row"] == pytest.approx(2 / 12)
    assert values["tree_column_use_max"] == 2
    assert values["tree_used_share"] == values["tree_importance_max"] == 1.0
    assert values["tree_leaves_per_class_min"] == pytest.approx(1 / 3)


def test_depths_agree_with_a_walk() -> None:
    X = np.random.default_rng(0).normal(size=(200, 3))
    tree = DecisionTreeClassifier(random_state=0).fit(X, X[:, 0] * X[:, 1] > 0).tree_

    def walk(node: int, depth: int) -> dict[int, int]:
        if node < 0:
            return {}
        below = walk(tree.children_left[node], depth + 1) | walk(tree.children_right[node], depth + 1)
        return {node: depth} | below

    expected = walk(0, 0)
    assert node_depths(tree.children_left, tree.children_right).tolist() == [
        expected[i] for i in sorted(expected)
    ]


def test_arrival_chances_sum_to_one() -> None:
    X = np.random.default_rng(0).normal(size=(100, 2))
    model = DecisionTreeClassifier(random_state=0).fit(X, X[:, 0] > X[:, 1] ** 2)
    families = tree_structure(model, 100)[1]
    assert np.exp2(-families["branch_length"]).sum() == pytest.approx(1.0)
    assert families["leaf_support"].sum() == pytest.approx(1.0)


def test_the_fit_of_a_regression_tree_is_its_training_score() -> None:
    X = np.random.default_rng(0).normal(size=(150, 2))
    y = X[:, 0] + np.sin(3 * X[:, 1])
    values = extract_metafeatures(X, y, groups=["model_based"]).values
    expected = DecisionTreeRegressor(min_samples_leaf=5, random_state=0).fit(X, y).score(X, y)
    assert values["tree_fit"] == pytest.approx(expected, abs=1e-6)


def test_a_harder_target_grows_a_larger_tree() -> None:
    X = np.random.default_rng(0).normal(size=(300, 4))
    noise = np.random.default_rng(1).integers(0, 2, 300)
    easy, hard = (
        extract_metafeatures(TabularTask.from_frame(X, y), groups=["model_based"]).values
        for y in ((X[:, 0] > 0).astype(int), noise)
    )
    assert easy["tree_leaves"] == 2 < hard["tree_leaves"]
