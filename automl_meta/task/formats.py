"""File formats and compressions, by the suffixes of a file's name."""

from __future__ import annotations

from pathlib import PurePath

__all__ = ["COMPRESSIONS", "compression_of", "format_of", "suffix_of", "without_compression"]

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz", ".tbz2", ".txz")
"""Suffixes of compressed files and archives."""

_SUFFIXES = {
    "csv": (".csv", ".tsv", ".txt", ".tab", ".dat", ".data"),
    "json": (".json",),
    "json lines": (".jsonl", ".ndjson"),
    "parquet": (".parquet", ".pq"),
    "feather": (".feather", ".arrow", ".ipc"),
    "arff": (".arff",),
    "excel": (".xlsx",),
    "other workbook": (".xls", ".xlsb", ".ods"),
}
_FORMATS = {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes}


def without_compression(name: str) -> str:
    """Remove compression suffixes from a file name; a name that consists of a suffix only is kept.

    Examples
    --------
    >>> without_compression("table.csv.tar.gz")
    'table.csv'
    """
    lower = name.lower()
    for suffix in COMPRESSIONS:
        if lower.endswith(suffix):
            return without_compression(name[: -len(suffix)]) if len(name) > len(suffix) else name
    return name


def compression_of(name: str) -> str:
    """Return the compression suffixes of a file name in lower case; empty if there is none.

    Examples
    --------
    >>> compression_of("table.csv.GZ")
    '.gz'
    """
    return name[len(without_compression(name)) :].lower()


def suffix_of(name: str) -> str:
    """Return the suffix of a file name before compression suffixes, in lower case; empty if there is none."""
    return PurePath(without_compression(name)).suffix.lower()


def format_of(name: str) -> str:
    """Return the format implied by a file name; empty if unknown.

    Examples
    --------
    >>> format_of("table.TSV.gz"), format_of("table")
    ('csv', '')
    """
    return _FORMATS.get(suffix_of(name), "")
