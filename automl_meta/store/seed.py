"""Experience as a folder: what is shipped with the package, exported and imported.

A folder holds

- ``datasets.csv``: one row for each data set;
- ``metafeatures.csv``: data set x name, empty where one is not known or not computable, and
  ``metafeature_seconds.csv``: data set x extractor;
- ``configurations.csv``: id, algorithm, parameters as JSON;
- ``runs/<task type>.csv.gz``: one row for each run; ``score:<metric>`` with 6 significant digits
  and ``folds:<metric>`` with 4, joined by semicolons;
- ``sources.toml``: where the records come from, what the runs were made with, and the versions of
  the meta-features;
- ``checksums.json``: SHA-256 of all of these.

The same store always gives the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from sqlalchemy import Connection, select

from automl_meta.exceptions import StoreError
from automl_meta.records import Environment, Source
from automl_meta.store import models
from automl_meta.store.writing import (
    DATASET_COLUMNS,
    RUN_COLUMNS,
    RunRows,
    insert_runs,
    put_costs,
    put_datasets,
    put_environment,
    put_metafeatures,
    put_source,
)

__all__ = ["CHECKSUMS", "export_experience", "folder_digest", "import_experience", "seed_folder"]

CHECKSUMS = "checksums.json"
_RUN_NUMBERS = ("fit_seconds", "predict_seconds", "seconds", "peak_memory")
_DATASET_NUMBERS = {
    "n_rows": pa.int64(),
    "n_features": pa.int64(),
    "n_classes": pa.int64(),
    "target_scale": pa.float64(),
}


def seed_folder() -> Path | None:
    """The shipped experience: in the installed package, or beside it in a checkout; None without any.

    Examples
    --------
    >>> folder = seed_folder()
    >>> folder is None or folder.is_dir()
    True
    """
    package = Path(__file__).parents[1]
    for folder in (package / "_metadata", package.parent / "metadata"):
        if (folder / CHECKSUMS).is_file():
            return folder
    return None


def folder_digest(folder: Path) -> str:
    """A checksum of all that a folder holds.

    Raises
    ------
    StoreError
        If it has no list of checksums.
    """
    return hashlib.sha256(_read_bytes(folder, CHECKSUMS)).hexdigest()


def import_experience(connection: Connection, folder: Path) -> int:
    """Add what a folder holds and the store does not, within the caller's transaction.

    Returns
    -------
    int
        Number of new runs.

    Raises
    ------
    StoreError
        If a file is missing or damaged; its name is in the message.
    """
    contents = _checked(folder)
    described = tomllib.loads(contents["sources.toml"].decode())
    for source in described.get("sources", []):
        put_source(connection, Source(**source))
    for environment in described.get("environments", []):
        put_environment(connection, Environment(**environment))
    datasets = _read_csv(folder, "datasets.csv", contents, numbers=_DATASET_NUMBERS)
    put_datasets(connection, zip(*(_values(datasets, name) for name in DATASET_COLUMNS), strict=True))
    versions = described.get("metafeature_versions", {})
    put_metafeatures(
        connection,
        [
            (dataset_id, name, value, versions.get(name, 0))
            for dataset_id, name, value in _melted(_read_csv(folder, "metafeatures.csv", contents))
        ],
    )
    put_costs(connection, list(_melted(_read_csv(folder, "metafeature_seconds.csv", contents))))
    configurations = _read_csv(folder, "configurations.csv", contents)
    known = {
        configuration_id: (algorithm, parameters)
        for configuration_id, algorithm, parameters in zip(
            *(_values(configurations, name) for name in ("configuration_id", "algorithm", "parameters")),
            strict=True,
        )
    }
    return sum(
        insert_runs(connection, _run_rows(_read_csv(folder, name, contents), known))
        for name in sorted(contents)
        if name.startswith("runs/")
    )


def _checked(folder: Path) -> dict[str, bytes]:
    """The files of a folder, all of them as they were written."""
    try:
        checksums = json.loads(_read_bytes(folder, CHECKSUMS))
    except ValueError as error:
        raise _damaged(folder, CHECKSUMS, str(error)) from error
    contents = {}
    for name, checksum in checksums.items():
        contents[name] = _read_bytes(folder, name)
        if hashlib.sha256(contents[name]).hexdigest() != checksum:
            raise _damaged(folder, name, f"its checksum is not the one in {CHECKSUMS}")
    return contents


def _read_bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise StoreError(
            f"{folder / name} cannot be read: {error.strerror}. A folder of experience is what "
            "`automl-meta store export FOLDER` writes."
        ) from error


def _damaged(folder: Path, name: str, detail: str) -> StoreError:
    return StoreError(f"{folder / name} is damaged: {detail}. Export it again, or install automl_meta again.")


def _read_csv(
    folder: Path, name: str, contents: dict[str, bytes], numbers: dict[str, pa.DataType] | None = None
) -> pa.Table:
    try:
        content = contents[name]
    except KeyError:
        raise _damaged(folder, name, f"{CHECKSUMS} does not list it") from None
    try:
        text = gzip.decompress(content) if name.endswith(".gz") else content
        header = next(csv.reader(io.StringIO(text[: text.index(b"\n") + 1].decode())))
        wide = name.startswith("metafeature")
        types = {column: pa.float64() if wide or _is_number(column) else pa.string() for column in header}
        types.update(numbers or {})
        if wide:
            types["dataset_id"] = pa.string()
        return pa.csv.read_csv(
            pa.BufferReader(text),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(column_types=types),
        )
    except (pa.ArrowInvalid, OSError, EOFError, ValueError) as error:
        raise _damaged(folder, name, str(error)) from error


def _is_number(column: str) -> bool:
    return column in _RUN_NUMBERS or column.startswith("score:")


def _values(table: pa.Table, name: str) -> list[Any]:
    return table.column(name).to_pylist()


def _melted(table: pa.Table) -> Iterable[tuple[str, str, float]]:
    """Rows of data set, column and value, of the values that are there."""
    dataset_ids = _values(table, "dataset_id")
    for name in table.column_names[1:]:
        for dataset_id, value in zip(dataset_ids, _values(table, name), strict=True):
            if value is not None:
                yield dataset_id, name, value


def _run_rows(table: pa.Table, configurations: dict[str, tuple[str, str]]) -> RunRows:
    columns = [_values(table, name) for name in RUN_COLUMNS]
    environment = RUN_COLUMNS.index("environment")
    columns[environment] = [digest or None for digest in columns[environment]]
    metrics = [name.removeprefix("score:") for name in table.column_names if name.startswith("score:")]
    fold_metrics = [name.removeprefix("folds:") for name in table.column_names if name.startswith("folds:")]
    return RunRows(
        runs=list(zip(*columns, strict=True)),
        scores={metric: _values(table, f"score:{metric}") for metric in metrics},
        folds=_fold_json(table, fold_metrics),
        configurations=configurations,
    )


def _fold_json(table: pa.Table, metrics: Sequence[str]) -> list[str | None]:
    """The store's JSON text from the columns of folds, put together without parsing a number."""
    if not metrics:
        return [None] * table.num_rows
    pieces = []
    for metric in metrics:
        column = table.column(f"folds:{metric}")
        numbers = pa.compute.replace_substring(pa.compute.replace_substring(column, ";", ","), "nan", "null")
        piece = pa.compute.binary_join_element_wise(f",{json.dumps(metric)}:[", numbers, "]", "")
        pieces.append(pa.compute.if_else(pa.compute.equal(column, ""), "", piece))
    joined = pa.compute.binary_join_element_wise(*pieces, "")
    return [f"{{{text[1:]}}}" if text else None for text in joined.to_pylist()]


