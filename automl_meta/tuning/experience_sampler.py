"""ExperienceSampler: an Optuna sampler with transfer from past tasks."""

from __future__ import annotations

import logging
import math
import threading
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from automl_meta._utils.isolation import default_settings
from automl_meta._utils.random import RandomState, child_generator, seed_of
from automl_meta._utils.threads import single_threaded
from automl_meta.algorithms import SearchSpace
from automl_meta.tuning.encoded_space import EncodedSpace
from automl_meta.tuning.history import Direction, History, HistoryLike, as_history
from automl_meta.tuning.matern import Vector
from automl_meta.tuning.origin import Origin
from automl_meta.tuning.planner import Observed, Plan, Planner
from automl_meta.tuning.study_rows import (
    PLAN,
    Branches,
    announce,
    fitted_value,
    fixed_row,
    n_undecided,
    observed_of,
    past_rows,
    seen_space,
    under_way,
)

__all__ = ["ExperienceSampler"]

_MOST_AHEAD = 8  # running trials without a configuration that are given the first choice
_DIRECTIONS = {"maximize": StudyDirection.MAXIMIZE, "minimize": StudyDirection.MINIMIZE}
_ATTEMPTS = 8  # to find a configuration that no other process is evaluating
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)
_logger = logging.getLogger(__name__)


class ExperienceSampler(BaseSampler):
    """Optuna sampler that transfers from past experiments and learns from the current study.

    The first trials are a portfolio: configurations that complement each other over the past tasks,
    re-weighted by their values in the current study. Then expected improvement is maximised under two
    Gaussian processes, one whose mean and covariance come from the response surfaces of the past
    tasks, and one of the current study only. They are weighted by their leave-one-out predictive
    density, so that a misleading history is down-weighted. Without a history only the second is used.

    Running trials count as tried; failed ones, and those with the value NaN, count as the worst so
    far; pruned ones as no better than the median. The user attribute `ORIGIN` of each trial is the
    origin of its configuration. With a `seed`, studies in a single process are reproducible;
    processes that share a study do not suggest a configuration twice.

    Parameters
    ----------
    history : Study, sequence of Study, str, BaseStorage, StoreQuery, DataFrame, History or None
        Evaluations on past tasks; see `as_history`. Parameters that the study lacks are ignored;
        parameters that the history lacks are searched without it. A past study of the same name as
        the current one is left out.
    seed : int, Generator, RandomState or None
        Random seed; with None, results differ between runs.
    direction : {"maximize", "minimize"}, optional
        Direction of the column ``value`` if `history` is a frame.
    studies : str or collection of str
        Studies to read if `history` is a storage, as a pattern or by name.

    Raises
    ------
    UsageError
        If the history cannot be read.

    References
    ----------
    Wang et al. (2024), Pre-trained Gaussian processes for Bayesian optimization, JMLR 25.
    Wistuba, Schilling & Schmidt-Thieme (2015), Sequential model-free hyperparameter tuning, ICDM.

    Examples
    --------
    >>> import pandas as pd
    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> past = pd.DataFrame({"task": "old", "x": [0.1, 0.4, 0.7, 0.9], "value": [0.5, 0.2, 0.1, 0.4]})
    >>> sampler = ExperienceSampler(past, seed=0, direction="minimize")
    >>> study = optuna.create_study(sampler=sampler)
    >>> study.optimize(lambda trial: (trial.suggest_float("x", 0.0, 1.0) - 0.6) ** 2, n_trials=10)
    >>> study.best_params["x"].__round__(1), study.trials[0].user_attrs
    (0.6, {'automl_meta:origin': 'advice rank 1'})
    """

    def __init__(
        self,
        history: HistoryLike = None,
        seed: RandomState = None,
        *,
        direction: Direction | None = None,
        studies: str | Collection[str] = "*",
    ) -> None:
        self._history = as_history(history, direction=direction, studies=studies)
        self._branches = Branches(self._history)
        self._seed = seed_of(seed)
        self._lock = threading.RLock()
        self._made: tuple[EncodedSpace, str, Planner] | None = None
        self._told = False

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.RLock())

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return all parameters of finished trials, each with its latest distribution.

        Parameters
        ----------
        study : Study
            Study of the trial.
        trial : FrozenTrial
            New trial.

        Returns
        -------
        dict of str to BaseDistribution
            Distributions by name.
        """
        self._raise_error_if_multi_objective(study)
        return seen_space(study.get_trials(deepcopy=False))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Plan a configuration and announce it to other processes.

        Parameters
        ----------
        study : Study
            Study of the trial.
        trial : FrozenTrial
            New trial.
        search_space : dict of str to BaseDistribution
            Parameters to sample.

        Returns
        -------
        dict of str to value
            Planned values of these parameters.
        """
        self._raise_error_if_multi_objective(study)
        with self._lock, single_threaded(), default_settings():
            configuration = self._planned(study, trial, search_space)
        return {name: value for name, value in configuration.items() if name in search_space}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the planned value of a parameter that is new to the study, or an evenly spread one.

        Parameters
        ----------
        study : Study
            Study of the trial.
        trial : FrozenTrial
            New trial.
        param_name : str
            Name of the parameter.
        param_distribution : BaseDistribution
            Distribution of the parameter.

        Returns
        -------
        value
            Value of the parameter.
        """
        self._raise_error_if_multi_objective(study)
        value = fitted_value(param_distribution, (trial.system_attrs.get(PLAN) or {}).get(param_name))
        if value is not None:
            return value
        others = _all_tried(study.get_trials(deepcopy=False), trial)
        return self._unplanned(param_name, param_distribution, trial.params, trial.number, others)

    def propose(
        self,
        space: SearchSpace | Mapping[str, BaseDistribution],
        trials: Sequence[FrozenTrial],
        *,
        direction: Direction = "maximize",
        fixed: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Origin]:
        """Propose a configuration without a study.

        The result is what a new trial would suggest in a study with these trials.

        Parameters
        ----------
        space : SearchSpace or mapping of str to BaseDistribution
            Search space of the configuration.
        trials : sequence of FrozenTrial
            Trials so far. Unfinished ones count as tried.
        direction : {"maximize", "minimize"}
            Direction of the trials' values.
        fixed : mapping of str to value, optional
            Parameters whose values are already decided.

        Returns
        -------
        parameters : dict of str to value
            A value for each active parameter.
        origin : Origin
            Where the configuration came from.
        """
        space = space if isinstance(space, SearchSpace) else SearchSpace(space)
        fixed, seen, number = dict(fixed or {}), seen_space(trials), len(trials)
        others = [under_way(trial) or trial.params for trial in trials]
        with self._lock, single_threaded(), default_settings():
            encoded, planner = self._planner_for("", seen, trials)
            observed = observed_of(encoded, trials, _DIRECTIONS[direction])
            for attempt in range(_ATTEMPTS):
                rng = np.random.default_rng([self._seed, number, attempt])
                plan = _plan_behind(n_undecided(trials), planner, observed, fixed_row(encoded, fixed), rng)
                planned = encoded.decode(plan.row)
                if not planned or planned not in others:
                    break
        chosen: dict[str, Any] = {}
        for name, distribution in space.distributions.items():
            if not space.is_active(name, chosen):
                continue
            if name in fixed:
                value = fixed[name]
            elif name in planned and seen.get(name) == distribution:
                value = planned[name]
            elif (value := fitted_value(distribution, planned.get(name))) is None:
                value = self._unplanned(name, distribution, chosen, number, others)
            chosen[name] = value
        return chosen, plan.origin

    def _planned(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Plan and announce a configuration that no other running trial has announced."""
        fixed = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        configuration: dict[str, Any] = {}
        for attempt in range(_ATTEMPTS):
            others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
            space, planner = self._planner_for(study.study_name, search_space, others)
            observed = observed_of(space, others, study.direction)
            n_ahead = n_undecided([other for other in others if other.number < trial.number])
            rng = np.random.default_rng([self._seed, trial.number, attempt])
            plan = _plan_behind(n_ahead, planner, observed, fixed_row(space, fixed), rng)
            configuration = space.decode(plan.row)
            announce(study, trial, configuration, plan.origin)
            if not configuration or configuration not in _all_tried(study.get_trials(deepcopy=False), trial):
                break
        return configuration

    def _unplanned(
        self,
        name: str,
        distribution: BaseDistribution,
        chosen: Mapping[str, Any],
        number: int,
        others: Sequence[Mapping[str, Any]],
    ) -> Any:
        """Value for a parameter without a plan, which no other trial combines with the chosen ones."""
        for attempt in range(_ATTEMPTS):
            value = _even_value(self._seed, name, distribution, number + attempt)
            if not any(_agrees(other, {**chosen, name: value}) for other in others):
                break
        return value

    def _planner_for(
        self, study_name: str, search_space: Mapping[str, BaseDistribution], trials: Sequence[FrozenTrial]
    ) -> tuple[EncodedSpace, Planner]:
        """Planner of the known part of the search space, rebuilt when that grows."""
        history = self._history.without(study_name)
        space = EncodedSpace(self._branches.joined(search_space, trials))
        if self._made is None or not space.same_as(self._made[0]) or self._made[1] != study_name:
            tasks, n_foreign = past_rows(space, history)
            if search_space and not self._told:
                self._told = True
                _tell(search_space, history, space, n_foreign)
            self._made = (space, study_name, Planner(space, tasks, self._seed))
        return self._made[0], self._made[2]


