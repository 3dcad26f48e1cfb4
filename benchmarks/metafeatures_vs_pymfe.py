"""Meta-features side by side with pymfe: do values agree, and what do they cost?

Both get the same float64 arrays, on one thread, in a process of their own, in turns; costs are CPU
seconds, the median of some repeats after one to warm up. Costs are those of each library's own
defaults. For the comparison of values this library's row limits are lifted, so that both see all rows.

    python -m venv pymfe-venv && pymfe-venv/bin/pip install pymfe==0.4.4
    python benchmarks/metafeatures_vs_pymfe.py --pymfe-python pymfe-venv/bin/python [--data DIR]

``--data`` is a folder of CSV files with an ``index.csv`` (columns ``name``, ``task``, ``file``,
``target``); without it, scikit-learn's own and generated data sets are taken. The last line of
output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

GROUPS = {  # ours: pymfe's
    "simple": "general",
    "statistical": "statistical",
    "information": "info-theory",
    "model_based": "model-based",
    "complexity": "complexity",
    "landmarkers": "landmarking",
}

# (ours, pymfe's, relative tolerance): the same definition.
SAME = [
    ("n_rows", "nr_inst", 0.0),
    ("n_features", "nr_attr", 0.0),
    ("n_classes", "nr_class", 0.0),
    ("n_numeric", "nr_num", 0.0),
    ("n_binary", "nr_bin", 0.0),
    ("features_per_row", "attr_to_inst", 1e-9),
    ("rows_per_feature", "inst_to_attr", 1e-9),
    ("class_share_mean", "freq_class.mean", 1e-9),
    ("column_mean_mean", "mean.mean", 1e-9),
    ("column_median_mean", "median.mean", 1e-9),
    ("column_min_mean", "min.mean", 1e-9),
    ("column_max_mean", "max.mean", 1e-9),
    ("column_sd_mean", "sd.mean", 1e-9),
    ("column_variance_mean", "var.mean", 1e-9),
    ("column_range_mean", "range.mean", 1e-9),
    ("column_iqr_mean", "iq_range.mean", 1e-9),
    ("column_mad_mean", "mad.mean", 1e-9),
    ("skewness_mean", "skewness.mean", 1e-6),
    ("kurtosis_mean", "kurtosis.mean", 1e-6),
    ("sparsity_mean", "sparsity.mean", 1e-9),
    ("correlation_mean", "cor.mean", 1e-6),
    ("correlated_pair_share", "nr_cor_attr", 1e-6),
    ("covariance_mean", "cov.mean", 1e-6),
    ("n_columns_with_outliers", "nr_outliers", 0.0),
    ("roy_root", "roy_root", 1e-3),
    ("gravity", "gravity", 1e-6),
    ("class_entropy", "class_ent", 1e-9),
    ("column_entropy_mean", "attr_ent.mean", 1e-6),
    ("joint_entropy_mean", "joint_ent.mean", 1e-4),
    ("mutual_information_mean", "mut_inf.mean", 1e-3),
    ("equivalent_number_of_features", "eq_num_attr", 1e-3),
    ("noise_to_signal", "ns_ratio", 1e-3),
    ("target_concentration_mean", "class_conc.mean", 1e-3),
    ("column_concentration_mean", "attr_conc.mean", 1e-3),
    ("complexity_c1", "c1", 1e-9),
    ("complexity_c2", "c2", 1e-9),
    ("complexity_f1_mean", "f1.mean", 1e-6),
    ("complexity_f1v", "f1v.mean", 1e-3),
    ("complexity_f2", "f2.mean", 1e-6),
    ("complexity_f3", "f3.mean", 1e-6),
    ("complexity_f4", "f4.mean", 0.1),
    ("complexity_n1", "n1", 0.05),
    ("complexity_n2_mean", "n2.mean", 1e-3),
    ("complexity_n3", "n3.mean", 0.02),
    ("complexity_t1", "t1", 0.1),
    ("complexity_lsc", "lsc", 1e-3),
    ("complexity_density", "density", 1e-3),
    ("complexity_clustering", "cls_coef", 0.01),
    ("complexity_hubs", "hubs.mean", 0.01),
    ("complexity_t2", "t2", 1e-9),
]

# (ours, pymfe's, absolute tolerance): the same idea, but chance decides (folds, points, ties of splits).
BY_CHANCE = [
    ("landmarker_1nn", "one_nn.mean", 0.05),
    ("landmarker_elite_1nn", "elite_nn.mean", 0.05),
    ("landmarker_linear", "linear_discr.mean", 0.05),
    ("landmarker_naive_bayes", "naive_bayes.mean", 0.05),
    ("landmarker_best_node", "best_node.mean", 0.05),
    ("landmarker_worst_node", "worst_node.mean", 0.1),
    ("landmarker_random_node", "random_node.mean", 0.15),
    ("tree_nodes_per_row", "nodes_per_inst", 0.02),
    ("tree_importance_max", "var_importance.max", 0.1),
    ("tree_leaf_support_max", "leaves_corrob.max", 0.1),
]

# Both define them, but not alike.
DIFFERENT = {
    "skewness, kurtosis": "ours are the standardised moments of scipy.stats; pymfe's are scaled by "
    "(1 - 1/n)^1.5 and (1 - 1/n)^2 (compared after this conversion)",
    "canonical_correlation_mean, n_discriminants": "pymfe keeps as many correlations as there are classes, "
    "of which the last is none for three classes or more; ours are classes - 1",
    "wilks_lambda, pillai_trace, lawley_hotelling_trace": "follow from these correlations",
    "normal_share": "D'Agostino-Pearson here, Shapiro-Wilk there",
    "sd_ratio": "pymfe mirrors the covariance matrices and pairs them with the counts of other classes",
    "complexity_l1, l2, l3": "squared hinge here, hinge there, and standardised once, not for each pair",
    "complexity_t3, t4": "principal components of standardised columns here, of raw ones there",
    "roy_root": "ours is exact; pymfe's iteration may stop early",
    "complexity_n1, n3, t1, density, clustering where rows are equal or equally far": "an edge of length 0 is "
    "no edge in pymfe's tree and network; and ties fall by the order of rows",
    "complexity_n4": "points on the line between two rows here; pymfe draws a share for each column alone",
    "information at 1,000 rows": "the cube root of 1,000 is 10 bins here and, by rounding, 9 there",
    "landmarkers": "balanced accuracy of all out-of-fold predictions of 5 folds (1-NN: leave-one-out) on "
    "standardised columns; pymfe's mean of 10 folds on raw ones (its score is set to balanced accuracy)",
    "complexity of more than 12 classes": "pairs of the 12 largest here, all pairs there (not compared)",
    "column_concentration of more than 12 columns": "12 columns drawn at random (not compared)",
    "gravity of classes of equal size": "which class is largest is not defined (not compared)",
}


def main() -> None:
    options = _options()
    if options.worker:
        _serve(_pymfe if options.worker == "pymfe" else _ours)
        return
    datasets = _from_folder(options) if options.data else _generated()
    with tempfile.TemporaryDirectory() as folder:
        workers = {
            "pymfe": _start(options.pymfe_python, "pymfe"),
            "ours": _start(sys.executable, "ours"),
        }
        measured = []
        for name, X, y in datasets:
            path = str(Path(folder) / "data.npz")
            np.savez(path, X=X, y=y)
            measured.append((name, X, y, _measure(workers, path, options.repeats)))
            _show_row(*measured[-1])
        for worker in workers.values():
            worker.stdin.close()
            worker.wait()
    _report(measured)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pymfe-python", default=sys.executable, help="Python that has pymfe installed")
    parser.add_argument("--data", type=Path, help="folder with CSV files and an index.csv")
    parser.add_argument("--n-datasets", type=int, default=12)
    parser.add_argument("--max-rows", type=int, default=2000, help="larger sets are sampled, for both")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", choices=["pymfe", "ours"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _generated() -> list[tuple[str, np.ndarray, np.ndarray]]:
    from sklearn import datasets

    made = []
    for name in ("iris", "wine", "breast_cancer", "digits"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        made.append((name, X[:, np.ptp(X, axis=0) > 0], y))
    shapes = [
        (300, 5, 2),
        (500, 10, 3),
        (1000, 20, 2),
        (1000, 10, 10),
        (1500, 30, 2),
        (2000, 20, 5),
        (400, 60, 2),
    ]
    for n_rows, n_columns, n_classes in shapes:
        X, y = datasets.make_classification(
            n_rows,
            n_columns,
            n_informative=n_columns // 2,
            n_classes=n_classes,
            flip_y=0.1,
            random_state=n_rows,
        )
        made.append((f"generated {n_rows}x{n_columns}", X, y))
    return made


def _from_folder(options: argparse.Namespace) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Numeric columns without missing values of data sets spread evenly over the sizes."""
    import pandas as pd

    from automl_meta.task import TabularTask

    index = pd.read_csv(options.data / "index.csv")
    index = index[(index["task"] != "regression") & (index["n_numeric"] >= 2)].sort_values(["n_rows", "name"])
    taken = []
    for _, row in index.iloc[np.linspace(0, len(index) - 1, 3 * options.n_datasets).astype(int)].iterrows():
        task = TabularTask.from_file(
            options.data / row["file"], str(row["target"]), task_type="classification"
        )
        X = task.X[task.columns_of("numeric")].dropna(axis=1).to_numpy()
        chosen = np.random.default_rng(0).permutation(task.n_rows)[: options.max_rows]
        X, y = X[chosen], task.y_codes[chosen]
        X = X[:, np.ptp(X, axis=0) > 0]
        # pymfe's 10 folds ask for classes of ten rows at least.
        if X.shape[1] >= 2 and np.unique(y, return_counts=True)[1].min() >= 10:
            taken.append((row["name"], X, np.unique(y, return_inverse=True)[1]))
    return [taken[i] for i in np.unique(np.linspace(0, len(taken) - 1, options.n_datasets).astype(int))]


