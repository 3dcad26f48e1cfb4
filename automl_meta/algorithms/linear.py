"""Linear models: fast, interpretable, and strong with few rows or many features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution
from sklearn.base import BaseEstimator
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge, SGDClassifier, SGDRegressor

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.common import default_weight, for_classes, on_scaled_target
from automl_meta.algorithms.preprocessing import scaled_numbers
from automl_meta.algorithms.search_space import Condition, SearchSpace
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask

LOGISTIC_REGRESSION = Algorithm(
    name="logistic_regression",
    task_type="classification",
    description="Linear model of the class log-odds. Fast, interpretable; no interactions.",
    space=SearchSpace(for_classes({"C": FloatDistribution(1e-4, 1e4, log=True)}, "classification")),
    defaults=default_weight({"C": 1.0}, "classification"),
    estimator=lambda parameters, task, seed: LogisticRegression(**parameters, max_iter=1000),
    preprocessing=scaled_numbers,
)

RIDGE = Algorithm(
    name="ridge",
    task_type="regression",
    description="Linear regression with an L2 penalty. Fast, interpretable; no interactions.",
    space=SearchSpace({"alpha": FloatDistribution(1e-4, 1e4, log=True)}),
    defaults={"alpha": 1.0},
    estimator=lambda parameters, task, seed: Ridge(**parameters),
    preprocessing=scaled_numbers,
)

ELASTIC_NET = Algorithm(
    name="elastic_net",
    task_type="regression",
    description="Linear regression with L1 and L2 penalties. Selects features; good if many are irrelevant.",
    space=SearchSpace(
        {"alpha": FloatDistribution(1e-5, 1.0, log=True), "l1_ratio": FloatDistribution(0.0, 1.0)}
    ),
    # With scikit-learn's default, alpha=1, all weights are zero on a standardised target.
    defaults={"alpha": 0.01, "l1_ratio": 0.5},
    estimator=lambda parameters, task, seed: on_scaled_target(ElasticNet(**parameters, max_iter=5000)),
    preprocessing=scaled_numbers,
)


def _sgd(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    if task.task_type == "classification":
        return SGDClassifier(**parameters, random_state=seed)
    return on_scaled_target(SGDRegressor(**parameters, random_state=seed))


def _sgd_algorithm(task_type: TaskType) -> Algorithm:
    # Losses that support predict_proba.
    losses = ("log_loss", "modified_huber") if task_type == "classification" else ("squared_error", "huber")
    return Algorithm(
        name="sgd",
        task_type=task_type,
        description="Linear model fitted by stochastic gradient descent. For very many rows; noisy on small data.",
        space=SearchSpace(
            for_classes(
                {
                    "loss": CategoricalDistribution(losses),
                    "penalty": CategoricalDistribution(("l2", "l1", "elasticnet")),
                    "alpha": FloatDistribution(1e-7, 1e-1, log=True),
                    "l1_ratio": FloatDistribution(0.0, 1.0),
                    "average": CategoricalDistribution((False, True)),
                },
                task_type,
            ),
            {"l1_ratio": Condition("penalty", ("elasticnet",))},
        ),
        defaults=default_weight(
            {"loss": losses[0], "penalty": "l2", "alpha": 1e-4, "average": False}, task_type
        ),
        estimator=_sgd,
        preprocessing=scaled_numbers,
    )


SGD_CLASSIFIER = _sgd_algorithm("classification")
SGD_REGRESSOR = _sgd_algorithm("regression")
