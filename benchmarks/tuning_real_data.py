"""Tuning on real data sets that the experience has never seen, against others with the same trials.

    python benchmarks/tuning_real_data.py --data DIR --results FILE.jsonl
        [--datasets cmc,housing] [--trials 25] [--seconds 30,60] [--folds 1] [--methods automl,tpe]
        [--flaml-python PATH] [--plot FILE]

DIR holds ``index.csv`` (columns name, file, target, task, family). The families of all data sets in
the comparison are left out of the experience, each run begins with a fresh copy of it, and the test
folds of an outer 5-fold split are seen by nobody before the end. Every method searches the same
space with the same inner 5-fold cross-validation:

- automl: `AutoMLClassifier` / `AutoMLRegressor`, its best configuration; automl+ensemble: its model
- tpe: Optuna's TPESampler (multivariate, grouped), cold; random; lightgbm: its default, never tuned
- flaml: its own space, for each of ``--seconds``, by the Python of another environment

Scores are balanced accuracy or R² on the outer test fold of the best by cross-validation after k
trials, or of the final model after so many seconds; and, under "inner k", what that best reached in
the cross-validation, which says how well was searched, with less noise than small test folds. What
is in FILE.jsonl is not run again. Wall seconds count all that the machine does; compare them only
where it did nothing else. The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import TrialState
from sklearn.model_selection import KFold, StratifiedKFold

from automl_meta import AutoMLClassifier, AutoMLRegressor, MetadataStore
from automl_meta.algorithms import JointSpace, algorithms_for
from automl_meta.evaluation import paired_bootstrap
from automl_meta.experiments import Evaluator, Folds, Limits
from automl_meta.metrics import Metric, default_metric
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

KS = (5, 10, 25, 50)
METHODS = ("lightgbm", "random", "tpe", "automl")
SMALL = (
    "cmc,credit_a,cylinder_bands,eucalyptus,vehicle,profb,titanic_891,collins,"
    "housing,cps_85_wages,no2,strike,csb_ch5,pbc,arsenic_female_lung"
)
TRIAL_SECONDS = 30.0
FLAML = """
import json, sys, numpy as np, pandas as pd
from flaml import AutoML
train, test, target, task, metric, seconds, seed = sys.argv[1:]
train, test = pd.read_parquet(train), pd.read_parquet(test)
loss = None
if metric == "balanced_accuracy":
    from sklearn.metrics import balanced_accuracy_score
    def loss(Xv, yv, model, labels, Xt, yt, weight_val=None, weight_train=None, *rest, **more):
        value = 1 - balanced_accuracy_score(yv, model.predict(Xv))
        return value, {"loss": value}
model = AutoML()
model.fit(train.drop(columns=target), train[target], task=task, metric=loss or "r2", time_budget=float(seconds),
          seed=int(seed), n_jobs=1, verbose=0, eval_method="cv", n_splits=5)