def _start(python: str, worker: str) -> subprocess.Popen:
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return subprocess.Popen(
        [python, __file__, "--worker", worker],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **threads},
    )


def _ask(worker: subprocess.Popen, **question: object) -> object:
    worker.stdin.write(json.dumps(question) + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def _measure(workers: dict[str, subprocess.Popen], path: str, repeats: int) -> dict[str, dict]:
    """CPU seconds of each group and of all in one call, the two libraries in turns; and the values."""
    for worker in workers.values():
        _ask(worker, path=path, group=None)  # warms up: imports, caches
    seconds: dict[str, dict[str, list[float]]] = {name: {} for name in workers}
    for _ in range(repeats):
        for group in [*GROUPS, None]:
            for name, worker in workers.items():
                spent = _ask(worker, path=path, group=group)
                seconds[name].setdefault(group or "all", []).append(spent)
    return {
        name: {
            "seconds": {group: statistics.median(spent) for group, spent in seconds[name].items()},
            "values": _ask(worker, path=path, group="values"),
        }
        for name, worker in workers.items()
    }


def _serve(run: object) -> None:
    """Answer questions, one line of JSON each, until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # what a library prints must not get among the answers
    for line in sys.stdin:
        question = json.loads(line)
        loaded = np.load(question["path"])
        start = time.process_time()
        values = run(loaded["X"], loaded["y"], question["group"])
        answer = values if question["group"] == "values" else time.process_time() - start
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _pymfe(X: np.ndarray, y: np.ndarray, group: str | None) -> dict[str, float]:
    import warnings

    from pymfe.mfe import MFE

    warnings.simplefilter("ignore")
    groups = [GROUPS[group]] if group in GROUPS else list(GROUPS.values())
    summary = ["mean", "max"] if group == "values" else ["mean", "sd", "min", "max"]
    extractor = MFE(groups=groups, summary=summary, score="balanced-accuracy", random_state=0)
    extractor.fit(X, y, cat_cols=None, suppress_warnings=True)
    names, values = extractor.extract(suppress_warnings=True)
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def _ours(X: np.ndarray, y: np.ndarray, group: str | None) -> dict[str, float]:
    from automl_meta._utils.random import child_generator
    from automl_meta.metafeatures import EXTRACTORS, TaskView, extract_metafeatures
    from automl_meta.task import TabularTask

    if group != "values":
        groups = None if group is None else [group]
        return dict(extract_metafeatures(X, y, task_type="classification", groups=groups).values)
    limits = ("max_rows", "max_columns", "max_learner_rows", "max_learner_columns", "max_distance_rows")
    task = TabularTask.from_frame(X, y, task_type="classification")
    view = TaskView(task, **dict.fromkeys(limits, 10**9))
    values: dict[str, float] = {}
    with np.errstate(all="ignore"):
        for extractor in EXTRACTORS:
            values |= extractor.extract(view, child_generator(0, extractor.name))
    return values


def _converted(name: str, value: float, n_rows: int) -> float:
    """One of our values by pymfe's definition, where a formula leads from one to the other."""
    if name == "skewness_mean":
        return value * (1 - 1 / n_rows) ** 1.5
    if name == "kurtosis_mean":
        return (value + 3) * (1 - 1 / n_rows) ** 2 - 3
    return value


def _comparable(name: str, X: np.ndarray, y: np.ndarray) -> bool:
    counts = np.bincount(y)
    if name == "column_concentration_mean":
        return X.shape[1] <= 12
    if name == "gravity":
        return np.sum(counts == counts.max()) == 1 and np.sum(counts == counts.min()) == 1
    return len(counts) <= 12 or not name.startswith("complexity_f")


def _compare(name: str, X: np.ndarray, y: np.ndarray, measured: dict) -> list[dict]:
    ours, theirs = measured["ours"]["values"], measured["pymfe"]["values"]
    rows = []
    for kind, table in (("same", SAME), ("chance", BY_CHANCE)):
        for our_name, their_name, tolerance in table:
            a, b = _converted(our_name, ours[our_name], len(y)), theirs.get(their_name, math.nan)
            if not _comparable(our_name, X, y) or math.isnan(a) or not math.isfinite(b):
                continue
            scale = max(abs(a), abs(b)) if kind == "same" else 1.0
            agree = abs(a - b) <= tolerance * scale + 1e-9
            rows.append(
                {"dataset": name, "name": our_name, "kind": kind, "ours": a, "pymfe": b, "agree": agree}
            )
    return rows


def _show_row(name: str, X: np.ndarray, y: np.ndarray, measured: dict) -> None:
    ours, theirs = measured["ours"]["seconds"], measured["pymfe"]["seconds"]
    shape = f"{X.shape[0]} x {X.shape[1]}, {y.max() + 1} classes"
    groups = "  ".join(f"{g} {theirs[g] / ours[g]:.1f}x" for g in GROUPS)
    print(
        f"{name:32s} {shape:26s} {theirs['all']:8.3f} s : {ours['all']:.3f} s = "
        f"{theirs['all'] / ours['all']:6.1f}x   {groups}",
        flush=True,
    )


def _report(measured: list[tuple]) -> None:
    compared = [row for name, X, y, result in measured for row in _compare(name, X, y, result)]
    print("\nNot alike by definition:")
    for names, why in DIFFERENT.items():
        print(f"  {names}: {why}")
    print("\nValues that do not agree:")
    for row in compared:
        if not row["agree"]:
            print(
                f"  {row['dataset']:32s} {row['name']:32s} {row['ours']:.6g} : {row['pymfe']:.6g} ({row['kind']})"
            )
    ratios = {
        group: [m["pymfe"]["seconds"][group] / m["ours"]["seconds"][group] for *_, m in measured]
        for group in [*GROUPS, "all"]
    }
    totals = {side: sum(m[side]["seconds"]["all"] for *_, m in measured) for side in ("pymfe", "ours")}
    same = [row for row in compared if row["kind"] == "same"]
    chance = [row for row in compared if row["kind"] == "chance"]
    figures = {
        "ratio": round(statistics.geometric_mean(ratios["all"]), 2),
        "groups": {group: round(statistics.geometric_mean(ratios[group]), 2) for group in GROUPS},
        "ratio_of_sums": round(totals["pymfe"] / totals["ours"], 2),
        "least_ratio": round(min(ratios["all"]), 2),
        "datasets": len(measured),
        "agree": sum(row["agree"] for row in same),
        "compared": len(same),
        "agree_by_chance": sum(row["agree"] for row in chance),
        "compared_by_chance": len(chance),
        "seconds": {side: round(total, 3) for side, total in totals.items()},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
