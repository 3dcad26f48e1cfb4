"""Proposals: the configurations of the next trials."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial

from automl_meta._utils.rounding import six_digits
from automl_meta.advice import Advisor
from automl_meta.algorithms import ALGORITHM, Algorithm, JointSpace
from automl_meta.automl.trials import Measured, completed, configuration_id_of, fit_rows_of, is_lost, score_of
from automl_meta.exceptions import UsageError
from automl_meta.records import Configuration
from automl_meta.tuning import ExperienceSampler, Origin, origin_of

__all__ = ["Proposal", "Proposals"]

_ADVISED = 10  # recommended trials before the sampler takes over
_ADVISED_LATER = 5  # after that, every fifth trial is a recommended one
_ATTEMPTS = 10  # to sample a configuration that is new
# The first of these in the space is the default: good on most tables without tuning, and quick.
_DEFAULTS = ("lightgbm", "random_forest", "logistic_regression", "ridge")
# Fallbacks if that takes too long: share of the training rows, and algorithms to choose from.
_LINEAR, _QUICK = ("logistic_regression", "ridge"), ("gaussian_nb", "decision_tree")
_FALLBACKS = (
    (1.0, _LINEAR),
    (1 / 8, _LINEAR),
    (1 / 8, _DEFAULTS),
    (1 / 64, _QUICK),
    (1 / 64, _LINEAR),
    (1.0, ("dummy",)),
)
_FEWEST_ROWS = 100  # of a fold, whatever the share


@dataclass(frozen=True)
class Proposal:
    """Configuration of the next trial.

    Parameters
    ----------
    configuration : Configuration
        Configuration with all its parameters.
    origin : Origin
        Where the configuration came from.
    expected_score : float
        Score that the advice expects; NaN if it did not come from the advice.
    fit_rows : int, optional
        Number of training rows in each fold; None is all of them.
    """

    configuration: Configuration
    origin: Origin
    expected_score: float = math.nan
    fit_rows: int | None = None


class Proposals:
    """Proposes a default configuration first, then recommended ones, then sampled ones.

    As long as all trials exceeded their limits, quicker configurations follow, then fewer rows.

    Recommendations are sequential: the recommender observes all scores so far and is asked for one
    more configuration; after trials that took too long, for a quicker one. The sampler then
    searches the hyperparameters of the best algorithms so far: of the best one with probability
    1/2, of the next one with 1/4, and so on.

    Parameters
    ----------
    space : JointSpace
        Search space.
    advisor : Advisor, optional
        Recommends configurations; None if there is no experience.
    sampler : ExperienceSampler
        Samples configurations.
    seed : int
        Random seed of the choice of algorithms.
    """

    def __init__(
        self, space: JointSpace, advisor: Advisor | None, sampler: ExperienceSampler, seed: int
    ) -> None:
        self.space = space
        self.advisor = advisor
        self.sampler = sampler
        self._seed = seed

    def next(
        self,
        trials: Sequence[FrozenTrial],
        fit_seconds: float | None = None,
        fit_rows: int | None = None,
        *,
        n_folds: int = 1,
        per_second: bool = False,
    ) -> Proposal | None:
        """Propose one configuration that no trial has tried.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            All trials of the study, including running ones.
        fit_seconds : float, optional
            Time limit of one fit; slower configurations are not recommended.
        fit_rows : int, optional
            Number of training rows of a fit; all rows by default.
        n_folds : int
            Number of fits of each trial.
        per_second : bool
            Whether time limits the search, so that quick configurations are recommended first.

        Returns
        -------
        Proposal or None
            None if the search space is exhausted.
        """
        kept = [trial for trial in trials if not is_lost(trial)]
        tried = {configuration_id_of(trial) for trial in kept}
        default = default_configuration(self.space)
        if default.configuration_id not in tried:
            return Proposal(default, Origin("default"))
        n_ended = sum(has_been_ended(trial) for trial in kept)
        if n_ended and not completed(kept):
            found = next(iter(self.fallbacks(kept, fit_rows)), None)
            if found is not None:
                return found
        n_advised = sum(origin_of(trial).kind == "advice" for trial in kept)
        if self.advisor is not None and (n_advised < _ADVISED or len(kept) % _ADVISED_LATER == 0):
            name = "remaining_seconds" if per_second else "fit_time_limit"
            slowness = self._slowness(self.advisor, kept, fit_rows, n_folds)
            found = self._advised(
                self.advisor, kept, tried, n_advised + 1, fit_rows, {name: fit_seconds}, slowness
            )
            if found is not None:
                return found
        return self._sampled(kept, tried)

    def fallbacks(self, trials: Sequence[FrozenTrial], fit_rows: int | None = None) -> list[Proposal]:
        """Propose quick configurations for a study in which nothing succeeded for lack of time or memory.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            Trials of the study.
        fit_rows : int, optional
            Number of training rows of a fold; without it, fewer rows are not proposed.

        Returns
        -------
        list of Proposal
            Proposals that no trial has tried, the quickest last.
        """
        tried = {(configuration_id_of(trial), fit_rows_of(trial)) for trial in trials}
        found = []
        for share, names in _FALLBACKS:
            rows = None if share == 1.0 or fit_rows is None else max(int(share * fit_rows), _FEWEST_ROWS)
            if rows is not None and rows >= (fit_rows or 0):
                rows = None
            algorithm = next((a for name in names for a in self.space.algorithms if a.name == name), None)
            if algorithm is None and share < 1.0:
                algorithm = self.space.algorithms[-1]
            if algorithm is None:
                continue
            configuration = algorithm.default_configuration
            if (configuration.configuration_id, rows) not in tried:
                found.append(Proposal(configuration, Origin("fallback"), fit_rows=rows))
        return found

    def _advised(
        self,
        advisor: Advisor,
        trials: Sequence[FrozenTrial],
        tried: set[str],
        rank: int,
        fit_rows: int | None,
        limit: Mapping[str, float | None],
        slowness: Mapping[str, float],
    ) -> Proposal | None:
        usual = slowness[""]
        allowed = {name: None if seconds is None else seconds / usual for name, seconds in limit.items()}
        seconds = next(iter(limit.values())) or math.inf
        metric = advisor.experience.metric.name
        observed = {
            configuration_id_of(trial): Measured.of(trial).scores.get(metric, math.nan)
            for trial in trials
            if configuration_id_of(trial)
        }
        advice = advisor.recommend(_ATTEMPTS, observed=observed, fit_rows=fit_rows, **allowed)
        for entry in advice.configurations:
            if entry.expected_seconds * slowness.get(entry.configuration.algorithm, usual) > seconds:
                continue
            try:
                configuration = self.space.configuration(self.space.parameters(entry.configuration))
            except UsageError:
                continue  # the search space has changed since
            if configuration.configuration_id not in tried:
                return Proposal(configuration, Origin("advice", rank), entry.expected_score)
        return None

    def _slowness(
        self, advisor: Advisor, trials: Sequence[FrozenTrial], fit_rows: int | None, n_folds: int
    ) -> dict[str, float]:
        """Ratio of actual to expected seconds of a fit with its predictions: by algorithm, and ``""`` for others.

        A trial that was stopped at its limit gives a lower bound.
        """
        expected = advisor.expected_seconds(fit_rows)
        logs: dict[str, list[float]] = {}
        for trial in trials:
            seconds = Measured.of(trial).wall_seconds / n_folds
            known = expected.get(configuration_id_of(trial))
            if known and seconds > 0 and fit_rows_of(trial) is None:
                logs.setdefault(str(trial.params.get(ALGORITHM)), []).append(math.log(seconds / known))
        usual = max(0.0, float(np.mean([np.mean(found) for found in logs.values()]))) if logs else 0.0
        return {"": math.exp(usual), **{name: math.exp(max(found)) for name, found in logs.items()}}

    def _sampled(self, trials: Sequence[FrozenTrial], tried: set[str]) -> Proposal | None:
        rng = np.random.default_rng([self._seed, len(trials)])
        for _ in range(_ATTEMPTS):
            algorithm = self._promising(trials, rng)
            space = self.space.space
            proposed, origin = self.sampler.propose(space, trials, fixed={ALGORITHM: algorithm.name})
            parameters = {name: _short(value, space.distributions[name]) for name, value in proposed.items()}
            configuration = self.space.configuration(parameters)
            if configuration.configuration_id not in tried:
                # The sampler's portfolio also comes from past data sets.
                is_transferred = origin.kind in ("transferred", "advice")
                return Proposal(configuration, Origin("transferred" if is_transferred else "local"))
        # The space around the best configurations is exhausted.
        for parameters in self.space.space.sample(64 * len(self.space.algorithms), self._seed):
            configuration = self.space.configuration(parameters)
            if configuration.configuration_id not in tried:
                return Proposal(configuration, Origin("local"))
        return None

    def _promising(self, trials: Sequence[FrozenTrial], rng: np.random.Generator) -> Algorithm:
        """Draw an algorithm, with probabilities 1/2, 1/4, 1/8, … in the order of the best scores."""
        best: dict[str, float] = {}
        for trial in completed(trials):
            name = str(trial.params.get(ALGORITHM))
            best[name] = max(best.get(name, -math.inf), score_of(trial))
        ended = {str(trial.params.get(ALGORITHM)) for trial in trials if has_been_ended(trial)} - set(best)
        searched = [a for a in self.space.algorithms if a.space.distributions and a.name not in ended]
        order = sorted(searched or self.space.algorithms, key=lambda a: -best.get(a.name, -math.inf))
        return order[min(int(rng.geometric(0.5)) - 1, len(order) - 1)]


def _short(value: Any, distribution: BaseDistribution) -> Any:
    """Round a float to six digits, which keeps stored configurations readable."""
    if not isinstance(distribution, FloatDistribution) or distribution.step is not None:
        return value
    return six_digits(value, distribution.low, distribution.high)


def has_been_ended(trial: FrozenTrial) -> bool:
    """Whether a trial was stopped at its limit of time or memory."""
    return trial.user_attrs.get("status") in ("timeout", "memout")


def default_configuration(space: JointSpace) -> Configuration:
    """Default configuration of the search: good on most tables without tuning, and quick."""
    names = [algorithm.name for algorithm in space.algorithms]
    first = next((name for name in _DEFAULTS if name in names), names[-1])
    return space.algorithm(first).default_configuration
