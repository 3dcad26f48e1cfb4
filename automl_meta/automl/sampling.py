"""Sampling: asks an Optuna sampler for parameters without touching the study that they are for."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from automl_meta.algorithms import SearchSpace
from automl_meta.automl.studies import quiet

__all__ = ["Sampling"]


@dataclass
class Sampling:
    """Asks an Optuna sampler for parameters, as often as need be, without leaving a trace.

    A study cannot take a trial back. So the sampler is asked in a copy in memory, and only what is
    to be tried goes into the study.

    Parameters
    ----------
    space : SearchSpace
        Of the parameters.
    sampler : BaseSampler
        Any of Optuna's.
    origin : str
        What its trials are labelled as.
    """

    space: SearchSpace
    sampler: BaseSampler
    origin: str = "local"

    def ask(self, trials: Sequence[FrozenTrial], fixed: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for one set of parameters.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            What was tried; running ones count as the sampler takes them.
        fixed : mapping of str to value
            Parameters that are decided already.

        Returns
        -------
        dict
            One value for each active parameter; floating-point numbers have six digits.
        """
        storage = InMemoryStorage()
        with quiet():
            number = storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE])
        name = storage.get_study_name_from_id(number)
        study = optuna.Study(name, storage, sampler=self.sampler)
        study.add_trials(trial for trial in trials if trial.state != TrialState.WAITING)
        study.enqueue_trial(dict(fixed))
        parameters = self.space.suggest(study.ask())
        return {key: _rounded(value, self.space.distributions[key]) for key, value in parameters.items()}


def make_sampler(seed: int) -> BaseSampler:
    """The sampler that searches where the advice ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(multivariate=True, group=True, constant_liar=True, seed=seed)


def _rounded(value: Any, distribution: optuna.distributions.BaseDistribution) -> Any:
    if not isinstance(distribution, FloatDistribution) or distribution.step is not None:
        return value
    # Six digits say all there is to say, and keep stored configurations readable.
    return min(max(float(f"{value:.6g}"), distribution.low), distribution.high)
