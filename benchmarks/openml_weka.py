"""The default meta-model on OPENML-WEKA-2017 of ASlib: 105 data sets x 30 algorithms.

    python benchmarks/openml_weka.py --data DIR [--seeds 5]

DIR holds ``aslib/OPENML-WEKA-2017`` and ``aslib/oasc2017_oberon_split.csv``. Figures are the share
of the gap between the single best algorithm (by mean accuracy on the known data sets) and the best
on each data set that is closed, by the first pick and by the best of the first three, each of which
is told what those before it reached; for the scenario's own ten folds, and for the split of the
Open Algorithm Selection Challenge 2017. Means over the seeds of the model; the spread is printed.
The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import arff
import numpy as np
import pandas as pd
from _public import description, meta_dataset, picks

from automl_meta.recommenders import DEFAULT_RECOMMENDER
from automl_meta.records import Configuration, MetaDataset

N_PICKS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    meta, folds, split = load(arguments.data / "aslib")
    rounds = []
    for seed in range(arguments.seeds):
        rounds.append(np.concatenate([gap_closed(meta, folds, seed), gap_closed(meta, split, seed)]))
        print(f"seed {seed}: {rounds[-1].round(3)}", flush=True)
    print(f"standard deviation over seeds: {np.std(rounds, axis=0).round(3)}")
    names = ("gap_first", "gap_best_of_3", "split_gap_first", "split_gap_best_of_3")
    mean = np.mean(rounds, axis=0)
    print(json.dumps({name: round(float(value), 3) for name, value in zip(names, mean, strict=True)}))


def gap_closed(meta: MetaDataset, folds: list[list[str]], seed: int) -> np.ndarray:
    """Share of the gap closed by the first pick and by the best of the first three."""
    rows = []
    for left_out in folds:
        known = meta.datasets.index.difference(left_out)
        fitted = DEFAULT_RECOMMENDER(random_state=seed).fit(meta.select(datasets=list(known)))
        single_best = meta.scores.loc[known].mean(axis=0).idxmax()
        for dataset_id in left_out:
            scores = meta.scores.loc[dataset_id]

            def more(observed: Mapping[str, float]) -> dict[str, Any] | None:
                return {} if len(observed) < N_PICKS else None

            task = description(meta, dataset_id)
            reached = [scores[key] for key in picks(fitted, task, scores.to_dict(), more)]
            rows.append([reached[0], max(reached), scores[single_best], scores.max()])
    first, best_of_three, single, oracle = np.sum(rows, axis=0)
    return np.array([first - single, best_of_three - single]) / (oracle - single)


def load(folder: Path) -> tuple[MetaDataset, list[list[str]], list[list[str]]]:
    """The scenario, its ten folds, and the challenge's test set as one fold."""
    scenario = folder / "OPENML-WEKA-2017"
    runs, folds = table(scenario / "algorithm_runs.arff"), table(scenario / "cv.arff")
    features = table(scenario / "feature_values.arff").set_index("instance_id").drop(columns="repetition")
    features = features.astype(np.float64).sort_index()
    features.index.name = "dataset_id"
    runs["predictive_accuracy"] = runs["predictive_accuracy"].astype(np.float64)
    scores = runs.pivot(index="instance_id", columns="algorithm", values="predictive_accuracy")
    datasets = pd.DataFrame(
        {
            "family": features.index,
            "n_rows": features["NumberOfInstances"],
            "n_features": features["NumberOfFeatures"],
        },
        index=features.index,
    )
    meta = meta_dataset(
        "accuracy",
        datasets,
        features,
        [Configuration(algorithm) for algorithm in scores.columns],
        scores.loc[features.index].to_numpy(),
    )
    split = pd.read_csv(folder / "oasc2017_oberon_split.csv", dtype=str)
    return (
        meta,
        [sorted(group["instance_id"]) for _, group in folds.groupby("fold")],
        [sorted(split.loc[split["split"] == "test", "instance_id"])],
    )


def table(file: Path) -> pd.DataFrame:
    """An ARFF file as a frame."""
    with file.open() as lines:
        content = arff.load(lines)
    return pd.DataFrame(content["data"], columns=[name for name, _ in content["attributes"]])


if __name__ == "__main__":
    main()
