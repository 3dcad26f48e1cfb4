"""Tables from files: CSV with its delimiter and encoding found out, Parquet, ARFF."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import warnings
from pathlib import Path
from typing import NamedTuple

import arff
import pandas as pd

from automl_meta.exceptions import DataError

__all__ = ["CsvDialect", "read_table", "sniff_csv"]

_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SNIFFED_BYTES = 1 << 16


class CsvDialect(NamedTuple):
    """How a CSV file is written."""

    delimiter: str
    encoding: str


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table from a file.

    Parameters
    ----------
    path : str or Path
        A file ending in ``.csv``, ``.tsv``, ``.txt``, ``.parquet``, ``.pq`` or ``.arff``; text files
        may be compressed (``.gz``). Delimiter and encoding of text files are found out.

    Returns
    -------
    DataFrame
        As in the file; nothing is converted but what `pandas.read_csv` does.

    Raises
    ------
    DataError
        If the file is missing, empty, a directory, not a table, or has two columns of one name.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path} is a directory. Give a file (.csv, .tsv, .parquet or .arff).")
    if not path.exists():
        raise DataError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty.")
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    try:
        if suffix in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
        elif suffix == ".arff":
            frame = _read_arff(path)
        else:
            frame = _read_csv(path)
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except DataError:
        raise
    except (OSError, ValueError, UnicodeError, EOFError, csv.Error) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path} cannot be read as a table: {reason}") from error
    return frame


def sniff_csv(path: Path) -> CsvDialect:
    """Find out the delimiter and the encoding of a CSV file.

    Raises
    ------
    DataError
        If the file is not text.
    """
    with _open_bytes(path) as stream:
        head = stream.read(_SNIFFED_BYTES)
    encoding = _sniff_encoding(path, head)
    text = head.decode(encoding, errors="ignore")
    return CsvDialect(_sniff_delimiter(text), encoding)


def _open_bytes(path: Path) -> io.BufferedIOBase:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if is_gzip else path.open("rb")


def _sniff_encoding(path: Path, head: bytes) -> str:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if b"\x00" in head:
        # Text in UTF-16 without a mark has a zero in every other byte; a binary file has them anywhere.
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > 0.4 * len(head) / 2 and even < 0.05 * len(head) / 2:
            return "utf-16-le"
        if even > 0.4 * len(head) / 2 and odd < 0.05 * len(head) / 2:
            return "utf-16-be"
        raise DataError(f"{path} is a binary file, not a table. Give a .csv, .tsv, .parquet or .arff file.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _SNIFFED_BYTES)
    except UnicodeDecodeError:
        controls = sum(head.count(bytes([code])) for code in range(32) if code not in (9, 10, 13))
        if controls > 0.01 * len(head):
            raise DataError(
                f"{path} is a binary file, not a table. Give a .csv, .tsv, .parquet or .arff file."
            ) from None
        return "cp1252"
    return "utf-8"


def _sniff_delimiter(text: str) -> str:
    """The delimiter that cuts most of the first rows into the same number of fields, at least two."""
    lines = text[: 1 << 14]

    def agreement(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(lines), delimiter=delimiter) if row][:50]
        except csv.Error:
            return (0.0, 0)
        if len(widths) > 1 and len(text) > len(lines):
            widths = widths[:-1]  # the last row may be cut
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    return max(_DELIMITERS, key=agreement)


def _read_csv(path: Path) -> pd.DataFrame:
    dialect = sniff_csv(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # mixed columns are dealt with in the task
        try:
            header = pd.read_csv(
                path, sep=dialect.delimiter, encoding=dialect.encoding, header=None, nrows=1, dtype=str
            )
            names = [str(name) for name in header.iloc[0].dropna()]
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise DataError(
                    f"{path} has more than one column named {', '.join(map(repr, doubled))}. "
                    "Rename them, so that each column has a name of its own."
                )
            return pd.read_csv(path, sep=dialect.delimiter, encoding=dialect.encoding, low_memory=False)
        except pd.errors.EmptyDataError:
            raise DataError(f"{path} has no columns.") from None


def _read_arff(path: Path) -> pd.DataFrame:
    """Read an ARFF file; nominal attributes become categorical columns."""
    with _open_bytes(path) as stream:
        raw = stream.read()
    encoding = _sniff_encoding(path, raw[:_SNIFFED_BYTES])
    try:
        content = arff.loads(raw.decode(encoding), encode_nominal=False)
    except arff.ArffException as error:
        raise DataError(f"{path} is not a valid ARFF file: {error}") from error
    names = [name for name, _ in content["attributes"]]
    frame = pd.DataFrame(content["data"], columns=names)
    for name, kind in content["attributes"]:
        if isinstance(kind, list):
            frame[name] = pd.Categorical(frame[name], categories=kind)
        elif kind.upper() in ("NUMERIC", "REAL", "INTEGER"):
            frame[name] = pd.to_numeric(frame[name])
    return frame
