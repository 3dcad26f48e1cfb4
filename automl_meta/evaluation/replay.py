"""Replay of stored runs: the scores that following the recommendations would have reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from automl_meta.evaluation.families import merged_families
from automl_meta.evaluation.game import Outcomes, all_outcomes, judged, play_seconds, play_trials
from automl_meta.evaluation.intervals import expected_best_of_random, expected_best_within
from automl_meta.evaluation.replay_report import ReplayReport
from automl_meta.exceptions import NoExperienceError, UsageError
from automl_meta.recommenders import Recommender
from automl_meta.records import MetaDataset

__all__ = ["leave_family_out"]


def leave_family_out(
    meta: MetaDataset,
    recommenders: Mapping[str, Recommender],
    *,
    ks: Sequence[int] = (1, 3, 5, 10),
    seconds: Sequence[float] = (1.0, 10.0, 60.0),
    feedback: bool = True,
    frugal: bool = True,
    known_share: float = 1.0,
    baselines: Mapping[str, str] | None = None,
    n_splits: int | None = None,
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Evaluate recommenders by leave-one-family-out cross-validation over the data sets of the experience.

    Nothing is fitted but the recommenders: scores are looked up. A recommended configuration
    without a run on the data set is skipped; a failed one has the regret 1. Families with data
    sets that are copies of each other (equal meta-features or equal scores) are merged, with a
    note.

    Parameters
    ----------
    meta : MetaDataset
        Experience.
    recommenders : mapping of str to Recommender
        Recommenders by name; they are cloned before fitting.
    ks : sequence of int, default=(1, 3, 5, 10)
        Numbers of trials after which to report the regret.
    seconds : sequence of float, default=(1, 10, 60)
        Time budgets for which to report the regret. A trial costs five fits, and counts if it
        ends within the budget. May be empty.
    feedback : bool, default=True
        Whether to ask for one configuration at a time and report the scores of earlier trials,
        as tuning does, or to ask once for a list.
    frugal : bool, default=True
        Whether to pass the remaining budget to the recommenders.
    known_share : float, default=1.0
        Share of the other families to fit on, drawn for each fold. Smaller shares give the
        learning curve.
    baselines : mapping of str to str, optional
        Names of baselines and the ``configuration_id`` that each always uses. The baseline
        ``random`` is always included.
    n_splits : int or None, default=None
        Number of folds; None holds out one family at a time.
    random_state : int, default=0
        Random seed of the folds, the known families and the orders of ``random``.
    progress : callable, optional
        Called as ``progress(n_done, n_folds)`` after each fold.

    Returns
    -------
    ReplayReport
        Regrets, ranks and coverage of intervals.

    Raises
    ------
    UsageError
        If a name is used twice, a baseline is unknown, or a number is out of range.
    NoExperienceError
        If fewer than two families have a score.
    """
    baselines = dict(baselines or {})
    _check(meta, recommenders, ks, seconds, known_share, baselines, n_splits)
    outcomes = all_outcomes(meta)
    families, notes = merged_families(meta)
    families = families.loc[list(outcomes)]
    folds = _folds(families, n_splits, random_state)
    seeds = np.random.default_rng(random_state).integers(2**31, size=len(folds))
    report = _Report(tuple(ks), tuple(seconds))
    for number, held_out in enumerate(folds):
        others = families[~families.isin(families[held_out])]
        known = _some_families(others, known_share, int(seeds[number]))
        training = meta.select(datasets=list(known.index))
        for name, recommender in recommenders.items():
            fitted = clone(recommender).fit(training)
            for dataset_id in held_out:
                report.add_recommender(name, dataset_id, fitted, outcomes[dataset_id], feedback, frugal)
        if progress is not None:
            progress(number + 1, len(folds))
    for dataset_id, outcome in outcomes.items():
        report.add_random(dataset_id, outcome, random_state)
        for name, configuration_id in baselines.items():
            report.add_constant(name, dataset_id, outcome, configuration_id)
    return ReplayReport(
        meta.metric.name,
        meta.task_type,
        tuple(ks),
        tuple(seconds),
        tuple(recommenders),
        **report.frames(families),
        notes=notes,
    )


