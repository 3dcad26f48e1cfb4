"""Import past Optuna studies as runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from automl_meta._utils.optuna_studies import readable, trials_of
from automl_meta.algorithms import get_algorithm
from automl_meta.exceptions import UsageError
from automl_meta.experiments import describe_dataset
from automl_meta.metrics import Metric, TaskType, get_metric, metrics_for
from automl_meta.records import LOCAL, Configuration, DatasetRecord, Run, Source
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

__all__ = ["StudyImport", "StudySpace", "import_study"]

StudySpace = str | Callable[[Mapping[str, Any]], Configuration | None] | None
"""Meaning of the parameters of a study: see `import_study`."""

_ABOUT = "automl_meta"  # user attribute in which AutoMLClassifier describes its studies
_LONGEST_SECONDS = 1e10  # three centuries
_FAILED = ("timeout", "memout", "crash")


@dataclass(frozen=True)
class StudyImport:
    """Result of importing a study.

    Parameters
    ----------
    study : str
        Name of the study.
    n_new : int
        Number of trials that were added to the store as runs.
    n_known : int
        Number of trials that the store already had.
    skipped : mapping of str to int
        Number of skipped trials by reason.
    """

    study: str
    n_new: int
    n_known: int
    skipped: Mapping[str, int] = field(default_factory=dict)


def import_study(
    store: MetadataStore,
    study: optuna.Study,
    *,
    dataset: DatasetRecord | TabularTask | str | None = None,
    space: StudySpace = None,
    metric: str | Metric | None = None,
    source: str = "optuna",
) -> StudyImport:
    """Add the trials of an Optuna study to the store; importing it again adds nothing.

    Parameters
    ----------
    store : MetadataStore
        Store of the runs.
    study : Study
        Study with one objective; not modified.
    dataset : DatasetRecord, TabularTask or str, optional
        Data set of the study: a record, a task (whose meta-features are then computed), or the id
        of a data set in the store. Studies of `AutoMLClassifier` name it themselves.
    space : str, callable or None
        Meaning of the parameters. With the name of an algorithm, they are its hyperparameters. A
        callable maps a trial's parameters to a `Configuration`, or to None to skip the trial. None
        expects a parameter ``algorithm``, and others such as ``"lightgbm.learning_rate"``.
    metric : str or Metric, optional
        Metric of the objective, greater is better; values of a study that minimises are negated.
        Studies of `AutoMLClassifier` name it themselves.
    source : str
        Source name of the stored runs.

    Returns
    -------
    StudyImport
        Number of new runs, and reasons why trials were skipped: unfinished, pruned, repeated,
        unknown algorithm, outside its search space, impossible value of the metric.

    Raises
    ------
    UsageError
        If the data set or the metric is unknown, or the study has several objectives.
    """
    with readable(f"The study {study.study_name!r}"):
        directions, about = study.directions, _about(study.user_attrs.get(_ABOUT))
    if len(directions) != 1:
        raise UsageError(
            f"The study {study.study_name!r} has {len(directions)} objectives; only studies with one objective can be imported."
        )
    record = _dataset(store, study, dataset, about)
    scored = _metric(study, metric, about, record.task_type)
    reader = _Reader(
        record=record,
        metric=scored,
        space=space,
        sign=1.0 if directions[0] == StudyDirection.MAXIMIZE else -1.0,
        protocol=str(about.get("folds", f"optuna:{study.study_name}")),
        source=LOCAL.name if about else source,
    )
    runs: dict[str, Run] = {}
    skipped: Counter[str] = Counter()
    for trial in trials_of(study):
        run = reader.run(trial)
        if isinstance(run, str):
            skipped[run] += 1
        elif run.run_id in runs:
            skipped["a repeated configuration"] += 1
        else:
            runs[run.run_id] = run
    store.add_source(Source(reader.source))
    n_new = store.add_runs(runs.values())
    return StudyImport(study.study_name, n_new, len(runs) - n_new, dict(skipped))


@dataclass(frozen=True)
class _Reader:
    """Converts trials to runs, or returns the reason to skip them."""

    record: DatasetRecord
    metric: Metric
    space: StudySpace
    sign: float
    protocol: str
    source: str

    def run(self, trial: FrozenTrial) -> Run | str:
        if not trial.state.is_finished():
            return "not finished"
        if trial.state == TrialState.PRUNED:
            return "pruned, so its final value is unknown"
        configuration = self._configuration(trial)
        if isinstance(configuration, str):
            return configuration
        measured = trial.user_attrs.get("run")
        measured = measured if isinstance(measured, dict) else {}
        seconds = trial.duration.total_seconds() if trial.duration is not None else math.nan
        common: dict[str, Any] = {
            "seconds": _cost(seconds) if math.isnan(_cost(measured.get("seconds"))) else measured["seconds"],
            "protocol": self.protocol,
            "source": self.source,
        }
        if trial.state == TrialState.FAIL:
            status = str(trial.user_attrs.get("status", "crash"))
            if status not in _FAILED:
                return "lost with its process"
            reason = str(trial.user_attrs.get("reason", "")) or "the trial failed"
            return Run(self.record.dataset_id, configuration, status, reason=reason, **common)  # type: ignore[arg-type]
        score = self.sign * _number(trial.values)
        if not _is_possible(self.metric, score):
            return f"a value that {self.metric.name} cannot have"
        return Run(
            self.record.dataset_id,
            configuration,
            "ok",
            scores={**self._scores(measured.get("scores")), self.metric.name: score},
            fit_seconds=_cost(measured.get("fit_seconds")),
            **common,
        )

    def _scores(self, given: object) -> dict[str, float]:
        """Scores by other metrics that a trial may have."""
        metrics = {metric.name: metric for metric in metrics_for(self.record.task_type)}
        return {
            name: float(score)
            for name, score in (given.items() if isinstance(given, dict) else ())
            if name in metrics and isinstance(score, (int, float)) and _is_possible(metrics[name], score)
        }

    def _configuration(self, trial: FrozenTrial) -> Configuration | str:
        parameters = dict(trial.params)
        if callable(self.space):
            found = self.space(parameters)
            if found is None:
                return "skipped by the given function"
        else:
            name = parameters.pop("algorithm", None) if self.space is None else self.space
            if name is None:
                return "no parameter 'algorithm'"
            prefix = "" if self.space is not None else f"{name}."
            own = {k.removeprefix(prefix): v for k, v in parameters.items() if str(k).startswith(prefix)}
            found = Configuration(str(name), own)
        try:
            algorithm = get_algorithm(found.algorithm, self.record.task_type)
        except UsageError:
            return f"unknown algorithm {found.algorithm!r}"
        try:
            return algorithm.completed(found)
        except UsageError:
            return f"outside the search space of {found.algorithm}"


def _about(given: object) -> dict[str, str]:
    """Text entries of the description that `AutoMLClassifier` writes into a study."""
    if not isinstance(given, dict):
        return {}
    return {
        name: text
        for name, text in given.items()
        if isinstance(text, str) and text == text.encode("utf-8", "replace").decode()
    }


def _number(values: object) -> float:
    """Value of a trial; NaN if it is not a number, since a damaged journal may hold anything."""
    is_one = isinstance(values, list) and len(values) == 1 and isinstance(values[0], (int, float))
    return float(values[0]) if is_one else math.nan  # type: ignore[index]


def _cost(seconds: object) -> float:
    """Number of seconds; NaN if it is not one."""
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    return float(seconds) if is_number and 0.0 <= seconds < _LONGEST_SECONDS else math.nan  # type: ignore[arg-type,operator]


def _dataset(
    store: MetadataStore,
    study: optuna.Study,
    dataset: DatasetRecord | TabularTask | str | None,
    about: Mapping[str, Any],
) -> DatasetRecord:
    if isinstance(dataset, DatasetRecord):
        store.add_dataset(dataset)
        return dataset
    if isinstance(dataset, TabularTask):
        if dataset.fingerprint not in store.datasets().index:
            described = describe_dataset(dataset)
            store.add_dataset(described.record, versions=described.versions, seconds=described.seconds)
        return store.dataset(dataset.fingerprint)
    known = dataset or about.get("dataset")
    if known is None:
        raise UsageError(
            f"The study {study.study_name!r} does not name its data set: give dataset=, a task or the id of a "
            "data set in the store."
        )
    return store.dataset(str(known))


def _metric(
    study: optuna.Study, metric: str | Metric | None, about: Mapping[str, Any], task_type: TaskType
) -> Metric:
    chosen = metric or about.get("metric")
    if chosen is None:
        raise UsageError(
            f"The study {study.study_name!r} does not name its metric: give metric=, such as "
            f"{'accuracy' if task_type == 'classification' else 'r2'!r}."
        )
    return get_metric(chosen, task_type)


def _is_possible(metric: Metric, score: float) -> bool:
    lowest = 0.0 if metric.task_type == "classification" and metric.best == 1.0 else -math.inf
    return math.isfinite(score) and lowest <= score <= metric.best
