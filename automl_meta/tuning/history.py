"""History: evaluations on past tasks, read from studies, storages, stores or frames."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import Study, StudyDirection
from optuna.trial import TrialState

from automl_meta._utils.databases import shown_url
from automl_meta._utils.optuna_studies import database_address, readable, require_studies, trials_of
from automl_meta.algorithms import ALGORITHM, ALGORITHMS, joint_name, joint_parameters
from automl_meta.exceptions import NoExperienceError, UsageError
from automl_meta.metrics import TaskType
from automl_meta.records import Configuration
from automl_meta.store import MetadataStore

__all__ = ["History", "HistoryLike", "PastTask", "StoreQuery", "as_history"]

Direction = Literal["maximize", "minimize"]

_LOG_RATIO = 30.0  # smallest ratio of the range that counts as logarithmic


@dataclass(frozen=True, eq=False)
class PastTask:
    """Evaluations on one past task.

    Parameters
    ----------
    name : str
        Name of the study, id of the data set, or value in the column ``task``.
    configurations : tuple of mappings
        Parameter names to values, without inactive parameters.
    values : ndarray of shape (n_configurations,)
        Value of each configuration, greater is better; NaN where it failed.
    """

    name: str
    configurations: tuple[Mapping[str, Any], ...]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class History:
    """Evaluations on past tasks, and the distributions of their parameters.

    Parameters
    ----------
    tasks : tuple of PastTask
        Tasks with at least one successful configuration.
    distributions : mapping of str to BaseDistribution
        Distributions of the parameters as stated by the history, else guessed from their values.
    """

    tasks: tuple[PastTask, ...] = ()
    distributions: Mapping[str, BaseDistribution] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Number of past configurations."""
        return sum(len(task.configurations) for task in self.tasks)

    def without(self, name: str) -> History:
        """Leave out a task, so that a study among the past ones cannot advise itself.

        Parameters
        ----------
        name : str
            Name of the task.

        Returns
        -------
        History
            A copy without it.
        """
        return History(tuple(task for task in self.tasks if task.name != name), self.distributions)


@dataclass(frozen=True)
class StoreQuery:
    """Query for runs of a metadata store as history.

    Parameters
    ----------
    store : MetadataStore
        Store of the runs.
    metric : str
        Metric to optimise, by its scikit-learn name.
    task_type : {"classification", "regression"}
        Task type of the data sets.
    algorithm : str, optional
        Algorithm whose configurations are used, with the names of its own parameters. None uses all
        algorithms in a joint space: ``algorithm``, and parameters named as by `joint_name`.
    exclude : collection of str
        Ids of data sets to leave out, such as the fingerprint of the current task.
    protocol : str, optional
        Protocol of the runs; None is any.
    algorithms : collection of str, optional
        Algorithms to use if `algorithm` is None; all by default.
    """

    store: MetadataStore
    metric: str
    task_type: TaskType
    algorithm: str | None = None
    exclude: Collection[str] = ()
    protocol: str | None = None
    algorithms: Collection[str] | None = None


HistoryLike = (
    History
    | Study
    | Sequence[Study]
    | str
    | optuna.storages.BaseStorage
    | StoreQuery
    | MetadataStore
    | pd.DataFrame
    | None
)


def as_history(
    history: HistoryLike, *, direction: Direction | None = None, studies: str | Collection[str] = "*"
) -> History:
    """Read a history in any of its forms.

    Parameters
    ----------
    history : Study, sequence of Study, str, BaseStorage, StoreQuery, DataFrame, History or None
        Past Optuna studies; the URL of an Optuna storage or the storage itself; runs of a metadata
        store; a frame with a column ``task``, one for each parameter (missing where it was not
        active) and ``value`` (missing where it failed); None or ``[]`` is an empty history.
    direction : {"maximize", "minimize"}, optional
        Direction of the column ``value``; required for a frame, and only there.
    studies : str or collection of str
        Studies of a storage, as a pattern such as ``"tune-*"`` or by name.

    Returns
    -------
    History
        Pruned trials are left out, since their final values are unknown.

    Raises
    ------
    UsageError
        If it is none of these, has several objectives, or lacks a column or the direction.

    Examples
    --------
    >>> frame = pd.DataFrame({"task": ["a", "a"], "x": [0.1, 0.2], "value": [1.0, 2.0]})
    >>> as_history(frame, direction="maximize").n_rows
    2
    """
    if history is None:
        return History()
    if isinstance(history, History):
        return history
    if isinstance(history, pd.DataFrame):
        return _from_frame(history, direction)
    if direction is not None:
        raise UsageError(
            f"direction={direction!r} goes with a data frame only; studies and stores know their own."
        )
    if isinstance(history, StoreQuery):
        return _from_store(history)
    if isinstance(history, (str, optuna.storages.BaseStorage)):
        return _from_studies(_load(history, studies))
    if isinstance(history, Study):
        return _from_studies([history])
    if isinstance(history, Iterable) and not isinstance(history, Mapping):
        listed = list(history)
        if all(isinstance(study, Study) for study in listed):
            return _from_studies(listed)
    raise UsageError(
        f"history is {_described(history)}; it must be an Optuna study or a list of them, the URL of an Optuna "
        "storage, a StoreQuery, a data frame with the columns 'task' and 'value', or None."
    )


