"""Detection of the encoding and delimiter of text files."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import NamedTuple

from automl_meta.exceptions import DataError

__all__ = ["SNIFFED_BYTES", "UNICODE", "CsvDialect", "sniff_csv", "sniff_encoding"]

_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UNICODE = frozenset({"utf-8", "ascii", "utf-16-le", "utf-16-be", *(encoding for _, encoding in _BOMS)})
SNIFFED_BYTES = 1 << 16
_FORMATS = "a .csv, .tsv, .xlsx, .json, .jsonl, .parquet, .feather or .arff file"


class CsvDialect(NamedTuple):
    """Delimiter and encoding of a CSV file."""

    delimiter: str
    encoding: str


def sniff_csv(data: bytes, name: str) -> CsvDialect:
    """Detect the delimiter and encoding of a CSV file.

    Raises
    ------
    DataError
        If the file is not text.
    """
    encoding = sniff_encoding(name, data)
    text = data[:SNIFFED_BYTES].decode(encoding, errors="ignore")
    return CsvDialect(_sniff_delimiter(text), encoding)


def sniff_encoding(name: str, data: bytes) -> str:
    """Detect the encoding of a text file.

    Raises
    ------
    DataError
        If the file is not text.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    head = data[:SNIFFED_BYTES]
    if b"\x00" in head:
        # In UTF-16 text without a byte order mark, every other byte is zero; binary files have zeros anywhere.
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > 0.4 * len(head) / 2 and even < 0.05 * len(head) / 2:
            return "utf-16-le"
        if even > 0.4 * len(head) / 2 and odd < 0.05 * len(head) / 2:
            return "utf-16-be"
        raise DataError(f"{name} is a binary file, not a table. Pass {_FORMATS}.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        controls = sum(head.count(bytes([code])) for code in range(32) if code not in (9, 10, 13))
        if controls > 0.01 * len(head):
            raise DataError(f"{name} is a binary file, not a table. Pass {_FORMATS}.") from None
        return _code_page(head)
    return "utf-8"


def _code_page(head: bytes) -> str:
    """Guess a code page: Western European, unless many letters would be non-ASCII (another alphabet).

    charset_normalizer alone is unreliable on the few letters of a table: cp1250 for cp1252, cp874 for KOI8-R.
    """
    letters = [character for character in head.decode("cp1252", errors="replace") if character.isalpha()]
    if sum(not character.isascii() for character in letters) < 0.3 * len(letters):
        return "cp1252"
    for encoding in ("cp1251", "koi8-r", "cp1253"):
        if _is_cased_well(head.decode(encoding, errors="replace")):
            return encoding
    import charset_normalizer

    best = charset_normalizer.from_bytes(head).best()
    return "cp1252" if best is None else best.encoding


def _is_cased_well(text: str) -> bool:
    """Whether non-ASCII words have regular case: anna, Anna or ANNA, but not aNNA."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    return sum(word.islower() or word.istitle() or word.isupper() for word in words) > 0.9 * len(words)


def _sniff_delimiter(text: str) -> str:
    """Choose the delimiter that splits most of the first rows into the same number of fields, at least two."""
    lines = text[: 1 << 14]

    def agreement(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(lines), delimiter=delimiter) if row][:50]
        except csv.Error:
            return (0.0, 0)
        if len(widths) > 1 and len(text) > len(lines):
            widths = widths[:-1]  # the last row may be truncated
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    return max(_DELIMITERS, key=agreement)
