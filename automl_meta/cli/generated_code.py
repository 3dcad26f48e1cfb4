"""``recommend --code``: the first recommendation as a script that requires only scikit-learn and pandas.

The code before the pipeline is executed here first and must reproduce the table of the task, so that the script's
scores equal those of automl_meta.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from automl_meta.algorithms import get_algorithm
from automl_meta.algorithms.estimator_source import EstimatorSource, estimator_source
from automl_meta.exceptions import UsageError
from automl_meta.metrics import Metric
from automl_meta.records import Configuration, Protocol
from automl_meta.task import Column, TabularTask
from automl_meta.task.dates import to_dates, to_seconds
from automl_meta.task.formats import compression_of, format_of
from automl_meta.task.levels import level_texts
from automl_meta.task.numbers import number_pattern, read_number, to_numbers
from automl_meta.task.opening import open_content
from automl_meta.task.sniffing import sniff_csv

__all__ = ["script"]

# Scorers without a name in scikit-learn.
_SCORING_IMPORTS = ["from scipy.stats import spearmanr", "from sklearn.metrics import make_scorer"]
_SCORING = {
    "spearman": "make_scorer(lambda y, p: spearmanr(y, p).statistic)",
}
_FUNCTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "to_numbers": (number_pattern, read_number, to_numbers),
    "to_dates": (to_dates,),
    "to_seconds": (to_seconds,),
    "level_texts": (level_texts,),
}
_IMPORTS = {
    "to_numbers": ["import re", "from collections.abc import Mapping"],
    "level_texts": ["import numpy as np"],
}


def script(
    task: TabularTask, file: str, configuration: Configuration, metric: Metric, separator: str | None = None
) -> str:
    """Generate a script that reads the file, evaluates the pipeline by cross-validation and fits it.

    Parameters
    ----------
    task : TabularTask
        Task read from the file.
    file : str
        Name of the file as given by the user.
    configuration : Configuration
        Configuration of the pipeline.
    metric : Metric
        Metric of the evaluation.
    separator : str, optional
        Field separator of a CSV file, if given by the user.

    Returns
    -------
    str
        Python source code.

    Raises
    ------
    UsageError
        If pandas alone cannot read the file with the same result.
    """
    source = estimator_source(
        get_algorithm(configuration.algorithm, task.task_type).build(configuration, task)
    )
    table = _table(task, file, separator)
    protocol = Protocol()
    n_folds = min(protocol.n_folds, task.n_rows)
    is_stratified = task.task_type == "classification" and np.bincount(task.y_codes).max() >= n_folds
    splitter = "StratifiedKFold" if is_stratified else "KFold"
    scoring = _SCORING.get(metric.name, repr(metric.name))
    functions = [function for name in table.functions for function in _FUNCTIONS[name]]
    imports = {
        "import warnings",
        "import pandas as pd",
        *source.imports,
        *table.imports,
        *(line for name in table.functions for line in _IMPORTS.get(name, [])),
        f"from sklearn.model_selection import {splitter}, cross_val_score",
        *(_SCORING_IMPORTS if metric.name in _SCORING else []),
    }
    parts = [
        f"# {configuration.algorithm} for {file!r}, as recommended by automl_meta.",
        "\n".join(
            [
                *(["from __future__ import annotations", ""] if functions else []),
                *sorted(imports, key=lambda line: (line.startswith("from"), line)),
            ]
        ),
        *(f"\n{text.rstrip()}\n" for text in _sources(source, functions)),
        "\n".join(table.lines),
        f"pipeline = {source.expression}",
        "\n".join(
            [
                *_size_comment(task, protocol),
                f"folds = {splitter}({n_folds}, shuffle=True, random_state={protocol.seed})",
                "with warnings.catch_warnings():",
                '    warnings.simplefilter("ignore")  # rare classes, convergence: their effect shows in the score',
                f"    scores = cross_val_score(pipeline, X, y, cv=folds, scoring={scoring})",
                "    pipeline.fit(X, y)",
                f'print(f"{metric.name}: {{scores.mean():.4f}} +- {{scores.std():.4f}} over {n_folds} folds")',
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _sources(source: EstimatorSource, functions: Sequence[Callable[..., Any]]) -> list[str]:
    return [*(inspect.getsource(function) for function in functions), *source.functions]


def _size_comment(task: TabularTask, protocol: Protocol) -> list[str]:
    n_train = task.n_rows * (protocol.n_folds - 1) / protocol.n_folds
    if protocol.max_train_rows is None or n_train <= protocol.max_train_rows:
        return []
    return [
        f"# automl_meta evaluates models fitted on at most {protocol.max_train_rows} rows; this script uses all training rows."
    ]


@dataclass
class _Table:
    """Lines that create X and y, with their imports and functions."""

    lines: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)


def _table(task: TabularTask, file: str, separator: str | None) -> _Table:
    if file.startswith("sklearn:"):
        return _bundled(task, file.removeprefix("sklearn:"))
    if file == "-":
        raise UsageError("A script cannot read standard input again: pass a file with --code.")
    for reading in _readings(file, separator, task):
        table = _attempt(task, reading)
        if table is not None:
            return table
    raise UsageError(
        f"{file} cannot be read by pandas alone with the same result, so no script was generated. Save it as a plain "
        "CSV file, or use automl-meta tune."
    )


def _bundled(task: TabularTask, name: str) -> _Table:
    lines = [f"data = load_{name}(as_frame=True)", "X, y = data.data, data.target"]
    if name == "linnerud":
        lines.append("y = y.iloc[:, 0]")
    elif task.task_type == "classification" and not pd.api.types.is_numeric_dtype(task.y.dtype):
        lines.append("y = y.map(dict(enumerate(data.target_names)))")
    return _Table(lines, [f"from sklearn.datasets import load_{name}"])


def _readings(file: str, separator: str | None, task: TabularTask) -> list[_Table]:
    """Return candidate ways to read the file, the simplest first."""
    content = open_content(file)
    if content.data.startswith(b"PAR1"):
        return [_Table([f"data = pd.read_parquet({file!r})"])]
    if content.data.startswith((b"ARROW1", b"FEA1")):
        return [_Table([f"data = pd.read_feather({file!r})"])]
    if content.data.startswith(b"PK\x03\x04"):
        return [
            _Table([f"data = pd.read_excel({file!r}{more})"])
            for more in ("", ", dtype=object", ", dtype=object, keep_default_na=False, na_values=['']")
        ]
    if format_of(content.name) in ("json", "json lines", "arff"):
        return _read_from_stream(file, format_of(content.name))
    dialect = sniff_csv(content.data, content.name)
    delimiter = separator or dialect.delimiter
    options = f", sep={delimiter!r}" if delimiter != "," else ""
    options += f", encoding={dialect.encoding!r}" if dialect.encoding != "utf-8" else ""
    return [
        _Table([f"data = pd.read_csv({file!r}{options}{more})"])
        for more in ("", *_as_text(task), ", dtype=str", ", dtype=str, keep_default_na=False")
    ]


def _read_from_stream(file: str, written: str) -> list[_Table]:
    is_gzip = compression_of(file) == ".gz"
    opened = f'gzip.open({file!r}, "rt")' if is_gzip else f"open({file!r})"
    lines, module = {
        "json": (["    data = pd.DataFrame(json.load(stream))"], "json"),
        "arff": (
            [
                "    content = arff.load(stream)",
                'data = pd.DataFrame(content["data"], columns=[name for name, _ in content["attributes"]])',
            ],
            "arff",
        ),
        "json lines": (["    data = pd.DataFrame([json.loads(line) for line in stream])"], "json"),
    }[written]
    return [
        _Table(
            [f"with {opened} as stream:", *lines], [f"import {module}", *(["import gzip"] if is_gzip else [])]
        )
    ]


def _as_text(task: TabularTask) -> list[str]:
    """Return options that read columns of text, and those with number or date formats, as text."""
    written = [
        name
        for name, column in task.columns.items()
        if column.kind in ("categorical", "boolean", "text") or column.number or column.date_format
    ]
    target = [] if task.task_type == "regression" else [str(task.y.name)]
    return [
        f", dtype={dict.fromkeys(names, 'str')!r}"
        for names in (target, written, [*written, *target])
        if names
    ]


def _attempt(task: TabularTask, reading: _Table) -> _Table | None:
    """Complete a way of reading so that X and y equal those of the task; None if impossible."""
    table = _Table([*reading.lines], [*reading.imports])
    known: dict[str, Any] = {name: functions[-1] for name, functions in _FUNCTIONS.items()} | {"pd": pd}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The lines are generated in this module; names given by users are literals in them.
            exec("\n".join([*table.imports, *table.lines]), known)
            if not all(isinstance(name, str) for name in known["data"].columns):
                _run(table, known, "data.columns = data.columns.map(str)")
            if not _target(task, table, known):
                return None
            return table if _features(task, table, known) else None
    except (ValueError, TypeError, KeyError, OSError, ImportError, AttributeError):
        return None


def _run(table: _Table, known: dict[str, Any], line: str) -> None:
    exec(line, known)
    table.lines.append(line)


def _target(task: TabularTask, table: _Table, known: dict[str, Any]) -> bool:
    name = str(task.y.name)
    number = [] if task.target_format is None else ["to_numbers({}, " + f"*{tuple(task.target_format)!r})"]
    ways = [
        "{}",
        *number,
        "pd.to_numeric({}, errors='coerce')",
        "{}.astype(float)",
        "{}.replace(r'^\\s*$', None, regex=True)",
        "{}.astype(object)",
    ]
    for way in ways:
        code = way.replace("{}", f"data[{name!r}]")
        try:
            y = eval(code, known)
        except (ValueError, TypeError, AttributeError):
            continue
        if _same_target(y.dropna(), task):
            table.functions += [function for function in _FUNCTIONS if f"{function}(" in code]
            _run(table, known, f"y = {code}")
            has_missing = y.isna().any()
            if has_missing:
                _run(table, known, "data, y = data[y.notna()], y.dropna()")
            _run(table, known, f"X = data.drop(columns={name!r})")
            return True
    return False


def _same_target(y: pd.Series, task: TabularTask) -> bool:
    if len(y) != task.n_rows or (isinstance(y.dtype, pd.CategoricalDtype)):
        return False
    if task.task_type == "regression":
        return pd.api.types.is_numeric_dtype(y.dtype) and np.array_equal(y.to_numpy(float), task.y.to_numpy())
    pairs = zip(y.tolist(), task.y.tolist(), strict=True)
    return all(given == known and isinstance(given, str) == isinstance(known, str) for given, known in pairs)


def _features(task: TabularTask, table: _Table, known: dict[str, Any]) -> bool:
    X: pd.DataFrame = known["X"]
    used = [name for name, column in task.columns.items() if column.kind not in ("constant", "identifier")]
    if any(name not in X.columns for name in used):
        return False
    numeric = [name for name in used if pd.api.types.is_float_dtype(X[name].dtype)]
    if np.isinf(X[numeric].to_numpy(dtype=float, na_value=np.nan)).any():
        _run(table, known, 'X = X.replace([float("inf"), float("-inf")], float("nan"))')
        X = known["X"]
    by_code: dict[str, list[str]] = {}
    for name in used:
        code = _conversion(name, task, known)
        if code is None:
            return False
        if code:
            by_code.setdefault(code, []).append(name)
    if by_code:
        _run(table, known, "X = X.copy()")
    for code, names in by_code.items():
        table.functions += [name for name in _FUNCTIONS if f"{name}(" in code and name not in table.functions]
        _run(table, known, f"for column in {names!r}:\n    X[column] = {code}")
    return True


def _conversion(name: str, task: TabularTask, known: dict[str, Any]) -> str | None:
    """Return code that converts a column to the form of the task; empty if not needed, None if impossible."""
    about, expected = task.columns[name], task.X[name]
    if _same_column(known["X"][name], expected, about):
        return ""
    for code in _codes(about):
        try:
            converted = eval(code, {**known, "column": name})
        except (ValueError, TypeError, AttributeError):
            continue
        if _same_column(converted, expected, about):
            return code
    return None


def _codes(about: Column) -> list[str]:
    if about.kind == "numeric":
        number = [] if about.number is None else [f"to_numbers(X[column], *{tuple(about.number)!r})"]
        return [
            "X[column].astype(float)",
            *number,
            "pd.to_numeric(X[column], errors='coerce')",
            "X[column].dt.total_seconds()",
            "to_seconds(X[column])",
        ]
    if about.kind == "datetime":
        written = [] if not about.date_format else [f"to_dates(X[column], {about.date_format!r})"]
        return [
            *written,
            "to_dates(X[column], 'ISO8601')",
            "X[column].dt.tz_convert('UTC').dt.tz_localize(None)",
            "X[column].dt.to_timestamp()",
        ]
    return ["level_texts(X[column])", "level_texts(X[column].astype(object))"]


def _same_column(given: pd.Series, expected: pd.Series, about: Column) -> bool:
    if about.kind == "numeric":
        if not isinstance(given.dtype, np.dtype) or given.dtype.kind not in "iuf":
            return False
        return np.array_equal(
            given.to_numpy(dtype=float, na_value=np.nan), expected.to_numpy(), equal_nan=True
        )
    if about.kind == "datetime":
        if not pd.api.types.is_datetime64_dtype(given.dtype):
            return False
        return np.array_equal(
            given.to_numpy("datetime64[us]"), expected.to_numpy("datetime64[us]"), equal_nan=True
        )
    if not (given.dtype == object or isinstance(given.dtype, pd.StringDtype)):
        return False
    values = given.where(given.notna(), None).tolist()
    return values == expected.where(expected.notna(), None).tolist()
