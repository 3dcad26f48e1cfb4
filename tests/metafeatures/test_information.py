import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from automl_meta.metafeatures import extract_metafeatures
from automl_meta.metafeatures.contingency import ContingencyBlock


@pytest.fixture
def block() -> ContingencyBlock:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 200)
    codes = np.column_stack([rng.integers(0, 5, 200), (target + rng.integers(0, 2, 200)) % 3, target])
    return ContingencyBlock(codes, target)


def _tau(predicted: np.ndarray, given: np.ndarray) -> float:
    """Goodman and Kruskal's tau by its definition: the drop in Gini impurity."""
    table = pd.crosstab(given, predicted, normalize=True).to_numpy()
    gini = 1 - np.sum(table.sum(axis=0) ** 2)
    left = sum(row.sum() * (1 - np.sum((row / row.sum()) ** 2)) for row in table)
    return (gini - left) / gini


def test_entropies_agree_with_scipy(block: ContingencyBlock) -> None:
    expected = [entropy(np.bincount(column), base=2) for column in block.codes.T]
    np.testing.assert_allclose(block.entropies, expected)
    assert block.target_entropy == pytest.approx(entropy(np.bincount(block.target), base=2))


def test_mutual_information_agrees_with_scikit_learn(block: ContingencyBlock) -> None:
    expected = [mutual_info_score(column, block.target) / np.log(2) for column in block.codes.T]
    np.testing.assert_allclose(block.mutual_information, expected, atol=1e-12)


def test_joint_entropies_agree_with_scipy(block: ContingencyBlock) -> None:
    expected = [
        entropy(pd.crosstab(column, block.target).to_numpy().ravel(), base=2) for column in block.codes.T
    ]
    np.testing.assert_allclose(block.joint_entropies, expected)


def test_tau_agrees_with_its_definition_in_both_directions(block: ContingencyBlock) -> None:
    np.testing.assert_allclose(block.column_given_target, [_tau(c, block.target) for c in block.codes.T])
    np.testing.assert_allclose(block.target_given_column, [_tau(block.target, c) for c in block.codes.T])
    pairs = [
        _tau(block.codes[:, a], block.codes[:, b])
        for a, b in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]
    ]
    np.testing.assert_allclose(np.sort(block.concentration_between(np.arange(3))), np.sort(pairs))


def test_tables_too_large_to_be_dense_give_the_same(block: ContingencyBlock) -> None:
    sparse = ContingencyBlock(block.codes, block.target, max_dense_cells=0)
    np.testing.assert_allclose(sparse.joint_entropies, block.joint_entropies)
    np.testing.assert_allclose(sparse.target_given_column, block.target_given_column)


def test_a_copy_of_the_target_explains_all_of_it() -> None:
    frame = pd.DataFrame({"copy": list("abc") * 20, "coin": ["h", "t"] * 30})
    values = extract_metafeatures(frame, list("xyz") * 20, groups=["information"]).values
    assert values["uncertainty_max"] == pytest.approx(1.0)
    assert values["uncertainty_min"] == pytest.approx(0.0, abs=1e-9)
    assert values["class_entropy"] == pytest.approx(np.log2(3))
    assert values["class_entropy_normalised"] == pytest.approx(1.0)
    assert values["informative_share"] == 0.5
    assert values["equivalent_number_of_features"] == pytest.approx(2.0)
    assert values["noise_to_signal"] == pytest.approx(1.0 / np.log2(3))


def test_missing_categories_are_a_level_of_their_own() -> None:
    frame = pd.DataFrame({"a": ["u", None] * 20, "b": ["p", "q"] * 10 + ["p", "p"] * 10})
    values = extract_metafeatures(frame, [0, 1] * 20, groups=["information"]).values
    assert values["uncertainty_max"] == pytest.approx(1.0)
