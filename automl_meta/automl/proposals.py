"""Proposals: what is tried next, and where the idea comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from automl_meta.advice import Advisor
from automl_meta.algorithms import Algorithm
from automl_meta.automl.joint_space import ALGORITHM, JointSpace
from automl_meta.automl.sampling import Sampling
from automl_meta.automl.studies import is_lost, measured
from automl_meta.exceptions import UsageError
from automl_meta.records import Configuration
from automl_meta.tuning import origin_of

__all__ = ["Proposal", "Proposals"]

_ADVISED = 10  # trials that follow the advice before the sampler takes over
_ADVISED_LATER = 5  # every so many trials after that, the advice is asked again
_ATTEMPTS = 10  # at a configuration that was not tried
# The first of these that can be tried: good on most tables without tuning, and soon done.
_DEFAULTS = ("lightgbm", "random_forest", "logistic_regression", "ridge")


@dataclass(frozen=True)
class Proposal:
    """What is tried next.

    Parameters
    ----------
    configuration : Configuration
        Complete: defaults stand where nothing was said.
    origin : str
        ``"default"``, ``"advice rank 3"`` (the third that was advised), ``"transferred"`` (searched by a
        sampler that knows other data sets) or ``"local"`` (by one that knows this study only).
    expected_score : float
        Where the advice says one, else NaN.
    """

    configuration: Configuration
    origin: str
    expected_score: float = math.nan


class Proposals:
    """What is tried next: a default, then advice, then a search around what is promising.

    The advice is sequential: each time the meta-model is told what was reached so far and asked for
    one more. The sampler then searches the spaces of the best algorithms so far, the best one half
    of the time, the next a quarter, and so on.

    Parameters
    ----------
    space : JointSpace
        What can be tried.
    advisor : Advisor, optional
        Whom to ask; nobody if nothing is known.
    sampling : Sampling
        Searches the space.
    seed : int
        Decides which algorithm is searched.
    """

    def __init__(self, space: JointSpace, advisor: Advisor | None, sampling: Sampling, seed: int) -> None:
        self.space = space
        self.advisor = advisor
        self.sampling = sampling
        self._seed = seed

    def next(
        self,
        trials: Sequence[FrozenTrial],
        fit_seconds: float | None = None,
        fit_rows: int | None = None,
        *,
        per_second: bool = False,
    ) -> Proposal | None:
        """Propose one configuration that no trial has tried.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            All of the study, running ones included.
        fit_seconds : float, optional
            That one fit may take; slower configurations are not advised.
        fit_rows : int, optional
            Rows that it learns from; all by default.
        per_second : bool
            Whether seconds are what is short, so that quick configurations are to be advised first.

        Returns
        -------
        Proposal or None
            None if the whole space was tried.
        """
        kept = [trial for trial in trials if not is_lost(trial)]
        tried = {trial.user_attrs.get("configuration_id") for trial in kept}
        default = default_configuration(self.space)
        if default.configuration_id not in tried:
            return Proposal(default, "default")
        origins = [origin_of(trial) for trial in kept]
        n_advised = sum(origin.startswith("advice") for origin in origins)
        if self.advisor is not None and (n_advised < _ADVISED or len(kept) % _ADVISED_LATER == 0):
            limit = {"remaining_seconds" if per_second else "time_limit": fit_seconds, "fit_rows": fit_rows}
            found = self._advised(self.advisor, kept, tried, n_advised + 1, limit)
            if found is not None:
                return found
        return self._sampled(kept, tried)

    def _advised(
        self,
        advisor: Advisor,
        trials: Sequence[FrozenTrial],
        tried: set[Any],
        rank: int,
        limit: Mapping[str, float | None],
    ) -> Proposal | None:
        metric = advisor.experience.metric.name
        observed = {
            str(trial.user_attrs["configuration_id"]): float(
                measured(trial, "scores", {}).get(metric) or math.nan
            )
            for trial in trials
            if "configuration_id" in trial.user_attrs
        }
        advice = advisor.recommend(_ATTEMPTS, observed=observed, **limit)
        for entry in advice.configurations:
            try:
                configuration = self.space.configuration(self.space.parameters(entry.configuration))
            except UsageError:
                continue  # a space that has changed since
            if configuration.configuration_id not in tried:
                return Proposal(configuration, f"advice rank {rank}", entry.expected_score)
        return None

    def _sampled(self, trials: Sequence[FrozenTrial], tried: set[Any]) -> Proposal | None:
        rng = np.random.default_rng([self._seed, len(trials)])
        for _ in range(_ATTEMPTS):
            algorithm = self._promising(trials, rng)
            parameters, origin = self.sampling.ask(trials, {ALGORITHM: algorithm.name})
            configuration = self.space.configuration(parameters)
            if configuration.configuration_id not in tried:
                return Proposal(configuration, origin)
        # The space around here is used up: anywhere else.
        for parameters in self.space.space.sample(64 * len(self.space.algorithms), self._seed):
            configuration = self.space.configuration(parameters)
            if configuration.configuration_id not in tried:
                return Proposal(configuration, "local")
        return None

    def _promising(self, trials: Sequence[FrozenTrial], rng: np.random.Generator) -> Algorithm:
        """One of the algorithms, with chances of 1/2, 1/4, 1/8, … in the order of their best scores."""
        best: dict[str, float] = {}
        for trial in trials:
            if trial.state == TrialState.COMPLETE and trial.value is not None:
                name = str(trial.params[ALGORITHM])
                best[name] = max(best.get(name, -math.inf), trial.value)
        searched = [a for a in self.space.algorithms if a.space.distributions]
        order = sorted(searched or self.space.algorithms, key=lambda a: -best.get(a.name, -math.inf))
        return order[min(int(rng.geometric(0.5)) - 1, len(order) - 1)]


def default_configuration(space: JointSpace) -> Configuration:
    """The configuration to begin with: good on most tables without tuning, and soon done."""
    names = [algorithm.name for algorithm in space.algorithms]
    first = next((name for name in _DEFAULTS if name in names), names[-1])
    return space.algorithm(first).default_configuration
