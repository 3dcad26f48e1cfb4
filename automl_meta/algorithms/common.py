"""What several files of the catalogue share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from sklearn.base import RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler

from automl_meta.metrics import TaskType

CLASS_WEIGHT = CategoricalDistribution((None, "balanced"))


def for_classes(
    distributions: Mapping[str, BaseDistribution], task_type: TaskType
) -> dict[str, BaseDistribution]:
    """The space with a class weight at its end, where there are classes to weigh."""
    weight = {"class_weight": CLASS_WEIGHT} if task_type == "classification" else {}
    return {**distributions, **weight}


def default_weight(defaults: Mapping[str, Any], task_type: TaskType) -> dict[str, Any]:
    """The defaults to go with `for_classes`."""
    weight: dict[str, Any] = {"class_weight": None} if task_type == "classification" else {}
    return {**defaults, **weight}


def on_scaled_target(regressor: RegressorMixin) -> TransformedTargetRegressor:
    """For regressors whose loss or penalty depends on the unit of the target."""
    return TransformedTargetRegressor(regressor=regressor, transformer=StandardScaler())
