"""StudyBudget: trials and seconds of a study, however many processes spend them."""

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

_SHARE_OF_A_TRIAL = 0.25  # of the time limit: one slow configuration must not be all that was tried
_FIRST_SECONDS = 1.0  # of a trial, however little there is, until one has succeeded: no model without it
_REFIT_MARGIN = 1.5  # measured seconds of fits vary so much
_FINISHING = 0.3  # share of the time limit that refits may take at most; then they learn from fewer rows
_GRACE = 0.05  # of the time limit
_START_SECONDS = 0.3  # of a refit, whatever it fits: its data go to the worker, the model comes back
_MANY_TIMES = 2.0  # the rows of a fold: how long a fit on all of them takes is then worth a try
_WORTH_KNOWING = 0.05  # share of the time limit: a refit that is expected to take less may be wrong about it
_EARLY_SHARE = 0.3  # of the seconds left, for that try
_POWERS = 0.0, 3.0  # of the rows, with which the seconds of a fit grow


@dataclass
class StudyBudget:
    """Trials and seconds of a study, however many processes spend them.

    Parameters
    ----------
    task, folds
        What is evaluated: the measured seconds of fits are scaled from the folds to all rows.
    n_trials : int, optional
        Of the whole study; those that were lost do not count.
    time_limit : float, optional
        Wall seconds of the whole study: those in which any process ran a trial, and this one's.
    trial_time_limit : float, optional
        Wall seconds of one trial.
    n_refits : int
        Models that are fitted at the end, for which time is kept.
    clock : Budget
        This process's own, from the call of ``fit`` on.
    """

    task: TabularTask
    folds: Folds
    n_trials: int | None
    time_limit: float | None
    trial_time_limit: float | None
    n_refits: int
    clock: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        self._powers: dict[str, float] = {}  # by algorithm: with which power of the rows its seconds grow

    def n_left(self, trials: Sequence[FrozenTrial]) -> float:
        """How many trials may still be started."""
        if self.n_trials is None:
            return math.inf
        counted = [trial for trial in trials if trial.state != TrialState.WAITING and not is_lost(trial)]
        return self.n_trials - len(counted)

    def trial_seconds(self, trials: Sequence[FrozenTrial], restart_seconds: float = 0.0) -> float | None:
        """Wall seconds that the next trial may take; None is without limit, 0 that none should start.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            Trials of the study so far.
        restart_seconds : float
            Wall seconds until a worker works again after its trial was ended.

        Returns
        -------
        float or None
            Seconds.
        """
        limits = [] if self.trial_time_limit is None else [self.trial_time_limit]
        if self.time_limit is not None:
            left = min(self.clock.remaining, self.time_limit - busy_seconds(trials))
            left -= self.reserve(trials, restart_seconds)
            if not completed(trials):
                if left <= 0 and trials:
                    return 0.0
                # Less each time, so that there is time for something quicker in the end.
                limits.append(max(_SHARE_OF_A_TRIAL * left, _FIRST_SECONDS))
            elif left <= self._quickest(trials):
                return 0.0
            else:
                limits += [left, max(_SHARE_OF_A_TRIAL * self.time_limit, _FIRST_SECONDS)]
        return min(limits, default=None)

    def reserve(self, trials: Sequence[FrozenTrial], restart_seconds: float = 0.0) -> float:
        """Seconds to keep for the refits of the best models so far, and for a new worker to fit them in."""
        if self.time_limit is None:
            return 0.0
        best = sorted(completed(trials), key=score_of, reverse=True)
        seconds = [self.refit_seconds(trial) for trial in best[: self.n_refits]]
        if not seconds:
            return min(1.0, 0.1 * self.time_limit)
        share, reserved = _FINISHING * self.time_limit, 0.0
        for needed in seconds:
            # The best is fitted on fewer rows if need be; another one that takes too long is left out.
            reserved += (
                min(needed, share - reserved) if reserved == 0.0 or reserved + needed <= share else 0.0
            )
        return restart_seconds + reserved

    def refit_seconds(self, trial: FrozenTrial, n_rows: float | None = None) -> float:
        """Wall seconds that a fit will take, from those of the folds and from what other fits took.

        Parameters
        ----------
        trial : FrozenTrial
            That succeeded.
        n_rows : float, optional
            That are learnt from; all by default.
        """
        times = (self.task.n_rows if n_rows is None else n_rows) / self._fold_rows(trial)
        return _START_SECONDS + _REFIT_MARGIN * self._fold_seconds(trial) * times ** self._power(trial)

    def affordable_rows(self, trial: FrozenTrial, seconds: float) -> int:
        """How many rows can be learnt from in so many seconds; no fewer than in a fold, which was possible."""
        fold_rows, per_fold = self._fold_rows(trial), _REFIT_MARGIN * self._fold_seconds(trial)
        times = max((seconds - _START_SECONDS) / per_fold, 1.0) if per_fold > 0 else math.inf
        # With a power near zero all rows cost no more than a fold.
        rows = fold_rows * min(times ** (1 / max(self._power(trial), 0.1)), self.task.n_rows / fold_rows)
        return int(max(min(rows, self.task.n_rows), fold_rows))

    def early_seconds(self, trial: FrozenTrial) -> float | None:
        """Seconds to spend now on a fit of a trial's configuration on all rows, so as to know what it takes.

        None where it is known well enough: the folds have nearly all rows, the algorithm was fitted on
        all rows before, or it takes little anyway.
        """
        if self.time_limit is None or self.task.n_rows < _MANY_TIMES * self._fold_rows(trial):
            return None
        if str(trial.params.get(ALGORITHM)) in self._powers:
            return None
        if self.refit_seconds(trial) < _WORTH_KNOWING * self.time_limit:
            return None
        return _EARLY_SHARE * self.clock.remaining

    def learn(self, trial: FrozenTrial, seconds: float, *, has_ended: bool) -> None:
        """Learn from a fit on all rows how the seconds of its algorithm grow.

        Parameters
        ----------
        trial : FrozenTrial
            Whose configuration was fitted.
        seconds : float
            Wall seconds.
        has_ended : bool
            Whether it was ended by its limit; it would have taken more then, at least twice as much as far as
            anybody knows.
        """
        times = self.task.n_rows / self._fold_rows(trial)
        known = max(seconds * (2.0 if has_ended else 1.0) - _START_SECONDS, 1e-3)
        if times > 1.0 and self._fold_seconds(trial) > 0:
            power = math.log(known / self._fold_seconds(trial)) / math.log(times)
            self._powers[str(trial.params.get(ALGORITHM))] = min(max(power, _POWERS[0]), _POWERS[1])

    @property
    def grace_seconds(self) -> float:
        """By which the refit of the best model may overrun the limit at most, rather than be lost."""
        return math.inf if self.time_limit is None else max(_GRACE * self.time_limit, _FIRST_SECONDS)

    def _power(self, trial: FrozenTrial) -> float:
        return self._powers.get(str(trial.params.get(ALGORITHM)), 1.0)

    def _fold_rows(self, trial: FrozenTrial) -> float:
        rows = float(np.mean([len(train) for train, _ in self.folds.all]))
        return min(rows, float(fit_rows_of(trial) or rows))

    def _fold_seconds(self, trial: FrozenTrial) -> float:
        """Wall seconds of one fit: its CPU seconds, and more where the trial had to wait; 0 if nobody knows."""
        measured = Measured.of(trial)
        waiting = measured.wall_seconds / measured.seconds if measured.seconds > 0 else math.nan
        part = measured.wall_seconds / len(self.folds.all)  # of a fit with its predictions
        fit = measured.fit_seconds * np.fmax(waiting, 1.0)
        return float(np.nanmax([part if math.isnan(waiting) else fit, measured.fit_seconds, 0.0]))

    def _quickest(self, trials: Sequence[FrozenTrial]) -> float:
        """Seconds of the quickest trial so far: with less left, starting one is a waste."""
        seconds = [Measured.of(trial).wall_seconds for trial in completed(trials)]
        return min((second for second in seconds if not math.isnan(second)), default=0.0)
