"""StudyBudget: trials and seconds of a study, shared by all its processes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from automl_meta._utils.budget import Budget
from automl_meta.algorithms import ALGORITHM
from automl_meta.automl.trials import Measured, busy_seconds, completed, fit_rows_of, is_lost, score_of
from automl_meta.experiments import Folds
from automl_meta.task import TabularTask

__all__ = ["StudyBudget"]

_SHARE_OF_A_TRIAL = 0.25  # of the time limit, so that one slow configuration does not use it up
_FIRST_SECONDS = 1.0  # minimum of a trial until one has succeeded, since there is no model without it
_REFIT_MARGIN = 1.5  # for the variation of measured fit times
_FINISHING = 0.3  # maximum share of the time limit for refits; beyond it they use fewer rows
_GRACE = 0.05  # of the time limit
_START_SECONDS = 0.3  # fixed costs of a refit: sending the data to the worker and the model back
_MANY_TIMES = 2.0  # times the rows of a fold: from there on, the time of a fit on all rows is measured
_WORTH_KNOWING = 0.05  # share of the time limit: below it, an estimate of the refit need not be accurate
_EARLY_SHARE = 0.3  # of the remaining seconds, for that measurement
_POWERS = 0.0, 3.0  # bounds of the power of the rows with which the seconds of a fit grow


@dataclass
class StudyBudget:
    """Trials and seconds of a study, shared by all its processes.

    Parameters
    ----------
    task : TabularTask
        Task to learn.
    folds : Folds
        Folds of the trials; measured fit times are extrapolated from them to all rows.
    n_trials : int, optional
        Number of trials of the whole study; lost trials do not count.
    time_limit : float, optional
        Wall seconds of the whole study, in which any process ran a trial, and of this process.
    trial_time_limit : float, optional
        Wall seconds of one trial.
    n_refits : int
        Number of final models for which time is reserved.
    clock : Budget
        Wall-clock time of this process since the call of ``fit``.
    """

    task: TabularTask
    folds: Folds
    n_trials: int | None
    time_limit: float | None
    trial_time_limit: float | None
    n_refits: int
    clock: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        self._powers: dict[str, float] = {}  # by algorithm: power of the rows with which the seconds grow

    def n_left(self, trials: Sequence[FrozenTrial]) -> float:
        """Number of trials that may still be started."""
        if self.n_trials is None:
            return math.inf
        counted = [trial for trial in trials if trial.state != TrialState.WAITING and not is_lost(trial)]
        return self.n_trials - len(counted)

    def trial_seconds(self, trials: Sequence[FrozenTrial], restart_seconds: float = 0.0) -> float | None:
        """Return the wall seconds of the next trial; None is no limit, 0 means that none should start.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            Trials of the study so far.
        restart_seconds : float
            Wall seconds until a worker is ready again after its trial was stopped.

        Returns
        -------
        float or None
            Wall seconds.
        """
        limits = [] if self.trial_time_limit is None else [self.trial_time_limit]
        if self.time_limit is not None:
            left = min(self.clock.remaining, self.time_limit - busy_seconds(trials))
            left -= self.reserve(trials, restart_seconds)
            if not completed(trials):
                if left <= 0 and trials:
                    return 0.0
                # Less each time, so that time remains for something quicker.
                limits.append(max(_SHARE_OF_A_TRIAL * left, _FIRST_SECONDS))
            elif left <= self._quickest(trials):
                return 0.0
            else:
                limits += [left, max(_SHARE_OF_A_TRIAL * self.time_limit, _FIRST_SECONDS)]
        return min(limits, default=None)

    def reserve(self, trials: Sequence[FrozenTrial], restart_seconds: float = 0.0) -> float:
        """Seconds to reserve for the refits of the best models so far, and for a new worker process."""
        if self.time_limit is None:
            return 0.0
        best = sorted(completed(trials), key=score_of, reverse=True)
        seconds = [self.refit_seconds(trial) for trial in best[: self.n_refits]]
        if not seconds:
            return min(1.0, 0.1 * self.time_limit)
        share, reserved = _FINISHING * self.time_limit, 0.0
        for needed in seconds:
            # The best is fitted on fewer rows if necessary; others that take too long are left out.
            reserved += (
                min(needed, share - reserved) if reserved == 0.0 or reserved + needed <= share else 0.0
            )
        return restart_seconds + reserved

    def refit_seconds(self, trial: FrozenTrial, n_rows: float | None = None) -> float:
        """Estimate the wall seconds of a fit from the folds and from other fits.

        Parameters
        ----------
        trial : FrozenTrial
            Successful trial.
        n_rows : float, optional
            Number of training rows; all rows by default.

        Returns
        -------
        float
            Wall seconds.
        """
        times = (self.task.n_rows if n_rows is None else n_rows) / self._fold_rows(trial)
        return _START_SECONDS + _REFIT_MARGIN * self._fold_seconds(trial) * times ** self._power(trial)

    def affordable_rows(self, trial: FrozenTrial, seconds: float) -> int:
        """Number of rows that can be fitted in a number of seconds; at least those of a fold."""
        fold_rows, per_fold = self._fold_rows(trial), _REFIT_MARGIN * self._fold_seconds(trial)
        times = max((seconds - _START_SECONDS) / per_fold, 1.0) if per_fold > 0 else math.inf
        # With a power near zero, all rows take no longer than a fold.
        rows = fold_rows * min(times ** (1 / max(self._power(trial), 0.1)), self.task.n_rows / fold_rows)
        return int(max(min(rows, self.task.n_rows), fold_rows))

    def early_seconds(self, trial: FrozenTrial) -> float | None:
        """Seconds to spend now on measuring a fit of a trial's configuration on all rows.

        None if the time is known well enough: the folds have nearly all rows, the algorithm was
        fitted on all rows before, or the fit is quick anyway.
        """
        if self.time_limit is None or self.task.n_rows < _MANY_TIMES * self._fold_rows(trial):
            return None
        if str(trial.params.get(ALGORITHM)) in self._powers:
            return None
        if self.refit_seconds(trial) < _WORTH_KNOWING * self.time_limit:
            return None
        return _EARLY_SHARE * self.clock.remaining

    def learn(self, trial: FrozenTrial, seconds: float, *, has_ended: bool) -> None:
        """Learn from a fit on all rows how the fit time of its algorithm grows.

        Parameters
        ----------
        trial : FrozenTrial
            Trial whose configuration was fitted.
        seconds : float
            Wall seconds of the fit.
        has_ended : bool
            Whether its limit stopped it; then twice the seconds are assumed.
        """
        times = self.task.n_rows / self._fold_rows(trial)
        known = max(seconds * (2.0 if has_ended else 1.0) - _START_SECONDS, 1e-3)
        if times > 1.0 and self._fold_seconds(trial) > 0:
            power = math.log(known / self._fold_seconds(trial)) / math.log(times)
            self._powers[str(trial.params.get(ALGORITHM))] = min(max(power, _POWERS[0]), _POWERS[1])

    @property
    def grace_seconds(self) -> float:
        """Seconds by which the refit of the best model may exceed the time limit."""
        return math.inf if self.time_limit is None else max(_GRACE * self.time_limit, _FIRST_SECONDS)

    def _power(self, trial: FrozenTrial) -> float:
        return self._powers.get(str(trial.params.get(ALGORITHM)), 1.0)

    def _fold_rows(self, trial: FrozenTrial) -> float:
        rows = float(np.mean([len(train) for train, _ in self.folds.all]))
        return min(rows, float(fit_rows_of(trial) or rows))

    def _fold_seconds(self, trial: FrozenTrial) -> float:
        """Wall seconds of one fit: its CPU seconds, scaled up if the trial had to wait; 0 if unknown."""
        measured = Measured.of(trial)
        waiting = measured.wall_seconds / measured.seconds if measured.seconds > 0 else math.nan
        part = measured.wall_seconds / len(self.folds.all)  # of one fit with its predictions
        fit = measured.fit_seconds * np.fmax(waiting, 1.0)
        return float(np.nanmax([part if math.isnan(waiting) else fit, measured.fit_seconds, 0.0]))

    def _quickest(self, trials: Sequence[FrozenTrial]) -> float:
        """Seconds of the quickest trial so far; with less time left, no trial is started."""
        seconds = [Measured.of(trial).wall_seconds for trial in completed(trials)]
        return min((second for second in seconds if not math.isnan(second)), default=0.0)
