"""Tuner: trial after trial of one study, until its budget is spent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, Trial, TrialState

from automl_meta._utils.isolation import default_settings
from automl_meta.automl.budgets import StudyBudget
from automl_meta.automl.proposals import Proposal, Proposals
from automl_meta.automl.scoring import Scoring
from automl_meta.automl.studies import end_lost_trials, predictions_of, save_predictions, this_process
from automl_meta.automl.turn import Turn
from automl_meta.exceptions import StoreError, UsageError
from automl_meta.experiments import Evaluator, Folds, InProcessEvaluator, Limits, OutOfFold
from automl_meta.records import Configuration
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask
from automl_meta.tuning import ORIGIN

__all__ = ["N_CANDIDATES", "Tuner", "TuningProgress", "started_evaluators"]

N_CANDIDATES = 30
"""So many of the best trials may enter the ensemble."""

AnyEvaluator = Evaluator | InProcessEvaluator


@dataclass(frozen=True)
class TuningProgress:
    """How far a study is.

    Parameters
    ----------
    n_trials : int
        That have ended, of all processes.
    n_failed : int
        Of these, how many failed.
    seconds : float
        Wall seconds since this process began.
    best_score : float
        So far; NaN if nothing succeeded.
    last : str
        The configuration that has just ended, and its score or how it failed.
    """

    n_trials: int
    n_failed: int
    seconds: float
    best_score: float
    last: str


@contextmanager
def started_evaluators(n: int, *, isolated: bool, memory_limit: int | None) -> Iterator[list[AnyEvaluator]]:
    """Evaluators in processes that start at once and end with the context, or one in this process."""
    with ExitStack() as stack:
        made: list[AnyEvaluator] = []
        for _ in range(n):
            made.append(Evaluator(Limits(None, memory_limit)) if isolated else InProcessEvaluator())
            stack.callback(made[-1].close)
            made[-1].start()
        yield made


@dataclass
class Tuner:
    """Trial after trial of one study, until its budget is spent.

    Parameters
    ----------
    task, folds, scoring, labels
        What is evaluated, on which rows, by what; `labels` are what a scorer sees for codes.
    study : Study
        Of Optuna; other processes may work on it too.
    proposals : Proposals
        Say what to try next.
    budget : StudyBudget
        Of the whole study.
    store : MetadataStore, optional
        Every run goes there.
    notes : list of str
        What is decided on the way, in words; added to.
    """

    task: TabularTask
    folds: Folds
    scoring: Scoring
    labels: NDArray[Any]
    study: optuna.Study
    proposals: Proposals
    budget: StudyBudget
    store: MetadataStore | None = None
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False

    def __post_init__(self) -> None:
        self._turn = Turn.of_study(self.study)
        self._stop = threading.Event()
        self._own: dict[int, tuple[float, Mapping[str, NDArray]]] = {}  # by trial number

    def run(
        self, evaluators: list[AnyEvaluator], progress: Callable[[TuningProgress], None] | None = None
    ) -> None:
        """Run trials until the budget is spent, everything was tried, or Ctrl-C.

        The interruption is noted in `interrupted`; what was done stays.
        """
        try:
            if len(evaluators) == 1:
                self._work(evaluators[0], progress)
                return
            with ThreadPoolExecutor(len(evaluators)) as pool:
                futures = [pool.submit(self._work, evaluator, progress) for evaluator in evaluators]
                try:
                    for future in futures:
                        future.result()
                except BaseException:
                    self._stop.set()
                    for evaluator in evaluators:
                        evaluator.close()  # so that the threads come back at once
                    raise
        except KeyboardInterrupt:
            self.interrupted = True
            self.notes.append("Interrupted: the best so far was kept.")

    def responses(self, trial: FrozenTrial) -> Mapping[str, NDArray]:
        """Out-of-fold predictions of a trial, made here or kept by another process; empty if none."""
        own = self._own.get(trial.number)
        return predictions_of(trial) if own is None else own[1]

    @default_settings()  # as in the threads that several evaluators have
    def _work(self, evaluator: AnyEvaluator, progress: Callable[[TuningProgress], None] | None) -> None:
        while not self._stop.is_set():
            evaluator.wait()
            with self._turn:
                self.budget.restart_seconds = evaluator.start_seconds
                claimed = self._claim()
            if claimed is None:
                return
            trial, configuration, seconds = claimed
            started = time.perf_counter()
            try:
                found = evaluator.out_of_fold(
                    configuration,
                    self.task,
                    self.folds,
                    algorithm=self.proposals.space.own_algorithm(configuration),
                    seconds=seconds,
                )
            except BaseException:
                self._fail(trial, "interrupted", "interrupted before its end")
                raise
            if self._stop.is_set() and found.run.status == "crash":
                self._fail(trial, "interrupted", "interrupted before its end")
                return
            last = self._finish(trial, found, time.perf_counter() - started)
            if progress is not None:
                progress(self._state(last))

    def _claim(self) -> tuple[Trial, Configuration, float | None] | None:
        """Start the next trial, in this process's turn; None when there is none to start."""
        end_lost_trials(self.study)
        trials = self.study.get_trials(deepcopy=False)
        seconds = self.budget.trial_seconds(trials)
        if self.budget.n_left(trials) <= 0 or seconds == 0:
            return None
        if not any(trial.state == TrialState.WAITING for trial in trials):
            fit_seconds = None if seconds is None else seconds / len(self.folds.all)
            is_timed = self.budget.time_limit is not None
            fit_rows = len(self.folds.all[0][0])
            proposal = self.proposals.next(trials, fit_seconds, fit_rows, per_second=is_timed)
            if proposal is None:
                self.notes.append("The whole search space was tried.")
                return None
            parameters = self.proposals.space.parameters(proposal.configuration)
            self.study.enqueue_trial(parameters, self._label(proposal, seconds))
        trial = self.study.ask()
        configuration = self.proposals.space.configuration(self.proposals.space.space.suggest(trial))
        if ORIGIN not in trial.user_attrs:  # somebody else's, from a dashboard or a script
            for name, value in self._label(Proposal(configuration, "enqueued"), seconds).items():
                trial.set_user_attr(name, value)
        return trial, configuration, seconds

    def _label(self, proposal: Proposal, seconds: float | None) -> dict[str, Any]:
        label = {
            "configuration_id": proposal.configuration.configuration_id,
            ORIGIN: proposal.origin,
            "process": this_process(),
            "limit_seconds": seconds,
            "expected_score": _plain(proposal.expected_score),
        }
        return {name: value for name, value in label.items() if value is not None}

    def _finish(self, trial: Trial, found: OutOfFold, seconds: float) -> str:
        run, value = found.run, float("nan")
        if run.status == "ok":
            try:
                value = self.scoring.score(self.task, self.folds, found.responses, self.labels)
                if not np.isfinite(value):
                    run = replace(run, status="crash", reason=f"{self.scoring.name} is not defined")
            except Exception as error:  # noqa: BLE001 - a scorer is the user's, and its failure is a result
                run = replace(run, status="crash", reason=f"{self.scoring.name}: {error}"[:500])
        self._remember(found)
        measured = {
            "run_id": run.run_id,
            "seconds": run.seconds,
            "fit_seconds": run.fit_seconds,
            "wall_seconds": seconds,
            "scores": dict(run.scores),
        }
        trial.set_user_attr("run", _plain(measured))
        if run.status != "ok":
            self._fail(trial, run.status, run.reason)
            return f"{found.run.configuration}: {run.status}"
        self._keep(trial.number, value, found.responses)
        save_predictions(self.study, trial._trial_id, found.responses)
        self.study.tell(trial, value)
        return f"{found.run.configuration}: {value:.4g}"

    def _keep(self, number: int, value: float, responses: Mapping[str, NDArray]) -> None:
        """Keep the predictions of the best trials only: those of all would fill the memory."""
        self._own[number] = value, responses
        if len(self._own) > N_CANDIDATES:
            del self._own[min(self._own, key=lambda kept: (self._own[kept][0], -kept))]

    def _fail(self, trial: Trial, status: str, reason: str) -> None:
        trial.set_user_attr("status", status)
        trial.set_user_attr("reason", reason)
        self.study.tell(trial, state=TrialState.FAIL)

    def _remember(self, found: OutOfFold) -> None:
        """Every run goes back into the store; one that cannot be written must not cost the study."""
        if self.store is None:
            return
        try:
            self.store.add_runs([found.run])
        except (StoreError, UsageError) as error:
            note = f"The runs could not be stored: {error}"
            if note not in self.notes:
                self.notes.append(note)

    def _state(self, last: str) -> TuningProgress:
        trials = [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()]
        values = [trial.value for trial in trials if trial.value is not None]
        return TuningProgress(
            n_trials=len(trials),
            n_failed=len(trials) - len(values),
            seconds=self.budget.clock.elapsed,
            best_score=max(values, default=float("nan")),
            last=last,
        )


def _plain(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
