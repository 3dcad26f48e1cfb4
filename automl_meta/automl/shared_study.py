"""SharedStudy: a study that several processes work on, and that outlasts its storage."""

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
"""So many of the best trials may enter the ensemble."""


class SharedStudy:
    """A study that several processes work on, and that outlasts its storage.

    Where the storage does not work any more, the study goes on in memory with what is known of it, so that
    there will be a model.

    Parameters
    ----------
    study : Study
        Of Optuna.
    problem : Problem
        What the study is about; trials of another search space are left out.
    note : callable
        Takes what the user should know, in words.

    Attributes
    ----------
    study : Study
        That it is, or in memory what is left of it.
    turn : Turn
        Within which a trial is begun.
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
        self._predictions: dict[int, tuple[float, Mapping[str, NDArray]]] = {}  # by trial number
        self._known: list[FrozenTrial] = []  # when it was last read
        self._untold: dict[
            int, FrozenTrial
        ] = {}  # ended here, and not written since the storage did not work

    def trials(self) -> list[FrozenTrial]:
        """All trials, of all processes, that are of this search space."""
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
        """Give up the running trials whose processes have died."""
        self._owners.end_lost_trials(self.study, self._running)

    def begin(self, parameters: Mapping[str, Any] | None, label: Mapping[str, Any]) -> Trial:
        """Begin a trial, within the turn.

        Parameters
        ----------
        parameters : mapping of str to value or None
            What it tries; None takes what somebody has enqueued.
        label : mapping of str to value
            Its attributes, if `parameters` are given.
        """
        owner = self._owners.label
        if parameters is not None:
            self.study.enqueue_trial(dict(parameters), {**label, OWNER: owner})
        trial = self.study.ask()
        self._running.add(trial.number)
        if trial.user_attrs.get(OWNER) != owner:  # who enqueued it may have died, or never meant to run it
            trial.set_user_attr(OWNER, owner)
        return trial

    def tell(
        self,
        trial: Trial,
        attributes: Mapping[str, Any],
        value: float | None = None,
        responses: Mapping[str, NDArray] | None = None,
    ) -> None:
        """Write how a trial of this process ended.

        Its result is kept also if another process took it for lost meanwhile, and if the storage does not work.

        Raises
        ------
        StudyError
            If the storage does not work.
        """
        if value is not None:
            self._keep(trial.number, value, responses or {})
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
        """Out-of-fold predictions of a trial, made here or kept by another process; empty if none that fit."""
        own = self._predictions.get(trial.number)
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
        """Leave a storage that does not work."""
        self._note(f"{error} The search ended there; the best so far was kept.")
        name, untold = self.study.study_name, dict(self._untold)
        with quiet():
            self.study = optuna.create_study(study_name=name, direction="maximize")
        self.turn = Turn(None, name)
        predictions, self._predictions = self._predictions, {}
        for trial in self._known:
            ended = untold.pop(trial.number, trial)
            if ended.state.is_finished():
                self._add(ended, predictions.get(trial.number))
        for number, ended in untold.items():
            self._add(ended, predictions.get(number))
        self._untold = {}

    def _add(self, trial: FrozenTrial, predictions: tuple[float, Mapping[str, NDArray]] | None) -> None:
        if predictions is not None:
            self._predictions[len(self.study.get_trials(deepcopy=False))] = predictions
        self.study.add_trial(trial)

    def _add_again(self, trial: Trial, attributes: Mapping[str, Any], value: float) -> None:
        """Add a trial that was taken for lost as a new one."""
        with self.turn:
            trials = self.study.get_trials(deepcopy=False)
            if trials[trial.number].state != TrialState.COMPLETE:  # else only the answer was lost
                self._add(_ended(trial, attributes, value), self._predictions.pop(trial.number, None))

    def _keep(self, number: int, value: float, responses: Mapping[str, NDArray]) -> None:
        """Keep the predictions of the best trials only: those of all would fill the memory."""
        with self._keeping:
            self._predictions[number] = value, responses
            if len(self._predictions) > N_CANDIDATES:
                worst = min(self._predictions, key=lambda kept: (self._predictions[kept][0], -kept))
                del self._predictions[worst]

    def _is_of_this_space(self, trial: FrozenTrial) -> bool:
        """Whether a trial can be used: others may write to the study, and search in another space."""
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
            return trial.state == TrialState.RUNNING  # it may not have said everything yet
        return True


def check_space(study: optuna.Study, space: JointSpace) -> None:
    """See that trials of a search space can be added to a study.

    Raises
    ------
    UsageError
        If it holds trials in which a parameter of the same name means something else, which Optuna does not allow.
    """
    own = space.space.distributions
    for trial in study.get_trials(deepcopy=False):
        for name, theirs in trial.distributions.items():
            try:
                check_distribution_compatibility(theirs, own.get(name, theirs))
            except ValueError as error:
                raise UsageError(
                    f"The study {study.study_name!r} searches another space: its parameter {name!r} is {theirs}. "
                    "Give another name for a new study."
                ) from error


def _ended(trial: Trial, attributes: Mapping[str, Any], value: float | None) -> FrozenTrial:
    return create_trial(
        state=TrialState.FAIL if value is None else TrialState.COMPLETE,
        value=value,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={**trial.user_attrs, **attributes},
    )