def _plan_behind(
    n_ahead: int, planner: Planner, observed: Observed, fixed: Vector, rng: np.random.Generator
) -> Plan:
    """Plan of a trial, after plans for the earlier trials that have not chosen yet."""
    for _ in range(1 + min(n_ahead, _MOST_AHEAD)):
        plan = planner.plan(observed, fixed, rng)
        observed = observed.with_pending(plan.row)
    return plan


def _even_value(seed: int, name: str, distribution: BaseDistribution, number: int) -> Any:
    """Value of a quasi-random sequence for a trial number, the same in every process."""
    space = EncodedSpace({name: distribution})
    stride = math.sqrt(_PRIMES[zlib.crc32(name.encode()) % len(_PRIMES)])
    share = np.full((1, 1), (child_generator(seed, name).random() + number * stride) % 1.0)
    row = np.floor(share * space.categories) if space.categories[0] else share
    return space.decode(space.snap(row)[0])[name]


def _agrees(configuration: Mapping[str, Any], with_these: Mapping[str, Any]) -> bool:
    return all(name in configuration and configuration[name] == value for name, value in with_these.items())


def _all_tried(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> list[dict[str, Any]]:
    """Configurations of all other trials, finished or not."""
    return [under_way(other) or other.params for other in trials if other.number != trial.number]


def _tell(
    search_space: Mapping[str, BaseDistribution], history: History, space: EncodedSpace, n_foreign: int
) -> None:
    """Log in which parameters and categories the history and the search space differ."""
    if not history.tasks:
        return
    unknown = sorted(set(search_space) - set(history.distributions))
    unused = sorted(set(history.distributions) - set(space.names))
    if unknown:
        _logger.warning("The history does not know %s; searched without it.", ", ".join(unknown))
    if unused:
        _logger.warning("This study does not have %s; left aside in the history.", ", ".join(unused))
    if n_foreign:
        _logger.warning(
            "%d of %d past configurations have a category that this study does not have; not used.",
            n_foreign,
            history.n_rows,
        )
