"""What a group of meta-features is, and how each of its values is described."""

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
    """One number that describes a task: what it is and who proposed it.

    Parameters
    ----------
    name : str
        The key in the store.
    description : str
        Its definition, in a sentence.
    source : str
        The paper it comes from.
    needs : str
        What a task must have for it to be defined, in words that end the sentence "it needs …";
        empty if it is always defined.
    task_types : tuple of {"classification", "regression"}
        The kinds of task it describes.
    """

    name: str
    description: str
    source: str
    needs: str = ""
    task_types: tuple[TaskType, ...] = ("classification", "regression")


class MetaFeatureExtractor(ABC):
    """A group of meta-features.

    A subclass says what it computes in `features` and computes it in `extract`. All that it
    needs comes from a `TaskView`, whose rows, columns and classes stand in an order that follows
    from their content: what is computed from it cannot depend on the order in the file, nor on
    the names of the labels. `automl_meta.testing.MetaFeatureExtractorContract` proves it.
    """

    name: ClassVar[str]
    """The group's name, such as ``"statistical"``."""
    version: ClassVar[int] = 1
    """Rises when the meaning of a value changes, so that stored values of old and new are not mixed."""
    features: ClassVar[tuple[MetaFeature, ...]]
    """What it computes."""

    def names(self, task_type: TaskType) -> tuple[str, ...]:
        """Names of the meta-features that describe tasks of this type."""
        return tuple(feature.name for feature in self.features if task_type in feature.task_types)

    @abstractmethod
    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the values.

        Parameters
        ----------
        view : TaskView
            The task and the blocks that all groups share.
        rng : Generator
            The only source of randomness.

        Returns
        -------
        dict of str to float
            One value for each of ``names(view.task_type)``; NaN where one is not defined, never an
            infinity or a number that stands for nothing. Names that ``view.budget`` left no time for
            are absent.
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
    """Describe the summaries of a quantity that has many values, such as one for each column.

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
    """Summarise the finite ones among many values of a quantity.

    Returns
    -------
    dict of str to float
        Keys are ``{name}_{statistic}``. ``sd`` has one degree of freedom less than there are
        values, and is 0 for a single one; all are NaN if there is none.
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
