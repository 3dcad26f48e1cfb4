"""JointSpace: conditional search space over algorithms and their hyperparameters."""

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
    """Return the name of an algorithm's hyperparameter in a joint space.

    Parameters
    ----------
    algorithm, parameter : str
        Names of the algorithm and of its hyperparameter.

    Returns
    -------
    str
        Both names, joined by a dot.

    Examples
    --------
    >>> joint_name("knn", "n_neighbors")
    'knn.n_neighbors'
    """
    return f"{algorithm}.{parameter}"


def joint_parameters(configuration: Configuration) -> dict[str, Any]:
    """Convert a configuration to parameters of a joint space, without validation.

    Parameters
    ----------
    configuration : Configuration
        Configuration of any algorithm.

    Returns
    -------
    dict of str to object
        Parameters, `ALGORITHM` first.

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
    """Conditional search space over algorithms and their hyperparameters.

    The parameter ``algorithm`` selects the algorithm. Hyperparameters are prefixed by the name of
    their algorithm, as in ``"lightgbm.learning_rate"``, and active only if it is selected.

    Parameters
    ----------
    algorithms : tuple of Algorithm
        Candidate algorithms for one type of task.

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
        """Search space of all parameters."""
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
        """Convert a configuration to parameters of this space, filling in defaults.

        Parameters
        ----------
        configuration : Configuration
            Configuration of one of the algorithms.

        Returns
        -------
        dict of str to object
            Parameters, `ALGORITHM` first.

        Raises
        ------
        UsageError
            If the algorithm is not part of this space, or a value is outside the algorithm's space.
        """
        return joint_parameters(self.algorithm(configuration.algorithm).completed(configuration))

    def configuration(self, parameters: Mapping[str, Any]) -> Configuration:
        """Convert parameters of this space to a configuration, filling in defaults.

        Parameters
        ----------
        parameters : mapping of str to object
            Parameters; those of other algorithms are ignored.

        Returns
        -------
        Configuration
            Configuration of the selected algorithm.

        Raises
        ------
        UsageError
            If ``algorithm`` is missing or unknown, or a value is outside the space.
        """
        algorithm = self.algorithm(parameters.get(ALGORITHM, ""))
        prefix = joint_name(algorithm.name, "")
        own = {name.removeprefix(prefix): v for name, v in parameters.items() if name.startswith(prefix)}
        return algorithm.completed(Configuration(algorithm.name, own))

    def algorithm(self, name: str) -> Algorithm:
        """Look up an algorithm by name.

        Parameters
        ----------
        name : str
            Name of the algorithm.

        Returns
        -------
        Algorithm
            The algorithm of this name.

        Raises
        ------
        UsageError
            If this space has no such algorithm.
        """
        for algorithm in self.algorithms:
            if algorithm.name == name:
                return algorithm
        known = ", ".join(algorithm.name for algorithm in self.algorithms)
        raise UsageError(f"There is no algorithm {name!r} in this search space. It has: {known}.")
