"""SearchSpace: named parameter distributions with activation conditions."""

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
    """Activation condition of a parameter.

    Parameters
    ----------
    parent : str
        Name of the parameter that must be active.
    values : tuple
        Values of `parent` for which the condition holds.
    """

    parent: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class SearchSpace:
    """Named parameter distributions with activation conditions.

    Parameters
    ----------
    distributions : mapping of str to BaseDistribution
        Optuna distribution of each parameter; parents precede the parameters that depend on them.
    conditions : mapping of str to Condition
        Conditions of the parameters that are not always active.

    Examples
    --------
    >>> space = SearchSpace({"alpha": FloatDistribution(1e-3, 1e3, log=True)})
    >>> space.problems({"alpha": 1e6, "beta": 1})
    ['alpha=1000000.0 is outside [0.001, 1000.0]', "there is no parameter 'beta'"]
    """

    distributions: Mapping[str, BaseDistribution] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)

    def is_active(self, name: str, parameters: Mapping[str, Any]) -> bool:
        """Whether a parameter is active, given the values of the others.

        Parameters
        ----------
        name : str
            Name of the parameter.
        parameters : mapping of str to value
            Values of the other parameters.

        Returns
        -------
        bool
            True if the parameter has no condition, or its condition holds.
        """
        condition = self.conditions.get(name)
        return condition is None or (
            condition.parent in parameters and parameters[condition.parent] in condition.values
        )

    def problems(self, parameters: Mapping[str, Any]) -> list[str]:
        """List the problems of a configuration.

        Parameters
        ----------
        parameters : mapping of str to value
            Configuration to check.

        Returns
        -------
        list of str
            Messages; empty if the configuration is valid.
        """
        found = []
        for name, value in parameters.items():
            distribution = self.distributions.get(name)
            if distribution is None:
                found.append(f"there is no parameter {name!r}")
            elif not self.is_active(name, parameters):
                condition = self.conditions[name]
                found.append(f"{name} is inactive unless {condition.parent} is in {list(condition.values)}")
            elif not _contains(distribution, value):
                found.append(f"{name}={value!r} is outside {_range(distribution)}")
        missing = [n for n in self.distributions if n not in parameters and self.is_active(n, parameters)]
        return found + [f"{name} is missing" for name in missing]

    def suggest(self, trial: optuna.trial.BaseTrial) -> dict[str, Any]:
        """Suggest a value for each active parameter by an Optuna trial.

        Parameters
        ----------
        trial : BaseTrial
            Trial that suggests the values.

        Returns
        -------
        dict of str to value
            Configuration.
        """
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
        """Draw a space-filling sample (a scrambled Sobol sequence; Owen 1998).

        A sample is a prefix of any longer sample with the same seed, so that experience can be
        extended.

        Parameters
        ----------
        n : int
            Number of configurations.
        seed : int, default=0
            Random seed.

        Returns
        -------
        list of dict
            Configurations; empty if the space has no parameters.
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
        """Serialise to JSON.

        Returns
        -------
        str
            One JSON object, for `from_json`.
        """
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
        """Deserialise from JSON.

        Parameters
        ----------
        text : str
            Output of `to_json`.

        Returns
        -------
        SearchSpace
            Equal to the serialised one.
        """
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
    """Quantile of a distribution at probability `unit`."""
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
    raise TypeError(f"{type(distribution).__name__} is not a supported Optuna distribution.")
