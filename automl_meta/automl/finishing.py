"""Finishing: fit the final model of a study in the remaining time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
from optuna.trial import FrozenTrial
from sklearn.pipeline import Pipeline

from automl_meta._utils.budget import Budget
from automl_meta._utils.isolation import default_settings
from automl_meta.automl.candidate_space import own_algorithm
from automl_meta.automl.ensemble import averaged, greedy_weights
from automl_meta.automl.model import TabularModel
from automl_meta.automl.problem import Problem
from automl_meta.automl.session import Session
from automl_meta.automl.shared_study import N_CANDIDATES, SharedStudy
from automl_meta.automl.study_budget import StudyBudget
from automl_meta.automl.trials import completed, is_lost, score_of
from automl_meta.exceptions import DataError, WorkerError
from automl_meta.experiments import EvaluatorLike, InProcessEvaluator, fewer_rows
from automl_meta.records import Configuration

__all__ = ["Finished", "Finisher", "Member", "ranked_trials"]

_SELECTION_SHARE = 0.1  # of the time limit


@dataclass(frozen=True)
class Member:
    """A configuration of the final model, and its weight."""

    trial: FrozenTrial
    configuration: Configuration
    weight: float


@dataclass(frozen=True, eq=False)
class Finished:
    """Result of a study.

    Parameters
    ----------
    model : TabularModel
        Final model, fitted on all rows.
    best : FrozenTrial
        Best single trial.
    seconds : mapping of str to float
        Wall seconds for ``ensemble`` and ``refit``.
    """

    model: TabularModel
    best: FrozenTrial
    seconds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Finisher:
    """Selects the final model or ensemble, and fits it on all rows in the remaining time.

    Parameters
    ----------
    problem : Problem
        Task, search space and scoring.
    shared : SharedStudy
        Study with its trials and their predictions.
    budget : StudyBudget
        Estimates the seconds of fits, and holds the remaining time.
    session : Session
        Takes notes; after Ctrl-C, only what is needed is fitted.
    evaluator : EvaluatorLike
        Fits the pipelines.
    fitted : mapping of int to Pipeline
        Pipelines that are already fitted on all rows, by trial number.
    """

    problem: Problem
    shared: SharedStudy
    budget: StudyBudget
    session: Session
    evaluator: EvaluatorLike
    fitted: Mapping[int, Pipeline] = field(default_factory=dict)

    @default_settings()
    def finish(self, ensemble: bool) -> Finished:
        """Select the final model and fit it.

        Parameters
        ----------
        ensemble : bool
            Whether several models may be combined.

        Returns
        -------
        Finished
            Fitted model, best trial and wall seconds.

        Raises
        ------
        DataError
            If no trial succeeded, or nothing could be fitted.
        KeyboardInterrupt
            If no trial had finished before Ctrl-C.
        """
        task, clock = self.problem.task, self.budget.clock
        started = clock.elapsed
        ranked = ranked_trials(self.shared.trials(), self.session)
        members, score = self._chosen_members(ranked, ensemble)
        chosen = clock.elapsed
        fitted = self._fitted_members(members, ranked)
        if [member for member, _ in fitted] != members:
            score = self._members_score([member for member, _ in fitted])
        weights = np.array([member.weight for member, _ in fitted])
        model = TabularModel(
            task.task_type,
            [pipeline for _, pipeline in fitted],
            weights / weights.sum(),
            [str(member.configuration) for member, _ in fitted],
            task.columns,
            self.problem.labels,
            target=str(task.y.name),
            metric=self.problem.scoring.name,
            score=score,
        )
        return Finished(model, ranked[0], {"ensemble": chosen - started, "refit": clock.elapsed - chosen})

    def _chosen_members(self, ranked: Sequence[FrozenTrial], ensemble: bool) -> tuple[list[Member], float]:
        """The best single trial, or the greedy ensemble if it scores higher; and the score. Ctrl-C ends the selection."""
        best_score = score_of(ranked[0])
        alone = [self._member(ranked[0], 1.0)]
        candidates = [(trial, self.shared.responses(trial)) for trial in ranked[:N_CANDIDATES]]
        candidates = [(trial, responses) for trial, responses in candidates if responses]
        if not ensemble or len(candidates) < 2:
            return alone, best_score
        n_classes = len(self.problem.task.classes)
        limit = self.budget.time_limit
        responses = [answer for _, answer in candidates]
        budget = Budget(None if limit is None else min(_SELECTION_SHARE * limit, self.budget.clock.remaining))
        try:
            with self.session.interruption.raised():
                weights = greedy_weights(responses, self.problem.score, n_classes, budget=budget)
        except KeyboardInterrupt:
            self.session.interruption.came = True
            return alone, best_score
        members = [
            self._member(trial, float(weight))
            for (trial, _), weight in zip(candidates, weights, strict=True)
            if weight > 0
        ]
        score = self._members_score(members)
        if not score > best_score:
            return alone, best_score
        return sorted(members, key=lambda member: -member.weight), score

    def _members_score(self, members: Sequence[Member]) -> float:
        """Score of the ensemble's out-of-fold predictions; for a single member, the score of its trial."""
        if len(members) == 1:
            return score_of(members[0].trial)
        weights = np.array([member.weight for member in members])
        responses = [self.shared.responses(member.trial) for member in members]
        n_classes = len(self.problem.task.classes)
        return self.problem.score(averaged(responses, weights / weights.sum(), n_classes))

    def _fitted_members(
        self, members: Sequence[Member], ranked: Sequence[FrozenTrial]
    ) -> list[tuple[Member, Pipeline]]:
        """Fit the members on all rows in the order of their weights, as long as time remains.

        The first one is fitted on fewer rows if all rows would take too long. If no member can be fitted, other
        trials follow, the best first, so that there is a model. Ctrl-C leaves out all but the first.
        """
        done: list[tuple[Member, Pipeline]] = []
        try:
            for member in members:
                left = self.budget.clock.remaining
                if done and self.budget.refit_seconds(member.trial) > left:
                    self.session.note(f"No time was left to fit {member.configuration} for the ensemble.")
                    continue
                with self.session.interruption.raised() if done else nullcontext():
                    pipeline = self._fitted(member, left, is_needed=not done)
                if pipeline is not None:
                    done.append((member, pipeline))
        except KeyboardInterrupt:
            self.evaluator.close()  # it may still be working on the fit
            if not done:
                raise
            self.session.interruption.came = True
        if done:
            return done
        failed = {member.trial.number for member in members}
        for trial in (trial for trial in ranked if trial.number not in failed):
            other = self._member(trial, 1.0)
            pipeline = self._fitted(other, self.budget.clock.remaining, is_needed=True)
            if pipeline is not None:
                self.session.note(f"Fitted instead: {other.configuration}.")
                return [(other, pipeline)]
        raise DataError("No model could be fitted on all rows in time: increase the time limit.")

    def _fitted(self, member: Member, left: float, *, is_needed: bool) -> Pipeline | None:
        """Fit a member on all rows; if it is needed, on as many rows as time allows."""
        known = self.fitted.get(member.trial.number)
        if known is not None:
            return known
        limit = max(left, self.budget.grace_seconds)
        n_rows = self.problem.task.n_rows
        if is_needed and self.budget.refit_seconds(member.trial) > limit:
            n_rows = self.budget.affordable_rows(member.trial, limit)
        fewest = self.budget.affordable_rows(member.trial, 0.0)
        pipeline = self._fitted_on(member, n_rows, None if is_needed and n_rows <= fewest else limit)
        if pipeline is None and is_needed and fewest < n_rows:
            pipeline = self._fitted_on(member, fewest, None)  # as many as in each fold, which was possible
        return pipeline

    def _fitted_on(self, member: Member, n_rows: int, seconds: float | None) -> Pipeline | None:
        whole = self.problem.task
        task, folds = whole, self.problem.folds
        if n_rows < whole.n_rows:
            task, folds = fewer_rows(task, folds, n_rows)
        limit = None if seconds is None or not np.isfinite(seconds) else seconds
        own = own_algorithm(self.problem.space, member.configuration)
        try:
            self.evaluator.wait()
            found = self.evaluator.fit(member.configuration, task, folds, algorithm=own, seconds=limit)
        except WorkerError as error:
            self.session.note(f"{error} The model was fitted in this process.")
            found = InProcessEvaluator().fit(member.configuration, task, folds, algorithm=own)
        where = "all rows" if task is whole else f"{task.n_rows} rows"
        if found.pipeline is None:
            self.session.note(f"{member.configuration} could not be fitted on {where}: {found.reason}.")
        elif task is not whole:
            self.session.note(
                f"{member.configuration} was fitted on {where} of {whole.n_rows}: all would have taken too long."
            )
        return found.pipeline

    def _member(self, trial: FrozenTrial, weight: float) -> Member:
        return Member(trial, self.problem.space.configuration(trial.params), weight)


