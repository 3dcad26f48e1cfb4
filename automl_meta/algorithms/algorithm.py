"""Algorithm: an entry of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from automl_meta.algorithms.search_space import SearchSpace
from automl_meta.exceptions import UsageError
from automl_meta.metrics import TaskType
from automl_meta.records import Configuration
from automl_meta.task import TabularTask

__all__ = ["Algorithm"]

# Samples of small discrete spaces contain duplicates.
_OVERSAMPLING = 4

MakeEstimator = Callable[[Mapping[str, Any], TabularTask, int], BaseEstimator]
MakePreprocessing = Callable[[TabularTask, int], ColumnTransformer]


@dataclass(frozen=True)
class Algorithm:
    """Estimator with its preprocessing and search space.

    Parameters
    ----------
    name : str
        Key in the store; must never be renamed. A classification and a regression algorithm may
        share a name.
    task_type : {"classification", "regression"}
        Type of task.
    description : str
        Short description for users: principle, strengths and weaknesses.
    space : SearchSpace
        Search space of the hyperparameters.
    defaults : mapping of str to value
        Default configuration; the defaults of the underlying library where they lie in the space.
    estimator : callable
        ``estimator(parameters, task, seed)`` returns the unfitted scikit-learn estimator.
    preprocessing : callable
        ``preprocessing(task, seed)`` returns the unfitted transformer that precedes the estimator.
    max_rows : int or None, default=None
        Maximum number of rows, if time or memory would become prohibitive on more.
    """

    name: str
    task_type: TaskType
    description: str
    space: SearchSpace
    defaults: Mapping[str, Any]
    estimator: MakeEstimator
    preprocessing: MakePreprocessing
    max_rows: int | None = None

    def __post_init__(self) -> None:
        problems = self.space.problems(self.defaults)
        if problems:
            raise UsageError(f"The defaults of {self.name} are outside its space: {'; '.join(problems)}.")

    @property
    def default_configuration(self) -> Configuration:
        """Configuration with default values."""
        return Configuration(self.name, self.defaults)

    def configurations(self, n_sampled: int, seed: int = 0) -> list[Configuration]:
        """Return the default configuration, followed by a space-filling sample.

        The configurations for a smaller `n_sampled` are a prefix of those for a larger one, so that
        experience can be extended.

        Parameters
        ----------
        n_sampled : int
            Number of sampled configurations; fewer if the space is exhausted.
        seed : int, default=0
            Random seed.

        Returns
        -------
        list of Configuration
            Distinct configurations, the default first.
        """
        found = {self.default_configuration: None}
        for parameters in self.space.sample(_OVERSAMPLING * n_sampled, seed):
            if len(found) > n_sampled:
                break
            found[Configuration(self.name, parameters)] = None
        return list(found)

    def supports(self, task: TabularTask) -> bool:
        """Whether the algorithm is applicable to a task.

        Parameters
        ----------
        task : TabularTask
            Task to check.

        Returns
        -------
        bool
            False if the type of task differs, or the task has more than `max_rows` rows.
        """
        return task.task_type == self.task_type and (self.max_rows is None or task.n_rows <= self.max_rows)

    def build(self, configuration: Configuration, task: TabularTask, seed: int = 0) -> Pipeline:
        """Build the unfitted pipeline for a task.

        Parameters
        ----------
        configuration : Configuration
            Configuration of this algorithm; omitted parameters take their defaults.
        task : TabularTask
            Task that determines the column kinds; the pipeline is not fitted on it.
        seed : int, default=0
            Random seed of all steps.

        Returns
        -------
        Pipeline
            Pipeline with steps ``"prepare"`` and ``"model"``, composed of scikit-learn and LightGBM
            estimators only.

        Raises
        ------
        UsageError
            If the configuration belongs to another algorithm, or a value is outside the space.
        """
        parameters = self.completed(configuration).parameters
        return Pipeline(
            [("prepare", self.preprocessing(task, seed)), ("model", self.estimator(parameters, task, seed))]
        )

    def completed(self, configuration: Configuration) -> Configuration:
        """Fill in defaults for the parameters that a configuration omits.

        Parameters
        ----------
        configuration : Configuration
            Configuration of this algorithm.

        Returns
        -------
        Configuration
            Complete and valid configuration.

        Raises
        ------
        UsageError
            If the configuration belongs to another algorithm, or a value is outside the space.
        """
        if configuration.algorithm != self.name:
            raise UsageError(
                f"The configuration belongs to {configuration.algorithm!r}; {self.name} expects one of its own."
            )
        parameters = dict(configuration.parameters)
        for name in self.space.distributions:
            if name not in parameters and name in self.defaults and self.space.is_active(name, parameters):
                parameters[name] = self.defaults[name]
        problems = self.space.problems(parameters)
        if problems:
            raise UsageError(f"Invalid configuration of {self.name}: {'; '.join(problems)}.")
        return Configuration(self.name, parameters)
