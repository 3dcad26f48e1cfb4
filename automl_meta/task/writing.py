"""Writing of tables to files, in the format implied by the suffix."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from automl_meta._utils.replacing import replacing
from automl_meta.exceptions import UsageError
from automl_meta.task.formats import compression_of, format_of, suffix_of, without_compression

__all__ = ["check_format", "csv_quoting", "write_table"]

_TEXT = ("csv", "json", "json lines")
_BINARY = ("parquet", "feather", "excel")
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip"}


def check_format(path: Path) -> None:
    """Check that the suffix of a file implies a supported format.

    Raises
    ------
    UsageError
        If the format is not supported.
    """
    written, compression = _format(path.name), compression_of(path.name)
    if written not in (*_TEXT, *(() if compression else _BINARY)) or compression not in ("", *_COMPRESSIONS):
        raise UsageError(
            f"{path} cannot be written: its name must end in .csv, .tsv, .json, .jsonl (these also with .gz, .bz2, .xz "
            "or .zip), .parquet, .feather or .xlsx."
        )


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, atomically: a failure leaves an existing file unchanged.

    Raises
    ------
    UsageError
        If the format is not supported.
    OSError
        If the file cannot be written.
    """
    check_format(path)
    content = io.BytesIO()
    written = _format(path.name)
    if written == "parquet":
        frame.to_parquet(content, index=False)
    elif written == "feather":
        frame.to_feather(content)
    elif written == "excel":
        frame.to_excel(content, index=False, engine="openpyxl")
    else:
        _write_text(frame, content, path.name)
    with replacing(path) as part:
        part.write_bytes(content.getvalue())


def _write_text(frame: pd.DataFrame, content: io.BytesIO, name: str) -> None:
    compression: dict[str, Any] = {"method": _COMPRESSIONS.get(compression_of(name))}
    if compression["method"] == "zip":
        compression["archive_name"] = without_compression(name)
    if _format(name) == "csv":
        delimiter = "\t" if suffix_of(name) in (".tsv", ".tab") else ","
        quoting = csv_quoting(frame)
        frame.to_csv(content, index=False, sep=delimiter, quoting=quoting, compression=compression)
    else:
        is_lines = _format(name) == "json lines"
        frame.to_json(
            content,
            orient="records",
            force_ascii=False,
            date_format="iso",
            lines=is_lines,
            indent=None if is_lines else 2,
            compression=compression,
        )


def csv_quoting(frame: pd.DataFrame) -> Literal[0, 2]:
    """Choose the quoting of a CSV file; Python 3.11 does not quote carriage returns by default."""
    texts = [*frame.columns, *(text for name in frame for text in frame[name].unique())]
    return csv.QUOTE_NONNUMERIC if any("\r" in str(text) for text in texts) else csv.QUOTE_MINIMAL


def _format(name: str) -> str:
    """Return the format implied by a file name; CSV if there is no suffix."""
    return format_of(name) if suffix_of(name) else "csv"
