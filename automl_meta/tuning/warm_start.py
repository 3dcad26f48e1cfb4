"""warm_start: enqueue recommended configurations after a check against the search space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from automl_meta.algorithms import ALGORITHM, SearchSpace, joint_parameters
from automl_meta.exceptions import UsageError
from automl_meta.recommenders import Recommendation
from automl_meta.tuning.domain import is_among
from automl_meta.tuning.encoded_space import EncodedSpace
from automl_meta.tuning.origin import ORIGIN, Origin
from automl_meta.tuning.study_rows import fitted_value, seen_space, under_way

__all__ = ["WarmStartEntry", "WarmStartReport", "warm_start"]

Outcome = Literal["enqueued", "dropped"]
_DEFAULT_AT = 1  # position of the default configuration in the queue, from 0


@dataclass(frozen=True)
class WarmStartEntry:
    """Outcome of the check of one configuration.

    Parameters
    ----------
    origin : Origin
        The default, or the advice with its rank.
    parameters : mapping of str to value
        Values as enqueued, or as given if dropped.
    outcome : {"enqueued", "dropped"}
        Whether the configuration was enqueued.
    changes : tuple of str
        Changes, or the reason why it was dropped.
    """

    origin: Origin
    parameters: Mapping[str, Any]
    outcome: Outcome
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{self.outcome} {self.origin} ({values})" + "".join(f"; {change}" for change in self.changes)


@dataclass(frozen=True)
class WarmStartReport:
    """Enqueued and dropped configurations.

    Parameters
    ----------
    entries : tuple of WarmStartEntry
        In the order of the queue, the dropped ones last.
    """

    entries: tuple[WarmStartEntry, ...]

    @property
    def enqueued(self) -> tuple[WarmStartEntry, ...]:
        """Entries that were enqueued."""
        return tuple(entry for entry in self.entries if entry.outcome == "enqueued")

    @property
    def dropped(self) -> tuple[WarmStartEntry, ...]:
        """Entries that were dropped, with the reason."""
        return tuple(entry for entry in self.entries if entry.outcome == "dropped")

    def __str__(self) -> str:
        head = f"{len(self.enqueued)} enqueued, {len(self.dropped)} dropped"
        return "\n".join([head, *(f"  {entry}" for entry in self.entries)])


def warm_start(
    study: Study,
    advice: Recommendation | Iterable[Mapping[str, Any] | FrozenTrial],
    *,
    space: SearchSpace | Mapping[str, BaseDistribution] | None = None,
    default: Mapping[str, Any] | None = None,
    algorithm: str | None = None,
) -> WarmStartReport:
    """Enqueue configurations in a study after a check against its search space.

    Numbers outside of their range are clipped. Unknown and inactive parameters are removed; missing
    ones are left to the sampler. A configuration is dropped if a category is unknown, a value has
    the wrong type, no parameter remains, or it is already in the study or its queue.

    Parameters
    ----------
    study : Study
        Study to enqueue in.
    advice : Recommendation or iterable of mappings or FrozenTrial
        Configurations, best first. Those of a recommendation are converted to the names of the
        search space: ``algorithm`` and names as by `joint_name` if it has several algorithms,
        otherwise the names of the hyperparameters.
    space : SearchSpace or mapping of str to BaseDistribution, optional
        Search space of the study; None infers it from the trials.
    default : mapping of str to value, optional
        Default configuration, enqueued second, so that a bad recommendation costs one trial.
    algorithm : str, optional
        Algorithm that the search space belongs to; configurations of others are dropped.

    Returns
    -------
    WarmStartReport
        Enqueued and dropped configurations, with changes and reasons.

    Raises
    ------
    UsageError
        If the search space is unknown, the advice is not a list of configurations, or a
        recommendation has several algorithms and the search space no parameter for them.

    Examples
    --------
    >>> import optuna
    >>> from optuna.distributions import FloatDistribution
    >>> study = optuna.create_study()
    >>> print(warm_start(study, [{"x": 7.0}, {"z": 1}], space={"x": FloatDistribution(0.0, 1.0)}))
    1 enqueued, 1 dropped
      enqueued advice rank 1 (x=1.0); x=7.0 was clipped to 1.0
      dropped advice rank 2 (z=1); there is no parameter 'z'; no parameter remains
    """
    known = _space_of(study, space)
    columns = EncodedSpace(known.distributions)
    queued = [trial.params if trial.state.is_finished() else under_way(trial) for trial in study.trials]
    taken = columns.encode(queued)
    entries: list[WarmStartEntry] = []
    for origin, parameters, foreign in _ordered(advice, default, known, algorithm):
        entry = _checked(origin, parameters, known)
        if foreign:
            entry = WarmStartEntry(origin, parameters, "dropped", (f"it is of {foreign}",))
        if entry.outcome == "enqueued":
            row = columns.encode([entry.parameters])
            if is_among(row[0], taken):
                changes = (*entry.changes, "it is in the study or its queue already")
                entry = WarmStartEntry(origin, entry.parameters, "dropped", changes)
            taken = np.vstack([taken, row])
        entries.append(entry)
    for entry in entries:
        if entry.outcome == "enqueued":
            study.enqueue_trial(dict(entry.parameters), user_attrs={ORIGIN: str(entry.origin)})
    return WarmStartReport(tuple(sorted(entries, key=lambda entry: entry.outcome == "dropped")))


def _space_of(study: Study, space: SearchSpace | Mapping[str, BaseDistribution] | None) -> SearchSpace:
    if isinstance(space, SearchSpace):
        return space
    known = seen_space(study.get_trials(deepcopy=False)) if space is None else dict(space)
    if not known:
        raise UsageError(
            f"The study {study.study_name!r} has no trial yet, so its search space is unknown. Pass space=, a "
            "SearchSpace or a dict of names to Optuna distributions."
        )
    return SearchSpace(known)


def _ordered(
    advice: Recommendation | Iterable[Mapping[str, Any] | FrozenTrial],
    default: Mapping[str, Any] | None,
    space: SearchSpace,
    algorithm: str | None,
) -> list[tuple[Origin, Mapping[str, Any], str]]:
    """Origin, parameters, and the algorithm if it is another one, of each configuration; the default second."""
    listed = (
        _recommended(advice, space, algorithm)
        if isinstance(advice, Recommendation)
        else [(parameters, "") for parameters in _given(advice)]
    )
    ordered = [(Origin("advice", rank), *one) for rank, one in enumerate(listed, start=1)]
    if default is not None:
        ordered.insert(_DEFAULT_AT, (Origin("default"), default, ""))
    return ordered


def _recommended(
    advice: Recommendation, space: SearchSpace, algorithm: str | None
) -> list[tuple[Mapping[str, Any], str]]:
    configurations = [ranked.configuration for ranked in advice.configurations]
    if ALGORITHM in space.distributions:
        return [(joint_parameters(one), "") for one in configurations]
    algorithms = sorted({one.algorithm for one in configurations})
    if algorithm is None and len(algorithms) > 1:
        raise UsageError(
            f"The advice is on {', '.join(algorithms)}, and the space has no parameter 'algorithm'. Say with "
            "algorithm= whose space it is."
        )
    return [
        (one.parameters, "" if algorithm in (None, one.algorithm) else one.algorithm)
        for one in configurations
    ]


def _given(advice: Any) -> list[Mapping[str, Any]]:
    if not isinstance(advice, Iterable) or isinstance(advice, (str, Mapping)):
        raise UsageError(
            f"advice is of type {type(advice).__name__}; it must be a Recommendation, or a list of dicts or trials."
        )
    found: list[Mapping[str, Any]] = []
    for one in advice:
        if isinstance(one, FrozenTrial):
            found.append(under_way(one) or one.params)
        elif isinstance(one, Mapping):
            found.append(one)
        else:
            raise UsageError(
                f"An entry of advice is of type {type(one).__name__}; it must be a dict or a trial."
            )
    return found


def _checked(origin: Origin, given: Mapping[str, Any], space: SearchSpace) -> WarmStartEntry:
    """Check a configuration against the search space, and clip it."""
    kept: dict[str, Any] = {}
    changes = [f"there is no parameter {name!r}" for name in given if name not in space.distributions]
    for name, distribution in space.distributions.items():
        if name not in given:
            if space.is_active(name, kept):
                changes.append(f"{name} is missing and left to the sampler")
            continue
        if not space.is_active(name, kept):
            changes.append(f"{name} is inactive here and was removed")
            continue
        value = fitted_value(distribution, given[name])
        if value is None:
            reason = f"{name}={given[name]!r} is not {_what(distribution)}"
            return WarmStartEntry(origin, dict(given), "dropped", (*changes, reason))
        if value != given[name]:
            changes.append(f"{name}={given[name]!r} was clipped to {value!r}")
        kept[name] = value
    if not kept:
        reasons = [change for change in changes if "left to the sampler" not in change]
        return WarmStartEntry(origin, dict(given), "dropped", (*reasons, "no parameter remains"))
    return WarmStartEntry(origin, kept, "enqueued", tuple(changes))


def _what(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return f"one of {list(distribution.choices)}"
    return "a number"
