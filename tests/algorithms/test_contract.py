from dataclasses import replace

import pytest
from contracts import ALGORITHMS
from sklearn.ensemble import ExtraTreesClassifier

from automl_meta.algorithms import algorithms_for, get_algorithm
from automl_meta.testing.algorithms import AlgorithmContract, ProbabilityContract

NO_PROBABILITIES = pytest.mark.xfail(strict=True, raises=AttributeError, reason="predicts no probabilities")


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: f"{a.name}-{a.task_type}")
class TestAlgorithms(AlgorithmContract):
    pass


@pytest.mark.parametrize(
    "algorithm",
    [
        pytest.param(a, id=a.name, marks=NO_PROBABILITIES if a.name in ("linear_svm", "rbf_svm") else ())
        for a in algorithms_for("classification")
    ],
)
class TestClassifiers(ProbabilityContract):
    pass


def test_names_are_unique_for_each_type_of_task() -> None:
    keys = [(algorithm.name, algorithm.task_type) for algorithm in ALGORITHMS]
    assert len(set(keys)) == len(keys)


def test_names_are_never_renamed() -> None:
    """Names are keys in the stores of users."""
    known = {
        "adaboost", "decision_tree", "dummy", "elastic_net", "extra_trees", "gaussian_nb", "gaussian_process",
        "hist_gradient_boosting", "knn", "lda", "lightgbm", "linear_svm", "logistic_regression", "mlp", "qda",
        "random_forest", "rbf_svm", "ridge", "sgd",
    }  # fmt: skip
    assert known <= {algorithm.name for algorithm in ALGORITHMS}


@pytest.mark.parametrize("random_state", [None, 0], ids=["unseeded", "constant"])
def test_the_contract_fails_for_an_algorithm_that_ignores_its_seed(random_state: int | None) -> None:
    def careless(parameters: object, task: object, seed: int) -> ExtraTreesClassifier:
        return ExtraTreesClassifier(5, random_state=random_state)

    algorithm = replace(get_algorithm("dummy", "classification"), estimator=careless)
    with pytest.raises(AssertionError):
        AlgorithmContract().test_the_seed_decides(algorithm)
