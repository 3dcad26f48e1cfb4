"""Tables into files, in the format that the name of the file says."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

import pandas as pd

from automl_meta.exceptions import UsageError
from automl_meta.task.opening import COMPRESSIONS

__all__ = ["check_format", "csv_quoting", "write_table"]

_TEXT = {".csv": ",", ".tsv": "\t", ".txt": ",", "": ","}
_OTHERS = (".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".feather", ".xlsx")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip")


def check_format(path: Path) -> None:
    """See that the name of a file says a format that can be written.

    Raises
    ------
    UsageError
        If it does not.
    """
    suffix, compression = _format(path)
    is_known = suffix in _TEXT or suffix in _OTHERS
    can_be_compressed = suffix in _TEXT or suffix in (".json", ".jsonl", ".ndjson")
    if not is_known or (compression and (compression not in _COMPRESSED or not can_be_compressed)):
        raise UsageError(
            f"{path} cannot be written: its name must end in .csv, .tsv, .json, .jsonl (these also with .gz, .bz2, .xz "
            "or .zip), .parquet, .feather or .xlsx."
        )


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table without its index.

    Raises
    ------
    UsageError
        See `check_format`.
    """
    check_format(path)
    suffix, _ = _format(path)
    if suffix in _TEXT:
        frame.to_csv(path, index=False, sep=_TEXT[suffix], quoting=csv_quoting(frame))
    elif suffix == ".json":
        frame.to_json(path, orient="records", force_ascii=False, date_format="iso", indent=2)
    elif suffix in (".jsonl", ".ndjson"):
        frame.to_json(path, orient="records", force_ascii=False, date_format="iso", lines=True)
    elif suffix in (".parquet", ".pq"):
        frame.to_parquet(path, index=False)
    elif suffix == ".feather":
        frame.to_feather(path)
    else:
        frame.to_excel(path, index=False)


def csv_quoting(frame: pd.DataFrame) -> Literal[0, 2]:
    """How fields of a CSV file have to be quoted; Python 3.11 forgets to for a carriage return."""
    texts = [*frame.columns, *(text for name in frame for text in frame[name].unique())]
    return csv.QUOTE_NONNUMERIC if any("\r" in str(text) for text in texts) else csv.QUOTE_MINIMAL


def _format(path: Path) -> tuple[str, str]:
    """What the name says of the format and of the compression, in lower case."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    return (suffixes[-1] if suffixes else ""), compression
