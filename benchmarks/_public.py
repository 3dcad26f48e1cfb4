"""Public matrices of scores as `MetaDataset`, and the game that is played on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from automl_meta.metrics import get_metric
from automl_meta.recommenders import Recommender
from automl_meta.records import Configuration, MetaDataset, Protocol

ALL_ROWS = Protocol(max_train_rows=None)  # by which these matrices were timed, not on samples of rows


def meta_dataset(
    metric: str,
    datasets: pd.DataFrame,
    metafeatures: pd.DataFrame,
    configurations: list[Configuration],
    scores: np.ndarray,
    seconds: np.ndarray | None = None,
) -> MetaDataset:
    """Dense matrices of shape (n_datasets, n_configurations) as experience.

    `datasets` has the index ``dataset_id`` and columns ``family``, ``n_rows``, ``n_features``.
    """
    ids = [configuration.configuration_id for configuration in configurations]
    frame = pd.DataFrame(
        {
            "algorithm": [configuration.algorithm for configuration in configurations],
            "parameters": [dict(configuration.parameters) for configuration in configurations],
        },
        index=pd.Index(ids, name="configuration_id"),
    )
    seconds = np.full(scores.shape, np.nan) if seconds is None else seconds
    runs = pd.DataFrame(
        {
            "run_id": [f"run-{number}" for number in range(scores.size)],
            "dataset_id": np.repeat(datasets.index.to_numpy(), len(ids)),
            "configuration_id": np.tile(ids, len(datasets)),
            "score": scores.ravel(),
            "fit_seconds": seconds.ravel(),
            "seconds": seconds.ravel(),
            "status": "ok",
        }
    )
    datasets = datasets.assign(name=datasets.index, n_classes=2, target_scale=np.nan)
    datasets["fit_rows"] = [ALL_ROWS.fit_rows(n) for n in datasets["n_rows"]]
    chosen = get_metric(metric)
    metafeatures = metafeatures.loc[datasets.index]
    return MetaDataset(chosen, chosen.task_type, datasets, metafeatures, frame, runs)


def description(meta: MetaDataset, dataset_id: str) -> dict[str, float]:
    """What a recommender is told of a data set."""
    sizes = {name: float(meta.datasets.at[dataset_id, name]) for name in ("n_rows", "n_features")}
    return sizes | {str(name): float(value) for name, value in meta.metafeatures.loc[dataset_id].items()}


def picks(
    fitted: Recommender,
    task: Mapping[str, float],
    scores: Mapping[str, float],
    next_call: Callable[[dict[str, float]], dict[str, Any] | None],
) -> Iterator[str]:
    """Ask for one configuration at a time, and tell what each reached.

    `next_call` gives further arguments of `recommend` from what was observed, or None to stop.
    """
    observed: dict[str, float] = {}
    while (arguments := next_call(observed)) is not None:
        advice = fitted.recommend(task, 1, observed=observed, **arguments).configurations
        if not advice:
            return
        key = advice[0].configuration.configuration_id
        observed[key] = float(scores[key])
        yield key


def dealt(names: np.ndarray, n_folds: int, seed: int) -> list[np.ndarray]:
    """Folds of positions; equal names stay together."""
    shuffled = np.random.default_rng(seed).permutation(np.unique(names))
    return [np.flatnonzero(np.isin(names, shuffled[fold::n_folds])) for fold in range(n_folds)]
