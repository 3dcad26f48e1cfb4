"""How long a suggestion takes, and how that grows with past tasks, their rows, and trials.

    python benchmarks/sampler_speed.py [--parameters 7] [--trials 50]

Made-up tasks of seven parameters, two of them on a logarithmic scale and one a category; 100 past tasks
of 200 configurations and 50 trials, unless the row says otherwise. Seconds are CPU seconds of the
process on one thread: of the first suggestion, which reads the history, then the mean of the others
and the last ten. The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is imported

import numpy as np
import optuna
import pandas as pd

from automl_meta import ExperienceSampler

SIZES = (
    {"tasks": 0},
    {"tasks": 10},
    {"tasks": 100},
    {"tasks": 400},
    {"rows": 50},
    {"rows": 1000},
    {"trials": 200},
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parameters", type=int, default=7)
    parser.add_argument("--trials", type=int, default=50)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    results = []
    for size in SIZES:
        setting = {"tasks": 100, "rows": 200, "trials": arguments.trials} | size
        figures = {name: round(value, 4) for name, value in timed(arguments.parameters, **setting).items()}
        results.append(setting | figures)
        print(" ".join(f"{name}={value}" for name, value in results[-1].items()), flush=True)
    usual = next(one for one in results if one["tasks"] == 100)
    print(json.dumps({"seconds_per_suggestion": usual["mean"], "sizes": results}))


def timed(n_parameters: int, tasks: int, rows: int, trials: int) -> dict[str, float]:
    history = past(n_parameters, tasks, rows) if tasks else None
    seconds: list[float] = []

    def objective(trial: optuna.Trial) -> float:
        start = time.process_time()
        point = asked(trial, n_parameters)
        seconds.append(time.process_time() - start)
        return value_of(point, shift=0.1)

    start = time.process_time()
    sampler = ExperienceSampler(history, seed=0, direction="minimize" if tasks else None)
    reading = time.process_time() - start
    optuna.create_study(sampler=sampler).optimize(objective, n_trials=trials)
    return {
        "first": reading + sum(seconds[:2]),  # the second makes the surfaces anew for the true space
        "mean": (reading + sum(seconds)) / trials,
        "last_ten": sum(seconds[-10:]) / 10,
    }


def asked(trial: optuna.Trial, n_parameters: int) -> np.ndarray:
    """A point of [0, 1] for each parameter."""
    point = [
        (np.log10(trial.suggest_float(f"x{i}", 1e-4, 1.0, log=True)) + 4) / 4
        if i < 2
        else trial.suggest_float(f"x{i}", 0.0, 1.0)
        for i in range(n_parameters - 1)
    ]
    return np.array([*point, trial.suggest_categorical("kind", [0, 1, 2]) / 2])


def value_of(point: np.ndarray, shift: float) -> float:
    return float(((point - 0.4 - shift) ** 2).sum() + 0.1 * np.sin(8 * point).sum())


def past(n_parameters: int, n_tasks: int, n_rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frames = []
    for task in range(n_tasks):
        points = rng.random((n_rows, n_parameters))
        points[:, -1] = rng.integers(3, size=n_rows) / 2
        shift = rng.normal(scale=0.1)
        frame = pd.DataFrame({f"x{i}": points[:, i] for i in range(n_parameters - 1)})
        frame["x0"], frame["x1"] = 10 ** (4 * frame["x0"] - 4), 10 ** (4 * frame["x1"] - 4)
        frame["kind"] = (2 * points[:, -1]).astype(int)
        frames.append(frame.assign(task=task, value=[value_of(point, shift) for point in points]))
    return pd.concat(frames, ignore_index=True)


if __name__ == "__main__":
    main()