def export_experience(connection: Connection, folder: Path) -> None:
    """Write all experience into a folder, which is made if need be.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    contents = _described(connection)
    contents.update(_exported_runs(connection))
    try:
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        for stale in (folder / "runs").glob("*.csv.gz"):
            if f"runs/{stale.name}" not in contents:
                stale.unlink()
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        # Last of all: an export that was interrupted is then found to be damaged.
        checksums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
        (folder / CHECKSUMS).write_text(json.dumps(checksums, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"The experience cannot be written to {folder}: {error.strerror or error}."
        ) from error


def _described(connection: Connection) -> dict[str, bytes]:
    datasets = sorted(connection.execute(select(models.datasets)).tuples())
    configurations = sorted(connection.execute(select(models.configurations)).tuples())
    costs = connection.execute(select(models.metafeature_costs)).tuples()
    values = connection.execute(select(models.metafeature_values)).tuples().all()
    newest: dict[str, int] = {}
    for _, name, _, version in values:
        newest[name] = max(version, newest.get(name, version))
    current = [(dataset, name, value) for dataset, name, value, version in values if version == newest[name]]
    dataset_ids = [row[0] for row in datasets]
    return {
        "datasets.csv": _csv_bytes(
            DATASET_COLUMNS, ([_text(value, "r") for value in row] for row in datasets)
        ),
        "metafeatures.csv": _wide(dataset_ids, current, ".9g"),
        "metafeature_seconds.csv": _wide(dataset_ids, costs, ".4g"),
        "configurations.csv": _csv_bytes(("configuration_id", "algorithm", "parameters"), configurations),
        "sources.toml": _sources_toml(connection, newest).encode(),
    }


def _wide(dataset_ids: Sequence[str], cells: Iterable[tuple[str, str, float | None]], digits: str) -> bytes:
    table: dict[str, dict[str, float | None]] = defaultdict(dict)
    names = set()
    for dataset_id, name, value in cells:
        table[dataset_id][name] = value
        names.add(name)
    columns = sorted(names)
    rows = ([i, *(_text(table[i].get(name), digits) for name in columns)] for i in dataset_ids)
    return _csv_bytes(("dataset_id", *columns), rows)


def _sources_toml(connection: Connection, versions: dict[str, int]) -> str:
    lines = ["# Where the records come from, and what the runs were made with."]
    for row in sorted(connection.execute(select(models.sources)).tuples()):
        lines += ["", "[[sources]]"]
        lines += [
            f"{column.name} = {_toml(value)}" for column, value in zip(models.sources.c, row, strict=True)
        ]
    for digest, python, platform, packages in sorted(
        connection.execute(select(models.environments)).tuples()
    ):
        lines += [
            "",
            f"[[environments]]  # {digest}",
            f"python = {_toml(python)}",
            f"platform = {_toml(platform)}",
        ]
        pairs = ", ".join(
            f"{_toml(name)} = {_toml(value)}" for name, value in sorted(json.loads(packages).items())
        )
        lines.append(f"versions = {{{pairs}}}")
    lines += ["", "[metafeature_versions]"]
    lines += [f"{_toml(name)} = {version}" for name, version in sorted(versions.items())]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _exported_runs(connection: Connection) -> dict[str, bytes]:
    task_types = dict(
        connection.execute(select(models.datasets.c.dataset_id, models.datasets.c.task_type)).tuples().all()
    )
    folds = dict(connection.execute(select(models.run_folds)).tuples().all())
    scores: dict[int, dict[str, float]] = defaultdict(dict)
    for metric, number, score in connection.execute(select(models.run_scores)):
        scores[number][metric] = score
    by_task_type: dict[str, list[Any]] = defaultdict(list)
    for run in connection.execute(select(models.runs)):
        by_task_type[task_types[run.dataset_id]].append(run)
    files = {}
    for task_type, runs in sorted(by_task_type.items()):
        runs.sort(key=lambda run: (run.dataset_id, run.configuration_id, run.run_id))
        fold_scores = {run.number: json.loads(folds.get(run.number, "{}")) for run in runs}
        content = _csv_bytes(*_run_table(runs, scores, fold_scores))
        files[f"runs/{task_type}.csv.gz"] = gzip.compress(content, mtime=0)
    return files


def _run_table(
    runs: Sequence[Any], scores: dict[int, dict[str, float]], folds: dict[int, dict[str, list[float | None]]]
) -> tuple[list[str], Iterable[list[str]]]:
    metrics = sorted({metric for run in runs for metric in scores[run.number]})
    fold_metrics = sorted({metric for run in runs for metric in folds[run.number]})
    header = [*RUN_COLUMNS, *(f"score:{metric}" for metric in metrics), *(f"folds:{m}" for m in fold_metrics)]

    def row(run: Any) -> list[str]:
        return [
            *(_text(getattr(run, name), ".4g") for name in RUN_COLUMNS),
            *(_text(scores[run.number].get(metric), ".6g") for metric in metrics),
            *(
                ";".join(
                    "nan" if score is None or not math.isfinite(score) else f"{score:.4g}"
                    for score in folds[run.number].get(metric, ())
                )
                for metric in fold_metrics
            ),
        ]

    return header, map(row, runs)


def _text(value: Any, digits: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return repr(value) if digits == "r" else format(value, digits)
    return str(value)


def _csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()
