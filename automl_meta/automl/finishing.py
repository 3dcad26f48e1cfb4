"""Finishing: from a study to a fitted model, in the time that is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import FrozenTrial, TrialState
from sklearn.pipeline import Pipeline

from automl_meta._utils.budget import Budget
from automl_meta._utils.isolation import default_settings
from automl_meta.automl.ensemble import averaged, greedy_weights
from automl_meta.automl.model import TabularModel
from automl_meta.automl.tuner import N_CANDIDATES, AnyEvaluator, Tuner
from automl_meta.exceptions import DataError
from automl_meta.records import Configuration

__all__ = ["Finished", "Member", "finished"]

_QUICK_SECONDS = 0.2  # slower than the quickest, a model is still quick
_SELECTION_SHARE = 0.1  # of the time limit


@dataclass(frozen=True)
class Member:
    """A configuration of the final model, and how much it counts."""

    trial: int
    configuration: Configuration
    weight: float
    refit_seconds: float


@dataclass(frozen=True, eq=False)
class Finished:
    """What came out of a study.

    Parameters
    ----------
    model : TabularModel
        Fitted on all rows.
    best : FrozenTrial
        The best alone.
    seconds : mapping of str to float
        Wall seconds for ``ensemble`` and ``refit``.
    """

    model: TabularModel
    best: FrozenTrial
    seconds: Mapping[str, float]


@default_settings()
def finished(tuner: Tuner, evaluator: AnyEvaluator, ensemble: bool) -> Finished:
    """Choose what is best together, and fit it on all rows.

    Raises
    ------
    DataError
        If no trial succeeded, or nothing could be fitted.
    """
    clock = tuner.budget.clock
    started = clock.elapsed
    ranked = ranked_trials(tuner)
    members, score = chosen_members(tuner, ranked, ensemble)
    chosen = clock.elapsed
    fitted = fitted_members(tuner, evaluator, members, ranked)
    if [member for member, _ in fitted] != members:
        score = members_score(tuner, [member for member, _ in fitted], ranked)
    weights = np.array([member.weight for member, _ in fitted])
    model = TabularModel(
        tuner.task.task_type,
        [pipeline for _, pipeline in fitted],
        weights / weights.sum(),
        [str(member.configuration) for member, _ in fitted],
        tuner.task.columns,
        tuner.labels,
        target=str(tuner.task.y.name),
        metric=tuner.scoring.name,
        score=score,
    )
    return Finished(model, ranked[0], {"ensemble": chosen - started, "refit": clock.elapsed - chosen})


def ranked_trials(tuner: Tuner) -> list[FrozenTrial]:
    """Successful trials of the study, of all processes, the best first, then the earliest.

    Raises
    ------
    DataError
        If there is none; the message says how the last one failed.
    """
    trials = tuner.study.get_trials(deepcopy=False)
    good = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not good:
        reasons = [str(trial.user_attrs.get("reason")) for trial in trials if trial.user_attrs.get("reason")]
        why = f" The last one: {reasons[-1]}." if reasons else " Give more time or trials."
        raise DataError(f"None of {len(trials)} trials succeeded.{why}")
    return sorted(good, key=lambda trial: (-float(trial.value or 0.0), trial.number))


def chosen_members(tuner: Tuner, ranked: Sequence[FrozenTrial], ensemble: bool) -> tuple[list[Member], float]:
    """The best trial alone, or the greedy ensemble if it scores more; and the score."""
    best_score = float(ranked[0].value or 0.0)
    alone = [_member(tuner, ranked[0], 1.0)]
    candidates = [(trial, tuner.responses(trial)) for trial in ranked[:N_CANDIDATES]]
    candidates = [(trial, responses) for trial, responses in candidates if responses]
    if not ensemble or len(candidates) < 2:
        return alone, best_score
    n_classes = len(tuner.task.classes)
    limit = tuner.budget.time_limit
    responses = [answer for _, answer in candidates]
    weights = greedy_weights(
        responses,
        lambda answer: tuner.scoring.score(tuner.task, tuner.folds, answer, tuner.labels),
        n_classes,
        budget=Budget(None if limit is None else min(_SELECTION_SHARE * limit, tuner.budget.clock.remaining)),
    )
    members = [
        _member(tuner, trial, float(weight))
        for (trial, _), weight in zip(candidates, weights, strict=True)
        if weight > 0
    ]
    score = members_score(tuner, members, ranked)
    if not score > best_score:
        return alone, best_score
    return sorted(members, key=lambda member: -member.weight), score


def members_score(tuner: Tuner, members: Sequence[Member], ranked: Sequence[FrozenTrial]) -> float:
    """Score of the out-of-fold predictions of some members together; of one, that of its trial."""
    trials = {trial.number: trial for trial in ranked}
    if len(members) == 1:
        return float(trials[members[0].trial].value or 0.0)
    weights = np.array([member.weight for member in members])
    mean = averaged(
        [tuner.responses(trials[member.trial]) for member in members],
        weights / weights.sum(),
        len(tuner.task.classes),
    )
    return tuner.scoring.score(tuner.task, tuner.folds, mean, tuner.labels)


def fitted_members(
    tuner: Tuner, evaluator: AnyEvaluator, members: Sequence[Member], ranked: Sequence[FrozenTrial]
) -> list[tuple[Member, Pipeline]]:
    """Fit the members on all rows, the weightiest first, as far as the time goes.

    If none of them can be fitted in time, the best of the quick ones follows, without a limit: a
    model has to be there in the end.

    Raises
    ------
    DataError
        If nothing could be fitted.
    """
    done: list[tuple[Member, Pipeline]] = []
    for number, member in enumerate(members):
        evaluator.wait()
        left = tuner.budget.clock.remaining
        if number > 0 and member.refit_seconds > left:
            tuner.notes.append(f"No time was left to fit {member.configuration} for the ensemble.")
            continue
        pipeline = _fitted(tuner, evaluator, member, max(left, tuner.budget.grace_seconds))
        if pipeline is not None:
            done.append((member, pipeline))
    if done:
        return done
    failed = {member.trial for member in members}
    others = [_member(tuner, trial, 1.0) for trial in ranked if trial.number not in failed]
    quick = min((other.refit_seconds for other in others), default=0.0) + _QUICK_SECONDS
    for other in others:
        if other.refit_seconds <= quick:
            pipeline = _fitted(tuner, evaluator, other, None)
            if pipeline is not None:
                tuner.notes.append(f"Fitted instead: {other.configuration}.")
                return [(other, pipeline)]
    raise DataError("No model could be fitted on all rows in time: give more of it.")


def _fitted(tuner: Tuner, evaluator: AnyEvaluator, member: Member, seconds: float | None) -> Pipeline | None:
    limit = None if seconds is None or not np.isfinite(seconds) else seconds
    own = tuner.proposals.space.own_algorithm(member.configuration)
    found = evaluator.fit(member.configuration, tuner.task, tuner.folds, algorithm=own, seconds=limit)
    if found.pipeline is None:
        tuner.notes.append(f"{member.configuration} could not be fitted on all rows: {found.reason}.")
    return found.pipeline


def _member(tuner: Tuner, trial: FrozenTrial, weight: float) -> Member:
    configuration = tuner.proposals.space.configuration(trial.params)
    return Member(trial.number, configuration, weight, tuner.budget.refit_seconds(trial))
