"""JointSpace: the choice of the algorithm and the hyperparameters of each as one conditional search space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.search_space import Condition, SearchSpace
from automl_meta.exceptions import UsageError
from automl_meta.records import Configuration

__all__ = ["ALGORITHM", "JointSpace", "joint_name", "joint_parameters"]

ALGORITHM = "algorithm"
"""Name of the parameter that chooses the algorithm."""


def joint_name(algorithm: str, parameter: str) -> str:
    """Name of an algorithm's hyperparameter in a joint space.

    Parameters
    ----------
    algorithm, parameter : str
        Names of the algorithm and of its hyperparameter.

    Returns
    -------
    str
        Name with the algorithm as its prefix.

    Examples
    --------
    >>> joint_name("knn", "n_neighbors")
    'knn.n_neighbors'
    """
    return f"{algorithm}.{parameter}"


def joint_parameters(configuration: Configuration) -> dict[str, Any]:
    """Values of a configuration in a joint space, as they are.

    Parameters
    ----------
    configuration : Configuration
        Of any algorithm.

    Returns
    -------
    dict of str to object
        `ALGORITHM` first.

    Examples
    --------
    >>> joint_parameters(Configuration("ridge", {"alpha": 2.0}))
    {'algorithm': 'ridge', 'ridge.alpha': 2.0}
    """
    algorithm = configuration.algorithm
    named = {joint_name(algorithm, name): value for name, value in configuration.parameters.items()}
    return {ALGORITHM: algorithm, **named}


@dataclass(frozen=True)
class JointSpace:
    """The choice of the algorithm and the hyperparameters of each as one conditional search space.

    The parameter ``algorithm`` chooses the algorithm; the hyperparameters of an algorithm are prefixed
    by its name, as in ``"lightgbm.learning_rate"``, and active only if it is chosen.

    Parameters
    ----------
    algorithms : tuple of Algorithm
        Algorithms of one task type.

    Examples
    --------
    >>> from automl_meta.algorithms import algorithms_for
    >>> joint = JointSpace(algorithms_for("regression", only=["dummy", "ridge"]))
    >>> joint.parameters(Configuration("ridge", {"alpha": 2.0}))
    {'algorithm': 'ridge', 'ridge.alpha': 2.0}
    >>> print(joint.configuration({"algorithm": "ridge", "ridge.alpha": 2.0}))
    ridge(alpha=2)
    """

    algorithms: tuple[Algorithm, ...]

    @cached_property
    def space(self) -> SearchSpace:
        """The search space, which can suggest values for any Optuna trial."""
        names = tuple(algorithm.name for algorithm in self.algorithms)
        distributions: dict[str, BaseDistribution] = {ALGORITHM: CategoricalDistribution(names)}
        conditions: dict[str, Condition] = {}
        for algorithm in self.algorithms:
            for name, distribution in algorithm.space.distributions.items():
                joint = joint_name(algorithm.name, name)
                distributions[joint] = distribution
                inner = algorithm.space.conditions.get(name)
                conditions[joint] = (
                    Condition(ALGORITHM, (algorithm.name,))
                    if inner is None
                    else Condition(joint_name(algorithm.name, inner.parent), inner.values)
                )
        return SearchSpace(distributions, conditions)

    def parameters(self, configuration: Configuration) -> dict[str, Any]:
        """Encode a configuration; missing hyperparameters get their defaults.

        Parameters
        ----------
        configuration : Configuration
            Of an algorithm of this space.

        Returns
        -------
        dict of str to value
            Values in this space.

        Raises
        ------
        UsageError
            If the algorithm is not in this space, or a value is outside of its range.
        """
        return joint_parameters(self.algorithm(configuration.algorithm).completed(configuration))

    def configuration(self, parameters: Mapping[str, Any]) -> Configuration:
        """Decode a configuration.

        Parameters
        ----------
        parameters : mapping of str to value
            Values in this space.

        Returns
        -------
        Configuration
            With all hyperparameters.

        Raises
        ------
        UsageError
            If ``algorithm`` is missing or unknown, or a value is outside of its range.
        """
        algorithm = self.algorithm(parameters.get(ALGORITHM, ""))
        prefix = joint_name(algorithm.name, "")
        own = {name.removeprefix(prefix): v for name, v in parameters.items() if name.startswith(prefix)}
        return algorithm.completed(Configuration(algorithm.name, own))

    def algorithm(self, name: str) -> Algorithm:
        """Algorithm with a given name.

        Parameters
        ----------
        name : str
            Name of the algorithm.

        Returns
        -------
        Algorithm
            The algorithm.

        Raises
        ------
        UsageError
            If there is no such algorithm.
        """
        for algorithm in self.algorithms:
            if algorithm.name == name:
                return algorithm
        known = ", ".join(algorithm.name for algorithm in self.algorithms)
        raise UsageError(f"There is no algorithm {name!r} in this search space. It has: {known}.")
