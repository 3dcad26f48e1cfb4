"""Recommendation: ranked configurations, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from automl_meta._utils.plain import plain
from automl_meta.metrics import TaskType
from automl_meta.records import Configuration

__all__ = ["Evidence", "Neighbor", "RankedConfiguration", "Recommendation"]


@dataclass(frozen=True)
class Evidence:
    """A run that speaks for a configuration.

    Parameters
    ----------
    dataset_id, dataset : str
        The known data set it was made on: its key and its name.
    distance : float
        How far that data set is from the task asked about; NaN if that is unknown.
    score : float
        What the configuration reached there, greater is better, in the units of the experience.
    run_id : str
        Name of the run in the store.
    best_there : str
        Name of the algorithm that won on that data set.
    """

    dataset_id: str
    dataset: str
    distance: float
    score: float
    run_id: str
    best_there: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return plain(vars(self))


@dataclass(frozen=True)
class Neighbor:
    """A known data set that is near the task asked about.

    Parameters
    ----------
    dataset_id, dataset : str
        Its key and its name.
    distance : float
        Mean absolute difference over the scaled meta-features; NaN if none is shared.
    best_algorithm : str
        What won there.
    best_score : float
        With this score, greater is better, in the units of the experience.
    """

    dataset_id: str
    dataset: str
    distance: float
    best_algorithm: str
    best_score: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return plain(vars(self))


@dataclass(frozen=True)
class RankedConfiguration:
    """A configuration at its place in a recommendation.

    Parameters
    ----------
    rank : int
        From 1. A portfolio's later places complement the earlier ones: they are what to try next
        if these disappoint, not always the next best on average.
    configuration : Configuration
        What to try.
    expected_score : float
        Mean of the predictive distribution, greater is better.
    interval : tuple of float
        Low and high end of the 80 % interval around it.
    expected_seconds : float
        Predicted CPU seconds of one fit, on all rows unless asked for fewer.
    chance_of_best : float
        Probability to be the best of all known configurations; they sum to one over all of these.
    evidence : tuple of Evidence
        Runs of it on known data sets, the nearest first.
    """

    rank: int
    configuration: Configuration
    expected_score: float
    interval: tuple[float, float]
    expected_seconds: float
    chance_of_best: float
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return {
            "rank": self.rank,
            "algorithm": self.configuration.algorithm,
            "configuration": plain(self.configuration.parameters),
            "configuration_id": self.configuration.configuration_id,
            "expected_score": plain(self.expected_score),
            "interval": plain(self.interval),
            "expected_seconds": plain(self.expected_seconds),
            "chance_of_best": plain(self.chance_of_best),
            "evidence": [run.to_dict() for run in self.evidence],
        }


@dataclass(frozen=True)
class Recommendation:
    """What to try on a task, and why.

    Parameters
    ----------
    metric : str
        Name of the metric of all scores.
    task_type : {"classification", "regression"}
        Of the task and of all experience used.
    configurations : tuple of RankedConfiguration
        The first to try comes first.
    far_from_experience : bool
        True if nearly all known data sets have a nearer neighbour than the task has: advice is
        then hardly more than what works everywhere.
    distance : float
        To the nearest known data set; NaN if the task and the experience share no meta-feature.
    distance_percentile : float
        Share (0 to 1) of the known data sets whose own nearest neighbour, out of their family,
        is nearer than that; NaN if it cannot be said.
    nearest : tuple of Neighbor
        The nearest known data sets.
    recommender : str
        Class name of who says so.
    notes : tuple of str
        What was decided on the way, in words.
    """

    metric: str
    task_type: TaskType
    configurations: tuple[RankedConfiguration, ...]
    far_from_experience: bool
    distance: float
    distance_percentile: float
    nearest: tuple[Neighbor, ...]
    recommender: str
    notes: tuple[str, ...] = field(default=())

    def rescaled(self, factor: float) -> Recommendation:
        """Give the same advice with expected scores and intervals times `factor`.

        For metrics in the unit of the target, whose experience is kept per standard deviation:
        `factor` is the standard deviation of the task's own target. Scores on other data sets
        (evidence, nearest) stay per standard deviation of theirs.
        """
        scaled = tuple(
            replace(
                ranked,
                expected_score=ranked.expected_score * factor,
                interval=(ranked.interval[0] * factor, ranked.interval[1] * factor),
            )
            for ranked in self.configurations
        )
        return replace(self, configurations=scaled)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return {
            "task_type": self.task_type,
            "metric": self.metric,
            "recommender": self.recommender,
            "recommendations": [ranked.to_dict() for ranked in self.configurations],
            "far_from_experience": self.far_from_experience,
            "distance": plain(self.distance),
            "distance_percentile": plain(self.distance_percentile),
            "nearest": [neighbor.to_dict() for neighbor in self.nearest],
            "notes": list(self.notes),
        }
