"""The nouns of experience: what was tried, on what, how, and with what result."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from automl_meta.exceptions import UsageError
from automl_meta.metrics import Metric, TaskType

__all__ = [
    "Configuration",
    "DatasetRecord",
    "Environment",
    "MetaDataset",
    "Protocol",
    "Run",
    "RunStatus",
    "Source",
    "run_digest",
]

_PROTOCOL_NAME = re.compile(r"cv(\d+)(?:x(\d+))?-rows(all|\d+)-seed(\d+)(?![^-])")

RunStatus = Literal["ok", "timeout", "memout", "crash"]

LONGEST_NAME = 255
"""Characters of the name of a data set, a family, a source or a protocol: databases have columns for so many."""


def _check_lengths(*names: str) -> None:
    """Refuse names that are too long."""
    for name in names:
        if len(name) > LONGEST_NAME:
            raise UsageError(
                f"The name {name[:40]!r}… has {len(name)} characters; {LONGEST_NAME} are the most."
            )


@dataclass(frozen=True)
class Source:
    """Where records come from.

    Parameters
    ----------
    name : str
        The key in the store, such as ``"local"`` or ``"seed"``.
    description, url, licence, citation : str
        In words; empty if unknown.
    """

    name: str
    description: str = ""
    url: str = ""
    licence: str = ""
    citation: str = ""

    def __post_init__(self) -> None:
        _check_lengths(self.name)


LOCAL = Source("local", "runs made on this machine")


@dataclass(frozen=True)
class Environment:
    """What a run was made with: versions that can change a score, the machine that can change a time."""

    python: str
    platform: str
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", dict(self.versions))

    @classmethod
    @cache  # asked for with every run, and looking up versions reads files
    def current(cls) -> Environment:
        """The environment of this process."""
        from importlib.metadata import version

        packages = ("automl_meta", "numpy", "scikit-learn", "lightgbm")
        return cls(
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}",
            versions={package: version(package) for package in packages},
        )

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that name this environment."""
        return _digest([self.python, self.platform, dict(sorted(self.versions.items()))], 16)


@dataclass(frozen=True)
class DatasetRecord:
    """A data set as the store knows it: described by numbers, never by its rows.

    Parameters
    ----------
    dataset_id : str
        The content fingerprint of the task; an importer that has no content gives a name of its
        own, such as ``"openml:31"``.
    name : str
        How people call it.
    task_type : {"classification", "regression"}
        What was predicted.
    n_rows, n_features : int
        Its size.
    n_classes : int
        0 for regression.
    target_scale : float
        Standard deviation of a numeric target, NaN for classes or where it is unknown. Scores in
        the unit of the target are compared per this unit.
    family : str
        Data sets with the same rows or from one study or simulator share it; evaluations keep
        a family on one side. The `dataset_id` unless somebody knows better.
    source : str
        Name of its `Source`.
    metafeatures : mapping of str to float
        NaN where one could not be computed.
    """

    dataset_id: str
    name: str
    task_type: TaskType
    n_rows: int
    n_features: int
    n_classes: int = 0
    target_scale: float = float("nan")
    family: str = ""
    source: str = LOCAL.name
    metafeatures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_lengths(self.name, self.family, self.source)
        object.__setattr__(self, "metafeatures", dict(self.metafeatures))
        if not self.family:
            object.__setattr__(self, "family", self.dataset_id)


@dataclass(frozen=True)
class Configuration:
    """An algorithm of the catalogue and the values of its hyperparameters.

    Examples
    --------
    >>> Configuration("knn", {"n_neighbors": 5}).configuration_id
    'e269c4102a72'
    """

    algorithm: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", dict(self.parameters))

    @cached_property
    def configuration_id(self) -> str:
        """12 hexadecimal digits; the same for the same algorithm and values, in any order."""
        return _digest([self.algorithm, dict(sorted(self.parameters.items()))], 12)

    def __hash__(self) -> int:
        return hash(self.configuration_id)

    def __str__(self) -> str:
        values = ", ".join(f"{name}={_shown(value)}" for name, value in self.parameters.items())
        return f"{self.algorithm}({values})"


