"""Read the trials of a study, whoever wrote them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from optuna.trial import FrozenTrial, TrialState

__all__ = [
    "ALIVE",
    "FIT_ROWS",
    "Measured",
    "busy_seconds",
    "completed",
    "configuration_id_of",
    "fit_rows_of",
    "is_lost",
    "last_sign",
    "score_of",
    "status_of",
]

ALIVE = "alive"
"""User attribute: time of the last sign of life of the trial's process (seconds since 1970), and seconds run by then."""

FIT_ROWS = "fit_rows"
"""User attribute: see `fit_rows_of`."""


@dataclass(frozen=True)
class Measured:
    """Measurements of a trial; NaN, or empty, if missing or unreadable.

    Parameters
    ----------
    seconds, fit_seconds : float
        CPU seconds of the whole trial, and of one of its fits.
    wall_seconds : float
        Wall seconds of the whole trial.
    scores : mapping of str to float
        Scores by metric.
    run_id : str
        Id of the run in the store.
    """

    seconds: float = math.nan
    fit_seconds: float = math.nan
    wall_seconds: float = math.nan
    scores: Mapping[str, float] = field(default_factory=dict)
    run_id: str = ""

    @classmethod
    def of(cls, trial: FrozenTrial) -> Measured:
        """Read the attributes of a trial, which may hold anything, since others may write to a study."""
        said = trial.user_attrs.get("run")
        if not isinstance(said, Mapping):
            return cls()
        scores, run_id = said.get("scores"), said.get("run_id")
        return cls(
            _seconds(said.get("seconds")),
            _seconds(said.get("fit_seconds")),
            _seconds(said.get("wall_seconds")),
            {str(name): _number(score) for name, score in scores.items()}
            if isinstance(scores, Mapping)
            else {},
            run_id if isinstance(run_id, str) else "",
        )


def completed(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that succeeded."""
    return [trial for trial in trials if trial.state == TrialState.COMPLETE and _is_finite(trial)]


def score_of(trial: FrozenTrial) -> float:
    """Score of a trial that succeeded."""
    return float(trial.values[0])


def configuration_id_of(trial: FrozenTrial) -> str:
    """Configuration id of a trial; empty if it is not known."""
    said = trial.user_attrs.get("configuration_id")
    return said if isinstance(said, str) else ""


def fit_rows_of(trial: FrozenTrial) -> int | None:
    """Number of training rows of each fold, if smaller than in the study's folds."""
    rows = trial.user_attrs.get(FIT_ROWS)
    return rows if isinstance(rows, int) and rows > 0 else None


def is_lost(trial: FrozenTrial) -> bool:
    """Whether a trial has no result because its process died or was interrupted."""
    return trial.user_attrs.get("status") in ("lost", "interrupted")


def status_of(trial: FrozenTrial) -> str:
    """Status: ``"ok"``, a kind of failure, ``"lost"``, ``"interrupted"``, ``"running"`` or ``"waiting"``."""
    if trial.state == TrialState.COMPLETE:
        return "ok"
    return str(
        trial.user_attrs.get("status", "lost" if trial.state.is_finished() else trial.state.name.lower())
    )


def busy_seconds(trials: Sequence[FrozenTrial]) -> float:
    """Wall seconds in which at least one trial was running; overlaps count once.

    A lost trial counts until the last sign of life of its process, not until its death was noticed.
    """
    now = datetime.now()
    spans = sorted(
        (trial.datetime_start, _end(trial, trial.datetime_start, now))
        for trial in trials
        if trial.datetime_start is not None
    )
    total, reached = 0.0, None
    for start, end in spans:
        begin = start if reached is None else max(start, reached)
        total += max((end - begin).total_seconds(), 0.0)
        reached = end if reached is None else max(reached, end)
    return total


def last_sign(trial: FrozenTrial) -> tuple[float, float]:
    """Time of the last sign of life of the trial's process (seconds since 1970), and seconds run by then."""
    said = trial.user_attrs.get(ALIVE)
    if not isinstance(said, (list, tuple)) or len(said) != 2:
        return math.nan, 0.0
    ran = _seconds(said[1])
    return _seconds(said[0]), 0.0 if math.isnan(ran) else ran


def _end(trial: FrozenTrial, start: datetime, now: datetime) -> datetime:
    end = trial.datetime_complete or now
    if trial.user_attrs.get("status") == "lost":
        end = min(end, start + timedelta(seconds=min(last_sign(trial)[1], (now - start).total_seconds())))
    return end


def _is_finite(trial: FrozenTrial) -> bool:
    values = trial.values
    return isinstance(values, list) and len(values) == 1 and math.isfinite(_number(values[0]))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def _seconds(value: Any) -> float:
    found = _number(value)
    return found if 0.0 <= found < math.inf else math.nan
