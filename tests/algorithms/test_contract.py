import pytest
from contracts import ALGORITHMS

from automl_meta.testing.algorithms import AlgorithmContract


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: f"{a.name}-{a.task_type}")
class TestAlgorithms(AlgorithmContract):
    pass


def test_names_are_unique_for_each_type_of_task() -> None:
    keys = [(algorithm.name, algorithm.task_type) for algorithm in ALGORITHMS]
    assert len(set(keys)) == len(keys)


def test_names_are_never_renamed() -> None:
    """They are keys in everybody's store."""
    known = {
        "adaboost", "decision_tree", "dummy", "elastic_net", "extra_trees", "gaussian_nb", "gaussian_process",
        "hist_gradient_boosting", "knn", "lda", "lightgbm", "linear_svm", "logistic_regression", "mlp", "qda",
        "random_forest", "rbf_svm", "ridge", "sgd",
    }  # fmt: skip
    assert known <= {algorithm.name for algorithm in ALGORITHMS}