@dataclass(frozen=True)
class Protocol:
    """How a configuration is judged; runs are compared only within one protocol.

    Parameters
    ----------
    n_folds : int
        Cross-validation folds, stratified for classification.
    n_repeats : int
        Cross-validations, each with other folds: on few rows, one of them says little.
    max_train_rows : int or None
        Training folds with more rows are sampled down to so many; test folds are left whole.
    seed : int
        Decides the folds, the samples and the estimators' randomness.
    """

    n_folds: int = 5
    n_repeats: int = 1
    max_train_rows: int | None = 5000
    seed: int = 0

    @property
    def name(self) -> str:
        """The key in the store."""
        repeats = "" if self.n_repeats == 1 else f"x{self.n_repeats}"
        rows = "all" if self.max_train_rows is None else str(self.max_train_rows)
        return f"cv{self.n_folds}{repeats}-rows{rows}-seed{self.seed}"

    @classmethod
    def from_name(cls, name: str) -> Protocol | None:
        """The protocol of a name, or of one that begins with it; None if there is none.

        Parameters
        ----------
        name : str
            Protocol name of a `Run`.

        Returns
        -------
        Protocol or None

        Examples
        --------
        >>> Protocol.from_name("cv10x2-rowsall-seed3-weighted-1f2e3d")
        Protocol(n_folds=10, n_repeats=2, max_train_rows=None, seed=3)
        """
        found = _PROTOCOL_NAME.match(name)
        if found is None:
            return None
        folds, repeats, rows, seed = found.groups()
        return cls(int(folds), int(repeats or 1), None if rows == "all" else int(rows), int(seed))

    def fit_rows(self, n_rows: float) -> float:
        """Rows that one fit learns from, of a data set of `n_rows`, give or take one.

        Examples
        --------
        >>> Protocol().fit_rows(100), Protocol().fit_rows(20_000)
        (80.0, 5000.0)
        """
        largest = math.inf if self.max_train_rows is None else float(self.max_train_rows)
        return min(n_rows * (self.n_folds - 1) / self.n_folds, largest)


@dataclass(frozen=True)
class Run:
    """One configuration evaluated on one data set: a result, also when it failed.

    Parameters
    ----------
    dataset_id : str
        Of a `DatasetRecord`.
    configuration : Configuration
        What was tried.
    status : {"ok", "timeout", "memout", "crash"}
        How it ended.
    scores : mapping of str to float
        Metric name to the score of all out-of-fold predictions taken together (the mean over
        repeats of the cross-validation), greater is better; empty unless `status` is ok.
    fold_scores : mapping of str to tuple of float
        Metric name to the score of each test fold, one repeat after the other.
    fit_seconds, predict_seconds : float
        CPU seconds of one thread, mean over the folds; NaN if unknown.
    seconds : float
        CPU seconds of the whole evaluation, or the wall seconds until it was ended.
    peak_memory : float
        Bytes by which the worker's resident memory grew at its highest; NaN if unknown.
    reason : str
        Why it failed.
    protocol : str
        Name of the `Protocol`, of the `Folds` where these are others than it says, or of another
        source's way of judging.
    source, environment : str
        Names of the `Source` and digest of the `Environment`.
    run_id : str
        Digest of data set, configuration, protocol and source: the same run has the same name
        everywhere.
    """

    dataset_id: str
    configuration: Configuration
    status: RunStatus
    scores: Mapping[str, float] = field(default_factory=dict)
    fold_scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    fit_seconds: float = float("nan")
    predict_seconds: float = float("nan")
    seconds: float = float("nan")
    peak_memory: float = float("nan")
    reason: str = ""
    protocol: str = Protocol().name
    source: str = LOCAL.name
    environment: str = ""

    def __post_init__(self) -> None:
        _check_lengths(self.protocol, self.source)
        object.__setattr__(self, "scores", dict(self.scores))
        object.__setattr__(self, "fold_scores", dict(self.fold_scores))

    @cached_property
    def run_id(self) -> str:
        """16 hexadecimal digits that name this run."""
        return run_digest(self.dataset_id, self.configuration.configuration_id, self.protocol, self.source)


