"""Recommendation: ranked configurations with their evidence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from automl_meta._utils.plain import plain
from automl_meta.metrics import TaskType
from automl_meta.records import Configuration

__all__ = ["Evidence", "Neighbor", "RankedConfiguration", "Recommendation"]


@dataclass(frozen=True)
class Evidence:
    """A run that supports a configuration.

    Parameters
    ----------
    dataset_id, dataset : str
        Id and name of the data set of the run.
    distance : float
        Distance of that data set from the new task; NaN if unknown.
    score : float
        Score of the configuration on it, greater is better, in the units of the experience.
    run_id : str
        Id of the run in the store.
    best_there : str
        Name of the best algorithm on that data set.
    """

    dataset_id: str
    dataset: str
    distance: float
    score: float
    run_id: str
    best_there: str

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON.

        Returns
        -------
        dict
            NaN becomes None.
        """
        return plain(vars(self))


@dataclass(frozen=True)
class Neighbor:
    """A known data set near the new task.

    Parameters
    ----------
    dataset_id, dataset : str
        Id and name of the data set.
    distance : float
        Mean absolute difference of the scaled meta-features; NaN if they have none in common.
    best_algorithm : str
        Name of the best algorithm on it.
    best_score : float
        Score of that algorithm, greater is better, in the units of the experience.
    """

    dataset_id: str
    dataset: str
    distance: float
    best_algorithm: str
    best_score: float

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON.

        Returns
        -------
        dict
            NaN becomes None.
        """
        return plain(vars(self))


@dataclass(frozen=True)
class RankedConfiguration:
    """A configuration with its rank in a recommendation.

    Parameters
    ----------
    rank : int
        Rank, starting at 1. In a portfolio, later configurations complement the earlier ones: they
        are to be tried next if these disappoint, and need not be the next best on average.
    configuration : Configuration
        Algorithm and hyperparameters.
    expected_score : float
        Mean of the predictive distribution, greater is better.
    interval : tuple of float
        Lower and upper end of the 80 % prediction interval.
    expected_seconds : float
        Predicted CPU seconds of one fit, on all rows by default.
    chance_of_best : float
        Probability of being the best of all known configurations, over which it sums to one.
    evidence : tuple of Evidence
        Runs of the configuration on known data sets, nearest first.
    """

    rank: int
    configuration: Configuration
    expected_score: float
    interval: tuple[float, float]
    expected_seconds: float
    chance_of_best: float
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON.

        Returns
        -------
        dict
            NaN becomes None.
        """
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
    """Ranked configurations for a task, with their evidence.

    Parameters
    ----------
    metric : str
        Name of the metric of all scores.
    task_type : {"classification", "regression"}
        Task type.
    configurations : tuple of RankedConfiguration
        Best first.
    far_from_experience : bool
        Whether nearly all known data sets have a nearer neighbour than the task has: the
        recommendation is then hardly specific to the task.
    distance : float
        Distance to the nearest known data set; NaN without a common meta-feature.
    distance_percentile : float
        Share (0 to 1) of the known data sets whose own nearest neighbour outside their family is
        nearer than that; NaN if unknown.
    nearest : tuple of Neighbor
        Nearest known data sets.
    recommender : str
        Class name of the recommender.
    notes : tuple of str
        Decisions made on the way, as sentences.
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
        """Multiply expected scores and intervals by a factor.

        For metrics in the unit of the target, whose experience is in units of its standard deviation.
        Scores on other data sets (evidence, nearest) remain in units of theirs.

        Parameters
        ----------
        factor : float
            Standard deviation of the target of the task.

        Returns
        -------
        Recommendation
            A rescaled copy.
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
        """Convert to plain values for JSON.

        Returns
        -------
        dict
            NaN becomes None.
        """
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