print(json.dumps([str(v) if task == "classification" else float(v) for v in model.predict(test.drop(columns=target))]))
"""


@dataclass(frozen=True, eq=False)
class Case:
    """One outer fold of one data set."""

    name: str
    family: str
    fold: int
    seed: int
    train: TabularTask
    test: TabularTask
    metric: Metric

    def score(self, predicted: Any) -> float:
        """Of predictions of the test fold; labels as text."""
        if self.train.task_type == "regression":
            return self.metric.score(self.test.y, predicted)
        truth = self.test.y.map(str).to_numpy()
        return float(np.mean([np.mean(np.asarray(predicted)[truth == c] == c) for c in np.unique(truth)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--datasets", default=SMALL)
    parser.add_argument("--results", type=Path, required=True, help="a JSON-lines file, gone on with")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--trials", type=int, default=25)
    parser.add_argument("--seconds", default="", help="time limits of automl, tpe and flaml, with commas")
    parser.add_argument("--folds", type=int, default=1, help="outer folds, of five")
    parser.add_argument("--flaml-python", help="the Python of an environment that has FLAML")
    parser.add_argument("--store", help="the experience; the shipped one by default")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    index = pd.read_csv(options.data / "index.csv").set_index("name").loc[options.datasets.split(",")]
    done = {_key(record) for record in _read(options.results)}
    with tempfile.TemporaryDirectory() as folder:
        reduced = Path(folder) / "experience.db"
        left_out(options.store, reduced, set(index["family"]))
        for case in cases(options.data, index, options.folds):
            for name, run in contenders(options, reduced, Path(folder)):
                record = {"dataset": case.name, "family": case.family, "fold": case.fold, "method": name}
                if _key(record) in done:
                    continue
                started = time.perf_counter(), time.process_time()
                record["scores"] = run(case)
                record["seconds"] = round(time.perf_counter() - started[0], 2)
                with options.results.open("a") as stream:
                    stream.write(json.dumps(record) + "\n")
                print(record, flush=True)
    records = [r for r in _read(options.results) if r["dataset"] in index.index]
    print(json.dumps(summary(records)))
    if options.plot is not None:
        plot(records, options.plot)


def left_out(url: str | None, target: Path, families: set[str]) -> None:
    """The experience without some families, in a file."""
    source_url = url or str(target.with_name("whole.db"))
    with MetadataStore(source_url, seed=url is None) as source, MetadataStore(target, seed=False) as reduced:
        known = source.datasets()
        for dataset_id in known.index[~known["family"].isin(families)]:
            reduced.add_dataset(source.dataset(dataset_id))
            reduced.add_runs(source.runs(dataset_id))
        print(f"experience: {len(reduced.datasets())} of {len(known)} data sets", flush=True)


def cases(data: Path, index: pd.DataFrame, n_folds: int) -> Iterator[Case]:
    for name, row in index.iterrows():
        kind: Any = "regression" if row["task"] == "regression" else "classification"
        task = TabularTask.from_file(data / row["file"], row["target"], task_type=kind, name=str(name))
        make = KFold if kind == "regression" else StratifiedKFold
        for fold, (train, test) in enumerate(
            make(5, shuffle=True, random_state=7).split(task.X, task.y_codes)
        ):
            if fold < n_folds:
                halves = [
                    TabularTask(
                        task.name,
                        task.X.iloc[rows].reset_index(drop=True),
                        task.y.iloc[rows].reset_index(drop=True),
                        kind,
                        task.columns,
                    )
                    for rows in (train, test)
                ]
                # Not one seed for all: then all data sets would see one sequence of random configurations.
                seed = zlib.crc32(f"{name} {fold}".encode()) % 10_000
                yield Case(str(name), row["family"], fold, seed, *halves, default_metric(kind))


def contenders(
    options: argparse.Namespace, experience: Path, folder: Path
) -> Iterator[tuple[str, Callable[[Case], dict[str, float]]]]:
    wanted = options.methods.split(",")
    n = options.trials
    samplers = {
        "random": lambda seed: RandomSampler(seed=seed),
        "tpe": lambda seed: TPESampler(seed=seed, multivariate=True, group=True),
    }
    for name in wanted:
        if name == "lightgbm":
            yield name, lambda case: {"default": test_score(case, Configuration("lightgbm"))}
        elif name in samplers:
            yield name, lambda case, make=samplers[name]: cold(case, make(case.seed), n)
        else:
            yield name, lambda case: automl(case, experience, n, None)
    for seconds in (float(text) for text in options.seconds.split(",") if text):
        if "automl" in wanted:
            yield f"automl@{seconds:g}s", lambda case, s=seconds: automl(case, experience, None, s)
        if "tpe" in wanted:
            yield f"tpe@{seconds:g}s", lambda case, s=seconds: cold(case, samplers["tpe"](case.seed), None, s)
        if options.flaml_python:
            yield (
                f"flaml@{seconds:g}s",
                lambda case, s=seconds: flaml(case, options.flaml_python, s, folder),
            )


def automl(case: Case, experience: Path, n_trials: int | None, seconds: float | None) -> dict[str, float]:
    own = experience.with_name("own.db")
    shutil.copy(experience, own)
    make = AutoMLRegressor if case.train.task_type == "regression" else AutoMLClassifier
    model: Any = make(
        n_trials=n_trials,
        time_limit=seconds,
        trial_time_limit=TRIAL_SECONDS,
        store=own,
        random_state=case.seed,
    ).fit(case.train)
    final = model.predict(case.test.X)
    final_score = case.score(final if case.train.task_type == "regression" else final.astype(str))
    if n_trials is None:
        return {"final": final_score, "trials": len(model.runs_)}
    runs = [(Configuration(row.algorithm, row.parameters), row.score) for row in model.runs_.itertuples()]
    return {**by_trials(case, runs), "ensemble": final_score}


def cold(
    case: Case, sampler: optuna.samplers.BaseSampler, n_trials: int | None, seconds: float | None = None
) -> dict[str, float]:
    """Any sampler of Optuna on the joint space, with nothing but its own trials."""
    task = case.train
    space = JointSpace(tuple(a for a in algorithms_for(task.task_type) if a.supports(task)))
    folds = Folds.of_protocol(task, Protocol(seed=case.seed))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    started, runs = time.perf_counter(), []
    with Evaluator(Limits(TRIAL_SECONDS)) as evaluator:
        while len(runs) < (n_trials or np.inf) and time.perf_counter() - started < (seconds or np.inf):
            trial = study.ask()
            configuration = space.configuration(space.space.suggest(trial))
            left = None if seconds is None else max(seconds - (time.perf_counter() - started), 0.1)
            run = evaluator.evaluate(configuration, task, folds, seconds=left)
            score = run.scores.get(case.metric.name, np.nan)
            runs.append((configuration, score))
            failed = not np.isfinite(score)
            study.tell(trial, None if failed else score, state=TrialState.FAIL if failed else None)
    found = by_trials(case, runs)
    return found if seconds is None else {"final": found[str(len(runs))], "trials": len(runs)}


def by_trials(case: Case, runs: list[tuple[Configuration, float]]) -> dict[str, float]:
    """Test score of the best by cross-validation after k trials."""
    values = np.array([score for _, score in runs], dtype=float)
    known: dict[int, float] = {}
    scores = {}
    for k in sorted({*(k for k in KS if k < len(runs)), len(runs)}):
        best = int(np.argmax(np.nan_to_num(values[:k], nan=-np.inf)))
        if best not in known:
            known[best] = test_score(case, runs[best][0])
        scores[str(k)] = known[best]
        scores[f"inner {k}"] = float(values[best])
    return scores


def test_score(case: Case, configuration: Configuration) -> float:
    folds = Folds.of_protocol(case.train, Protocol(seed=case.seed))
    with Evaluator(Limits(4 * TRIAL_SECONDS)) as evaluator:
        fitted = evaluator.fit(configuration, case.train, folds)
    if fitted.pipeline is None:
        return float("nan")
    predicted = fitted.pipeline.predict(case.test.X)
    if case.train.task_type == "classification":
        predicted = case.train.classes[predicted].astype(str)
    return case.score(predicted)


def flaml(case: Case, python: str, seconds: float, folder: Path) -> dict[str, float]:
    files = []
    for name, half in (("train", case.train), ("test", case.test)):
        y = half.y if half.task_type == "regression" else half.y.map(str)
        half.X.assign(**{"the target": y.to_numpy()}).to_parquet(folder / f"{name}.parquet")
        files.append(str(folder / f"{name}.parquet"))
    arguments = ["the target", case.train.task_type, case.metric.name, str(seconds), str(case.seed)]
    done = subprocess.run(
        [python, "-c", FLAML, *files, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        print(done.stderr[-500:])
        return {"final": float("nan")}
    return {"final": case.score(np.array(json.loads(done.stdout.splitlines()[-1])))}


def summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean test scores, and paired differences of automl to the others (95 % interval over families)."""
    table = frame(records)
    print(table.groupby(["method", "point"])["score"].agg(["mean", "count"]).round(4).to_string())
    wide = table.pivot_table(index=["dataset", "family"], columns=["method", "point"], values="score")
    families = wide.index.get_level_values("family").to_numpy(dtype=str)
    found: dict[str, Any] = {}
    for ours in (column for column in wide.columns if column[0].startswith("automl")):
        for other in wide.columns:
            same_point = other[1] == ours[1] or other[1] == "default"
            same_limit = other[0].partition("@")[2] == ours[0].partition("@")[2] or other[1] == "default"
            if other[0] != ours[0] and same_point and same_limit:
                interval = paired_bootstrap(wide[ours] - wide[other], families)
                key = f"{ours[0]} - {other[0]} at {ours[1]}"
                found[key] = [round(value, 4) for value in interval]
                print(f"{key}: {found[key]}")
    return {"n": len(wide), "differences": found}


def frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    rows = []
    for r in records:
        last = max((point for point in r["scores"] if point.isdigit()), key=int, default="")
        for point, score in r["scores"].items():
            is_ensemble = point == "ensemble"
            method = f"{r['method']}+ensemble" if is_ensemble else r["method"]
            if point != "trials":
                where = last if is_ensemble else point
                rows.append((r["dataset"], r["family"], r["fold"], method, where, score))
    return pd.DataFrame(rows, columns=["dataset", "family", "fold", "method", "point", "score"])


def plot(records: list[dict[str, Any]], file: Path) -> None:
    """Mean scores over trials: in the inner cross-validation, and on the test folds."""
    from matplotlib.figure import Figure

    table = frame(records)
    parts = table["point"].str.extract(r"^(inner )?(\d+)$")
    table = table.assign(inner=parts[0].notna(), trials=pd.to_numeric(parts[1])).dropna(subset="trials")
    colours = {method: f"C{i}" for i, method in enumerate(sorted(table["method"].unique()))}
    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, inner in zip(figure.subplots(1, 2), (True, False), strict=True):
        for method, rows in table[table["inner"] == inner].groupby("method"):
            means = rows.groupby("trials")["score"].mean()
            axes.plot(means.index, means, marker="o", color=colours[method], label=str(method))
        axes.set_xlabel("trials")
        axes.set_title("inner cross-validation" if inner else "outer test fold")
    default = np.mean([r["scores"]["default"] for r in records if r["method"] == "lightgbm"])
    axes.axhline(float(default), color="grey", linestyle="--", label="LightGBM's default")
    axes.legend()
    figure.savefig(file)


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _key(record: dict[str, Any]) -> tuple[Any, ...]:
    return record["dataset"], record["fold"], record["method"]


if __name__ == "__main__":
    main()
