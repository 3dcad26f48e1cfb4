"""StudyBudget: trials and seconds of a study, however many processes spend them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from automl_meta._utils.budget import Budget
from automl_meta.automl.studies import busy_seconds, is_lost, measured
from automl_meta.experiments import Folds
from automl_meta.task import TabularTask

__all__ = ["StudyBudget"]

_SHARE_OF_A_TRIAL = 0.25  # of the time limit: one slow configuration must not be all that was tried
_FIRST_SECONDS = 1.0  # of the very first trial, however little there is: without it nothing can be fitted
_REFIT_MARGIN = 1.5  # measured seconds of fits vary so much
_FINISHING = 0.3  # share of the time limit that refits may take at most, unless the best one needs more
_GRACE = 0.05  # of the time limit
_START_SECONDS = 0.3  # of a refit, whatever it fits: its data go to the worker, the model comes back


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
    restart_seconds : float
        That it takes until a worker works again when its trial was ended.
    """

    task: TabularTask
    folds: Folds
    n_trials: int | None
    time_limit: float | None
    trial_time_limit: float | None
    n_refits: int
    clock: Budget = field(default_factory=Budget)
    restart_seconds: float = 0.0

    def n_left(self, trials: Sequence[FrozenTrial]) -> float:
        """How many trials may still be started."""
        if self.n_trials is None:
            return math.inf
        counted = [trial for trial in trials if trial.state != TrialState.WAITING and not is_lost(trial)]
        return self.n_trials - len(counted)

    def trial_seconds(self, trials: Sequence[FrozenTrial]) -> float | None:
        """Wall seconds that the next trial may take; None is without limit, 0 that none should start."""
        limits = [] if self.trial_time_limit is None else [self.trial_time_limit]
        if self.time_limit is not None:
            left = min(self.clock.remaining, self.time_limit - busy_seconds(trials)) - self.reserve(trials)
            if left <= self._quickest(trials):
                if trials:
                    return 0.0
                left = max(_FIRST_SECONDS, _SHARE_OF_A_TRIAL * self.time_limit)
            limits += [left, max(_SHARE_OF_A_TRIAL * self.time_limit, 1.0)]
        return min(limits, default=None)

    def reserve(self, trials: Sequence[FrozenTrial]) -> float:
        """Seconds to keep for the refits of the best models so far, and a new worker to fit them in."""
        if self.time_limit is None:
            return 0.0
        best = sorted(_complete(trials), key=lambda trial: -(trial.value or -math.inf))
        seconds = [self.refit_seconds(trial) for trial in best[: self.n_refits]]
        if not seconds:
            return min(1.0, 0.1 * self.time_limit)
        return self.restart_seconds + max(seconds[0], min(sum(seconds), _FINISHING * self.time_limit))

    def refit_seconds(self, trial: FrozenTrial) -> float:
        """Wall seconds that a fit on all rows will take, from those of its folds."""
        rows = float(np.mean([len(train) for train, _ in self.folds.all]))
        cpu = float(measured(trial, "fit_seconds") or 0.0)
        wall = float(measured(trial, "wall_seconds") or 0.0) / len(self.folds.all)
        return _START_SECONDS + _REFIT_MARGIN * max(cpu, wall) * self.task.n_rows / rows

    @property
    def grace_seconds(self) -> float:
        """By which the refit of the best model may overrun the limit at most, rather than be lost."""
        return math.inf if self.time_limit is None else _GRACE * self.time_limit

    def _quickest(self, trials: Sequence[FrozenTrial]) -> float:
        """Seconds of the quickest trial so far: with less left, starting one is a waste."""
        return min((float(measured(t, "wall_seconds") or 0.0) for t in _complete(trials)), default=0.0)


def _complete(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [trial for trial in trials if trial.state == TrialState.COMPLETE]
