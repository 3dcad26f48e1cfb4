"""The default meta-model on Oboe's matrix: 418 OpenML data sets x 219 configurations.

    python benchmarks/oboe_matrix.py --data DIR [--seeds 1] [--limit N]

DIR holds ``oboe_runs.parquet`` and ``oboe_datasets.parquet``. Ten folds over the data sets; known
of a task are its numbers of rows and columns, and what was tried on it so far. ``regret`` is the
mean over the data sets, in percentage points of balanced error, of the best of the first k to the
best of all 219. In ``grouped``, data sets of equal row count stay in one fold.

``time_averaged`` is the same regret after a time budget, averaged over seven budgets from 0.001 to
1 of the seconds that all 219 take on the data set. A configuration counts if it ends in time;
before the first one has, the score is that of the worst of all. At most 40 configurations are
tried in one budget; what is left of it is then not used. The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _public import ALL_ROWS, dealt, description, meta_dataset, picks

from automl_meta.recommenders import DEFAULT_RECOMMENDER, Recommender
from automl_meta.records import Configuration, MetaDataset

KS = (1, 2, 3, 5, 10)
BUDGETS = np.geomspace(0.001, 1.0, 7)
MOST_IN_A_BUDGET = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=1, help="of folds and trees; figures are means")
    parser.add_argument("--limit", type=int, help="folds to play of each ten, for a quick look")
    parser.add_argument("--no-budgets", action="store_true", help="leave out time_averaged")
    arguments = parser.parse_args()
    meta = load(arguments.data)
    rounds = []
    for seed in range(arguments.seeds):
        each = dealt(meta.datasets.index.to_numpy(), 10, seed)[: arguments.limit]
        families = dealt(meta.datasets["family"].to_numpy(), 10, seed)[: arguments.limit]
        rounds.append(
            (
                play(meta, each, seed, after_trials),
                play(meta, families, seed, after_trials),
                np.nan if arguments.no_budgets else play(meta, each, seed, after_seconds),
            )
        )
        print(f"seed {seed}: " + "; ".join(str(np.round(figures, 3)) for figures in rounds[-1]), flush=True)
    plain, grouped, timed = (np.mean(figures, axis=0) for figures in zip(*rounds, strict=True))
    if np.ndim(timed):
        by_budget = zip(BUDGETS.round(4).tolist(), np.round(timed, 2).tolist(), strict=True)
        print(f"regret by budget: {dict(by_budget)}")
    print(
        json.dumps(
            {
                "regret": {str(k): round(float(value), 3) for k, value in zip(KS, plain, strict=True)},
                "grouped": {str(k): round(float(value), 3) for k, value in zip(KS, grouped, strict=True)},
                "time_averaged": round(float(np.mean(timed)), 3),
            }
        )
    )


def load(folder: Path) -> MetaDataset:
    runs = pd.read_parquet(folder / "oboe_runs.parquet")
    sizes = pd.read_parquet(folder / "oboe_datasets.parquet").set_index("dataset_id")
    errors = runs.pivot(index="dataset_id", columns="config_id", values="balanced_error")
    seconds = runs.pivot(index="dataset_id", columns="config_id", values="runtime_s")
    first = runs.drop_duplicates("config_id").set_index("config_id").loc[errors.columns]
    sizes = sizes.loc[errors.index]
    index = pd.Index([f"openml-{key}" for key in errors.index], name="dataset_id")
    n_rows, n_features = sizes["n_rows"].to_numpy(), sizes["n_features_encoded"].to_numpy()
    return meta_dataset(
        "balanced_accuracy",
        pd.DataFrame({"family": n_rows.astype(str), "n_rows": n_rows, "n_features": n_features}, index=index),
        pd.DataFrame(
            {
                "log_rows": np.log(n_rows),
                "log_features": np.log(n_features),
                "log_features_per_row": np.log(n_features / n_rows),
            },
            index=index,
        ),
        [
            Configuration(algorithm, json.loads(values))
            for algorithm, values in zip(first["algorithm"], first["hyperparameters"], strict=True)
        ],
        1.0 - errors.to_numpy(),
        seconds.to_numpy(),
    )


def play(meta: MetaDataset, folds: list[np.ndarray], seed: int, game: Any) -> np.ndarray:
    """Mean over all data sets of the folds of what `game` gives."""
    results = []
    for fold in folds:
        left_out = meta.datasets.index[fold]
        known = meta.datasets.index.difference(left_out)
        fitted = DEFAULT_RECOMMENDER(random_state=seed).fit(meta.select(datasets=list(known)))
        for dataset_id in left_out:
            scores, seconds = meta.scores.loc[dataset_id], meta.fit_seconds.loc[dataset_id]
            results.append(game(fitted, description(meta, dataset_id), scores.to_dict(), seconds.to_dict()))
    return np.mean(results, axis=0)


def after_trials(
    fitted: Recommender, task: Mapping[str, float], scores: Mapping[str, float], seconds: Mapping[str, float]
) -> list[float]:
    """Regret in percentage points after each number of trials."""

    def more(observed: Mapping[str, float]) -> dict[str, Any] | None:
        return {} if len(observed) < max(KS) else None

    reached = np.maximum.accumulate([scores[key] for key in picks(fitted, task, scores, more)])
    return [100.0 * (max(scores.values()) - reached[k - 1]) for k in KS]


def after_seconds(
    fitted: Recommender, task: Mapping[str, float], scores: Mapping[str, float], seconds: Mapping[str, float]
) -> list[float]:
    """Regret in percentage points after each time budget."""
    regrets, fit_rows = [], ALL_ROWS.fit_rows(task["n_rows"])
    for budget in BUDGETS * sum(seconds.values()):
        reached = min(scores.values())

        def more(observed: Mapping[str, float], budget: float = budget) -> dict[str, Any] | None:
            left = budget - sum(seconds[key] for key in observed)
            enough = len(observed) >= MOST_IN_A_BUDGET
            return None if left <= 0.0 or enough else {"remaining_seconds": left, "fit_rows": fit_rows}

        spent = 0.0
        for key in picks(fitted, task, scores, more):
            spent += seconds[key]
            if spent <= budget:
                reached = max(reached, scores[key])
        regrets.append(100.0 * (max(scores.values()) - reached))
    return regrets


if __name__ == "__main__":
    main()
