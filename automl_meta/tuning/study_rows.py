"""Trials of an Optuna study as encoded rows: search space, observations, pending trials."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from automl_meta.tuning.activity import Activity
from automl_meta.tuning.encoded_space import EncodedSpace, category_key, nearest
from automl_meta.tuning.history import History
from automl_meta.tuning.matern import Vector
from automl_meta.tuning.origin import ORIGIN, Origin
from automl_meta.tuning.planner import Observed
from automl_meta.tuning.surfaces import PastRows

PLAN = "automl_meta:plan"
"""System attribute with the planned configuration of a trial, before its parameters are suggested."""


def seen_space(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Parameters of the finished trials, each with its latest distribution."""
    space: dict[str, BaseDistribution] = {}
    for trial in trials:
        if trial.state.is_finished():  # one that runs may be in the middle of asking
            space.update(trial.distributions)
    return space


class Branches:
    """Parameters of a history that a study may still have.

    A parameter that a finished trial should have, by the conditions learnt from the history, but does
    not, is not part of the study. Others may belong to branches that were not visited so far.
    """

    def __init__(self, history: History) -> None:
        self._space = EncodedSpace(history.distributions)
        past = [configuration for task in history.tasks for configuration in task.configurations]
        self._activity = Activity(self._space, self._space.encode(past), self._space.encode([]))

    def joined(
        self, seen: Mapping[str, BaseDistribution], trials: Sequence[FrozenTrial]
    ) -> dict[str, BaseDistribution]:
        """Known parameters of the study, and those of the history that it may still have."""
        hidden = {name: d for name, d in self._space.distributions.items() if name not in seen}
        finished = [trial.params for trial in trials if trial.state.is_finished() and trial.params]
        if hidden and finished:
            expected = self._activity.expected(self._space.encode(finished))
            lacking = {name for name, there in zip(self._space.names, expected.T, strict=True) if there.any()}
            hidden = {name: d for name, d in hidden.items() if name not in lacking}
        return {**seen, **hidden}


def past_rows(space: EncodedSpace, history: History) -> tuple[list[PastRows], int]:
    """Encode the history, and count the configurations with a category that the space lacks."""
    tasks, n_foreign = [], 0
    for task in history.tasks:
        rows = space.encode(task.configurations)
        usable = ~(rows == -1.0).any(axis=1) & ~np.isnan(rows).all(axis=1)
        n_foreign += int((~usable).sum())
        if np.isfinite(task.values[usable]).any():
            tasks.append(PastRows(rows[usable], task.values[usable]))
    return tasks, n_foreign


def observed_of(space: EncodedSpace, trials: Sequence[FrozenTrial], direction: StudyDirection) -> Observed:
    """Encode finished trials with their values, and waiting or running trials."""
    sign = 1.0 if direction == StudyDirection.MAXIMIZE else -1.0
    finished = [trial for trial in trials if trial.state.is_finished() and trial.params]
    values = _values(finished, sign)
    pending = [configuration for trial in trials if (configuration := under_way(trial))]
    rows = space.encode([trial.params for trial in finished])
    if np.isnan(values).all():  # no value is known
        return Observed(rows[:0], values[:0], np.vstack([rows, space.encode(pending)]))
    return Observed(rows, np.where(np.isnan(values), np.nanmin(values), values), space.encode(pending))


def under_way(trial: FrozenTrial) -> dict[str, Any]:
    """Known part of the configuration of an unfinished trial; empty for a finished one."""
    if trial.state.is_finished():
        return {}
    return {**trial.system_attrs.get(PLAN, {}), **trial.system_attrs.get("fixed_params", {}), **trial.params}


def n_undecided(trials: Sequence[FrozenTrial]) -> int:
    """Number of running trials whose parameters are not known yet."""
    return sum(trial.state == TrialState.RUNNING and not under_way(trial) for trial in trials)


def fixed_row(space: EncodedSpace, fixed: Mapping[str, Any]) -> Vector:
    """Fixed parameters as a row; NaN for all others."""
    row = space.encode([fixed])[0]
    return np.where(row == -1.0, np.nan, row)


def announce(study: Study, trial: FrozenTrial, configuration: Mapping[str, Any], origin: Origin) -> None:
    """Store the plan of a trial for other processes, and the origin of its configuration."""
    storage = study._storage  # Optuna's own samplers write attributes this way: there is no other
    storage.set_trial_system_attr(trial._trial_id, PLAN, dict(configuration))
    if ORIGIN not in trial.user_attrs:  # otherwise it was enqueued, and only its missing values are filled in
        storage.set_trial_user_attr(trial._trial_id, ORIGIN, str(origin))


def fitted_value(distribution: BaseDistribution, value: Any) -> Any:
    """Value of a distribution nearest to a planned value; None if there is none."""
    if isinstance(distribution, CategoricalDistribution):
        keys = [category_key(choice) for choice in distribution.choices]
        key = category_key(value)
        return distribution.choices[keys.index(key)] if key in keys else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return nearest(distribution, value)
    return None


def _values(finished: Sequence[FrozenTrial], sign: float) -> Vector:
    """Values, greater is better; NaN for failures. Pruned trials are no better than the median."""
    values = np.array(
        [sign * t.value if t.value is not None else math.nan for t in finished], dtype=np.float64
    )
    complete = np.array([t.state == TrialState.COMPLETE for t in finished], dtype=bool) & np.isfinite(values)
    values[~complete] = math.nan
    if complete.any():
        worst, median = values[complete].min(), float(np.median(values[complete]))
        for index, trial in enumerate(finished):
            if trial.state == TrialState.PRUNED:
                last = max(trial.intermediate_values, default=None)
                reported = median if last is None else sign * trial.intermediate_values[last]
                values[index] = min(max(reported, worst), median) if math.isfinite(reported) else worst
    return values
