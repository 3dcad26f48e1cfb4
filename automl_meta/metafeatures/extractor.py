"""Base class of groups of meta-features, and definitions of single meta-features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType

__all__ = ["ALL_SUMMARIES", "MetaFeature", "MetaFeatureExtractor", "Summary", "summaries", "summarised"]

Summary = Literal["min", "mean", "max", "sd"]
ALL_SUMMARIES: tuple[Summary, ...] = ("min", "mean", "max", "sd")
_IN_WORDS = {"min": "Minimum", "mean": "Mean", "max": "Maximum", "sd": "Standard deviation"}


@dataclass(frozen=True)
class MetaFeature:
    """Definition of a meta-feature.

    Parameters
    ----------
    name : str
        Key in the store.
    description : str
        Definition, as a sentence.
    source : str
        Publication that proposed it.
    needs : str
        What a task must have for the meta-feature to be defined, completing the sentence
        "it needs …"; empty if it is always defined.
    task_types : tuple of {"classification", "regression"}
        Types of task that it describes.
    """

    name: str
    description: str
    source: str
    needs: str = ""
    task_types: tuple[TaskType, ...] = ("classification", "regression")


class MetaFeatureExtractor(ABC):
    """Base class of groups of meta-features.

    A subclass declares its meta-features in `features` and computes them in `extract`. Its input
    is a `TaskView`, whose rows, columns and classes are in canonical order: the results are
    invariant to the order of rows and columns and to class names.
    `automl_meta.testing.metafeatures.MetaFeatureExtractorContract` tests this.
    """

    name: ClassVar[str]
    """Name of the group, such as ``"statistical"``."""
    version: ClassVar[int] = 1
    """Must be incremented when the meaning of a value changes, so that stored values stay comparable."""
    stochastic: ClassVar[bool] = True
    """Whether values depend on the seed even if the task is small enough not to be subsampled."""
    features: ClassVar[tuple[MetaFeature, ...]]
    """Definitions of the meta-features."""

    def names(self, task_type: TaskType) -> tuple[str, ...]:
        """List the names of the meta-features for a type of task.

        Parameters
        ----------
        task_type : {"classification", "regression"}
            Type of task.

        Returns
        -------
        tuple of str
            In the order of `features`.
        """
        return tuple(feature.name for feature in self.features if task_type in feature.task_types)

    @abstractmethod
    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the meta-features.

        Parameters
        ----------
        view : TaskView
            Task with intermediate results shared by all groups.
        rng : Generator
            The only source of randomness.

        Returns
        -------
        dict of str to float
            Value of each of ``names(view.task_type)``; NaN where undefined, never infinite or a
            sentinel value. Names are absent if ``view.budget`` was exhausted before they were
            computed.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def summarised(
    name: str,
    description: str,
    source: str,
    needs: str = "",
    task_types: tuple[TaskType, ...] = ("classification", "regression"),
    statistics: Iterable[Summary] = ALL_SUMMARIES,
) -> tuple[MetaFeature, ...]:
    """Define summaries of a quantity with many values, such as one per column.

    Examples
    --------
    >>> summarised("skewness", "the skewness of each column", "a paper", statistics=("max",))[0].description
    'Maximum of the skewness of each column.'
    """
    return tuple(
        MetaFeature(
            f"{name}_{statistic}", f"{_IN_WORDS[statistic]} of {description}.", source, needs, task_types
        )
        for statistic in statistics
    )


def summaries(
    name: str, values: NDArray[np.float64], statistics: Iterable[Summary] = ALL_SUMMARIES
) -> dict[str, float]:
    """Summarise the finite values of a quantity.

    Returns
    -------
    dict of str to float
        Keys are ``{name}_{statistic}``. ``sd`` is the sample standard deviation (``ddof=1``), 0 for
        a single value; all are NaN if there are no finite values.
    """
    values = values[np.isfinite(values)]
    if values.size == 0:
        return {f"{name}_{statistic}": float("nan") for statistic in statistics}
    computed: dict[Summary, Callable[[], float]] = {
        "min": values.min,
        "mean": values.mean,
        "max": values.max,
        "sd": lambda: values.std(ddof=1) if values.size > 1 else 0.0,
    }
    return {f"{name}_{statistic}": float(computed[statistic]()) for statistic in statistics}
