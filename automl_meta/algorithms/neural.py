"""Multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.base import BaseEstimator
from sklearn.neural_network import MLPClassifier, MLPRegressor

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.common import on_scaled_target
from automl_meta.algorithms.preprocessing import scaled_numbers
from automl_meta.algorithms.search_space import SearchSpace
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask


def _mlp(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    rest = {name: value for name, value in parameters.items() if name not in ("n_layers", "n_units")}
    layers = (parameters["n_units"],) * parameters["n_layers"]
    if task.task_type == "classification":
        return MLPClassifier(hidden_layer_sizes=layers, **rest, random_state=seed)
    return on_scaled_target(MLPRegressor(hidden_layer_sizes=layers, **rest, random_state=seed))


def _mlp_algorithm(task_type: TaskType) -> Algorithm:
    return Algorithm(
        name="mlp",
        task_type=task_type,
        description="Neural network with one to three hidden layers. Good on smooth relations; slow to train.",
        space=SearchSpace(
            {
                "n_layers": IntDistribution(1, 3),
                "n_units": IntDistribution(16, 256, log=True),
                "activation": CategoricalDistribution(("relu", "tanh")),
                "alpha": FloatDistribution(1e-7, 1.0, log=True),
                "learning_rate_init": FloatDistribution(1e-4, 1e-1, log=True),
            }
        ),
        defaults={
            "n_layers": 1,
            "n_units": 100,
            "activation": "relu",
            "alpha": 1e-4,
            "learning_rate_init": 1e-3,
        },
        estimator=_mlp,
        preprocessing=scaled_numbers,
    )


MLP_CLASSIFIER = _mlp_algorithm("classification")
MLP_REGRESSOR = _mlp_algorithm("regression")
