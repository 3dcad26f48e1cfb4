"""Experience as a folder of CSV files: shipped with the package, exported and imported.

A folder contains

- ``datasets.csv``: one row for each data set;
- ``metafeatures.csv``: data set x name, ``nan`` if a value is undefined and empty if it was not
  computed; and ``metafeature_seconds.csv``: data set x extractor;
- ``configurations.csv``: id, algorithm, parameters as JSON;
- ``runs/<task type>.csv.gz``: one row for each run; ``score:<metric>`` with 6 significant digits
  and ``folds:<metric>`` with 4, joined by semicolons;
- ``sources.toml``: sources of the records, software environments of the runs, versions of the
  meta-features;
- ``checksums.json``: SHA-256 of the other files.

The same store always gives the same bytes.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import json
import math
import re
import tomllib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from sqlalchemy import Connection, select

from automl_meta.exceptions import StoreError
from automl_meta.records import Environment, Source
from automl_meta.store import models
from automl_meta.store.contradictions import of_cells, of_configurations, of_datasets, of_runs
from automl_meta.store.inserts import (
    DATASET_COLUMNS,
    RUN_COLUMNS,
    RunRows,
    insert_runs,
    put_costs,
    put_datasets,
    put_environment,
    put_metafeatures,
    put_source,
    write_state,
)

__all__ = [
    "CHECKSUMS",
    "folder_digest",
    "import_experience",
    "plant",
    "planted_seed",
    "seed_folder",
    "shipped_run_ids",
    "unplanted_seed",
]

CHECKSUMS = "checksums.json"
_FILE = re.compile(
    r"(runs/[\w-]+\.csv\.gz|(datasets|metafeatures|metafeature_seconds|configurations)\.csv|sources\.toml)"
)
_UNPACKED_BYTES, _UNPACKED_TIMES = 64 << 20, 50  # runs are compressed to about a fifth
_FOLDS = r"^(nan|-?\d+(\.\d+)?(e[+-]?\d+)?)(;(nan|-?\d+(\.\d+)?(e[+-]?\d+)?))*$|^$"
_RUN_NUMBERS = dict.fromkeys(
    ("fit_seconds", "predict_seconds", "seconds", "peak_memory", "score"), pa.float64()
)
_DATASET_NUMBERS = {
    "n_rows": pa.int64(),
    "n_features": pa.int64(),
    "n_classes": pa.int64(),
    "target_scale": pa.float64(),
}


def seed_folder() -> Path | None:
    """Return the folder of the shipped experience, in the installed package or in a checkout.

    Returns
    -------
    Path or None
        None if there is none.

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
    """Return one checksum for all files of a folder.

    Raises
    ------
    StoreError
        If it has no list of checksums.
    """
    return hashlib.sha256(_read_bytes(folder, CHECKSUMS)).hexdigest()


def planted_seed(connection: Connection) -> str | None:
    """Return the digest of the shipped experience in a store; None if it has none."""
    table = models.store_state.c
    digest: str | None = connection.execute(select(table.value).where(table.key == "seed")).scalar()
    return digest


def unplanted_seed(connection: Connection) -> Path | None:
    """Return the folder of the shipped experience if the store is empty or has an older version of it."""
    folder, planted = seed_folder(), planted_seed(connection)
    if folder is None or planted == folder_digest(folder):
        return None
    is_filled = connection.execute(select(models.datasets.c.dataset_id).limit(1)).first() is not None
    return None if planted is None and is_filled else folder


def plant(connection: Connection, folder: Path) -> None:
    """Add the shipped experience, unless another process has done so."""
    digest = folder_digest(folder)
    if planted_seed(connection) != digest:
        import_experience(connection, folder)
        write_state(connection, "seed", digest)


def import_experience(connection: Connection, folder: Path) -> int:
    """Add the contents of a folder within the caller's transaction; see `MetadataStore.import_folder`."""
    contents = _checked(folder)
    with _blamed(folder, "sources.toml"):
        versions = _put_sources(connection, contents["sources.toml"].decode())
    with _blamed(folder, "datasets.csv"):
        table = _read_csv("datasets.csv", contents, _DATASET_NUMBERS)
        datasets = list(zip(*(_values(table, name) for name in DATASET_COLUMNS), strict=True))
        _refuse(folder, "datasets.csv", contents, of_datasets(datasets))
        put_datasets(connection, datasets)
    dataset_ids = {row[0] for row in datasets}
    with _blamed(folder, "metafeatures.csv"):
        cells = _cells(folder, "metafeatures.csv", contents, dataset_ids, lowest=-math.inf)
        put_metafeatures(connection, [(*cell, versions.get(cell[1], 1)) for cell in cells])
    with _blamed(folder, "metafeature_seconds.csv"):
        put_costs(connection, _cells(folder, "metafeature_seconds.csv", contents, dataset_ids, lowest=0.0))
    with _blamed(folder, "configurations.csv"):
        table = _read_csv("configurations.csv", contents, {})
        names = ("configuration_id", "algorithm", "parameters")
        configurations = list(zip(*(_values(table, name) for name in names), strict=True))
        _refuse(folder, "configurations.csv", contents, of_configurations(configurations))
    known = {configuration_id: (algorithm, text) for configuration_id, algorithm, text in configurations}
    n_new = 0
    for name in sorted(contents):
        if name.startswith("runs/"):
            with _blamed(folder, name):
                rows = _run_rows(_read_csv(name, contents, _RUN_NUMBERS), known)
                _refuse(folder, name, contents, of_runs(rows))
                n_new += insert_runs(connection, rows)
    return n_new


