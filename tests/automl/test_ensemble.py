import numpy as np
import pytest

from automl_meta._utils.budget import Budget
from automl_meta.automl.ensemble import averaged, greedy_weights


def squared(y):
    return lambda responses: -float(np.mean((responses["predict"] - y) ** 2))


def test_it_finds_the_mean_that_cancels_errors() -> None:
    y = np.linspace(0, 1, 40)
    high, low, noise = ({"predict": y + shift} for shift in (0.3, -0.3, 5.0))
    weights = greedy_weights([high, low, noise], squared(y), 0)
    assert weights.tolist() == [0.5, 0.5, 0.0]


def test_it_never_scores_less_than_the_best_candidate() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=30)
    candidates = [{"predict": y + rng.normal(size=30)} for _ in range(6)]
    weights = greedy_weights(candidates, squared(y), 0)
    assert weights.sum() == pytest.approx(1.0)
    found = squared(y)(averaged(candidates, weights, 0))
    assert found > max(squared(y)(candidate) for candidate in candidates)


def test_a_model_without_probabilities_votes() -> None:
    mean = averaged(
        [
            {"predict": np.array([0, 1])},
            {"predict": np.array([1, 1]), "predict_proba": np.array([[0.2, 0.8], [0.4, 0.6]])},
        ],
        np.array([0.5, 0.5]),
        2,
    )
    np.testing.assert_allclose(mean["predict_proba"], [[0.6, 0.4], [0.2, 0.8]])
    assert mean["predict"].tolist() == [0, 1]


def test_without_gain_the_best_is_alone() -> None:
    y = np.array([0, 1, 1, 0])
    perfect = {"predict": y, "predict_proba": np.eye(2)[y]}
    wrong = {"predict": 1 - y, "predict_proba": np.eye(2)[1 - y]}
    score = lambda responses: float(np.mean(responses["predict"] == y))  # noqa: E731
    assert greedy_weights([perfect, wrong], score, 2).tolist() == [1.0, 0.0]


def test_a_spent_budget_leaves_the_best_alone() -> None:
    y = np.linspace(0, 1, 40)
    candidates = [{"predict": y + 0.3}, {"predict": y - 0.4}]
    assert greedy_weights(candidates, squared(y), 0, budget=Budget(0)).tolist() == [1.0, 0.0]


def test_a_score_that_is_not_defined_is_the_worst() -> None:
    y = np.linspace(0, 1, 10)
    candidates = [{"predict": y + 0.1}, {"predict": y + 9}]
    score = lambda responses: float("nan") if responses["predict"].max() > 5 else squared(y)(responses)  # noqa: E731
    assert greedy_weights(candidates, score, 0).tolist() == [1.0, 0.0]
    assert greedy_weights(candidates[1:], score, 0) == pytest.approx([1.0])
