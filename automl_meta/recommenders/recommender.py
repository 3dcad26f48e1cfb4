"""Recommender: the base class of all meta-models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from automl_meta._utils.isolation import default_settings
from automl_meta._utils.renaming import renamed
from automl_meta.exceptions import UsageError
from automl_meta.recommenders.difficulty_model import DifficultyModel
from automl_meta.recommenders.experience_matrix import ExperienceMatrix
from automl_meta.recommenders.metafeature_space import MetafeatureSpace
from automl_meta.recommenders.recommendation import Evidence, Neighbor, RankedConfiguration, Recommendation
from automl_meta.recommenders.seconds_model import SecondsModel, sizes_of
from automl_meta.records import MetaDataset
from automl_meta.transfer import NOISE, KnownTasks

__all__ = ["Choice", "Recommender"]

_COVERAGE = 0.8
_NORMAL_QUANTILE = 1.2816  # 90 % quantile, used where too few families are known to measure it
_FEWEST_FAMILIES = 5
_CALIBRATED_RANKS = 10  # intervals are calibrated on the configurations that would be recommended
_N_EVIDENCE, _N_NEAREST = 3, 5


class Choice(NamedTuple):
    """Input of the ranking: at most `n` of the columns `candidates`, with their `seconds` if these count."""

    known_tasks: KnownTasks
    candidates: NDArray[np.int64]
    n: int
    seconds: NDArray[np.float64] | None


class Recommender(BaseEstimator):
    """From experience to ranked configurations.

    All meta-models represent the task as `KnownTasks`: each known data set gives one plausible row of
    scores, shifted by the difference in difficulty that the meta-features predict, until a score was
    observed on the task itself. A subclass defines the weight of each known data set (`_weights`),
    predictions of its own (`_learn`, `_expected_gaps`), and the order in which configurations are
    tried (`_order`). Expected scores, intervals, durations, evidence and the far-away flag are shared.

    Intervals are conformal: the residuals of each known data set, predicted from the other
    families, determine how many standard deviations contain 80 % of them.

    Attributes
    ----------
    experience_ : ExperienceMatrix
        Training runs as matrices.
    """

    @default_settings()
    def fit(self, meta: MetaDataset) -> Self:
        """Learn from experience.

        Parameters
        ----------
        meta : MetaDataset
            Known runs for one metric and one task type. It is not modified.

        Returns
        -------
        Recommender
            The fitted recommender.

        Raises
        ------
        NoExperienceError
            If no run has a score.
        """
        self.experience_ = experience = ExperienceMatrix.from_meta_dataset(meta)
        self.metric_, self.task_type_ = meta.metric, meta.task_type
        self._space = MetafeatureSpace(meta.metafeatures.loc[experience.dataset_ids], experience.families)
        targets = np.column_stack([experience.best, np.log(experience.scale)])
        self._difficulty = DifficultyModel(self._space.known, targets, experience.families)
        self._known_best = self._difficulty.left_out[:, :1]
        self._seconds = SecondsModel(experience.sizes, experience.seconds)
        self._known_gaps = np.zeros((len(experience.best), 1))
        self._learn(experience)
        self._departures = experience.scores - self._known_best + self._known_gaps
        self._quantiles = self._calibrated_quantiles()
        return self

    @default_settings()
    def recommend(
        self,
        metafeatures: Mapping[str, float],
        n: int = 10,
        *,
        observed: Mapping[str, float] | None = None,
        fit_time_limit: float | None = None,
        remaining_seconds: float | None = None,
        fit_rows: float | None = None,
        time_limit: float | None = None,
    ) -> Recommendation:
        """Recommend configurations for a task.

        Parameters
        ----------
        metafeatures : mapping of str to float
            Meta-features of the task, NaN where one could not be computed; ``n_rows``, ``n_features``
            and other counts are used to predict durations. Unknown names are ignored.
        n : int, default=10
            Maximum number of configurations.
        observed : mapping of str to float, optional
            ``configuration_id`` to the score on the task itself, in the units of the experience;
            NaN if it failed. These configurations are not recommended again.
        fit_time_limit : float, optional
            Seconds of one fit; configurations predicted to take longer are left out, all but the
            quickest.
        remaining_seconds : float, optional
            Seconds of fits that are left to spend on the task; who pays five for a trial, as a
            five-fold cross-validation does, has a fifth of the budget. Configurations predicted
            to take longer are left out, as by `fit_time_limit`, and members that look for the
            greatest expected gain then look for it per square root of a second; without it only
            the number of trials counts.
        fit_rows : float, optional
            Number of training rows of a fit, from which its duration is predicted; all rows of the
            task by default.
        time_limit : float, optional
            Deprecated name of `fit_time_limit`.

        Returns
        -------
        Recommendation
            The first configuration is to be tried first.

        Raises
        ------
        UsageError
            If `n` is less than 1, or `fit_time_limit` or `remaining_seconds` is not positive.
        NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self, "experience_")
        if n < 1:
            raise UsageError(f"At least one configuration must be asked for; n is {n!r}.")
        fit_time_limit = renamed("time_limit", time_limit, "fit_time_limit", fit_time_limit)
        for name, limit in (("fit_time_limit", fit_time_limit), ("remaining_seconds", remaining_seconds)):
            if limit is not None and not limit > 0:
                raise UsageError(f"{name} must be a positive number of seconds or None; it is {limit!r}.")
        notes: list[str] = []
        point = self._space.locate(metafeatures)
        distances = self._space.distances(point)
        known_tasks = self._known_tasks(point, distances)
        columns, scores = self._observations(observed or {})
        if len(columns):
            # Observed scores determine the level better than meta-features do, and the unshifted
            # scores of the known data sets better determine which of them the task is like.
            lift = self._difficulty.predict(point)[0] - self._known_best
            known_tasks = replace(known_tasks, rows=known_tasks.rows - lift).observe(columns, scores)
        seconds = self._seconds.predict(sizes_of(metafeatures, fit_rows))
        limits = [limit for limit in (fit_time_limit, remaining_seconds) if limit is not None]
        candidates = self._candidates(observed or {}, seconds, min(limits, default=None), notes)
        costs = seconds if remaining_seconds is not None and self._seconds.has_times else None
        order = self._order(Choice(known_tasks, candidates, n, costs)) if len(candidates) else []
        nearest = float(distances.min())
        far = bool(self._space.is_far(nearest))
        self._note(notes, order, nearest, far)
        return Recommendation(
            metric=self.metric_.name,
            task_type=self.task_type_,
            configurations=self._ranked(order, known_tasks, seconds, distances),
            far_from_experience=far,
            distance=nearest,
            distance_percentile=self._space.percentile(nearest),
            nearest=self._neighbors(distances),
            recommender=type(self).__name__,
            notes=tuple(notes),
        )

    def expected_seconds(
        self, metafeatures: Mapping[str, float], fit_rows: float | None = None
    ) -> dict[str, float]:
        """Predict the duration of one fit of each known configuration on a task.

        Parameters
        ----------
        metafeatures : mapping of str to float
            Meta-features of the task.
        fit_rows : float, optional
            Number of training rows of a fit; all rows of the task by default.

        Returns
        -------
        dict of str to float
            ``configuration_id`` to seconds.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self, "experience_")
        seconds = self._seconds.predict(sizes_of(metafeatures, fit_rows))
        return dict(zip(self.experience_.configuration_ids, map(float, seconds), strict=True))

    # Overridden by subclasses --------------------------------------------------------------

    def _learn(self, experience: ExperienceMatrix) -> None:
        """Fit the part of the subclass; may set `_known_gaps` (n_datasets, n_configurations)."""

    def _weights(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unnormalised weights of the known data sets; uniform by default.

        Parameters
        ----------
        distances : ndarray of shape (n_tasks, n_datasets)
            inf where a data set must not count, all NaN if nothing is known about a task.
        """
        return np.where(np.isinf(distances), 0.0, 1.0)

    def _expected_gaps(self, point: NDArray[np.float64]) -> NDArray[np.float64] | float:
        """Predicted regret of each configuration, if the subclass has a model for it."""
        return 0.0

    def _order(self, choice: Choice) -> list[int]:
        """Columns of the recommended configurations, best first."""
        return choice.known_tasks.best_on_average(choice.candidates, choice.n)

    # Shared by all -------------------------------------------------------------------------

    def _normalized_weights(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = self._weights(distances)
        weights = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, 1.0)
        return weights / weights.sum(axis=1, keepdims=True)

    def _known_weights(self) -> NDArray[np.float64]:
        """Weights of the known data sets for each other, shape (n_datasets, n_datasets)."""
        return self._normalized_weights(self._space.between)

    def _known_tasks(self, point: NDArray[np.float64], distances: NDArray[np.float64]) -> KnownTasks:
        center = self._difficulty.predict(point)[0] - self._expected_gaps(point)
        weights = self._normalized_weights(distances[None, :])[0]
        return KnownTasks(center + self._departures, self.experience_.scale, weights)

    def _calibrated_quantiles(self) -> tuple[float, float]:
        """10 % and 90 % quantiles of the standardised residuals, each family predicted from the others."""
        experience = self.experience_
        if len(np.unique(experience.families)) < _FEWEST_FAMILIES:
            return -_NORMAL_QUANTILE, _NORMAL_QUANTILE
        weights = self._known_weights()
        mean = weights @ self._departures
        noise = NOISE * (weights @ experience.scale)[:, None]
        variance = np.maximum(weights @ self._departures**2 - mean**2, 0.0) + noise**2
        actual = experience.raw_scores - self._known_best + self._known_gaps
        residuals = (actual - mean) / np.sqrt(variance)
        expected = (weights / experience.scale) @ self._departures - self._known_gaps / experience.scale[
            :, None
        ]
        ranks = np.argsort(np.argsort(-expected, axis=1, kind="stable"), axis=1)
        residuals = residuals[(ranks < _CALIBRATED_RANKS) & experience.known]
        if not len(residuals):
            return -_NORMAL_QUANTILE, _NORMAL_QUANTILE
        tail = (1.0 - _COVERAGE) / 2.0
        low, high = np.quantile(residuals, [tail, 1.0 - tail])
        return float(low), float(high)

    def _observations(self, observed: Mapping[str, float]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        positions = {key: column for column, key in enumerate(self.experience_.configuration_ids)}
        pairs = sorted(
            (positions[key], score)
            for key, score in observed.items()
            if key in positions and np.isfinite(score)
        )
        columns = np.array([column for column, _ in pairs], dtype=np.int64)
        scores = np.array([score for _, score in pairs], dtype=np.float64)
        # The score of a diverged fit means "bad"; its order of magnitude means nothing.
        lowest = float((self.experience_.scores.min(axis=1) - self.experience_.scale).min())
        return columns, np.clip(scores, lowest, self.metric_.best)

    def _candidates(
        self,
        observed: Mapping[str, float],
        seconds: NDArray[np.float64],
        fit_time_limit: float | None,
        notes: list[str],
    ) -> NDArray[np.int64]:
        ids = self.experience_.configuration_ids
        candidates = np.array(
            [column for column, key in enumerate(ids) if key not in observed], dtype=np.int64
        )
        if not len(candidates):
            notes.append("All known configurations have been tried on this task.")
            return candidates
        if fit_time_limit is None:
            return candidates
        if not self._seconds.has_times:
            notes.append("No run has a known duration, so the time limit was not applied.")
            return candidates
        quick = candidates[seconds[candidates] <= fit_time_limit]
        if len(quick):
            notes.append(
                f"{len(candidates) - len(quick)} configurations are expected to exceed {fit_time_limit:g} s."
            )
            return quick
        notes.append(f"Every configuration is expected to exceed {fit_time_limit:g} s; this is the quickest.")
        return candidates[[int(np.argmin(seconds[candidates]))]]

    def _note(self, notes: list[str], order: list[int], nearest: float, far: bool) -> None:
        if np.isnan(nearest):
            notes.append("The task and the experience have no meta-feature in common.")
        elif far:
            notes.append(
                "The task is far from all known data sets; these configurations work well in general."
            )
        if order and not self._seconds.has_times:
            notes.append("No run has a known duration; expected_seconds is a placeholder of 1 s.")

    def _ranked(
        self,
        order: list[int],
        known_tasks: KnownTasks,
        seconds: NDArray[np.float64],
        distances: NDArray[np.float64],
    ) -> tuple[RankedConfiguration, ...]:
        best = self.metric_.best
        expected, chances = known_tasks.expected, known_tasks.chance_of_best()
        low, high = (expected + quantile * known_tasks.deviation for quantile in self._quantiles)
        low, high = np.minimum(low, expected), np.maximum(high, expected)
        return tuple(
            RankedConfiguration(
                rank=rank,
                configuration=self.experience_.configurations[column],
                expected_score=min(float(expected[column]), best),
                interval=(min(float(low[column]), best), min(float(high[column]), best)),
                expected_seconds=float(seconds[column]),
                chance_of_best=float(chances[column]),
                evidence=self._evidence(column, distances),
            )
            for rank, column in enumerate(order, start=1)
        )

    def _evidence(self, column: int, distances: NDArray[np.float64]) -> tuple[Evidence, ...]:
        experience = self.experience_
        rows = np.flatnonzero(experience.known[:, column])
        rows = rows[np.argsort(distances[rows], kind="stable")][:_N_EVIDENCE]
        return tuple(
            Evidence(
                dataset_id=experience.dataset_ids[row],
                dataset=experience.names[row],
                distance=float(distances[row]),
                score=float(experience.raw_scores[row, column]),
                run_id=str(experience.run_ids[row, column]),
                best_there=experience.winners[row],
            )
            for row in rows
        )

    def _neighbors(self, distances: NDArray[np.float64]) -> tuple[Neighbor, ...]:
        experience = self.experience_
        return tuple(
            Neighbor(
                dataset_id=experience.dataset_ids[row],
                dataset=experience.names[row],
                distance=float(distances[row]),
                best_algorithm=experience.winners[row],
                best_score=float(experience.best[row]),
            )
            for row in np.argsort(distances, kind="stable")[:_N_NEAREST]
        )