def _put_sources(connection: Connection, text: str) -> dict[str, int]:
    """Add sources and environments, and return the versions of the meta-features."""
    described = tomllib.loads(text)
    for source in described.get("sources", []):
        put_source(connection, Source(**source))
    for environment in described.get("environments", []):
        put_environment(connection, Environment(**environment))
    return {name: int(version) for name, version in described.get("metafeature_versions", {}).items()}


def _refuse(
    folder: Path, name: str, contents: Mapping[str, bytes], contradictions: Iterable[tuple[int, str]]
) -> None:
    """Refuse a file with an invalid row, and name its line."""
    for position, problem in contradictions:
        reader = csv.reader(io.StringIO(_unpacked(name, contents).decode(), newline=""))
        for _ in range(position + 1):  # of the header, too
            next(reader)
        raise StoreError(f"{folder / name}, line {reader.line_num + 1}: {problem}. Nothing was added.")


def shipped_run_ids(folder: Path) -> set[str]:
    """Return the ids of all runs in a folder.

    Raises
    ------
    StoreError
        If a file is missing or damaged; the message names it.
    """
    contents = _checked(folder)
    found: set[str] = set()
    for name in contents:
        if name.startswith("runs/"):
            with _blamed(folder, name):
                found.update(_values(_read_csv(name, contents, _RUN_NUMBERS), "run_id"))
    return found


def _checked(folder: Path) -> dict[str, bytes]:
    """Read the files of a folder, and compare their checksums."""
    with _blamed(folder, CHECKSUMS):
        checksums = dict(json.loads(_read_bytes(folder, CHECKSUMS)).items())
    contents = {}
    for name, checksum in checksums.items():
        if not _FILE.fullmatch(name):
            raise _damaged(folder, CHECKSUMS, f"it lists {name!r}, which is not a file of an export")
        contents[name] = _read_bytes(folder, name)
        if hashlib.sha256(contents[name]).hexdigest() != checksum:
            raise _damaged(folder, name, f"its checksum differs from {CHECKSUMS}")
    return contents


def _read_bytes(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if path.resolve().is_relative_to(folder.resolve()) and (path.is_file() or not path.exists()):
            return path.read_bytes()
        reason = "it is not a file of this folder"  # reading a pipe would block
    except OSError as error:
        reason = str(error.strerror)
    raise StoreError(
        f"{path} cannot be read: {reason}. Pass a folder that `automl-meta store export FOLDER` has written."
    )


@contextlib.contextmanager
def _blamed(folder: Path, name: str) -> Iterator[None]:
    """Convert errors in the content of a file to a `StoreError` that names it."""
    try:
        yield
    except KeyError as error:
        raise _damaged(folder, name, f"{error} is missing, or not listed in {CHECKSUMS}") from error
    except (AttributeError, EOFError, OSError, TypeError, ValueError, zlib.error) as error:
        raise _damaged(folder, name, " ".join(str(error).split())) from error


def _damaged(folder: Path, name: str, detail: str) -> StoreError:
    return StoreError(f"{folder / name} is damaged: {detail}. Export it again, or reinstall automl_meta.")


def _read_csv(
    name: str, contents: Mapping[str, bytes], numbers: Mapping[str, pa.DataType] | None
) -> pa.Table:
    """Read a table whose columns are text except for `numbers`; None means all but the first."""
    text = _unpacked(name, contents)
    header = next(csv.reader(io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")), None)
    if header is None:
        raise ValueError("it is empty")
    if numbers is None:
        types = {header[0]: pa.string(), **dict.fromkeys(header[1:], pa.float64())}
    else:
        types = {column: numbers.get(column.partition(":")[0], pa.string()) for column in header}
    return pa.csv.read_csv(
        pa.BufferReader(text),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(column_types=types, null_values=[""]),
    )


def _unpacked(name: str, contents: Mapping[str, bytes]) -> bytes:
    """Decompress a file, up to the largest size that an export can have."""
    content = contents[name]
    if not name.endswith(".gz"):
        return content
    largest = _UNPACKED_BYTES + _UNPACKED_TIMES * len(content)
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        text = packed.read(largest + 1)
    if len(text) > largest:
        raise ValueError(f"it decompresses to more than {largest >> 20} MiB, which no export does")
    return text


def _values(table: pa.Table, name: str) -> list[Any]:
    return table.column(name).to_pylist()


def _cells(
    folder: Path, name: str, contents: Mapping[str, bytes], dataset_ids: set[str], lowest: float
) -> list[tuple[str, str, float | None]]:
    """Rows of data set, column and value, for values that are not empty; None stands for NaN."""
    table = _read_csv(name, contents, None)
    rows = _values(table, "dataset_id")
    columns = {column: _values(table, column) for column in table.column_names[1:]}
    _refuse(folder, name, contents, of_cells(rows, columns, dataset_ids, lowest))
    return [
        (dataset_id, column, value if value == value else None)
        for column, values in columns.items()
        for dataset_id, value in zip(rows, values, strict=True)
        if value is not None
    ]


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
    """Convert the columns of fold scores to JSON, without parsing the numbers."""
    if not metrics:
        return [None] * table.num_rows
    pieces = []
    for metric in metrics:
        column = table.column(f"folds:{metric}")
        if not pa.compute.all(pa.compute.match_substring_regex(column, _FOLDS)).as_py():
            raise ValueError(f"folds:{metric} contains more than numbers and semicolons")
        numbers = pa.compute.replace_substring(pa.compute.replace_substring(column, ";", ","), "nan", "null")
        piece = pa.compute.binary_join_element_wise(f",{json.dumps(metric)}:[", numbers, "]", "")
        pieces.append(pa.compute.if_else(pa.compute.equal(column, ""), "", piece))
    joined = pa.compute.binary_join_element_wise(*pieces, "")
    return [f"{{{text[1:]}}}" if text else None for text in joined.to_pylist()]
