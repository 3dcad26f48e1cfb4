"""Games on stored runs: follow advice on a data set, and see what it reached."""

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
"""What a trial costs: so many fits, as in a five-fold cross-validation."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """All that is known of one data set.

    Parameters
    ----------
    task : dict of str to float
        What a recommender is told: sizes and meta-features.
    configuration_ids : tuple of str
        What was tried, good or failed.
    scores, regrets, ranks, seconds : ndarray of shape (n_tried,)
        Score, NaN where it failed; normalised regret, 1 where it failed; rank from 1; seconds of
        a trial, NaN where unknown.
    scale : float
        What a normalised regret of 1 is in the unit of the metric.
    untried : dict of str to float
        Configurations known elsewhere only, with NaN: told to a recommender as observed, they are
        not recommended, since what they would have reached cannot be judged.
    fit_rows : float
        Rows that each fit learnt from.
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
        """Where a configuration stands in the arrays; None if it was never tried."""
        try:
            return self.configuration_ids.index(configuration_id)
        except ValueError:
            return None


def all_outcomes(meta: MetaDataset) -> dict[str, Outcomes]:
    """What is known of each data set on which anything succeeded."""
    scored = meta.scores.notna().any(axis=1)
    dataset_ids = meta.datasets.index[scored]
    scores, tried = meta.scores[scored].to_numpy(np.float64), meta.tried[scored].to_numpy(bool)
    fits, whole = (frame[scored].to_numpy(np.float64) for frame in (meta.fit_seconds, meta.seconds))
    # A run without a score was ended, and cost what it took until then.
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
    """Positions of the first `n` configurations that would be tried.

    Parameters
    ----------
    feedback : bool
        Whether the recommender is asked again after each trial and told what all reached, or
        once for a list.
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
    """Normalised regret of what is reached within a budget of seconds.

    A trial costs five fits and counts if it ends in time; before the first has, all is lost.

    Parameters
    ----------
    feedback : bool
        As for `play_trials`.
    frugal : bool
        Whether the recommender is told what is left of the budget.
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
    """Yield one position after the other; ends early when nothing better is left."""
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
    """Yield those that were tried, and so can be judged, with their positions."""
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
