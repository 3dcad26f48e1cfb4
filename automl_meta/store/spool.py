"""Spooling: results that could not be stored, in a file of JSON lines for a later import."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from automl_meta._utils.plain import plain
from automl_meta.exceptions import StoreError
from automl_meta.records import Configuration, DatasetRecord, Environment, Run
from automl_meta.store.contradictions import of_datasets, of_runs
from automl_meta.store.inserts import DATASET_COLUMNS, insert_runs, put_dataset, put_environment, rows_of

__all__ = ["how_to_add", "import_spooled", "spool"]

_LARGEST_FILE = 1 << 30  # bytes; a run takes about a thousand


def spool(
    runs: Iterable[Run],
    path: str | Path,
    *,
    dataset: DatasetRecord | None = None,
    versions: Mapping[str, int] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> Path:
    """Write results to a file if the store cannot be written; `MetadataStore.import_spooled` adds them later.

    Parameters
    ----------
    runs : iterable of Run
        Runs of one data set.
    path : str or Path
        File to append to.
    dataset : DatasetRecord, optional
        Data set of the runs; may be omitted if the store already has it.
    versions : mapping of str to int, optional
        Versions of the meta-features, as in `MetadataStore.add_dataset`.
    seconds : mapping of str to float, optional
        CPU seconds of each extractor.

    Returns
    -------
    Path
        The file; `how_to_add` gives the command that imports it.

    Raises
    ------
    StoreError
        If the file cannot be written either.
    """
    path = Path(path).absolute()
    listed = list(runs)
    lines: list[dict[str, Any]] = []
    if dataset is not None:
        about = {"versions": dict(versions or {}), "seconds": dict(seconds or {})}
        lines.append({"dataset": dataclasses.asdict(dataset), **about})
    here = Environment.current()
    if any(run.environment == here.digest for run in listed):
        lines.append({"environment": dataclasses.asdict(here)})
    lines += [{"run": dataclasses.asdict(run)} for run in listed]
    try:
        _append(path, "".join(json.dumps(plain(line)) + "\n" for line in lines).encode())
    except OSError as error:
        raise StoreError(f"The results cannot be written to {path} either: {error.strerror}.") from error
    return path


def how_to_add(path: Path) -> str:
    """Return a sentence with the location of spooled results and the command that imports them.

    Parameters
    ----------
    path : Path
        File that `spool` has written.

    Returns
    -------
    str
        Sentence without a full stop, since the command ends it.
    """
    return (
        f"The results are kept in {path}; once the store can be written again, import them: "
        f"automl-meta store import {shlex.quote(str(path))}"
    )


def _append(path: Path, content: bytes) -> None:
    """Append bytes, all or none."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        before = os.fstat(descriptor).st_size
        try:
            written = 0
            while written < len(content):  # more than once only if the disk gets full
                written += os.write(descriptor, content[written:])
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def import_spooled(connection: Connection, path: Path) -> int:
    """Add spooled results within the caller's transaction; see `MetadataStore.import_spooled`."""
    runs: dict[str, Run] = {}  # the first run with an id is kept, as everywhere
    numbers: dict[str, int] = {}
    lines = _lines(path)
    if not lines:
        raise StoreError(f"{path} contains no results.")
    for number, line in lines:
        try:
            record = json.loads(line)
            if "dataset" in record:
                _put(connection, path, number, record)
            elif "environment" in record:
                put_environment(connection, Environment(**record["environment"]))
            else:
                run = _run(record["run"])
                runs.setdefault(run.run_id, run)
                numbers.setdefault(run.run_id, number)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise _refused(path, number, f"not a spooled result ({error})") from error
    rows = rows_of(runs.values())
    for position, problem in of_runs(rows):
        raise _refused(path, numbers[rows.runs[position][0]], problem)
    return insert_runs(connection, rows)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that are not blank, with their numbers."""
    try:
        if not path.is_file():
            raise StoreError(f"{path} is neither a file of spooled results nor an exported folder.")
        if path.stat().st_size > _LARGEST_FILE:
            raise StoreError(
                f"{path} is not a file of spooled results: it exceeds {_LARGEST_FILE >> 20} MiB."
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StoreError(f"{path} is not a file of spooled results: {error}.") from error
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _put(connection: Connection, path: Path, number: int, record: Mapping[str, Any]) -> None:
    given = record["dataset"]
    metafeatures = {name: _number(value) for name, value in given["metafeatures"].items()}
    dataset = DatasetRecord(
        **{**given, "target_scale": _number(given["target_scale"]), "metafeatures": metafeatures}
    )
    row = tuple(plain(getattr(dataset, column)) for column in DATASET_COLUMNS)
    for _, problem in of_datasets([row]):
        raise _refused(path, number, problem)
    versions = {name: int(version) for name, version in record["versions"].items()}
    seconds = {name: _number(value) for name, value in record["seconds"].items()}
    put_dataset(connection, dataset, versions, seconds)


def _run(given: Mapping[str, Any]) -> Run:
    numbers = ("fit_seconds", "predict_seconds", "seconds", "peak_memory")
    texts = ("dataset_id", "status", "reason", "protocol", "source", "environment")
    for text in (*(given[name] for name in texts), given["configuration"]["algorithm"]):
        if not isinstance(text, str):
            raise TypeError(f"{text!r} is not text")
    return Run(
        **{
            **given,
            **{name: _number(given[name]) for name in numbers},
            "configuration": Configuration(**given["configuration"]),
            "scores": {name: _number(score) for name, score in given["scores"].items()},
            "fold_scores": {
                name: tuple(map(_number, scores)) for name, scores in given["fold_scores"].items()
            },
        }
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _refused(path: Path, number: int, detail: str) -> StoreError:
    return StoreError(f"{path}, line {number}: {detail}. Nothing was added.")
