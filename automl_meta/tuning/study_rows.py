"""What an Optuna study says, encoded: its space, what was observed, what is under way."""

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
"""The system attribute with what a trial is going to try, before its parameters are asked for."""


def seen_space(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """All parameters that finished trials had, each with its latest distribution."""
    space: dict[str, BaseDistribution] = {}
    for trial in trials:
        if trial.state.is_finished():  # one that runs may be in the middle of asking
            space.update(trial.distributions)
    return space


class Branches:
    """What of a history's parameters a study may still show.

    A parameter that a finished trial should have had, by the conditions that the history shows, and
    did not have, is none of the study's. Others may belong to branches not entered so far.
    """

    def __init__(self, history: History) -> None:
        self._space = EncodedSpace(history.distributions)
        past = [configuration for task in history.tasks for configuration in task.configurations]
        self._activity = Activity(self._space, self._space.encode(past), self._space.encode([]))

    def joined(
        self, seen: Mapping[str, BaseDistribution], trials: Sequence[FrozenTrial]
    ) -> dict[str, BaseDistribution]:
        """What the study has shown, and of the history what it may still show."""
        hidden = {name: d for name, d in self._space.distributions.items() if name not in seen}
        finished = [trial.params for trial in trials if trial.state.is_finished() and trial.params]
        if hidden and finished:
            expected = self._activity.expected(self._space.encode(finished))
            lacking = {name for name, there in zip(self._space.names, expected.T, strict=True) if there.any()}
            hidden = {name: d for name, d in hidden.items() if name not in lacking}
        return {**seen, **hidden}


def past_rows(space: EncodedSpace, history: History) -> tuple[list[PastRows], int]:
    """The history in this space, and how many configurations have a category that it lacks."""
    tasks, n_foreign = [], 0
    for task in history.tasks:
        rows = space.encode(task.configurations)
        usable = ~(rows == -1.0).any(axis=1) & ~np.isnan(rows).all(axis=1)
        n_foreign += int((~usable).sum())
        if np.isfinite(task.values[usable]).any():
            tasks.append(PastRows(rows[usable], task.values[usable]))
    return tasks, n_foreign


def observed_of(space: EncodedSpace, trials: Sequence[FrozenTrial], direction: StudyDirection) -> Observed:
    """Finished trials with their values, and those that are waiting or running."""
    sign = 1.0 if direction == StudyDirection.MAXIMIZE else -1.0
    finished = [trial for trial in trials if trial.state.is_finished() and trial.params]
    values = _values(finished, sign)
    pending = [configuration for trial in trials if (configuration := under_way(trial))]
    rows = space.encode([trial.params for trial in finished])
    if np.isnan(values).all():  # nothing is known of how good any of them is
        return Observed(rows[:0], values[:0], np.vstack([rows, space.encode(pending)]))
    return Observed(rows, np.where(np.isnan(values), np.nanmin(values), values), space.encode(pending))


def under_way(trial: FrozenTrial) -> dict[str, Any]:
    """What an unfinished trial tries, as far as it is known; empty for a finished one."""
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
    """Tell the other processes what this trial tries, and the log where that came from."""
    storage = study._storage  # Optuna's own samplers write attributes this way: there is no other
    storage.set_trial_system_attr(trial._trial_id, PLAN, dict(configuration))
    if ORIGIN not in trial.user_attrs:  # else it was enqueued, with gaps that are filled here
        storage.set_trial_user_attr(trial._trial_id, ORIGIN, str(origin))


def fitted_value(distribution: BaseDistribution, value: Any) -> Any:
    """The value of a distribution that is nearest to a planned one; None if there is none."""
    if isinstance(distribution, CategoricalDistribution):
        keys = [category_key(choice) for choice in distribution.choices]
        key = category_key(value)
        return distribution.choices[keys.index(key)] if key in keys else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return nearest(distribution, value)
    return None


def _values(finished: Sequence[FrozenTrial], sign: float) -> Vector:
    """Greater is better; NaN for failures. What was pruned is no better than the median."""
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
