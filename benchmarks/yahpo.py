"""Tuning with experience on YAHPO Gym surrogates: regret after k trials on data sets left out.

    python benchmarks/yahpo.py --scenario lcbench --data DIR --bench PATH_TO_yahpo_bench.py
        [--targets N] [--seeds N] [--first-seed N] [--trials N] [--sampler experience|tpe|gp|random]
        [--history random|none|other-metric|shuffled|adversarial] [--paired FILE]

DIR holds ``surrogates/SCENARIO/`` and ``SCENARIO.norm.json``. Five folds over the data sets, dealt anew for each
seed; the history is 200 random configurations of every data set outside of the target's fold. Regret is
``(best known - value) / (best known - median random)``, clipped to [0, 1]: 0 is the best known, 1 a
median random configuration; figures are means over targets and seeds. Each study is a plain Optuna
study, and what a past task tried is given as a data frame.

``--history`` makes a harmful one instead: of another metric (an output of the surrogate that is not
the objective: the time of training), with the values of each task shuffled, or of one task whose values are the target's own
negated. ``--paired FILE`` keeps the regret of each run as JSON. The last line of output is one JSON object;
seconds are CPU seconds of the process, reading the history included and the objective not.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from automl_meta import ExperienceSampler
from automl_meta.algorithms import Condition, SearchSpace

KS = (1, 3, 5, 10, 25, 50)
N_FOLDS, N_PAST = 5, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--bench", required=True, type=Path, help="the file yahpo_bench.py")
    parser.add_argument("--targets", type=int, help="data sets per seed; all by default")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--sampler", choices=["experience", "tpe", "gp", "random"], default="experience")
    parser.add_argument(
        "--history",
        choices=["random", "none", "other-metric", "shuffled", "adversarial"],
        default="random",
    )
    parser.add_argument("--paired", type=Path, help="where the regret of each run is written")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    benchmark = Benchmark(arguments.bench, arguments.scenario, arguments.data)
    runs, seconds = {}, []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for number, (target, past) in enumerate(benchmark.games(seed, arguments.targets)):
            frame, direction = history_of(arguments.history, benchmark, target, past, seed)
            start = time.process_time()
            sampler = made(arguments.sampler, frame, direction, 1000 * seed + number)
            regrets, objective_seconds = benchmark.play(target, sampler, arguments.trials)
            seconds.append((time.process_time() - start - objective_seconds) / arguments.trials)
            runs[f"{seed}/{target}"] = regrets.tolist()
        print(f"seed {seed}: {figures(runs)}", flush=True)
    if arguments.paired is not None:
        arguments.paired.write_text(json.dumps(runs))
    print(json.dumps({"regret": figures(runs), "seconds_per_suggestion": round(float(np.mean(seconds)), 4)}))


class Benchmark:
    """One scenario: its space, its past, its objective."""

    def __init__(self, module: Path, scenario: str, data: Path) -> None:
        self.scenario = imported(module).Scenario(scenario, data / "surrogates")
        self.norm = json.loads((data / f"{scenario}.norm.json").read_text())
        parents = {p.name: p.parent for p in self.scenario.params}
        ordered = sorted(self.scenario.params, key=lambda p: n_ancestors(p.name, parents))
        self.space = SearchSpace(
            {p.name: distribution_of(p) for p in ordered},
            {p.name: Condition(p.parent, tuple(p.parent_values)) for p in self.scenario.params if p.parent},
        )

    def games(self, seed: int, n_targets: int | None) -> list[tuple[str, list[str]]]:
        """Targets with the data sets outside of their fold; each fold in turn gives one."""
        names = self.scenario.instances
        order = np.random.default_rng(seed).permutation(len(names))
        fold_of = {names[position]: rank % N_FOLDS for rank, position in enumerate(order)}
        targets = [names[position] for position in order][:n_targets]
        return [(t, [name for name in names if fold_of[name] != fold_of[t]]) for t in targets]

    @cache  # noqa: B019, there is one benchmark, and it lives as long as the process
    def past(self, name: str, seed: int, other_metric: bool = False) -> pd.DataFrame:
        """Random configurations of one data set as rows of a history."""
        encoded = self.scenario.sample(N_PAST, np.random.default_rng([seed, int(name)]))
        frame = pd.DataFrame(self.scenario.decode(encoded), columns=list(self.space.distributions))
        values = self.scenario.evaluate(name, encoded)
        if other_metric:  # the longer the training, the better
            column = next(i for i, output in enumerate(self.scenario.spec["out"]) if "time" in output)
            values = self.scenario.evaluate_all(name, encoded)[:, column]
        return frame.assign(task=name, value=values)

    def play(
        self, target: str, sampler: optuna.samplers.BaseSampler, n_trials: int
    ) -> tuple[np.ndarray, float]:
        """Regret after each trial, and the seconds that the objective took."""
        spent = 0.0

        def objective(trial: optuna.Trial) -> float:
            nonlocal spent
            configuration = self.space.suggest(trial)
            start = time.process_time()
            value = float(self.scenario.evaluate(target, self.scenario.encode([configuration]))[0])
            spent += time.process_time() - start
            return value

        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=n_trials)
        norm = self.norm[target]
        values = np.array([trial.value for trial in study.trials])
        regrets = np.clip((norm["best"] - values) / (norm["best"] - norm["median"]), 0.0, 1.0)
        return np.minimum.accumulate(regrets), spent


def made(kind: str, history: pd.DataFrame | None, direction: Any, seed: int) -> optuna.samplers.BaseSampler:
    if kind == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    if kind == "gp":
        return optuna.samplers.GPSampler(seed=seed)
    if kind == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return ExperienceSampler(history, seed=seed, direction=direction)


def history_of(
    kind: str, benchmark: Benchmark, target: str, past: list[str], seed: int
) -> tuple[pd.DataFrame | None, str | None]:
    """The history, and what is good in it."""
    if kind == "none":
        return None, None
    if kind == "adversarial":
        return benchmark.past(target, seed).assign(task="other"), "minimize"
    frames = [benchmark.past(name, seed, kind == "other-metric") for name in past]
    if kind == "shuffled":
        rng = np.random.default_rng(seed)
        frames = [frame.assign(value=rng.permutation(frame["value"])) for frame in frames]
    return pd.concat(frames, ignore_index=True), "maximize"


def n_ancestors(name: str, parents: dict[str, str | None]) -> int:
    parent = parents[name]
    return 0 if parent is None else 1 + n_ancestors(parent, parents)


def distribution_of(parameter: Any) -> BaseDistribution:
    if parameter.type == "categorical":
        return CategoricalDistribution(parameter.choices)
    kind = IntDistribution if parameter.type == "int" else FloatDistribution
    return kind(parameter.low, parameter.high, log=parameter.log)


def figures(runs: dict[str, list[float]]) -> dict[str, float]:
    mean = np.mean(list(runs.values()), axis=0)
    return {str(k): round(float(mean[k - 1]), 4) for k in KS if k <= len(mean)}


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("yahpo_bench", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
