"""Finishing: from a study to a fitted model, in the time that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from optuna.trial import FrozenTrial, TrialState
from sklearn.pipeline import Pipeline

from automl_meta._utils.budget import Budget
from automl_meta._utils.isolation import default_settings
from automl_meta.automl.candidate_space import own_algorithm
from automl_meta.automl.ensemble import averaged, greedy_weights
from automl_meta.automl.model import TabularModel
from automl_meta.automl.proposals import has_been_ended
from automl_meta.automl.shared_study import N_CANDIDATES
from automl_meta.automl.trials import completed, is_lost, score_of
from automl_meta.automl.tuner import AnyEvaluator, Tuner
from automl_meta.exceptions import DataError, WorkerError
from automl_meta.experiments import InProcessEvaluator, fewer_rows
from automl_meta.records import Configuration

__all__ = ["Finished", "Member", "finished"]

_SELECTION_SHARE = 0.1  # of the time limit


@dataclass(frozen=True)
class Member:
    """A configuration of the final model, and how much it counts."""

    trial: FrozenTrial
    configuration: Configuration
    weight: float


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
    if needs_fallback(tuner):
        tuner.try_fallbacks(evaluator)
    ranked = ranked_trials(tuner)
    members, score = chosen_members(tuner, ranked, ensemble)
    chosen = clock.elapsed
    fitted = fitted_members(tuner, evaluator, members, ranked)
    if [member for member, _ in fitted] != members:
        score = members_score(tuner, [member for member, _ in fitted])
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


def needs_fallback(tuner: Tuner) -> bool:
    """Whether nothing has succeeded for want of time or memory, and nobody is at work on the last trials."""
    trials = tuner.shared.trials()
    if tuner.interruption.came or completed(trials):
        return False
    if any(trial.state == TrialState.RUNNING for trial in trials) and tuner.budget.n_left(trials) <= 0:
        return False
    ended = [trial for trial in trials if trial.state.is_finished() and not is_lost(trial)]
    return not ended or any(map(has_been_ended, ended))


def ranked_trials(tuner: Tuner) -> list[FrozenTrial]:
    """Successful trials of the study, of all processes, the best first, then the earliest.

    Raises
    ------
    DataError
        If there is none; the message says how most of them failed.
    KeyboardInterrupt
        If there is none since Ctrl-C came too early.
    """
    trials = tuner.shared.trials()
    good = completed(trials)
    if good:
        return sorted(good, key=lambda trial: (-score_of(trial), trial.number))
    if tuner.interruption.came:
        raise KeyboardInterrupt("Interrupted before any trial had ended: there is no model.")
    ended = [trial for trial in trials if trial.state.is_finished() and not is_lost(trial)]
    reasons = Counter(str(trial.user_attrs.get("reason")) for trial in ended)
    if not reasons:
        others = "other processes are at work on those there are" if trials else "none was begun"
        raise DataError(" ".join([f"No trial has ended; {others}.", *tuner.notes[-1:]]))
    reason, n_times = reasons.most_common(1)[0]
    often = "all of them" if n_times == len(ended) else f"{n_times} of them"
    raise DataError(f"None of {len(ended)} trials succeeded; {often} failed so: {reason}")


def chosen_members(tuner: Tuner, ranked: Sequence[FrozenTrial], ensemble: bool) -> tuple[list[Member], float]:
    """The best trial alone, or the greedy ensemble if it scores more; and the score. Ctrl-C cuts the choice short."""
    best_score = score_of(ranked[0])
    alone = [_member(tuner, ranked[0], 1.0)]
    candidates = [(trial, tuner.shared.responses(trial)) for trial in ranked[:N_CANDIDATES]]
    candidates = [(trial, responses) for trial, responses in candidates if responses]
    if not ensemble or len(candidates) < 2:
        return alone, best_score
    n_classes = len(tuner.task.classes)
    limit = tuner.budget.time_limit
    responses = [answer for _, answer in candidates]
    budget = Budget(None if limit is None else min(_SELECTION_SHARE * limit, tuner.budget.clock.remaining))
    try:
        with tuner.interruption.raised():
            weights = greedy_weights(
                responses,
                lambda answer: tuner.scoring.score(tuner.task, tuner.folds, answer, tuner.labels),
                n_classes,
                budget=budget,
            )
    except KeyboardInterrupt:
        tuner.interruption.came = True
        return alone, best_score
    members = [
        _member(tuner, trial, float(weight))
        for (trial, _), weight in zip(candidates, weights, strict=True)
        if weight > 0
    ]
    score = members_score(tuner, members)
    if not score > best_score:
        return alone, best_score
    return sorted(members, key=lambda member: -member.weight), score


def members_score(tuner: Tuner, members: Sequence[Member]) -> float:
    """Score of the out-of-fold predictions of some members together; of one, that of its trial."""
    if len(members) == 1:
        return score_of(members[0].trial)
    weights = np.array([member.weight for member in members])
    mean = averaged(
        [tuner.shared.responses(member.trial) for member in members],
        weights / weights.sum(),
        len(tuner.task.classes),
    )
    return tuner.scoring.score(tuner.task, tuner.folds, mean, tuner.labels)


def fitted_members(
    tuner: Tuner, evaluator: AnyEvaluator, members: Sequence[Member], ranked: Sequence[FrozenTrial]
) -> list[tuple[Member, Pipeline]]:
    """Fit the members on all rows, the weightiest first, as far as the time goes.

    The first is fitted on fewer rows if all of them would take too long. If none can be fitted, the other
    trials follow, the best first: a model has to be there in the end. Ctrl-C leaves out all but the first.

    Raises
    ------
    DataError
        If nothing could be fitted.
    """
    done: list[tuple[Member, Pipeline]] = []
    try:
        for member in members:
            left = tuner.budget.clock.remaining
            if done and tuner.budget.refit_seconds(member.trial) > left:
                tuner.note(f"No time was left to fit {member.configuration} for the ensemble.")
                continue
            with tuner.interruption.raised() if done else nullcontext():
                pipeline = _fitted(tuner, evaluator, member, left, is_needed=not done)
            if pipeline is not None:
                done.append((member, pipeline))
    except KeyboardInterrupt:
        evaluator.close()  # which is at work on it yet
        if not done:
            raise
        tuner.interruption.came = True
    if done:
        return done
    failed = {member.trial.number for member in members}
    for trial in (trial for trial in ranked if trial.number not in failed):
        other = _member(tuner, trial, 1.0)
        pipeline = _fitted(tuner, evaluator, other, tuner.budget.clock.remaining, is_needed=True)
        if pipeline is not None:
            tuner.note(f"Fitted instead: {other.configuration}.")
            return [(other, pipeline)]
    raise DataError("No model could be fitted on all rows in time: give more of it.")


def _fitted(
    tuner: Tuner, evaluator: AnyEvaluator, member: Member, left: float, *, is_needed: bool
) -> Pipeline | None:
    """Fit a member on all rows; on as many as time allows where a model is needed."""
    known = tuner.fitted.get(member.trial.number)
    if known is not None:
        return known
    limit = max(left, tuner.budget.grace_seconds)
    n_rows = tuner.task.n_rows
    if is_needed and tuner.budget.refit_seconds(member.trial) > limit:
        n_rows = tuner.budget.affordable_rows(member.trial, limit)
    pipeline = _fitted_on(tuner, evaluator, member, n_rows, limit)
    fewest = tuner.budget.affordable_rows(member.trial, 0.0)
    if pipeline is None and is_needed and fewest < n_rows:
        pipeline = _fitted_on(tuner, evaluator, member, fewest, None)  # which was possible in each fold
    return pipeline


def _fitted_on(
    tuner: Tuner, evaluator: AnyEvaluator, member: Member, n_rows: int, seconds: float | None
) -> Pipeline | None:
    task, folds = tuner.task, tuner.folds
    if n_rows < task.n_rows:
        task, folds = fewer_rows(task, folds, n_rows)
    limit = None if seconds is None or not np.isfinite(seconds) else seconds
    own = own_algorithm(tuner.proposals.space, member.configuration)
    try:
        evaluator.wait()
        found = evaluator.fit(member.configuration, task, folds, algorithm=own, seconds=limit)
    except WorkerError as error:
        tuner.note(f"{error} The model was fitted without one.")
        found = InProcessEvaluator().fit(member.configuration, task, folds, algorithm=own)
    where = "all rows" if task is tuner.task else f"{task.n_rows} rows"
    if found.pipeline is None:
        tuner.note(f"{member.configuration} could not be fitted on {where}: {found.reason}.")
    elif task is not tuner.task:
        tuner.note(
            f"{member.configuration} was fitted on {where} of {tuner.task.n_rows}: all would have taken too long."
        )
    return found.pipeline


def _member(tuner: Tuner, trial: FrozenTrial, weight: float) -> Member:
    return Member(trial, tuner.proposals.space.configuration(trial.params), weight)
