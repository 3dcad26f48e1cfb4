"""Tuner: run the trials of one study until its budget is spent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, Trial, TrialState
from sklearn.pipeline import Pipeline

from automl_meta._utils.isolation import default_settings
from automl_meta._utils.plain import number_or_none, plain
from automl_meta.algorithms import ALGORITHM
from automl_meta.automl.candidate_space import own_algorithm
from automl_meta.automl.owners import signs_of_life
from automl_meta.automl.problem import Problem
from automl_meta.automl.proposals import Proposal, Proposals, has_been_ended
from automl_meta.automl.session import Session
from automl_meta.automl.shared_study import SharedStudy
from automl_meta.automl.study_budget import StudyBudget
from automl_meta.automl.trials import FIT_ROWS, completed, is_lost, score_of
from automl_meta.exceptions import StudyError, WorkerError
from automl_meta.experiments import Evaluator, EvaluatorLike, InProcessEvaluator, Limits, OutOfFold
from automl_meta.records import Configuration
from automl_meta.tuning import ORIGIN, Origin

__all__ = ["Tuner", "TuningProgress", "started_evaluators"]

_FAILURES, _FAILED_ALGORITHMS = 5, 3  # that fail with one reason, before the search ends early
_INTERRUPTED = {"status": "interrupted", "reason": "interrupted before its end"}
_LAST_FALLBACKS = 3  # number of fallbacks, the quickest ones
_LAST_SECONDS, _LAST_SHARE = (
    5.0,
    0.25,
)  # of the time limit, beyond it: for each trial that has to be, if nothing was done


@dataclass(frozen=True)
class TuningProgress:
    """Progress of a study.

    Parameters
    ----------
    n_trials : int
        Number of finished trials of all processes.
    n_failed : int
        Number of these that failed.
    seconds : float
        Wall seconds since this process started.
    best_score : float
        Best score so far; NaN if no trial succeeded.
    last : str
        Configuration of the last trial, and its score or kind of failure.
    """

    n_trials: int
    n_failed: int
    seconds: float
    best_score: float
    last: str


@contextmanager
def started_evaluators(n: int, *, isolated: bool, memory_limit: int | None) -> Iterator[list[EvaluatorLike]]:
    """Start evaluators, in worker processes if `isolated`, and close them at the end of the context."""
    with ExitStack() as stack:
        made: list[EvaluatorLike] = []
        for _ in range(n):
            made.append(Evaluator(Limits(None, memory_limit)) if isolated else InProcessEvaluator())
            stack.callback(made[-1].close)
            made[-1].start()
        yield made


@dataclass(frozen=True)
class _Claim:
    """A trial that this process has started."""

    trial: Trial
    configuration: Configuration
    seconds: float | None
    fit_rows: int | None


@dataclass(eq=False)
class Tuner:
    """Runs the trials of one study until its budget is spent.

    Parameters
    ----------
    problem : Problem
        Task, search space and scoring.
    shared : SharedStudy
        Study of the trials, which other processes may share.
    proposals : Proposals
        Proposes the configuration of the next trial.
    budget : StudyBudget
        Trials and seconds of the whole study.
    session : Session
        Takes notes and runs.

    Attributes
    ----------
    fitted : mapping of int to Pipeline
        Pipelines that are already fitted on all rows, by trial number.
    """

    problem: Problem
    shared: SharedStudy
    proposals: Proposals
    budget: StudyBudget
    session: Session

    def __post_init__(self) -> None:
        self.fitted: Mapping[int, Pipeline] = {}
        self._stop = threading.Event()
        self._trying_all_rows = threading.Lock()

    def run(
        self, evaluators: list[EvaluatorLike], progress: Callable[[TuningProgress], None] | None = None
    ) -> None:
        """Run trials until the budget or the search space is exhausted, all fail alike, or Ctrl-C.

        Finished trials are kept, also if the storage of the study or a worker process fails.

        Parameters
        ----------
        evaluators : list of EvaluatorLike
            One evaluator per parallel trial.
        progress : callable, optional
            Called with a `TuningProgress` after each trial.
        """
        try:
            if len(evaluators) == 1:
                self._work(evaluators[0], progress)
            else:
                self._work_together(evaluators, progress)
        except KeyboardInterrupt:
            self.session.interruption.came = True  # even if the handler did not note it
            self.session.notes.append("Interrupted: the best result so far was kept.")
        except StudyError as error:
            self.shared.go_on_in_memory(error)

    @default_settings()
    def try_fallbacks(self, evaluator: EvaluatorLike) -> None:
        """Run quick fallbacks, beyond the budget, if no trial succeeded for lack of time or memory."""
        trials = self.shared.trials()
        if not self._needs_fallback(trials):
            return
        fallbacks = self.proposals.fallbacks(trials, self.problem.fold_rows)[-_LAST_FALLBACKS:]
        limit = self.budget.time_limit or self.budget.trial_time_limit
        for proposal in fallbacks:
            is_last = proposal is fallbacks[-1]
            seconds = None if is_last or limit is None else max(_LAST_SECONDS, _LAST_SHARE * limit)
            evaluator.wait()
            with self.shared.turn:
                claim = self._begun(proposal, seconds)
            self._attempt(evaluator, claim)
            if completed(self.shared.trials()):
                self.session.note(f"Nothing else finished in time; {proposal.configuration} did.")
                return

    def _needs_fallback(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether there would be no model, and no process is working on the last trials."""
        if self.session.interruption.came or completed(trials):
            return False
        if any(trial.state == TrialState.RUNNING for trial in trials) and self.budget.n_left(trials) <= 0:
            return False
        ended = [trial for trial in trials if trial.state.is_finished() and not is_lost(trial)]
        return not ended or any(map(has_been_ended, ended))

    # Trials --------------------------------------------------------------------------------

    def _work_together(
        self, evaluators: list[EvaluatorLike], progress: Callable[[TuningProgress], None] | None
    ) -> None:
        with ThreadPoolExecutor(len(evaluators)) as pool:
            futures = [pool.submit(self._work, evaluator, progress) for evaluator in evaluators]
            try:
                with self.session.interruption.raised():
                    for future in futures:
                        future.result()
            except BaseException:
                self._stop.set()
                for evaluator in evaluators:
                    evaluator.close()  # so that the threads return at once
                raise

    @default_settings()  # as in the threads of several evaluators
    def _work(self, evaluator: EvaluatorLike, progress: Callable[[TuningProgress], None] | None) -> None:
        try:
            while not self._stop.is_set():
                with self.session.interruption.raised():
                    evaluator.wait()
                with self.shared.turn:
                    claim = self._claim(evaluator)
                if claim is None:
                    return
                last = self._attempt(evaluator, claim)
                if progress is not None and last is not None:
                    progress(self._state(last))
                self._try_all_rows(evaluator, claim)
        except WorkerError as error:
            if not self._stop.is_set():  # otherwise it was stopped on purpose
                self.session.note(str(error))

    def _claim(self, evaluator: EvaluatorLike) -> _Claim | None:
        """Start the next trial, under the lock; None if there is none to start."""
        self.shared.end_lost_trials()
        trials = self.shared.trials()
        seconds = self.budget.trial_seconds(trials, evaluator.start_seconds)
        if self.budget.n_left(trials) <= 0 or seconds == 0 or self._all_fail_alike(trials):
            return None
        if any(trial.state == TrialState.WAITING for trial in trials):
            return self._begun(None, seconds)
        fit_seconds = None if seconds is None else seconds / len(self.problem.folds.all)
        is_timed = self.budget.time_limit is not None
        proposal = self.proposals.next(
            trials,
            fit_seconds,
            self.problem.fold_rows,
            n_folds=len(self.problem.folds.all),
            per_second=is_timed,
        )
        if proposal is None:
            self.session.note("The search space is exhausted.")
            return None
        return self._begun(proposal, seconds)

    def _begun(self, proposal: Proposal | None, seconds: float | None) -> _Claim:
        """Start a trial of a proposal, or an enqueued one."""
        space = self.problem.space
        if proposal is None:
            trial = self.shared.begin(None, {})
        else:
            trial = self.shared.begin(
                space.parameters(proposal.configuration), self._label(proposal, seconds)
            )
        configuration = space.configuration(space.space.suggest(trial))
        if ORIGIN not in trial.user_attrs:  # enqueued by a dashboard or a script
            for name, value in self._label(Proposal(configuration, Origin("enqueued")), seconds).items():
                trial.set_user_attr(name, value)
        rows = trial.user_attrs.get(FIT_ROWS)
        return _Claim(trial, configuration, seconds, rows if isinstance(rows, int) and rows > 0 else None)

    def _label(self, proposal: Proposal, seconds: float | None) -> dict[str, Any]:
        label = {
            "configuration_id": proposal.configuration.configuration_id,
            ORIGIN: str(proposal.origin),
            "limit_seconds": seconds,
            "expected_score": number_or_none(proposal.expected_score),
            FIT_ROWS: proposal.fit_rows,
        }
        return {name: value for name, value in label.items() if value is not None}

    def _attempt(self, evaluator: EvaluatorLike, claim: _Claim) -> str | None:
        """Run a trial and return its result as text; None if it was interrupted."""
        started = time.perf_counter()
        try:
            with signs_of_life(self.shared.study, claim.trial._trial_id), self.session.interruption.raised():
                found = evaluator.out_of_fold(
                    claim.configuration,
                    self.problem.task,
                    self.problem.folds
                    if claim.fit_rows is None
                    else self.problem.smaller_folds(claim.fit_rows),
                    algorithm=own_algorithm(self.problem.space, claim.configuration),
                    seconds=claim.seconds,
                )
            if self._stop.is_set() and found.run.status == "crash":
                self.shared.tell(claim.trial, _INTERRUPTED)
                return None
            return self._finish(claim.trial, found, time.perf_counter() - started)
        except (KeyboardInterrupt, WorkerError):
            evaluator.close()  # it may still be working on the trial
            self.shared.tell(claim.trial, _INTERRUPTED)
            raise

    def _finish(self, trial: Trial, found: OutOfFold, seconds: float) -> str:
        run, value = found.run, float("nan")
        if run.status == "ok":
            try:
                value = self.problem.score(found.responses)
                if not np.isfinite(value):
                    run = replace(run, status="crash", reason=f"{self.problem.scoring.name} is not defined")
            except Exception as error:  # noqa: BLE001 - a scorer is the user's, and its failure is a result
                run = replace(
                    run,
                    status="crash",
                    reason=f"{self.problem.scoring.name}: {error or type(error).__name__}"[:500],
                )
        self.session.remember(found.run)
        measured = {
            "run_id": run.run_id,
            "seconds": run.seconds,
            "fit_seconds": run.fit_seconds,
            "wall_seconds": seconds,
            "scores": dict(run.scores),
        }
        told = {"run": plain(measured)}
        if run.status != "ok":
            self.shared.tell(trial, {**told, "status": run.status, "reason": run.reason})
            return f"{found.run.configuration}: {run.status}"
        self.shared.tell(trial, told, value, found.responses)
        return f"{found.run.configuration}: {value:.4g}"

    def _all_fail_alike(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether all trials fail with the same reason, so that further ones would fail too."""
        ended = [trial for trial in trials if trial.state.is_finished() and not is_lost(trial)]
        if completed(ended) or any(trial.user_attrs.get("status") != "crash" for trial in ended):
            return False
        algorithms = {str(trial.params.get(ALGORITHM)) for trial in ended}
        if len(ended) < _FAILURES or len(algorithms) < min(
            _FAILED_ALGORITHMS, len(self.problem.space.algorithms)
        ):
            return False
        if len({str(trial.user_attrs.get("reason")) for trial in ended}) > 1:
            return False
        self.session.note(f"The search ended early: all {len(ended)} trials failed with the same reason.")
        return True

    def _try_all_rows(self, evaluator: EvaluatorLike, claim: _Claim) -> None:
        """Fit the best configuration so far on all rows to learn how long that takes; it may be the final model."""
        best = max(completed(self.shared.trials()), key=lambda t: (score_of(t), -t.number), default=None)
        if best is None or best.number != claim.trial.number:
            return
        limit = self.budget.early_seconds(best)
        if limit is None or not self._trying_all_rows.acquire(blocking=False):
            return
        try:
            started = time.perf_counter()
            with self.session.interruption.raised():
                found = evaluator.fit(
                    claim.configuration,
                    self.problem.task,
                    self.problem.folds,
                    algorithm=own_algorithm(self.problem.space, claim.configuration),
                    seconds=limit,
                )
            if found.pipeline is not None or found.status == "timeout":
                has_ended = found.pipeline is None
                self.budget.learn(best, time.perf_counter() - started, has_ended=has_ended)
            if found.pipeline is not None:
                self.fitted = {best.number: found.pipeline}
        except KeyboardInterrupt:
            evaluator.close()
            raise
        finally:
            self._trying_all_rows.release()

    def _state(self, last: str) -> TuningProgress:
        trials = [trial for trial in self.shared.trials() if trial.state.is_finished()]
        values = [score_of(trial) for trial in completed(trials)]
        return TuningProgress(
            n_trials=len(trials),
            n_failed=len(trials) - len(values),
            seconds=self.budget.clock.elapsed,
            best_score=max(values, default=float("nan")),
            last=last,
        )
