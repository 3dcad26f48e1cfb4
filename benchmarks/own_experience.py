"""What the shipped experience and each part of the default meta-model are worth.

    python benchmarks/own_experience.py [--metric NAME] [--store FILE] [--splits 20] [--repeats 3]

Leave-one-family-out replays (`automl_meta.evaluation.leave_family_out`) of the default
recommender: the learning curve over the share of the families that is known, an ablation with
paired differences, and how well its intervals and its chances to be best hold. Mean normalised
regret, 0 for the best known score and 1 for a useless one; differences with 95 % intervals over
families. The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np

from automl_meta.evaluation import ReplayReport, leave_family_out, paired_bootstrap
from automl_meta.metafeatures import EXTRACTORS
from automl_meta.metafeatures.landmarkers import Landmarkers
from automl_meta.metrics import get_metric
from automl_meta.recommenders import DEFAULT_RECOMMENDER
from automl_meta.records import MetaDataset
from automl_meta.store import MetadataStore

SHARES = (0.1, 0.25, 0.5, 1.0)
NAME = "default"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metric", default="balanced_accuracy")
    parser.add_argument("--store", help="a file or URL; the user's own store by default")
    parser.add_argument("--splits", type=int, default=20, help="groups of families that are left out")
    parser.add_argument("--repeats", type=int, default=3, help="draws of each share of the families")
    arguments = parser.parse_args()
    metric = get_metric(arguments.metric)
    with MetadataStore(arguments.store) as store:
        meta = store.meta_dataset(metric, metric.task_type)
    result: dict[str, Any] = {"metric": metric.name, "n_datasets": len(meta.datasets)}
    result["learning_curve"] = learning_curve(meta, arguments.splits, arguments.repeats)
    result["ablation"] = ablation(meta, arguments.splits)
    result["calibration"] = calibration(meta, arguments.splits)
    print(json.dumps(result))


def play(meta: MetaDataset, splits: int, **options: Any) -> ReplayReport:
    return leave_family_out(meta, {NAME: DEFAULT_RECOMMENDER()}, n_splits=splits, **options)


def points(evaluation: ReplayReport) -> dict[str, float]:
    table = evaluation.table()
    columns = [column for column in table.columns if column.startswith("normalized@")]
    return {column.partition("@")[2]: round(float(table.at[NAME, column]), 4) for column in columns}


def learning_curve(meta: MetaDataset, splits: int, repeats: int) -> dict[str, dict[str, float]]:
    """Mean regret with shares of the other families known, each drawn `repeats` times."""
    print("share of the families known -> normalised regret after k trials, within s seconds")
    curve = {}
    for share in SHARES:
        rounds = [
            points(play(meta, splits, known_share=share, random_state=seed))
            for seed in range(1 if share == 1.0 else repeats)
        ]
        curve[f"{share:g}"] = {key: round(float(np.mean([r[key] for r in rounds])), 4) for key in rounds[0]}
        print(f"  {share:4.0%}  {curve[f'{share:g}']}", flush=True)
    return curve


def ablation(meta: MetaDataset, splits: int) -> dict[str, dict[str, Any]]:
    """What is lost without one part: difference to the whole, positive if the part helps."""
    whole = play(meta, splits)
    landmarkers = next(e for e in EXTRACTORS if isinstance(e, Landmarkers)).names(meta.task_type)
    variants = {
        "no meta-features": play(without(meta, list(meta.metafeatures.columns)), splits),
        "no landmarkers": play(
            without(meta, [name for name in landmarkers if name in meta.metafeatures]), splits
        ),
        "no observations": play(meta, splits, feedback=False),
        "no cost": play(meta, splits, frugal=False),
    }
    print("without -> difference of normalised regret to the whole (95 % interval)")
    return {name: differences(name, variant, whole) for name, variant in variants.items()}


def differences(name: str, variant: ReplayReport, whole: ReplayReport) -> dict[str, Any]:
    found = {}
    for key, unit in (("regrets", "k"), ("timed_regrets", "seconds")):
        index = ["dataset_id", unit]
        one, other = (
            frame[frame["name"] == NAME].set_index(index)
            for frame in (getattr(variant, key), getattr(whole, key))
        )
        gap = (one["normalized_regret"] - other["normalized_regret"]).unstack(unit)
        families = other["family"].groupby(level="dataset_id").first().loc[gap.index]
        for point in gap.columns:
            interval = paired_bootstrap(gap[point], families.to_numpy(dtype=object).astype(str))
            found[f"{point:g}" + ("s" if unit == "seconds" else "")] = [round(v, 4) for v in interval]
    print(f"  {name}: {found}", flush=True)
    return found


def without(meta: MetaDataset, names: list[str]) -> MetaDataset:
    """The same with nothing known of some meta-features; the sizes of the data sets stay."""
    return replace(meta, metafeatures=meta.metafeatures.assign(**dict.fromkeys(names, np.nan)))


def calibration(meta: MetaDataset, splits: int) -> dict[str, dict[str, float]]:
    table = play(meta, splits, seconds=()).calibration(NAME)
    print(table.round(3).to_string())
    return table.round(4).to_dict("index")


if __name__ == "__main__":
    main()
