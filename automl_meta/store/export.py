"""Export of experience to a folder; the format is described in `automl_meta.store.seed`."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import io
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, select

from automl_meta.exceptions import StoreError, UsageError
from automl_meta.store import models
from automl_meta.store.digests import changed, damaged, differing, stored, sums_of_store
from automl_meta.store.inserts import DATASET_COLUMNS, RUN_COLUMNS
from automl_meta.store.queries import read_parameters
from automl_meta.store.seed import CHECKSUMS

__all__ = ["export_experience"]


def export_experience(
    connection: Connection, folder: Path, source: str | None, skip_damaged: bool
) -> list[str]:
    """Write experience to a folder; see `MetadataStore.export`."""
    wrong = differing(sums_of_store(connection), stored(connection))
    if wrong and not skip_damaged:
        raise changed(connection, wrong)
    chosen = _choose(connection, source).without(wrong)
    try:
        contents = _contents(connection, chosen)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Values of a wrong type, in tables without digests.
        raise damaged(connection, f"it cannot be exported ({type(error).__name__}: {error})") from error
    try:
        _write(folder, contents)
    except OSError as error:
        raise StoreError(
            f"The experience cannot be written to {folder}: {error.strerror or error}."
        ) from error
    return list(wrong)


def _contents(connection: Connection, chosen: _Chosen) -> dict[str, bytes]:
    values, versions = _newest_metafeatures(connection)
    costs = connection.execute(select(models.metafeature_costs))
    dataset_ids = [row.dataset_id for row in chosen.datasets]
    return {
        "datasets.csv": _csv_bytes(
            DATASET_COLUMNS, ([_text(value, "r") for value in row] for row in chosen.datasets)
        ),
        "metafeatures.csv": _wide(dataset_ids, values, ".9g"),
        "metafeature_seconds.csv": _wide(dataset_ids, costs, ".4g"),
        "configurations.csv": _csv_bytes(
            ("configuration_id", "algorithm", "parameters"), chosen.configurations
        ),
        "sources.toml": _sources_toml(chosen, versions).encode(),
        **_run_files(connection, chosen),
    }


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    for stale in (folder / "runs").glob("*.csv.gz"):
        if f"runs/{stale.name}" not in contents:
            stale.unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    # Written last, so that an interrupted export is recognised as damaged.
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    (folder / CHECKSUMS).write_text(json.dumps(checksums, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class _Chosen:
    """Rows to export, sorted by their keys."""

    datasets: list[Any]
    configurations: list[Any]
    runs: list[Any]
    sources: list[Any]
    environments: list[Any]

    def without(self, dataset_ids: Collection[str]) -> _Chosen:
        """Return a copy without some data sets."""
        return dataclasses.replace(
            self,
            datasets=[row for row in self.datasets if row.dataset_id not in dataset_ids],
            runs=[row for row in self.runs if row.dataset_id not in dataset_ids],
        )


def _choose(connection: Connection, source: str | None) -> _Chosen:
    def rows(table: Any) -> list[Any]:
        # The first column is the key. Sorted here, since collations differ between servers.
        return sorted(connection.execute(select(table)), key=lambda row: str(row[0]))

    datasets, configurations, runs = (rows(t) for t in (models.datasets, models.configurations, models.runs))
    for row in configurations:
        read_parameters(connection, *row)
    sources = rows(models.sources)
    # An environment of which only the digest is known is given by the runs.
    environments = [row for row in rows(models.environments) if row.python]
    if source is None:
        return _Chosen(datasets, configurations, runs, sources, environments)
    if source not in {row.name for row in sources}:
        names = ", ".join(str(row.name) for row in sources) or "none"
        raise UsageError(f"The store has no source {source!r}; its sources are: {names}.")
    runs = [row for row in runs if row.source == source]
    of_runs = {name: {getattr(row, name) for row in runs} for name in RUN_COLUMNS[:6]}
    datasets = [row for row in datasets if row.source == source or row.dataset_id in of_runs["dataset_id"]]
    used_sources = {source, *(row.source for row in datasets)}
    return _Chosen(
        datasets,
        [row for row in configurations if row.configuration_id in of_runs["configuration_id"]],
        runs,
        [row for row in sources if row.name in used_sources],
        [row for row in environments if row.digest in of_runs["environment"]],
    )


def _newest_metafeatures(
    connection: Connection,
) -> tuple[list[tuple[str, str, float | None]], dict[str, int]]:
    """Values of the newest version of each meta-feature: those of other versions have another meaning."""
    values = connection.execute(select(models.metafeature_values)).all()
    newest: dict[str, int] = {}
    for _, name, _, version in values:
        newest[name] = max(version, newest.get(name, version))
    current = [(dataset, name, value) for dataset, name, value, version in values if version == newest[name]]
    return current, newest


def _wide(dataset_ids: Sequence[str], cells: Iterable[tuple[str, str, float | None]], digits: str) -> bytes:
    table: dict[str, dict[str, float | None]] = {dataset_id: {} for dataset_id in dataset_ids}
    for dataset_id, name, value in cells:
        if dataset_id in table:
            table[dataset_id][name] = value
    columns = sorted({name for values in table.values() for name in values})
    rows = (
        [dataset_id, *(_cell(values, name, digits) for name in columns)]
        for dataset_id, values in table.items()
    )
    return _csv_bytes(("dataset_id", *columns), rows)


def _cell(values: Mapping[str, float | None], name: str, digits: str) -> str:
    """Format a value; ``nan`` if it could not be computed, empty if it was not."""
    return "nan" if name in values and values[name] is None else _text(values.get(name), digits)


def _sources_toml(chosen: _Chosen, versions: Mapping[str, int]) -> str:
    lines = ["# Where the records come from, and what the runs were made with."]
    for row in chosen.sources:
        lines += ["", "[[sources]]"]
        lines += [f"{name} = {_toml(value)}" for name, value in row._mapping.items()]
    for row in chosen.environments:
        packages = sorted(json.loads(row.versions).items())
        lines += ["", f"[[environments]]  # {row.digest}"]
        lines += [f"python = {_toml(row.python)}", f"platform = {_toml(row.platform)}"]
        lines.append(f"versions = {{{', '.join(f'{_toml(k)} = {_toml(v)}' for k, v in packages)}}}")
    lines += ["", "[metafeature_versions]"]
    lines += [f"{_toml(name)} = {version}" for name, version in sorted(versions.items())]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    # A JSON string is a TOML string except for this character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _run_files(connection: Connection, chosen: _Chosen) -> dict[str, bytes]:
    task_types = {row.dataset_id: row.task_type for row in chosen.datasets}
    folds: dict[int, str] = dict(connection.execute(select(models.run_folds)).all())
    scores: dict[int, dict[str, float]] = defaultdict(dict)
    for metric, number, score in connection.execute(select(models.run_scores)):
        scores[number][metric] = score
    by_task_type: dict[str, list[Any]] = defaultdict(list)
    for run in chosen.runs:
        by_task_type[task_types[run.dataset_id]].append(run)
    files = {}
    for task_type, runs in sorted(by_task_type.items()):
        runs.sort(key=lambda run: (run.dataset_id, run.configuration_id, run.run_id))
        fold_scores = {run.number: json.loads(folds.get(run.number, "{}")) for run in runs}
        content = _csv_bytes(*_run_table(runs, scores, fold_scores))
        files[f"runs/{task_type}.csv.gz"] = gzip.compress(content, mtime=0)
    return files


def _run_table(
    runs: Sequence[Any],
    scores: Mapping[int, Mapping[str, float]],
    folds: Mapping[int, Mapping[str, list[float | None]]],
) -> tuple[list[str], Iterable[list[str]]]:
    """Header and rows of a file of runs."""
    metrics = sorted({metric for run in runs for metric in scores.get(run.number, ())})
    fold_metrics = sorted({metric for run in runs for metric in folds[run.number]})
    header = [*RUN_COLUMNS, *(f"score:{metric}" for metric in metrics), *(f"folds:{m}" for m in fold_metrics)]

    def row(run: Any) -> list[str]:
        scored, folded = scores.get(run.number, {}), folds[run.number]
        return [
            *(_text(getattr(run, name), ".4g") for name in RUN_COLUMNS),
            *(_text(scored.get(metric), ".6g") for metric in metrics),
            *(";".join(_fold(score) for score in folded.get(metric, ())) for metric in fold_metrics),
        ]

    return header, map(row, runs)


def _fold(score: float | None) -> str:
    return "nan" if score is None or not math.isfinite(score) else f"{score:.4g}"


def _text(value: Any, digits: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return repr(value) if digits == "r" else format(value, digits)
    return str(value)


def _csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    table = [header, *rows]
    text = _csv_text(table, csv.QUOTE_MINIMAL)
    # Many readers treat a carriage return as the end of a line, but the csv module does not quote it.
    return (_csv_text(table, csv.QUOTE_ALL) if "\r" in text else text).encode()


def _csv_text(table: Iterable[Sequence[Any]], quoting: Literal[0, 1]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n", quoting=quoting).writerows(table)
    return buffer.getvalue()
