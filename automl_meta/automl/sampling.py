"""Sampling: asks an Optuna sampler for parameters without touching the study that they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from automl_meta._utils.rounding import six_digits
from automl_meta.algorithms import SearchSpace
from automl_meta.automl.study_storage import quiet
from automl_meta.tuning import origin_of

__all__ = ["Sampling"]

_NAME = "automl_meta:asked"


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
        Any of Optuna's, or the one that remembers.
    """

    space: SearchSpace
    sampler: BaseSampler

    def ask(self, trials: Sequence[FrozenTrial], fixed: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """Ask for one set of parameters.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            What was tried; running ones count as the sampler takes them.
        fixed : mapping of str to value
            Parameters that are decided already.

        Returns
        -------
        parameters : dict
            One value for each active parameter; floating-point numbers have six digits.
        origin : str
            ``"transferred"`` if past data sets had a say, else ``"local"``.
        """
        storage = InMemoryStorage()
        with quiet():  # always of one name, by which a sampler knows what it has prepared
            storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], _NAME)
        study = optuna.Study(_NAME, storage, sampler=self.sampler)
        study.add_trials(trial for trial in trials if trial.state != TrialState.WAITING)
        study.enqueue_trial(dict(fixed))
        trial = study.ask()
        parameters = self.space.suggest(trial)
        said = origin_of(storage.get_trial(trial._trial_id))
        return (
            {key: _rounded(value, self.space.distributions[key]) for key, value in parameters.items()},
            "transferred" if said == "transferred" or said.startswith("advice") else "local",
        )


def _rounded(value: Any, distribution: optuna.distributions.BaseDistribution) -> Any:
    if not isinstance(distribution, FloatDistribution) or distribution.step is not None:
        return value
    return six_digits(value, distribution.low, distribution.high)