def ranked_trials(trials: Sequence[FrozenTrial], session: Session) -> list[FrozenTrial]:
    """Rank the successful trials of a study, the best first, then the earliest.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Trials of the study, of all processes.
    session : Session
        Records whether the search was interrupted.

    Returns
    -------
    list of FrozenTrial
        At least one trial.

    Raises
    ------
    DataError
        If no trial succeeded; the message gives the most frequent reason.
    KeyboardInterrupt
        If no trial had finished before Ctrl-C.
    """
    good = completed(trials)
    if good:
        return sorted(good, key=lambda trial: (-score_of(trial), trial.number))
    if session.interruption.came:
        raise KeyboardInterrupt("Interrupted before any trial had finished: there is no model.")
    ended = [trial for trial in trials if trial.state.is_finished() and not is_lost(trial)]
    reasons = Counter(str(trial.user_attrs.get("reason")) for trial in ended)
    if not reasons:
        others = "other processes are running them" if trials else "none was started"
        raise DataError(" ".join([f"No trial has finished; {others}.", *session.notes[-1:]]))
    reason, n_times = reasons.most_common(1)[0]
    often = "all of them" if n_times == len(ended) else f"{n_times} of them"
    raise DataError(f"None of {len(ended)} trials succeeded; reason of {often}: {reason}")
