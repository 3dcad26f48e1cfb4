"""Decision trees and ensembles of independent trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.common import default_weight, for_classes
from automl_meta.algorithms.preprocessing import ordinal_codes
from automl_meta.algorithms.search_space import SearchSpace
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask

_ESTIMATORS: Mapping[tuple[str, TaskType], type[BaseEstimator]] = {
    ("decision_tree", "classification"): DecisionTreeClassifier,
    ("decision_tree", "regression"): DecisionTreeRegressor,
    ("random_forest", "classification"): RandomForestClassifier,
    ("random_forest", "regression"): RandomForestRegressor,
    ("extra_trees", "classification"): ExtraTreesClassifier,
    ("extra_trees", "regression"): ExtraTreesRegressor,
}


def _preprocessing(task: TabularTask, seed: int) -> ColumnTransformer:
    return ordinal_codes(task, seed, keep_missing=True)


def _tree_algorithm(
    name: str, task_type: TaskType, description: str, space: dict[str, Any], defaults: dict[str, Any]
) -> Algorithm:
    def estimator(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
        return _ESTIMATORS[name, task_type](**parameters, random_state=seed)

    return Algorithm(
        name=name,
        task_type=task_type,
        description=description,
        space=SearchSpace(for_classes(space, task_type)),
        defaults=default_weight(defaults, task_type),
        estimator=estimator,
        preprocessing=_preprocessing,
    )


def _decision_tree(task_type: TaskType) -> Algorithm:
    return _tree_algorithm(
        "decision_tree",
        task_type,
        "A single decision tree. Interpretable and easy to plot; rarely the most accurate.",
        {
            "max_depth": IntDistribution(1, 30),
            "min_samples_leaf": IntDistribution(1, 64, log=True),
            "max_features": FloatDistribution(0.2, 1.0),
        },
        {"max_depth": 30, "min_samples_leaf": 1, "max_features": 1.0},
    )


def _forest(name: str, task_type: TaskType, description: str, bootstrap: bool) -> Algorithm:
    return _tree_algorithm(
        name,
        task_type,
        description,
        {
            "n_estimators": IntDistribution(50, 400, log=True),
            "max_features": CategoricalDistribution(("sqrt", "log2", 0.25, 0.5, 0.75, 1.0)),
            "min_samples_leaf": IntDistribution(1, 20, log=True),
            "bootstrap": CategoricalDistribution((True, False)),
        },
        {
            "n_estimators": 100,
            "max_features": "sqrt" if task_type == "classification" else 1.0,
            "min_samples_leaf": 1,
            "bootstrap": bootstrap,
        },
    )


_RANDOM_FOREST = (
    "Average of trees grown on bootstrap samples with random features. Robust; good without tuning."
)
_EXTRA_TREES = "Average of trees with random splits. Smoother than a random forest and faster to fit."

DECISION_TREE_CLASSIFIER = _decision_tree("classification")
DECISION_TREE_REGRESSOR = _decision_tree("regression")
RANDOM_FOREST_CLASSIFIER = _forest("random_forest", "classification", _RANDOM_FOREST, True)
RANDOM_FOREST_REGRESSOR = _forest("random_forest", "regression", _RANDOM_FOREST, True)
EXTRA_TREES_CLASSIFIER = _forest("extra_trees", "classification", _EXTRA_TREES, False)
EXTRA_TREES_REGRESSOR = _forest("extra_trees", "regression", _EXTRA_TREES, False)