def _described(history: Any) -> str:
    if isinstance(history, MetadataStore):
        return "a MetadataStore, which needs a question: StoreQuery(store, metric, task_type)"
    return f"of type {type(history).__name__}"


def _load(storage: str | optuna.storages.BaseStorage, studies: str | Collection[str]) -> Iterator[Study]:
    name = shown_url(storage) if isinstance(storage, str) else type(storage).__name__
    if isinstance(storage, str):
        require_studies(storage)
        storage = database_address(storage)
    with readable(f"The storage {name!r}"):
        opened = optuna.storages.get_storage(storage)
        names = [str(one) for one in optuna.get_all_study_names(opened)]
    if isinstance(studies, str):
        chosen = [one for one in names if fnmatchcase(one, studies)]
        if not chosen and studies != "*":
            raise UsageError(f"No study in {name!r} matches {studies!r}; there are {_listed(names)}.")
    else:
        chosen = list(studies)
        unknown = sorted(set(chosen) - set(names))
        if unknown:
            raise UsageError(f"There is no study {unknown[0]!r} in {name!r}; there are {_listed(names)}.")
    with readable(f"The storage {name!r}"):
        return iter([optuna.load_study(study_name=one, storage=opened) for one in chosen])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return (shown or "none") + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _from_studies(studies: Iterable[Study]) -> History:
    tasks: list[PastTask] = []
    distributions: dict[str, BaseDistribution] = {}
    for study in studies:
        with readable(f"The study {study.study_name!r}"):
            directions = study.directions
        if len(directions) != 1:
            raise UsageError(
                f"The study {study.study_name!r} has {len(directions)} objectives; only single-objective studies can "
                "be a history."
            )
        sign = 1.0 if directions[0] == StudyDirection.MAXIMIZE else -1.0
        trials = trials_of(study, (TrialState.COMPLETE, TrialState.FAIL))
        trials = [trial for trial in trials if trial.params]
        for trial in trials:
            for name, distribution in trial.distributions.items():
                distributions[name] = _wider(distributions.get(name), distribution)
        values = [
            sign * trial.values[0]
            if trial.state == TrialState.COMPLETE and _is_number(trial.values)
            else math.nan
            for trial in trials
        ]
        tasks.append(_task(study.study_name, [dict(trial.params) for trial in trials], values))
    return History(_useful(tasks), distributions)


def _is_number(values: object) -> bool:
    """Whether the values of a trial are a single number; a damaged journal may contain anything."""
    return isinstance(values, list) and len(values) == 1 and isinstance(values[0], (int, float))


def _wider(known: BaseDistribution | None, other: BaseDistribution) -> BaseDistribution:
    """Union of two distributions of the same name; the later one if their kinds differ."""
    if known is None or known == other or type(known) is not type(other):
        return other
    if isinstance(known, CategoricalDistribution) and isinstance(other, CategoricalDistribution):
        return CategoricalDistribution(tuple(dict.fromkeys((*known.choices, *other.choices))))
    if isinstance(known, FloatDistribution) and isinstance(other, FloatDistribution):
        log = known.log and other.log
        return FloatDistribution(min(known.low, other.low), max(known.high, other.high), log=log)
    if isinstance(known, IntDistribution) and isinstance(other, IntDistribution):
        log = known.log and other.log
        return IntDistribution(min(known.low, other.low), max(known.high, other.high), log=log)
    return other


