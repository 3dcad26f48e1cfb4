"""JointSpace: the algorithm and the hyperparameters of each as one conditional search space."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution

from automl_meta.algorithms import ALGORITHMS, Algorithm, Condition, SearchSpace, algorithms_for
from automl_meta.automl.scoring import Scoring
from automl_meta.exceptions import UsageError
from automl_meta.experiments import takes_weights
from automl_meta.records import Configuration
from automl_meta.task import TabularTask

__all__ = ["ALGORITHM", "JointSpace"]

ALGORITHM = "algorithm"
"""Name of the parameter that all others depend on."""


@dataclass(frozen=True)
class JointSpace:
    """The algorithm and the hyperparameters of each as one conditional search space.

    The parameter ``algorithm`` chooses; those of an algorithm carry its name, as in
    ``"lightgbm.learning_rate"``, and are active only where it is chosen.

    Parameters
    ----------
    algorithms : tuple of Algorithm
        To choose from, of one type of task.

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

    @classmethod
    def for_task(
        cls,
        task: TabularTask,
        algorithms: Collection[str | Algorithm] | None,
        scoring: Scoring,
        *,
        weighted: bool = False,
    ) -> JointSpace:
        """The space of the algorithms that can be tried on so many rows, weigh them if they must, and can be scored.

        Parameters
        ----------
        task : TabularTask
            On which they are to be tried.
        algorithms : collection of str or Algorithm, optional
            To choose from, by name or your own; the whole catalogue by default.
        scoring : Scoring
            By which they are to be scored.
        weighted : bool
            Whether rows have weights.

        Raises
        ------
        UsageError
            If none is left.
        """
        given = None if algorithms is None else list(algorithms)
        named = None if given is None else [a for a in given if not isinstance(a, Algorithm)]
        own = [a for a in given or () if isinstance(a, Algorithm)]
        kept: list[Algorithm] = []
        for algorithm in [*(() if named == [] else algorithms_for(task.task_type, only=named)), *own]:
            if not algorithm.supports(task):
                continue
            pipeline = algorithm.build(algorithm.default_configuration, task)
            if weighted and not takes_weights(pipeline):
                continue
            if scoring.wants_probabilities and not hasattr(pipeline, "predict_proba"):
                continue
            kept.append(algorithm)
        if not kept:
            raise UsageError(
                f"None of the chosen algorithms can be tried on these {task.n_rows} rows"
                + (" with weights" if weighted else "")
                + f" and scored by {scoring.name}. Choose others."
            )
        return cls(tuple(kept))

    @cached_property
    def space(self) -> SearchSpace:
        """All of it, for any Optuna trial."""
        names = tuple(algorithm.name for algorithm in self.algorithms)
        distributions: dict[str, BaseDistribution] = {ALGORITHM: CategoricalDistribution(names)}
        conditions: dict[str, Condition] = {}
        for algorithm in self.algorithms:
            for name, distribution in algorithm.space.distributions.items():
                joint = f"{algorithm.name}.{name}"
                distributions[joint] = distribution
                inner = algorithm.space.conditions.get(name)
                conditions[joint] = (
                    Condition(ALGORITHM, (algorithm.name,))
                    if inner is None
                    else Condition(f"{algorithm.name}.{inner.parent}", inner.values)
                )
        return SearchSpace(distributions, conditions)

    def parameters(self, configuration: Configuration) -> dict[str, Any]:
        """The values of a configuration in this space, defaults where it left any out.

        Raises
        ------
        UsageError
            If the algorithm is not of this space, or a value lies outside of its own.
        """
        completed = self.algorithm(configuration.algorithm).completed(configuration)
        named = {f"{completed.algorithm}.{name}": value for name, value in completed.parameters.items()}
        return {ALGORITHM: completed.algorithm, **named}

    def configuration(self, parameters: Mapping[str, Any]) -> Configuration:
        """The configuration that values in this space mean.

        Raises
        ------
        UsageError
            If ``algorithm`` is missing or unknown, or a value lies outside of the space.
        """
        algorithm = self.algorithm(parameters.get(ALGORITHM, ""))
        prefix = f"{algorithm.name}."
        own = {name.removeprefix(prefix): v for name, v in parameters.items() if name.startswith(prefix)}
        return algorithm.completed(Configuration(algorithm.name, own))

    def own_algorithm(self, configuration: Configuration) -> Algorithm | None:
        """The algorithm of a configuration if it is not of the catalogue, where a worker would find it."""
        algorithm = self.algorithm(configuration.algorithm)
        return None if algorithm in ALGORITHMS else algorithm

    def algorithm(self, name: str) -> Algorithm:
        """The algorithm of that name.

        Raises
        ------
        UsageError
            If there is none.
        """
        for algorithm in self.algorithms:
            if algorithm.name == name:
                return algorithm
        known = ", ".join(algorithm.name for algorithm in self.algorithms)
        raise UsageError(f"There is no algorithm {name!r} in this search space. It has: {known}.")
