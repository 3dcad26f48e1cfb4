"""Synthetic experience with a known structure, for tests of components that learn from experience."""

from __future__ import annotations

import numpy as np
import pandas as pd

from automl_meta.metrics import get_metric
from automl_meta.records import Configuration, MetaDataset, Protocol

__all__ = ["synthetic_experience", "task_like"]

_KINDS = ("linear", "trees")


def synthetic_experience(
    n_datasets: int = 24,
    n_configurations: int = 8,
    *,
    metric: str = "balanced_accuracy",
    missing: float = 0.0,
    failed: float = 0.0,
    seed: int = 0,
) -> MetaDataset:
    """Create experience with two groups of data sets, each favouring one half of the configurations.

    The meta-feature ``curvature`` determines the group (0: "linear" wins, 1: "trees" wins) and
    ``easiness`` the level of all scores; ``size`` and ``noise`` are uninformative. Within a group,
    later configurations are slightly worse. Data sets come in families of two.

    Parameters
    ----------
    n_datasets, n_configurations : int
        Numbers of data sets and configurations.
    metric : str, default="balanced_accuracy"
        Metric of the scores; determines the type of task.
    missing, failed : float, default=0
        Share of missing runs, and of runs that timed out; the first configuration always succeeds.
    seed : int, default=0
        Random seed.

    Returns
    -------
    MetaDataset
        One run per data set and configuration, except for missing ones.
    """
    rng = np.random.default_rng(seed)
    keys = [f"data-{number:03d}" for number in range(n_datasets)]
    kinds = np.arange(n_datasets) // 2 % 2
    easiness = rng.uniform(0.0, 1.0, n_datasets)
    n_rows = np.round(10 ** rng.uniform(2, 4, n_datasets)).astype(np.int64)
    configurations = [
        Configuration(_KINDS[number % 2], {"strength": 1.0 + number, "flavour": "ab"[number % 3 % 2]})
        for number in range(n_configurations)
    ]
    suits = np.arange(n_configurations) % 2 == kinds[:, None]
    scores = 0.7 + 0.2 * easiness[:, None] - np.where(suits, 0.0, 0.15) - 0.005 * np.arange(n_configurations)
    scores = scores + rng.normal(0.0, 0.004, scores.shape)
    metafeatures = pd.DataFrame(
        {
            "curvature": kinds + rng.normal(0.0, 0.05, n_datasets),
            "easiness": easiness + rng.normal(0.0, 0.05, n_datasets),
            "size": np.log(n_rows),
            "noise": rng.normal(size=n_datasets),
        },
        index=pd.Index(keys, name="dataset_id"),
    )
    chosen = get_metric(metric)
    datasets = pd.DataFrame(
        {
            "name": [f"name of {key}" for key in keys],
            "family": [f"family-{number // 2:03d}" for number in range(n_datasets)],
            "n_rows": n_rows,
            "n_features": np.int64(10),
            "n_classes": np.int64(2 if chosen.task_type == "classification" else 0),
            "target_scale": np.nan,
            "fit_rows": [Protocol().fit_rows(n) for n in n_rows],
        },
        index=metafeatures.index,
    )
    table = pd.DataFrame(
        {
            "algorithm": [configuration.algorithm for configuration in configurations],
            "parameters": [dict(configuration.parameters) for configuration in configurations],
        },
        index=pd.Index([c.configuration_id for c in configurations], name="configuration_id"),
    )
    runs = _runs(scores, n_rows, keys, list(table.index), rng, missing, failed)
    return MetaDataset(chosen, chosen.task_type, datasets, metafeatures, table, runs)


def task_like(meta: MetaDataset, dataset_id: str) -> dict[str, float]:
    """Return the meta-features and size of a known data set, as those of a new task."""
    known = meta.datasets[["n_rows", "n_features"]].join(meta.metafeatures).loc[[dataset_id]]
    return dict(zip(known.columns, known.to_numpy(np.float64)[0].tolist(), strict=True))


def _runs(
    scores: np.ndarray,
    n_rows: np.ndarray,
    keys: list[str],
    ids: list[str],
    rng: np.random.Generator,
    missing: float,
    failed: float,
) -> pd.DataFrame:
    seconds = n_rows[:, None] * 1e-4 * (1.0 + np.arange(scores.shape[1]))
    rows, columns = np.divmod(np.arange(scores.size), scores.shape[1])
    present, ended = rng.random(scores.size) >= missing, rng.random(scores.size) < failed
    present, ended = present | (columns == 0), ended & (columns != 0)
    runs = pd.DataFrame(
        {
            "run_id": [f"run-{row:03d}-{column:03d}" for row, column in zip(rows, columns, strict=True)],
            "dataset_id": np.array(keys, dtype=object)[rows],
            "configuration_id": np.array(ids, dtype=object)[columns],
            "score": np.where(ended, np.nan, scores.ravel()),
            "fit_seconds": np.where(ended, np.nan, seconds.ravel()),
            "seconds": np.where(ended, 60.0, 5.0 * seconds.ravel()),
            "status": np.where(ended, "timeout", "ok"),
        }
    )
    return runs[present].reset_index(drop=True)
