"""``recommend --code``: the first recommendation as a script that needs scikit-learn and pandas only."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from automl_meta.algorithms import get_algorithm
from automl_meta.algorithms.source import estimator_source
from automl_meta.metrics import Metric
from automl_meta.records import Configuration
from automl_meta.task import TabularTask, read_table
from automl_meta.task.reading import sniff_csv

__all__ = ["script"]

# Scorers that scikit-learn has no name for.
_SCORING_IMPORTS = ["from scipy.stats import spearmanr", "from sklearn.metrics import make_scorer"]
_SCORING = {
    "spearman": "make_scorer(lambda y, p: spearmanr(y, p).statistic)",
}


def script(task: TabularTask, file: str, configuration: Configuration, metric: Metric) -> str:
    """Write a script that reads the file, judges the pipeline by cross-validation and fits it.

    Parameters
    ----------
    task : TabularTask
        What the file holds.
    file : str
        As the user named it.
    configuration : Configuration
        What is to be built.
    metric : Metric
        By which it is judged.

    Returns
    -------
    str
        Python source.
    """
    source = estimator_source(
        get_algorithm(configuration.algorithm, task.task_type).build(configuration, task)
    )
    splitter = "StratifiedKFold" if task.task_type == "classification" else "KFold"
    scoring = _SCORING.get(metric.name, repr(metric.name))
    reading, extra_imports = _reading(task, file)
    imports = sorted(
        {
            *source.imports,
            *extra_imports,
            f"from sklearn.model_selection import {splitter}, cross_val_score",
            *(_SCORING_IMPORTS if metric.name in _SCORING else []),
        }
    )
    parts = [
        f'"""{configuration.algorithm} for {Path(file).name}, as automl_meta recommends it."""',
        "\n".join(["import pandas as pd", *imports]),
        *(f"\n{function.rstrip()}\n" for function in source.functions),
        "\n".join(reading),
        f"pipeline = {source.expression}",
        "\n".join(
            [
                f"folds = {splitter}(5, shuffle=True, random_state=0)",
                f"scores = cross_val_score(pipeline, X, y, cv=folds, scoring={scoring})",
                f'print(f"{metric.name}: {{scores.mean():.4f}} +- {{scores.std():.4f}} over 5 folds")',
                "pipeline.fit(X, y)",
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _reading(task: TabularTask, file: str) -> tuple[list[str], list[str]]:
    """Lines that make X and y, and the imports that they need."""
    if file.startswith("sklearn:"):
        name = file.removeprefix("sklearn:")
        target = ".iloc[:, 0]" if name == "linnerud" else ""
        return [
            f"X, y = load_{name}(return_X_y=True, as_frame=True)",
            *([f"y = y{target}"] if target else []),
        ], [f"from sklearn.datasets import load_{name}"]
    path = Path(file)
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    imports: list[str] = []
    if suffix in (".parquet", ".pq"):
        reading = [f"data = pd.read_parquet({file!r})"]
    elif suffix == ".arff":
        is_compressed = path.suffix.lower() == ".gz"
        imports = ["import arff", *(["import gzip"] if is_compressed else [])]
        opened = f'gzip.open({file!r}, "rt")' if is_compressed else f"open({file!r})"
        reading = [
            f"with {opened} as stream:",
            "    content = arff.load(stream)",
            'data = pd.DataFrame(content["data"], columns=[name for name, _ in content["attributes"]])',
        ]
    else:
        dialect = sniff_csv(path)
        options = [f"sep={dialect.delimiter!r}"] if dialect.delimiter != "," else []
        options += [f"encoding={dialect.encoding!r}"] if dialect.encoding != "utf-8" else []
        reading = [f"data = pd.read_csv({', '.join([repr(file), *options])})"]
    target = str(task.y.name)
    raw = read_table(path)
    if not all(isinstance(column, str) for column in raw.columns):
        reading.append("data.columns = data.columns.map(str)")
        raw.columns = raw.columns.map(str)
    if raw[target].isna().any():
        reading.append(f"data = data.dropna(subset=[{target!r}])")
    reading += [f"X = data.drop(columns={target!r})", f"y = data[{target!r}]"]
    if task.task_type == "regression" and not pd.api.types.is_numeric_dtype(raw[target].dtype):
        reading.append("y = pd.to_numeric(y)")
    return reading + _preparing(task, raw), imports


def _preparing(task: TabularTask, raw: pd.DataFrame) -> list[str]:
    """What the table needs before a plain pipeline can read it; nothing, as a rule."""
    lines = []
    numeric = [c for c in task.columns_of("numeric") if pd.api.types.is_numeric_dtype(raw[c].dtype)]
    if any(raw[column].isin([float("inf"), float("-inf")]).any() for column in numeric):
        lines.append('X = X.replace([float("inf"), float("-inf")], float("nan"))')
    words = [
        c
        for c in task.columns_of("categorical", "boolean", "text")
        if not pd.api.types.is_string_dtype(raw[c].dtype)
    ]
    if words:
        lines += [f"for column in {words!r}:", "    X[column] = X[column].map(str).where(X[column].notna())"]
    as_numbers = [c for c in task.columns_of("numeric") if not pd.api.types.is_numeric_dtype(raw[c].dtype)]
    if as_numbers:
        lines += [f"for column in {as_numbers!r}:", "    X[column] = pd.to_numeric(X[column])"]
    return lines
