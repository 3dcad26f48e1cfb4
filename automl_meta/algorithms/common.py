"""Helpers shared by the modules of the catalogue."""

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
    """Append a class weight to the distributions of a classification algorithm."""
    weight = {"class_weight": CLASS_WEIGHT} if task_type == "classification" else {}
    return {**distributions, **weight}


def default_weight(defaults: Mapping[str, Any], task_type: TaskType) -> dict[str, Any]:
    """Append the default class weight to the defaults of a classification algorithm."""
    weight: dict[str, Any] = {"class_weight": None} if task_type == "classification" else {}
    return {**defaults, **weight}


def on_scaled_target(regressor: RegressorMixin) -> TransformedTargetRegressor:
    """Standardise the target of a regressor whose loss or penalty depends on the target's scale."""
    return TransformedTargetRegressor(regressor=regressor, transformer=StandardScaler())
