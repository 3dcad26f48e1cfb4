"""Configurations, the protocols by which they are evaluated, and the runs that result."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from automl_meta.records.identity import check_lengths, digest_of
from automl_meta.records.provenance import LOCAL

__all__ = ["Configuration", "Protocol", "Run", "RunStatus", "run_digest"]

_PROTOCOL_NAME = re.compile(r"cv(\d+)(?:x(\d+))?-rows(all|\d+)-seed(\d+)(?![^-])")

RunStatus = Literal["ok", "timeout", "memout", "crash"]


@dataclass(frozen=True)
class Configuration:
    """An algorithm with values of its hyperparameters.

    Parameters
    ----------
    algorithm : str
        Name of the algorithm in the catalogue.
    parameters : mapping of str to value
        Hyperparameters; the others have their defaults.

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
        """12 hexadecimal digits that identify the algorithm and its values, in any order."""
        return digest_of([self.algorithm, dict(sorted(self.parameters.items()))], 12)

    def __hash__(self) -> int:
        return hash(self.configuration_id)

    def __str__(self) -> str:
        values = ", ".join(f"{name}={_shown(value)}" for name, value in self.parameters.items())
        return f"{self.algorithm}({values})"


@dataclass(frozen=True)
class Protocol:
    """Cross-validation protocol; runs are compared only within one protocol.

    Parameters
    ----------
    n_folds : int
        Number of folds, stratified for classification.
    n_repeats : int
        Number of repetitions with different folds, for small data sets.
    max_train_rows : int or None
        Training folds with more rows are subsampled to this number; test folds are not.
    seed : int
        Random seed of the folds, the subsamples and the estimators.
    """

    n_folds: int = 5
    n_repeats: int = 1
    max_train_rows: int | None = 5000
    seed: int = 0

    @property
    def name(self) -> str:
        """Key in the store."""
        repeats = "" if self.n_repeats == 1 else f"x{self.n_repeats}"
        rows = "all" if self.max_train_rows is None else str(self.max_train_rows)
        return f"cv{self.n_folds}{repeats}-rows{rows}-seed{self.seed}"

    @classmethod
    def from_name(cls, name: str) -> Protocol | None:
        """Parse the name of a protocol, or a name that begins with one.

        Parameters
        ----------
        name : str
            Protocol name of a `Run`.

        Returns
        -------
        Protocol or None
            None if the name is of another kind.

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
        """Number of training rows of one fit, give or take one.

        Parameters
        ----------
        n_rows : float
            Number of rows of the data set.

        Returns
        -------
        float
            Rows of a training fold after subsampling.

        Examples
        --------
        >>> Protocol().fit_rows(100), Protocol().fit_rows(20_000)
        (80.0, 5000.0)
        """
        largest = math.inf if self.max_train_rows is None else float(self.max_train_rows)
        return min(n_rows * (self.n_folds - 1) / self.n_folds, largest)


@dataclass(frozen=True)
class Run:
    """Evaluation of one configuration on one data set, successful or failed.

    Parameters
    ----------
    dataset_id : str
        Id of the `DatasetRecord`.
    configuration : Configuration
        Evaluated configuration.
    status : {"ok", "timeout", "memout", "crash"}
        Outcome.
    scores : mapping of str to float
        Metric name to the score of the pooled out-of-fold predictions (the mean over repetitions of
        the cross-validation), greater is better; empty unless `status` is ok.
    fold_scores : mapping of str to tuple of float
        Metric name to the score of each test fold, one repetition after the other.
    fit_seconds, predict_seconds : float
        Mean CPU seconds of one thread over the folds; NaN if unknown.
    seconds : float
        CPU seconds of the whole evaluation, or wall-clock seconds until it was stopped.
    peak_memory : float
        Peak growth of the resident memory of the worker, in bytes; NaN if unknown.
    reason : str
        Reason of the failure.
    protocol : str
        Name of the `Protocol`, of custom `Folds`, or of the protocol of another source.
    source, environment : str
        Name of the `Source` and digest of the `Environment`.
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
        check_lengths(self.protocol, self.source)
        object.__setattr__(self, "scores", dict(self.scores))
        object.__setattr__(self, "fold_scores", dict(self.fold_scores))

    @cached_property
    def run_id(self) -> str:
        """16 hexadecimal digits that identify data set, configuration, protocol and source."""
        return run_digest(self.dataset_id, self.configuration.configuration_id, self.protocol, self.source)


def run_digest(dataset_id: str, configuration_id: str, protocol: str, source: str) -> str:
    """Digest that identifies a run.

    Parameters
    ----------
    dataset_id, configuration_id, protocol, source : str
        As in `Run`.

    Returns
    -------
    str
        The `Run.run_id`.
    """
    return digest_of([dataset_id, configuration_id, protocol, source], 16)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
