"""Boosted tree ensembles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor
from optuna.distributions import FloatDistribution, IntDistribution
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.common import default_weight, for_classes
from automl_meta.algorithms.preprocessing import ordinal_codes
from automl_meta.algorithms.search_space import SearchSpace
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask


def _hist_gradient_boosting(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    make = (
        HistGradientBoostingClassifier
        if task.task_type == "classification"
        else HistGradientBoostingRegressor
    )
    return make(**parameters, random_state=seed)


def _hist_gradient_boosting_algorithm(task_type: TaskType) -> Algorithm:
    return Algorithm(
        name="hist_gradient_boosting",
        task_type=task_type,
        description="Gradient boosting on binned features. Among the most accurate from about 1,000 rows on.",
        space=SearchSpace(
            for_classes(
                {
                    "learning_rate": FloatDistribution(0.01, 0.5, log=True),
                    "max_iter": IntDistribution(32, 512, log=True),
                    "max_leaf_nodes": IntDistribution(4, 128, log=True),
                    "min_samples_leaf": IntDistribution(2, 100, log=True),
                    "l2_regularization": FloatDistribution(1e-8, 10.0, log=True),
                    "max_features": FloatDistribution(0.3, 1.0),
                },
                task_type,
            )
        ),
        defaults=default_weight(
            {
                "learning_rate": 0.1,
                "max_iter": 100,
                "max_leaf_nodes": 31,
                "min_samples_leaf": 20,
                "l2_regularization": 1e-8,
                "max_features": 1.0,
            },
            task_type,
        ),
        estimator=_hist_gradient_boosting,
        # Binning fails on all-missing columns (scikit-learn 1.9).
        preprocessing=lambda task, seed: ordinal_codes(task, seed, keep_missing=True, drop_empty=True),
    )


def _lightgbm(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    make = LGBMClassifier if task.task_type == "classification" else LGBMRegressor
    return make(**parameters, subsample_freq=1, n_jobs=1, random_state=seed, verbose=-1)


def _lightgbm_algorithm(task_type: TaskType) -> Algorithm:
    return Algorithm(
        name="lightgbm",
        task_type=task_type,
        description="Gradient boosting with leaf-wise tree growth. Among the most accurate; benefits from tuning.",
        space=SearchSpace(
            for_classes(
                {
                    "learning_rate": FloatDistribution(0.01, 0.5, log=True),
                    "n_estimators": IntDistribution(32, 512, log=True),
                    "num_leaves": IntDistribution(4, 128, log=True),
                    "min_child_samples": IntDistribution(2, 100, log=True),
                    "subsample": FloatDistribution(0.5, 1.0),
                    "colsample_bytree": FloatDistribution(0.3, 1.0),
                    "reg_lambda": FloatDistribution(1e-8, 10.0, log=True),
                },
                task_type,
            )
        ),
        defaults=default_weight(
            {
                "learning_rate": 0.1,
                "n_estimators": 100,
                "num_leaves": 31,
                "min_child_samples": 20,
                "subsample": 1.0,
                "colsample_bytree": 1.0,
                "reg_lambda": 1e-8,
            },
            task_type,
        ),
        estimator=_lightgbm,
        preprocessing=lambda task, seed: ordinal_codes(task, seed, keep_missing=True),
    )


def _adaboost(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    rest = {name: value for name, value in parameters.items() if name != "max_depth"}
    if task.task_type == "classification":
        base = DecisionTreeClassifier(max_depth=parameters["max_depth"])
        return AdaBoostClassifier(base, **rest, random_state=seed)
    return AdaBoostRegressor(
        DecisionTreeRegressor(max_depth=parameters["max_depth"]), **rest, random_state=seed
    )


def _adaboost_algorithm(task_type: TaskType) -> Algorithm:
    return Algorithm(
        name="adaboost",
        task_type=task_type,
        description="Boosting of small trees by reweighting misfitted rows. Sensitive to label noise.",
        space=SearchSpace(
            {
                "n_estimators": IntDistribution(25, 300, log=True),
                "learning_rate": FloatDistribution(0.01, 2.0, log=True),
                "max_depth": IntDistribution(1, 8),
            }
        ),
        defaults={
            "n_estimators": 50,
            "learning_rate": 1.0,
            "max_depth": 1 if task_type == "classification" else 3,
        },
        estimator=_adaboost,
        preprocessing=lambda task, seed: ordinal_codes(task, seed, keep_missing=False),
    )


HIST_GRADIENT_BOOSTING_CLASSIFIER = _hist_gradient_boosting_algorithm("classification")
HIST_GRADIENT_BOOSTING_REGRESSOR = _hist_gradient_boosting_algorithm("regression")
LIGHTGBM_CLASSIFIER = _lightgbm_algorithm("classification")
LIGHTGBM_REGRESSOR = _lightgbm_algorithm("regression")
ADABOOST_CLASSIFIER = _adaboost_algorithm("classification")
ADABOOST_REGRESSOR = _adaboost_algorithm("regression")
