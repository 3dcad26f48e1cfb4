"""Algorithm: something that can be recommended."""

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

# Some spaces have few values, and a sample then holds some configurations twice.
_OVERSAMPLED = 4

MakeEstimator = Callable[[Mapping[str, Any], TabularTask, int], BaseEstimator]
MakePreprocessing = Callable[[TabularTask, int], ColumnTransformer]


@dataclass(frozen=True)
class Algorithm:
    """Something that can be recommended: an estimator, its preprocessing and its search space.

    Parameters
    ----------
    name : str
        The key in the store, never renamed. An algorithm for classification and one for
        regression may share it.
    task_type : {"classification", "regression"}
        What it learns.
    description : str
        In plain words, for people who choose: what it does, when it is good.
    space : SearchSpace
        Of its hyperparameters.
    defaults : mapping of str to value
        Its default configuration, the library's own defaults where they lie in the space.
    estimator : callable
        ``estimator(parameters, task, seed)`` makes the unfitted scikit-learn estimator.
    preprocessing : callable
        ``preprocessing(task, seed)`` makes the unfitted transformer that comes before it.
    max_rows : int or None
        It is not tried on more rows, where it would take too long or too much memory.
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
            raise UsageError(f"The defaults of {self.name} do not lie in its space: {'; '.join(problems)}.")

    @property
    def default_configuration(self) -> Configuration:
        """The configuration with the default values."""
        return Configuration(self.name, self.defaults)

    def configurations(self, n_sampled: int, seed: int = 0) -> list[Configuration]:
        """The default, then `n_sampled` others that fill the space; fewer where it holds no more.

        Those for a smaller `n_sampled` come first, so that experience can grow by more of them.
        """
        found = {self.default_configuration: None}
        for parameters in self.space.sample(_OVERSAMPLED * n_sampled, seed):
            if len(found) > n_sampled:
                break
            found[Configuration(self.name, parameters)] = None
        return list(found)

    def supports(self, task: TabularTask) -> bool:
        """Whether it can be tried on this task."""
        return task.task_type == self.task_type and (self.max_rows is None or task.n_rows <= self.max_rows)

    def build(self, configuration: Configuration, task: TabularTask, seed: int = 0) -> Pipeline:
        """Make the unfitted pipeline for a task.

        Parameters
        ----------
        configuration : Configuration
            Of this algorithm. Parameters that it leaves out take their defaults.
        task : TabularTask
            Tells the kinds of the columns; its values are not learnt from.
        seed : int
            Decides all randomness of the pipeline.

        Returns
        -------
        Pipeline
            Steps ``"prepare"`` and ``"model"``, made of scikit-learn and LightGBM alone.

        Raises
        ------
        UsageError
            If the configuration is of another algorithm, or a value lies outside of the space.
        """
        parameters = self.completed(configuration).parameters
        return Pipeline(
            [("prepare", self.preprocessing(task, seed)), ("model", self.estimator(parameters, task, seed))]
        )

    def completed(self, configuration: Configuration) -> Configuration:
        """The same configuration with defaults where a parameter was left out.

        Raises
        ------
        UsageError
            If the configuration is of another algorithm, or a value lies outside of the space.
        """
        if configuration.algorithm != self.name:
            raise UsageError(f"{self.name} was given a configuration of {configuration.algorithm!r}.")
        parameters = dict(configuration.parameters)
        for name in self.space.distributions:
            if name not in parameters and name in self.defaults and self.space.is_active(name, parameters):
                parameters[name] = self.defaults[name]
        problems = self.space.problems(parameters)
        if problems:
            raise UsageError(f"This is no configuration of {self.name}: {'; '.join(problems)}.")
        return Configuration(self.name, parameters)
