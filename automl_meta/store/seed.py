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
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from sqlalchemy import Connection

from automl_meta.exceptions import StoreError
from automl_meta.records import Environment, Source
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

__all__ = ["CHECKSUMS", "folder_digest", "import_experience", "seed_folder"]

CHECKSUMS = "checksums.json"
_RUN_NUMBERS = ("fit_seconds", "predict_seconds", "seconds", "peak_memory")
_DATASET_NUMBERS = {
    "n_rows": pa.int64(),
    "n_features": pa.int64(),
    "n_classes": pa.int64(),
    "target_scale": pa.float64(),
}


def seed_folder() -> Path | None:
    """Find the shipped experience: in the installed package, or beside it in a checkout; None without any.

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
    """Name all that a folder holds by one checksum.

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
            (dataset_id, name, value, versions.get(name, 1))
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
    """Read the files of a folder, all of them as they were written."""
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
    """Make the store's JSON text from the columns of folds, put together without parsing a number."""
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
