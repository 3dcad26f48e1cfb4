"""Nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution, IntDistribution
from sklearn.base import BaseEstimator
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.preprocessing import scaled_numbers
from automl_meta.algorithms.search_space import SearchSpace
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask


def _knn(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    make = KNeighborsClassifier if task.task_type == "classification" else KNeighborsRegressor
    # A training fold may contain only half of the rows, but must contain n_neighbors.
    n_neighbors = min(parameters["n_neighbors"], max(1, task.n_rows // 2))
    return make(**{**parameters, "n_neighbors": n_neighbors})


def _knn_algorithm(task_type: TaskType) -> Algorithm:
    return Algorithm(
        name="knn",
        task_type=task_type,
        description="Predicts from the most similar rows. Simple; sensitive to irrelevant features.",
        space=SearchSpace(
            {
                "n_neighbors": IntDistribution(1, 50, log=True),
                "weights": CategoricalDistribution(("uniform", "distance")),
                "p": IntDistribution(1, 2),
            }
        ),
        defaults={"n_neighbors": 5, "weights": "uniform", "p": 2},
        estimator=_knn,
        preprocessing=scaled_numbers,
    )


KNN_CLASSIFIER = _knn_algorithm("classification")
KNN_REGRESSOR = _knn_algorithm("regression")