@dataclass(frozen=True, eq=False)
class MetaDataset:
    """Experience as recommenders see it: four frames for one metric and one type of task.

    Parameters
    ----------
    metric : Metric
        What `runs["score"]` measures; in units of the target's standard deviation if the metric
        is not scale-free.
    task_type : {"classification", "regression"}
        Of every data set in it.
    datasets : DataFrame
        Index ``dataset_id``; columns ``name`` (str), ``family`` (str), ``n_rows``, ``n_features``,
        ``n_classes`` (int64), ``target_scale`` (float64) and ``fit_rows`` (float64), the number of rows
        of one fit in the runs on it, from which times are predicted.
    metafeatures : DataFrame
        Index ``dataset_id`` as in `datasets`, one float64 column for each name; NaN where one
        could not be computed.
    configurations : DataFrame
        Index ``configuration_id``; columns ``algorithm`` (str) and ``parameters`` (dict).
    runs : DataFrame
        Columns ``run_id``, ``dataset_id``, ``configuration_id`` (str), ``score``, ``fit_seconds``,
        ``seconds`` (float64), ``status`` (str); at most one row for each pair of data set and
        configuration. ``score`` is NaN unless the status is ok.
    """

    metric: Metric
    task_type: TaskType
    datasets: pd.DataFrame
    metafeatures: pd.DataFrame
    configurations: pd.DataFrame
    runs: pd.DataFrame

    @cached_property
    def cells(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Row in `datasets` and row in `configurations` of each run, each of shape (n_runs,)."""
        return (
            self.datasets.index.get_indexer(pd.Index(self.runs["dataset_id"])),
            self.configurations.index.get_indexer(pd.Index(self.runs["configuration_id"])),
        )

    def arranged(self, values: ArrayLike, missing: Any) -> NDArray[Any]:
        """Arrange one value for each run as a matrix.

        Parameters
        ----------
        values : array-like of shape (n_runs,)
            In the order of `runs`.
        missing : object
            Value of pairs that were never tried.

        Returns
        -------
        ndarray of shape (n_datasets, n_configurations)
        """
        given = np.asarray(values)
        matrix = np.full((len(self.datasets), len(self.configurations)), missing, dtype=given.dtype)
        matrix[self.cells] = given
        return matrix

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of shape (n_datasets, n_configurations), float64; NaN where none is known or it failed."""
        return self._frame(self.runs["score"].to_numpy(np.float64), np.nan)

    @cached_property
    def fit_seconds(self) -> pd.DataFrame:
        """Seconds of one fit, of shape (n_datasets, n_configurations); NaN where unknown."""
        return self._frame(self.runs["fit_seconds"].to_numpy(np.float64), np.nan)

    @cached_property
    def seconds(self) -> pd.DataFrame:
        """Seconds of whole evaluations, of shape (n_datasets, n_configurations); NaN where unknown."""
        return self._frame(self.runs["seconds"].to_numpy(np.float64), np.nan)

    @cached_property
    def tried(self) -> pd.DataFrame:
        """Whether there is a run, good or failed; bool of shape (n_datasets, n_configurations)."""
        return self._frame(np.ones(len(self), dtype=bool), False)

    def _frame(self, values: NDArray[Any], missing: Any) -> pd.DataFrame:
        matrix = self.arranged(values, missing)
        return pd.DataFrame(matrix, index=self.datasets.index, columns=self.configurations.index)

    def select(
        self,
        *,
        datasets: Collection[str] | None = None,
        configurations: Collection[str] | None = None,
    ) -> MetaDataset:
        """Select data sets and configurations by their ids, whether or not any run is left of them.

        Parameters
        ----------
        datasets, configurations : collection of str, optional
            Ids; None selects all.

        Returns
        -------
        MetaDataset
        """
        return self._subset(
            _is_in(self.datasets.index, datasets), _is_in(self.configurations.index, configurations)
        )

    def without(
        self, exclude: Collection[str] = (), algorithms: Collection[str] | None = None
    ) -> MetaDataset:
        """Leave out data sets, and all algorithms but some, with everything that no run is left of.

        Parameters
        ----------
        exclude : collection of str
            Ids of the data sets to leave out.
        algorithms : collection of str, optional
            Names of the algorithms to keep; None keeps all.

        Returns
        -------
        MetaDataset
            It shares no frame with this one.
        """
        rows, columns = self.cells
        kept_datasets = ~_is_in(self.datasets.index, exclude)
        kept_configurations = _is_in(self.configurations["algorithm"], algorithms)
        keep = kept_datasets[rows] & kept_configurations[columns]
        return self._subset(
            np.bincount(rows[keep], minlength=len(self.datasets)) > 0,
            np.bincount(columns[keep], minlength=len(self.configurations)) > 0,
        )

    def _subset(self, datasets: NDArray[np.bool_], configurations: NDArray[np.bool_]) -> MetaDataset:
        rows, columns = self.cells
        keep = datasets[rows] & configurations[columns]
        return replace(
            self,
            datasets=_masked(self.datasets, datasets),
            metafeatures=_masked(self.metafeatures, datasets),
            configurations=_masked(self.configurations, configurations),
            runs=_masked(self.runs, keep).reset_index(drop=True),
        )

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        return (
            f"MetaDataset({self.task_type}, {self.metric.name}: {len(self.datasets)} datasets x "
            f"{len(self.configurations)} configurations, {len(self.runs)} runs)"
        )


def _is_in(values: pd.Index | pd.Series, chosen: Collection[str] | None) -> NDArray[np.bool_]:
    if chosen is None:
        return np.ones(len(values), dtype=bool)
    return np.asarray(values.isin(list(chosen)), dtype=bool)


def _masked(frame: pd.DataFrame, mask: NDArray[np.bool_]) -> pd.DataFrame:
    """The rows of a mask. A shallow copy shares its values until one is written to, and takes no time."""
    return frame.copy(deep=False) if mask.all() else frame[mask]


def run_digest(dataset_id: str, configuration_id: str, protocol: str, source: str) -> str:
    """Name a run; see `Run.run_id`."""
    return _digest([dataset_id, configuration_id, protocol, source], 16)


def _digest(content: Any, n_digits: int) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:n_digits]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