def _from_store(query: StoreQuery) -> History:
    chosen = query.algorithms if query.algorithm is None else [query.algorithm]
    try:
        meta = query.store.meta_dataset(
            query.metric, query.task_type, exclude=query.exclude, protocol=query.protocol, algorithms=chosen
        )
    except NoExperienceError:
        return History()
    joint = query.algorithm is None
    configurations = {
        key: joint_parameters(Configuration(algorithm, parameters)) if joint else dict(parameters)
        for key, algorithm, parameters in zip(
            meta.configurations.index,
            meta.configurations["algorithm"],
            meta.configurations["parameters"],
            strict=True,
        )
    }
    tasks = [
        _task(str(dataset_id), [configurations[key] for key in runs["configuration_id"]], runs["score"])
        for dataset_id, runs in meta.runs.groupby("dataset_id", sort=True)
    ]
    algorithms = sorted(set(meta.configurations["algorithm"]))
    return History(_useful(tasks), _catalogue(algorithms, query.task_type, joint))


def _catalogue(algorithms: list[str], task_type: TaskType, joint: bool) -> dict[str, BaseDistribution]:
    """Distributions of the algorithms in the catalogue."""
    distributions: dict[str, BaseDistribution] = {}
    if joint:
        distributions[ALGORITHM] = CategoricalDistribution(algorithms)
    for algorithm in ALGORITHMS:
        if algorithm.task_type == task_type and algorithm.name in algorithms:
            for name, distribution in algorithm.space.distributions.items():
                distributions[joint_name(algorithm.name, name) if joint else name] = distribution
    return distributions


def _from_frame(frame: pd.DataFrame, direction: Direction | None) -> History:
    missing = [name for name in ("task", "value") if name not in frame.columns]
    if missing:
        raise UsageError(
            f"The history lacks the column {missing[0]!r}; it has {_listed([str(c) for c in frame.columns])}."
        )
    if direction not in ("maximize", "minimize"):
        raise UsageError(
            f"direction is {direction!r}; a data frame as history needs direction='maximize' or 'minimize', which "
            "says what is good in its column 'value'."
        )
    sign = 1.0 if direction == "maximize" else -1.0
    values = sign * pd.to_numeric(frame["value"], errors="coerce").to_numpy(np.float64)
    names = [name for name in frame.columns if name not in ("task", "value")]
    columns = {name: frame[name].astype(object).to_numpy() for name in names}
    present = {name: frame[name].notna().to_numpy() for name in names}
    tasks = [
        _task(
            str(name),
            [{str(n): columns[n][row] for n in names if present[n][row]} for row in rows],
            values[rows],
        )
        for name, rows in frame.groupby("task", sort=False, observed=True).indices.items()
    ]
    guesses = {str(name): _guess(columns[name][present[name]]) for name in names if present[name].any()}
    return History(_useful(tasks), guesses)


def _guess(values: NDArray[np.object_]) -> BaseDistribution:
    """Guess the distribution of values."""
    if not all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in values):
        return CategoricalDistribution(tuple(_plain(value) for value in dict.fromkeys(values.tolist())))
    numbers = values.astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    log = low > 0.0 and high / low > _LOG_RATIO and _looks_logarithmic(numbers)
    if np.all(numbers == np.round(numbers)):
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def _looks_logarithmic(numbers: NDArray[np.float64]) -> bool:
    """Whether the median is closer to the middle of the range on a logarithmic scale than on a linear one."""

    def off_centre(values: NDArray[np.float64]) -> float:
        return abs((np.median(values) - values.min()) / (values.max() - values.min()) - 0.5)

    return bool(off_centre(np.log(numbers)) < off_centre(numbers))


def _plain(value: Any) -> Any:
    """Convert a value to a type that Optuna accepts as a choice."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _task(name: str, configurations: Sequence[Mapping[str, Any]], values: Any) -> PastTask:
    numbers = np.array(values, dtype=np.float64)
    return PastTask(name, tuple(configurations), np.where(np.isfinite(numbers), numbers, np.nan))


def _useful(tasks: Iterable[PastTask]) -> tuple[PastTask, ...]:
    return tuple(task for task in tasks if np.isfinite(task.values).any())
