"""Experience as arrays, the input of every recommender."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.exceptions import NoExperienceError
from automl_meta.recommenders.seconds_model import sizes_of
from automl_meta.records import Configuration, MetaDataset
from automl_meta.transfer import regret_scales

_PRIOR_RUNS = 3.0  # number of average runs by which a configuration's mean regret is shrunk


@dataclass(frozen=True, eq=False)
class ExperienceMatrix:
    """Known runs as matrices, rows and columns sorted by their ids.

    Data sets and configurations without any successful run are left out.

    Parameters
    ----------
    dataset_ids, names : list of str
        Ids and names of the data sets, the n_datasets rows.
    families : ndarray of shape (n_datasets,)
        Integer code of the family of each data set.
    sizes : ndarray of shape (n_datasets, 4)
        `sizes_of` the data sets, with the number of training rows of a fit in the cross-validation.
    configurations : list of Configuration
        Configurations of the n_configurations columns.
    known : bool ndarray of shape (n_datasets, n_configurations)
        Whether a successful run is known.
    raw_scores : ndarray of shape (n_datasets, n_configurations)
        Greater is better; NaN where `known` is False.
    scores : ndarray of shape (n_datasets, n_configurations)
        The same without missing values: failed runs and useless scores have a normalised regret of 1
        (see `regret_scales`); pairs never tried are imputed from the means of both.
    best, scale : ndarray of shape (n_datasets,)
        Best score and regret scale; see `regret_scales`.
    seconds : ndarray of shape (n_datasets, n_configurations)
        Seconds of one fit; NaN where unknown.
    run_ids : ndarray of str of shape (n_datasets, n_configurations)
        Ids of the runs; empty where none is known.
    """

    dataset_ids: list[str]
    names: list[str]
    families: NDArray[np.int64]
    sizes: NDArray[np.float64]
    configurations: list[Configuration]
    known: NDArray[np.bool_]
    raw_scores: NDArray[np.float64]
    scores: NDArray[np.float64]
    best: NDArray[np.float64]
    scale: NDArray[np.float64]
    seconds: NDArray[np.float64]
    run_ids: NDArray[np.object_]

    @classmethod
    def from_meta_dataset(cls, meta: MetaDataset) -> ExperienceMatrix:
        """Arrange the runs of a `MetaDataset`.

        Parameters
        ----------
        meta : MetaDataset
            Known runs.

        Returns
        -------
        ExperienceMatrix

        Raises
        ------
        NoExperienceError
            If no run in it has a score.
        """
        good = (meta.runs["status"] == "ok").to_numpy(bool)
        raw_scores = meta.arranged(meta.runs["score"].to_numpy(np.float64), np.nan)
        known = np.isfinite(raw_scores) & meta.arranged(good, False)
        rows = _sorted_positions(meta.datasets.index, known.any(axis=1))
        columns = _sorted_positions(meta.configurations.index, known.any(axis=0))
        if not len(rows):
            raise NoExperienceError(
                f"Of {len(meta)} known runs none has a {meta.metric.name} score on a {meta.task_type} data set, so "
                "nothing can be recommended. Collect or import experience first, or ask for another metric."
            )
        block = np.ix_(rows, columns)
        known = known[block]
        raw_scores = np.where(known, raw_scores[block], np.nan)
        run_ids = meta.arranged(meta.runs["run_id"].to_numpy(object), "")[block]
        # A run that hit its time limit counts with its whole duration: a single fit may take as long.
        timeout = (meta.runs["status"] == "timeout").to_numpy(bool)
        seconds = np.where(timeout, meta.runs["seconds"], np.where(good, meta.runs["fit_seconds"], np.nan))
        best, scale = regret_scales(raw_scores)
        regrets = np.clip((best[:, None] - raw_scores) / scale[:, None], 0.0, 1.0)
        regrets[(run_ids != "") & ~known] = 1.0
        datasets, configurations = meta.datasets.iloc[rows], meta.configurations.iloc[columns]
        return cls(
            dataset_ids=[str(key) for key in datasets.index],
            names=[str(name) for name in datasets["name"]],
            families=pd.factorize(datasets["family"], sort=True)[0].astype(np.int64),
            sizes=_sizes(datasets, meta.metafeatures.iloc[rows]),
            configurations=[
                Configuration(algorithm, parameters)
                for algorithm, parameters in zip(
                    configurations["algorithm"], configurations["parameters"], strict=True
                )
            ],
            known=known,
            raw_scores=raw_scores,
            scores=best[:, None] - _without_gaps(regrets) * scale[:, None],
            best=best,
            scale=scale,
            seconds=meta.arranged(seconds, np.nan)[block],
            run_ids=run_ids,
        )

    @property
    def regrets(self) -> NDArray[np.float64]:
        """Normalised regrets, 0 (best known) to 1 (useless or failed), without missing values."""
        return (self.best[:, None] - self.scores) / self.scale[:, None]

    @cached_property
    def configuration_ids(self) -> list[str]:
        """Configuration ids of the columns."""
        return [configuration.configuration_id for configuration in self.configurations]

    @cached_property
    def winners(self) -> list[str]:
        """Name of the best algorithm on each data set."""
        return [self.configurations[column].algorithm for column in np.nanargmax(self.raw_scores, axis=1)]


def _sizes(datasets: pd.DataFrame, metafeatures: pd.DataFrame) -> NDArray[np.float64]:
    known = datasets[["n_rows", "n_features", "n_classes", "fit_rows"]].join(
        metafeatures.reindex(columns=["n_numeric", "n_levels_sum"])
    )
    counts = [dict(zip(known.columns, row, strict=True)) for row in known.to_numpy(np.float64)]
    return np.array([sizes_of(count, count["fit_rows"]) for count in counts])


def _sorted_positions(index: pd.Index, keep: NDArray[np.bool_]) -> NDArray[np.int64]:
    order = np.argsort(index.to_numpy(dtype=object).astype(str), kind="stable")
    return order[keep[order]]


def _without_gaps(regrets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Impute missing regrets by the mean of the configuration plus the mean deviation on the data set."""
    present = ~np.isnan(regrets)
    if present.all():
        return regrets
    values = np.where(present, regrets, 0.0)
    usual = values.sum() / present.sum()
    of_configuration = (values.sum(axis=0) + _PRIOR_RUNS * usual) / (present.sum(axis=0) + _PRIOR_RUNS)
    deviation = np.where(present, regrets - of_configuration, 0.0)
    of_dataset = deviation.sum(axis=1) / (present.sum(axis=1) + _PRIOR_RUNS)
    guess = np.clip(of_configuration + of_dataset[:, None], 0.0, 1.0)
    return np.where(present, regrets, guess)
