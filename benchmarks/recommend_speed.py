"""How long advice takes: the whole command against its imports, the call alone, the meta-model alone.

    python benchmarks/recommend_speed.py [--file FILE --target NAME] [--rounds 7]

The command and a process that only imports what it cannot do without run in turn; ratios are of
CPU seconds, pair by pair. The meta-model is fitted on made-up scores of 300 configurations on 200
data sets with 100 meta-features, and asked for a next step after five trials. The last line of
output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

IMPORTS = "import pandas, sklearn.ensemble, lightgbm, optuna"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", help="a table; 5,000 made-up rows by default")
    parser.add_argument("--target", default="y")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOML_META_STORE"] = str(Path(folder) / "store.db")
        file = arguments.file or str(
            made_up(5000).to_csv(Path(folder) / "data.csv", index=False) or Path(folder) / "data.csv"
        )
        command = [
            sys.executable,
            "-m",
            "automl_meta.cli",
            "recommend",
            file,
            "--target",
            arguments.target,
            "--json",
        ]
        first = cpu_and_wall(command)
        pairs = [
            (cpu_and_wall(command), cpu_and_wall([sys.executable, "-c", IMPORTS]))
            for _ in range(arguments.rounds)
        ]
        calls = call_milliseconds(arguments.rounds) | meta_model_milliseconds(arguments.rounds)
    figures = {
        "command_over_imports_cpu": statistics.median(ours[0] / base[0] for ours, base in pairs),
        "command_over_imports_wall": statistics.median(ours[1] / base[1] for ours, base in pairs),
        "command_wall_seconds": statistics.median(ours[1] for ours, _ in pairs),
        "imports_wall_seconds": statistics.median(base[1] for _, base in pairs),
        "first_use_wall_seconds": first[1],
        **calls,
    }
    for name, value in figures.items():
        print(f"{name}: {value:.3f}")
    print(json.dumps(figures))


def made_up(n_rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 20)), columns=[f"x{i}" for i in range(20)])
    frame["x18"] = rng.choice(list("abcde"), n_rows)
    frame["x19"] = rng.choice(list("uvw"), n_rows)
    frame["y"] = np.where(frame["x0"] + frame["x1"] * frame["x2"] + rng.normal(size=n_rows) > 0, "yes", "no")
    return frame


def cpu_and_wall(command: list[str]) -> tuple[float, float]:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def call_milliseconds(rounds: int) -> dict[str, float]:
    """The call on 1,000 rows x 20 columns, imports done and store open; every time on new data."""
    from automl_meta import MetadataStore, recommend

    figures = {}
    for name, landmarkers in (("without_landmarkers", False), ("with_landmarkers", True)):
        times = []
        for round_ in range(rounds):
            frame = made_up(1000 + round_)
            with MetadataStore() as store:
                store.info()
                call = partial(recommend, frame, "y", store=store, landmarkers=landmarkers)
                times.append(milliseconds(call))
        figures[f"call_{name}_ms"] = statistics.median(times)
        figures[f"first_call_{name}_ms"] = times[0]
    return figures


def meta_model_milliseconds(rounds: int) -> dict[str, float]:
    """Fitting, and one step after five trials; new scores every time."""
    from _public import description, meta_dataset

    from automl_meta._utils.threads import single_threaded
    from automl_meta.recommenders import DEFAULT_RECOMMENDER
    from automl_meta.records import Configuration

    n_datasets, configurations = 200, [Configuration("made_up", {"c": i}) for i in range(300)]
    fits, steps = [], []
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        ids = pd.Index([f"d{row:03}" for row in range(n_datasets)], name="dataset_id")
        sizes = {"family": ids, "n_rows": 1000.0, "n_features": 10.0}
        metafeatures = rng.normal(size=(n_datasets, 100))
        level = rng.uniform(0.5, 1.0, (n_datasets, 1))
        scores = level - rng.exponential(0.1, (n_datasets, 300)) * (1.0 + metafeatures[:, :1] ** 2)
        seconds = rng.lognormal(size=scores.shape)
        meta = meta_dataset(
            "accuracy",
            pd.DataFrame(sizes, index=ids),
            pd.DataFrame(metafeatures, index=ids).rename(columns=str),
            configurations,
            scores,
            seconds,
        )
        model, task = DEFAULT_RECOMMENDER(), description(meta, "d000")
        observed = meta.scores.loc["d000"].iloc[:5].to_dict()
        with single_threaded():
            fits.append(milliseconds(partial(model.fit, meta)))
            step = partial(model.recommend, task, 1, observed=observed, remaining_seconds=60.0)
            steps.append(milliseconds(step))
    return {"meta_model_fit_ms": statistics.median(fits), "meta_model_step_ms": statistics.median(steps)}


if __name__ == "__main__":
    main()