@dataclass
class _Report:
    """Rows of the frames of a `ReplayReport`."""

    ks: tuple[int, ...]
    seconds: tuple[float, ...]
    regrets: list[dict[str, Any]] = field(default_factory=list)
    timed_regrets: list[dict[str, Any]] = field(default_factory=list)
    first_picks: list[dict[str, Any]] = field(default_factory=list)
    intervals: list[dict[str, Any]] = field(default_factory=list)

    def frames(self, families: pd.Series) -> dict[str, pd.DataFrame]:
        columns = {
            "regrets": ["name", "dataset_id", "k", "regret", "normalized_regret"],
            "timed_regrets": ["name", "dataset_id", "seconds", "regret", "normalized_regret"],
            "first_picks": ["name", "dataset_id", "rank"],
            "intervals": ["name", "dataset_id", "rank", "covered", "width", "chance_of_best", "is_best"],
        }
        frames = {key: pd.DataFrame(getattr(self, key), columns=names) for key, names in columns.items()}
        return {
            key: frame.assign(family=families.reindex(frame["dataset_id"]).to_numpy())
            for key, frame in frames.items()
        }

    def add_recommender(
        self, name: str, dataset_id: str, fitted: Recommender, known: Outcomes, feedback: bool, frugal: bool
    ) -> None:
        picks = play_trials(fitted, known, max(self.ks), feedback=feedback)
        regrets = known.regrets[picks]
        by_trials = [float(regrets[:k].min()) if len(picks) else np.nan for k in self.ks]
        by_seconds = [
            play_seconds(fitted, known, budget, feedback=feedback, frugal=frugal) for budget in self.seconds
        ]
        self._add(name, dataset_id, known.scale, by_trials, by_seconds)
        if picks:
            self._add_rank(name, dataset_id, known.ranks[picks[0]])
        everything = fitted.recommend(known.task, len(known.configuration_ids), observed=known.untried)
        for rank, (position, ranked) in enumerate(judged(known, everything.configurations), start=1):
            low, high = ranked.interval
            score = known.scores[position]
            self.intervals.append(
                {
                    "name": name,
                    "dataset_id": dataset_id,
                    "rank": rank,
                    "covered": float(low <= score <= high) if np.isfinite(score) else np.nan,
                    "width": high - low,
                    "chance_of_best": ranked.chance_of_best,
                    "is_best": float(known.regrets[position] == 0.0),
                }
            )

    def add_random(self, dataset_id: str, known: Outcomes, random_state: int) -> None:
        by_trials = [expected_best_of_random(known.regrets, k) for k in self.ks]
        timed = np.isfinite(known.seconds)
        by_seconds = [
            expected_best_within(
                known.regrets[timed], known.seconds[timed], budget, random_state=random_state
            )
            for budget in self.seconds
        ]
        self._add("random", dataset_id, known.scale, by_trials, by_seconds)
        self._add_rank("random", dataset_id, (len(known.regrets) + 1) / 2.0)

    def add_constant(self, name: str, dataset_id: str, known: Outcomes, configuration_id: str) -> None:
        position = known.position(configuration_id)
        regret = np.nan if position is None else float(known.regrets[position])
        cost = np.nan if position is None else float(known.seconds[position])
        by_seconds = [regret if cost <= budget else 1.0 for budget in self.seconds]
        if not np.isfinite(cost):
            by_seconds = [np.nan] * len(self.seconds)
        self._add(name, dataset_id, known.scale, [regret] * len(self.ks), by_seconds)
        self._add_rank(name, dataset_id, np.nan if position is None else known.ranks[position])

    def _add_rank(self, name: str, dataset_id: str, rank: float) -> None:
        self.first_picks.append({"name": name, "dataset_id": dataset_id, "rank": float(rank)})

    def _add(
        self,
        name: str,
        dataset_id: str,
        scale: float,
        by_trials: Sequence[float],
        by_seconds: Sequence[float],
    ) -> None:
        for rows, key, points, values in (
            (self.regrets, "k", self.ks, by_trials),
            (self.timed_regrets, "seconds", self.seconds, by_seconds),
        ):
            rows.extend(
                {
                    "name": name,
                    "dataset_id": dataset_id,
                    key: point,
                    "regret": scale * value,
                    "normalized_regret": value,
                }
                for point, value in zip(points, values, strict=True)
            )


def _some_families(others: pd.Series, share: float, seed: int) -> pd.Series:
    """Keep the data sets of a share of the families, at least two."""
    names = np.array(sorted(others.unique()), dtype=object)
    n_kept = min(len(names), max(2, round(share * len(names))))
    if n_kept == len(names):
        return others
    kept = np.random.default_rng(seed).permutation(names)[:n_kept]
    return others[others.isin(kept)]


def _folds(families: pd.Series, n_splits: int | None, random_state: int) -> list[list[str]]:
    """Split the data sets into folds; the data sets of a family are in the same fold."""
    names: NDArray[np.object_] = np.array(sorted(families.unique()), dtype=object)
    if len(names) < 2:
        raise NoExperienceError(
            f"A replay holds out one family of data sets at a time, so at least 2 families need a score; there "
            f"are {len(names)}. Collect runs on more data sets."
        )
    names = np.random.default_rng(random_state).permutation(names)
    n_folds = len(names) if n_splits is None else min(n_splits, len(names))
    return [sorted(families.index[families.isin(names[fold::n_folds])]) for fold in range(n_folds)]


def _check(
    meta: MetaDataset,
    recommenders: Mapping[str, Recommender],
    ks: Sequence[int],
    seconds: Sequence[float],
    known_share: float,
    baselines: Mapping[str, str],
    n_splits: int | None,
) -> None:
    if not ks or min(ks) < 1:
        raise UsageError(f"ks must be whole numbers from 1; they are {list(ks)!r}.")
    if any(not budget > 0.0 for budget in seconds):
        raise UsageError(f"seconds must be positive numbers; they are {list(seconds)!r}.")
    if not 0.0 < known_share <= 1.0:
        raise UsageError(f"known_share must be above 0 and at most 1; it is {known_share!r}.")
    if n_splits is not None and n_splits < 2:
        raise UsageError(f"n_splits must be at least 2, or None; it is {n_splits!r}.")
    twice = (set(recommenders) & set(baselines)) | ({"random"} & (set(recommenders) | set(baselines)))
    if twice:
        raise UsageError(
            f"Names of recommenders and baselines must differ, and 'random' is reserved: rename {sorted(twice)}."
        )
    for name, configuration_id in baselines.items():
        if configuration_id not in meta.configurations.index:
            raise UsageError(
                f"The baseline {name!r} is the configuration {configuration_id!r}, which has no runs."
            )
