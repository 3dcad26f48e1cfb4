"""Tuning with experience in a space with branches: four made-up learners, 14 hyperparameters.

    python benchmarks/conditional.py [--tasks 20] [--targets 10] [--trials 50] [--samplers experience none tpe multivariate-tpe]

Which learner is best, and with what values, differs from task to task about what is usual for the
family. The history is 200 random configurations of each past task. Regret is ``(best - value) / (best - median
random)``, clipped to [0, 1]; figures are means over targets. The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from automl_meta import ExperienceSampler
from automl_meta.algorithms import Condition, SearchSpace
from automl_meta.tuning.encoded_space import EncodedSpace

KS = (1, 3, 5, 10, 25, 50)
N_PAST = 200
SPACE = SearchSpace(
    {
        "learner": CategoricalDistribution(["tree", "svm", "linear", "net"]),
        "scaling": CategoricalDistribution(["none", "standard", "quantile"]),
        "depth": IntDistribution(1, 30),
        "leaf": IntDistribution(1, 100, log=True),
        "ccp": FloatDistribution(1e-6, 1e-1, log=True),
        "C": FloatDistribution(1e-3, 1e3, log=True),
        "gamma": FloatDistribution(1e-4, 1e1, log=True),
        "kernel": CategoricalDistribution(["rbf", "poly"]),
        "degree": IntDistribution(2, 5),
        "alpha": FloatDistribution(1e-5, 1e2, log=True),
        "l1_ratio": FloatDistribution(0.0, 1.0),
        "rate": FloatDistribution(1e-5, 1e-1, log=True),
        "units": IntDistribution(8, 512, log=True),
        "dropout": FloatDistribution(0.0, 0.8),
    },
    {
        **dict.fromkeys(("depth", "leaf", "ccp"), Condition("learner", ("tree",))),
        **dict.fromkeys(("C", "gamma", "kernel"), Condition("learner", ("svm",))),
        "degree": Condition("kernel", ("poly",)),
        **dict.fromkeys(("alpha", "l1_ratio"), Condition("learner", ("linear",))),
        **dict.fromkeys(("rate", "units", "dropout"), Condition("learner", ("net",))),
    },
)
COLUMNS = EncodedSpace(SPACE.distributions)


class Task:
    """One task of the family: an offset for each category, an optimum and a weight for each number."""

    def __init__(self, seed: int) -> None:
        family, own = np.random.default_rng(0), np.random.default_rng([1, seed])
        n = len(COLUMNS)
        self.optima = np.clip(family.uniform(0.1, 0.9, n) + own.normal(scale=0.12, size=n), 0.0, 1.0)
        self.weights = family.lognormal(-1.0, 0.7, n) * own.lognormal(0.0, 0.3, n)
        self.offsets = family.normal(scale=0.15, size=(n, 4)) + own.normal(scale=0.08, size=(n, 4))
        values = np.array([self.value(one) for one in random_configurations(2000, np.random.default_rng(2))])
        self.median, self.best = float(np.median(values)), self._best()

    def value(self, configuration: dict[str, Any]) -> float:
        """Greater is better."""
        row = COLUMNS.encode([configuration])[0]
        active = ~np.isnan(row)
        is_category = COLUMNS.categories > 0
        numbers, categories = np.flatnonzero(active & ~is_category), np.flatnonzero(active & is_category)
        away = row[numbers] - self.optima[numbers]
        return float(
            self.offsets[categories, row[categories].astype(int)].sum()
            - (self.weights[numbers] * away**2).sum()
            - 0.3 * abs(away.prod())
        )

    def _best(self) -> float:
        """Every combination of categories with all its numbers at their optima."""
        at_optimum = COLUMNS.decode(np.where(COLUMNS.categories > 0, 0.0, self.optima))
        values = []
        for learner in SPACE.distributions["learner"].choices:
            for scaling in SPACE.distributions["scaling"].choices:
                for kernel in SPACE.distributions["kernel"].choices:
                    chosen = at_optimum | {"learner": learner, "scaling": scaling, "kernel": kernel}
                    active: dict[str, Any] = {}
                    for name in SPACE.distributions:
                        if SPACE.is_active(name, active):
                            active[name] = chosen[name]
                    values.append(self.value(active))
        return max(values)

    def regrets(self, values: list[float]) -> np.ndarray:
        """The lowest normalised regret after each trial."""
        regrets = np.clip((self.best - np.array(values)) / (self.best - self.median), 0.0, 1.0)
        return np.minimum.accumulate(regrets)


def random_configurations(n: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = COLUMNS.snap(COLUMNS.sample(n, rng))
    configurations = []
    for row in rows:
        drawn, active = COLUMNS.decode(row), {}
        for name in SPACE.distributions:
            if SPACE.is_active(name, active):
                active[name] = drawn[name]
        configurations.append(active)
    return configurations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=20, help="past tasks")
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--samplers", nargs="+", default=["experience", "none", "tpe", "multivariate-tpe"])
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    history = past(arguments.tasks)
    figures = {}
    for name in arguments.samplers:
        start, runs = time.process_time(), []
        for target in range(arguments.targets):
            task = Task(1000 + target)
            study = optuna.create_study(direction="maximize", sampler=made(name, history, target))
            study.optimize(lambda trial, task=task: task.value(SPACE.suggest(trial)), arguments.trials)
            runs.append(task.regrets([trial.value for trial in study.trials]))
        mean = np.mean(runs, axis=0)
        figures[name] = {str(k): round(float(mean[k - 1]), 4) for k in KS if k <= len(mean)}
        seconds = (time.process_time() - start) / arguments.targets / arguments.trials
        print(f"{name}: {figures[name]}, {seconds:.4f} s per suggestion", flush=True)
    print(json.dumps({"regret": figures}))


def past(n_tasks: int) -> pd.DataFrame:
    frames = []
    for seed in range(n_tasks):
        task, configurations = Task(seed), random_configurations(N_PAST, np.random.default_rng([3, seed]))
        frame = pd.DataFrame(configurations, columns=list(SPACE.distributions), dtype=object)
        frames.append(frame.assign(task=seed, value=[task.value(one) for one in configurations]))
    return pd.concat(frames, ignore_index=True)


def made(name: str, history: pd.DataFrame, seed: int) -> optuna.samplers.BaseSampler:
    if name == "experience":
        return ExperienceSampler(history, seed=seed, direction="maximize")
    if name == "none":
        return ExperienceSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, multivariate=name == "multivariate-tpe", group=name != "tpe")


if __name__ == "__main__":
    main()
