"""Simulated tuning on stored runs: the scores that following the advice would have reached."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from automl_meta.recommenders import RankedConfiguration, Recommender
from automl_meta.records import MetaDataset
from automl_meta.transfer import regret_scales

__all__ = ["FITS_OF_A_TRIAL", "Outcomes", "all_outcomes", "judged", "play_seconds", "play_trials"]

FITS_OF_A_TRIAL = 5
"""Cost of a trial in fits: those of a five-fold cross-validation."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Stored results on one data set.

    Parameters
    ----------
    task : dict of str to float
        Input of a recommender: sizes and meta-features.
    configuration_ids : tuple of str
        Evaluated configurations, including failed ones.
    scores, regrets, ranks, seconds : ndarray of shape (n_tried,)
        Score, NaN if failed; normalised regret, 1 if failed; rank from 1; seconds of a trial, NaN
        if unknown.
    scale : float
        Regret in the unit of the metric that corresponds to a normalised regret of 1.
    untried : dict of str to float
        Configurations without a run on this data set, mapped to NaN. They are passed to a
        recommender as observed so that it does not recommend them: their result is unknown.
    fit_rows : float
        Number of rows in each training fold.
    """

    task: Mapping[str, float]
    configuration_ids: tuple[str, ...]
    scores: NDArray[np.float64]
    regrets: NDArray[np.float64]
    ranks: NDArray[np.float64]
    seconds: NDArray[np.float64]
    scale: float
    untried: Mapping[str, float]
    fit_rows: float

    def position(self, configuration_id: str) -> int | None:
        """Return the index of a configuration in the arrays; None if it was not evaluated."""
        try:
            return self.configuration_ids.index(configuration_id)
        except ValueError:
            return None


def all_outcomes(meta: MetaDataset) -> dict[str, Outcomes]:
    """Collect the results on each data set with at least one successful run."""
    scored = meta.scores.notna().any(axis=1)
    dataset_ids = meta.datasets.index[scored]
    scores, tried = meta.scores[scored].to_numpy(np.float64), meta.tried[scored].to_numpy(bool)
    fits, whole = (frame[scored].to_numpy(np.float64) for frame in (meta.fit_seconds, meta.seconds))
    # A failed run costs the time until its end.
    seconds = np.where(np.isnan(scores), whole, FITS_OF_A_TRIAL * fits)
    best, scale = regret_scales(scores)
    regrets = np.nan_to_num(np.minimum((best[:, None] - scores) / scale[:, None], 1.0), nan=1.0)
    ids = meta.configurations.index.to_numpy(dtype=object)
    return {
        str(dataset_id): Outcomes(
            task=_description(meta, dataset_id),
            configuration_ids=tuple(ids[there]),
            scores=scores[row, there],
            regrets=regrets[row, there],
            ranks=rankdata(-np.nan_to_num(scores[row, there], nan=-np.inf)),
            seconds=seconds[row, there],
            scale=float(scale[row]),
            untried=dict.fromkeys(map(str, ids[~there]), math.nan),
            fit_rows=float(meta.datasets["fit_rows"][dataset_id]),
        )
        for row, (dataset_id, there) in enumerate(zip(dataset_ids, tried, strict=True))
    }


def play_trials(fitted: Recommender, known: Outcomes, n: int, *, feedback: bool) -> list[int]:
    """Return the indices of the first `n` configurations that would be tried.

    Parameters
    ----------
    fitted : Recommender
        Fitted without this data set.
    known : Outcomes
        Stored results on the data set.
    n : int
        Number of trials.
    feedback : bool
        Whether to ask for one configuration at a time and report the scores of earlier trials,
        or to ask once for a list.

    Returns
    -------
    list of int
        Indices into the arrays of `known`.
    """
    if not feedback:
        advice = fitted.recommend(known.task, n, observed=known.untried)
        return [position for position, _ in judged(known, advice.configurations)]
    picks: list[int] = []
    while len(picks) < n and (pick := _next(fitted, known, picks)) is not None:
        picks.append(pick)
    return picks


def play_seconds(
    fitted: Recommender, known: Outcomes, budget: float, *, feedback: bool, frugal: bool
) -> float:
    """Compute the normalised regret reached within a time budget.

    A trial costs five fits and counts if it ends within the budget; without such a trial the
    regret is 1.

    Parameters
    ----------
    fitted, known, feedback
        As for `play_trials`.
    budget : float
        Seconds.
    frugal : bool
        Whether to pass the remaining budget to the recommender.

    Returns
    -------
    float
        Between 0 (best known score) and 1.
    """
    reached, left = 1.0, budget
    for pick in _tried_within(fitted, known, budget, feedback=feedback, frugal=frugal):
        left -= known.seconds[pick]
        if left < 0.0:
            break
        reached = min(reached, float(known.regrets[pick]))
    return reached


def _tried_within(
    fitted: Recommender, known: Outcomes, budget: float, *, feedback: bool, frugal: bool
) -> Iterator[int]:
    """Yield the index of each trial; stops at the best known configuration."""
    if not feedback:
        remaining = budget / FITS_OF_A_TRIAL if frugal else None
        advice = fitted.recommend(
            known.task,
            len(known.configuration_ids),
            observed=known.untried,
            remaining_seconds=remaining,
            fit_rows=known.fit_rows,
        )
        for position, _ in judged(known, advice.configurations):
            if np.isfinite(known.seconds[position]):
                yield position
        return
    picks: list[int] = []
    left = budget
    while left > 0.0:
        remaining = left / FITS_OF_A_TRIAL if frugal else None
        pick = _next(fitted, known, picks, remaining)
        if pick is None:
            return
        picks.append(pick)
        if np.isfinite(known.seconds[pick]):
            left -= known.seconds[pick]
            yield pick
            if known.regrets[pick] == 0.0:
                return


def _next(
    fitted: Recommender, known: Outcomes, picks: Sequence[int], remaining_seconds: float | None = None
) -> int | None:
    reached = {known.configuration_ids[pick]: float(known.scores[pick]) for pick in picks}
    advice = fitted.recommend(
        known.task,
        1,
        observed={**known.untried, **reached},
        remaining_seconds=remaining_seconds,
        fit_rows=known.fit_rows,
    )
    return next((position for position, _ in judged(known, advice.configurations)), None)


def judged(
    known: Outcomes, ranked: Sequence[RankedConfiguration]
) -> Iterator[tuple[int, RankedConfiguration]]:
    """Yield the recommended configurations that were evaluated, with their indices."""
    for one in ranked:
        position = known.position(one.configuration.configuration_id)
        if position is not None:
            yield position, one


def _description(meta: MetaDataset, dataset_id: str) -> dict[str, float]:
    row = meta.datasets.index.get_loc(dataset_id)
    sizes = {
        name: float(meta.datasets[name].to_numpy()[row]) for name in ("n_rows", "n_features", "n_classes")
    }
    values = meta.metafeatures.to_numpy(np.float64)[row]
    known = {str(name): float(value) for name, value in zip(meta.metafeatures.columns, values, strict=True)}
    return sizes | {name: value for name, value in known.items() if name not in sizes or np.isfinite(value)}
