"""SearchSpace: named distributions, some of them active only for certain values of another."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)
from scipy.stats import qmc

from automl_meta._utils.rounding import six_digits

__all__ = ["Condition", "SearchSpace"]


@dataclass(frozen=True)
class Condition:
    """A parameter is active only where `parent` is active and has one of `values`."""

    parent: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class SearchSpace:
    """Named distributions, with conditions.

    Parameters
    ----------
    distributions : mapping of str to BaseDistribution
        Parents come before the parameters that depend on them.
    conditions : mapping of str to Condition
        For the parameters that are not always active.

    Examples
    --------
    >>> space = SearchSpace({"alpha": FloatDistribution(1e-3, 1e3, log=True)})
    >>> space.problems({"alpha": 1e6, "beta": 1})
    ['alpha=1000000.0 is outside of [0.001, 1000.0]', "there is no parameter 'beta'"]
    """

    distributions: Mapping[str, BaseDistribution] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)

    def is_active(self, name: str, parameters: Mapping[str, Any]) -> bool:
        """Whether a parameter means something beside the others."""
        condition = self.conditions.get(name)
        return condition is None or (
            condition.parent in parameters and parameters[condition.parent] in condition.values
        )

    def problems(self, parameters: Mapping[str, Any]) -> list[str]:
        """Say in words what is wrong with a configuration; an empty list if nothing is."""
        found = []
        for name, value in parameters.items():
            distribution = self.distributions.get(name)
            if distribution is None:
                found.append(f"there is no parameter {name!r}")
            elif not self.is_active(name, parameters):
                condition = self.conditions[name]
                found.append(f"{name} means nothing unless {condition.parent} is in {list(condition.values)}")
            elif not _contains(distribution, value):
                found.append(f"{name}={value!r} is outside of {_range(distribution)}")
        missing = [n for n in self.distributions if n not in parameters and self.is_active(n, parameters)]
        return found + [f"{name} is missing" for name in missing]

    def suggest(self, trial: optuna.trial.BaseTrial) -> dict[str, Any]:
        """Ask an Optuna trial for one value of each active parameter."""
        parameters: dict[str, Any] = {}
        for name, distribution in self.distributions.items():
            if not self.is_active(name, parameters):
                continue
            if isinstance(distribution, CategoricalDistribution):
                parameters[name] = trial.suggest_categorical(name, distribution.choices)
            elif isinstance(distribution, IntDistribution):
                parameters[name] = trial.suggest_int(
                    name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
                )
            elif isinstance(distribution, FloatDistribution):
                parameters[name] = trial.suggest_float(
                    name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
                )
        return parameters

    def sample(self, n: int, seed: int = 0) -> list[dict[str, Any]]:
        """Configurations that fill the space evenly (a scrambled Sobol sequence; Owen 1998).

        The first `n` of a longer sample with the same seed are the same, so that more experience
        can be added to what is there.
        """
        if not self.distributions or n == 0:
            return []
        engine = qmc.Sobol(len(self.distributions), seed=seed)
        points = engine.random_base2(max(1, math.ceil(math.log2(n))))[:n]
        return [self._at(point) for point in points]

    def _at(self, point: np.ndarray) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        for (name, distribution), unit in zip(self.distributions.items(), point, strict=True):
            if self.is_active(name, parameters):
                parameters[name] = _quantile(distribution, float(unit))
        return parameters

    def to_json(self) -> str:
        """As JSON text, one object; `from_json` reads it."""
        return json.dumps(
            {
                "distributions": {
                    name: json.loads(distribution_to_json(distribution))
                    for name, distribution in self.distributions.items()
                },
                "conditions": {
                    name: [condition.parent, list(condition.values)]
                    for name, condition in self.conditions.items()
                },
            }
        )

    @classmethod
    def from_json(cls, text: str) -> SearchSpace:
        """From what `to_json` wrote."""
        content = json.loads(text)
        return cls(
            {
                name: json_to_distribution(json.dumps(value))
                for name, value in content["distributions"].items()
            },
            {
                name: Condition(parent, tuple(values))
                for name, (parent, values) in content["conditions"].items()
            },
        )


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return any(value == choice and type(value) is type(choice) for choice in distribution.choices)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return distribution.low <= value <= distribution.high and (  # type: ignore[attr-defined]
        not isinstance(distribution, IntDistribution) or float(value).is_integer()
    )


def _range(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return str(list(distribution.choices))
    return f"[{distribution.low}, {distribution.high}]"  # type: ignore[attr-defined]


def _quantile(distribution: BaseDistribution, unit: float) -> Any:
    """The value below which a share `unit` of the distribution lies."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[min(int(unit * len(distribution.choices)), len(distribution.choices) - 1)]
    if isinstance(distribution, IntDistribution):
        low, high = distribution.low - 0.5, distribution.high + 0.5
        value = low * (high / low) ** unit if distribution.log else low + unit * (high - low)
        return min(max(round(value), distribution.low), distribution.high)
    if isinstance(distribution, FloatDistribution):
        low, high = distribution.low, distribution.high
        value = low * (high / low) ** unit if distribution.log else low + unit * (high - low)
        return six_digits(value, low, high)
    raise TypeError(f"{type(distribution).__name__} is not a distribution that Optuna documents.")
