"""SharedStudy: a study that several processes share, and that survives the loss of its storage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from numpy.typing import NDArray
from optuna.distributions import check_distribution_compatibility
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from automl_meta.algorithms import JointSpace
from automl_meta.automl.owners import OWNER, Owners
from automl_meta.automl.problem import Problem
from automl_meta.automl.study_storage import predictions_of, quiet, save_predictions
from automl_meta.automl.trials import completed
from automl_meta.automl.turn import Turn
from automl_meta.exceptions import StudyError, UsageError

__all__ = ["N_CANDIDATES", "SharedStudy", "check_space"]

N_CANDIDATES = 30
"""Number of best trials that may enter the ensemble."""


class SharedStudy:
    """Study that several processes share, and that survives the loss of its storage.

    If the storage fails, the study continues in memory with the trials that are known, so that a
    model can be fitted.

    Parameters
    ----------
    study : Study
        Optuna study.
    problem : Problem
        Task, search space and folds; trials of another search space are left out.
    note : callable
        Takes notes for the user.

    Attributes
    ----------
    study : Study
        Optuna study, or what is left of it in memory.
    turn : Turn
        Lock under which trials are started.
    """

    def __init__(self, study: optuna.Study, problem: Problem, note: Callable[[str], None]) -> None:
        self.study = study
        self.turn = Turn.of_study(study)
        self._space = problem.space
        n_tested, n_classes = len(problem.folds.tested), len(problem.task.classes)
        self._shapes = {"predict": (n_tested,), "predict_proba": (n_tested, n_classes)}
        self._note = note
        self._owners = Owners()
        self._running: set[int] = set()  # trials of this process
        self._keeping = threading.Lock()
        self.predictions: dict[int, tuple[float, Mapping[str, NDArray]]] = {}  # by trial number
        self._known: list[FrozenTrial] = []  # when the study was last read
        self._untold: dict[
            int, FrozenTrial
        ] = {}  # ended here, and not written since the storage did not work

    def trials(self) -> list[FrozenTrial]:
        """Trials of all processes in this search space."""
        try:
            found = self.study.get_trials(deepcopy=False)
        except StudyError as error:
            self.go_on_in_memory(error)
            found = self.study.get_trials(deepcopy=False)
        self._known = [trial for trial in found if self._is_of_this_space(trial)]
        if len(self._known) < len(found):
            self._note(f"{len(found) - len(self._known)} trials of the study are of another search space.")
        return self._known

    def end_lost_trials(self) -> None:
        """Mark running trials whose processes have died as failed."""
        self._owners.end_lost_trials(self.study, self._running)

    def begin(self, parameters: Mapping[str, Any] | None, label: Mapping[str, Any]) -> Trial:
        """Start a trial; the caller holds `turn`.

        Parameters
        ----------
        parameters : mapping of str to value or None
            Parameters of the trial; None takes an enqueued trial.
        label : mapping of str to value
            User attributes, if `parameters` are given.

        Returns
        -------
        Trial
            Running trial.
        """
        owner = self._owners.label
        if parameters is not None:
            self.study.enqueue_trial(dict(parameters), {**label, OWNER: owner})
        trial = self.study.ask()
        self._running.add(trial.number)
        if (
            trial.user_attrs.get(OWNER) != owner
        ):  # the process that enqueued it may have died, or not have meant to run it
            trial.set_user_attr(OWNER, owner)
        return trial

    def tell(
        self,
        trial: Trial,
        attributes: Mapping[str, Any],
        value: float | None = None,
        responses: Mapping[str, NDArray] | None = None,
    ) -> None:
        """Write the result of a trial of this process.

        The result is kept even if another process took the trial for lost, or the storage fails.

        Parameters
        ----------
        trial : Trial
            Trial that ended.
        attributes : mapping of str to value
            User attributes to set.
        value : float, optional
            Score; None for a failure.
        responses : mapping of str to ndarray, optional
            Out-of-fold predictions.

        Raises
        ------
        StudyError
            If the storage fails.
        """
        if value is not None:
            self.keep_predictions(trial.number, value, responses or {})
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        try:
            for name, said in attributes.items():
                trial.set_user_attr(name, said)
            save_predictions(self.study, trial._trial_id, responses or {})
            values = None if value is None else [value]
            self.study._storage.set_trial_state_values(trial._trial_id, state, values)
        except UpdateFinishedTrialError:
            if value is not None:
                self._add_again(trial, attributes, value)
        except StudyError:
            self._untold[trial.number] = _ended(trial, attributes, value)
            raise
        finally:
            self._running.discard(trial.number)

    def responses(self, trial: FrozenTrial) -> Mapping[str, NDArray]:
        """Out-of-fold predictions of a trial of any process; empty if there are none of the right shape."""
        own = self.predictions.get(trial.number)
        if own is not None:
            return own[1]
        kept = predictions_of(trial)
        has_shape = all(kept[name].shape == self._shapes[name] for name in kept)
        n_classes = self._shapes["predict_proba"][1]
        is_code = (
            n_classes == 0 or not kept or 0 <= kept["predict"].min() <= kept["predict"].max() < n_classes
        )
        return kept if has_shape and is_code else {}

    def go_on_in_memory(self, error: StudyError) -> None:
        """Continue in memory after the storage failed."""
        self._note(f"{error} The search ended early; the best result so far was kept.")
        name, untold = self.study.study_name, dict(self._untold)
        with quiet():
            self.study = optuna.create_study(study_name=name, direction="maximize")
        self.turn = Turn(None, name)
        predictions, self.predictions = self.predictions, {}
        for trial in self._known:
            ended = untold.pop(trial.number, trial)
            if ended.state.is_finished():
                self._add(ended, predictions.get(trial.number))
        for number, ended in untold.items():
            self._add(ended, predictions.get(number))
        self._untold = {}

    def _add(self, trial: FrozenTrial, predictions: tuple[float, Mapping[str, NDArray]] | None) -> None:
        if predictions is not None:
            self.predictions[len(self.study.get_trials(deepcopy=False))] = predictions
        self.study.add_trial(trial)

    def _add_again(self, trial: Trial, attributes: Mapping[str, Any], value: float) -> None:
        """Add a trial that was taken for lost as a new trial."""
        with self.turn:
            trials = self.study.get_trials(deepcopy=False)
            if trials[trial.number].state != TrialState.COMPLETE:  # otherwise only the reply was lost
                self._add(_ended(trial, attributes, value), self.predictions.pop(trial.number, None))

    def keep_predictions(self, number: int, value: float, responses: Mapping[str, NDArray]) -> None:
        """Keep the predictions of the best trials only, to bound memory."""
        with self._keeping:
            self.predictions[number] = value, responses
            if len(self.predictions) > N_CANDIDATES:
                worst = min(self.predictions, key=lambda kept: (self.predictions[kept][0], -kept))
                del self.predictions[worst]

    def _is_of_this_space(self, trial: FrozenTrial) -> bool:
        """Whether a trial can be used: others may write to the study, or search another space."""
        known = self._space.space.distributions
        if any(type(known.get(name)) is not type(given) for name, given in trial.distributions.items()):
            return False
        if trial.state == TrialState.COMPLETE and not completed([trial]):
            return False
        has_times = (trial.datetime_start, trial.datetime_complete)
        if trial.state.is_finished() and None in has_times:
            return False
        if not trial.params:
            return trial.state != TrialState.COMPLETE
        try:
            self._space.configuration(trial.params)
        except UsageError:
            return trial.state == TrialState.RUNNING  # some of its parameters may be missing yet
        return True


def check_space(study: optuna.Study, space: JointSpace) -> None:
    """Check that trials of a search space can be added to a study.

    Parameters
    ----------
    study : Study
        Optuna study.
    space : JointSpace
        Search space.

    Raises
    ------
    UsageError
        If the study has a parameter of the same name with an incompatible distribution.
    """
    own = space.space.distributions
    for trial in study.get_trials(deepcopy=False):
        for name, theirs in trial.distributions.items():
            try:
                check_distribution_compatibility(theirs, own.get(name, theirs))
            except ValueError as error:
                raise UsageError(
                    f"The study {study.study_name!r} searches another space: its parameter {name!r} is {theirs}. "
                    "Choose another study name."
                ) from error


def _ended(trial: Trial, attributes: Mapping[str, Any], value: float | None) -> FrozenTrial:
    return create_trial(
        state=TrialState.FAIL if value is None else TrialState.COMPLETE,
        value=value,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={**trial.user_attrs, **attributes},
    )
