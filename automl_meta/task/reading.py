"""Reading of tables: CSV with detected delimiter and encoding, Excel, JSON, Parquet, Feather, ARFF."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from automl_meta._utils.unpacking import check_unpacked
from automl_meta.exceptions import DataError, UsageError
from automl_meta.task.formats import format_of
from automl_meta.task.frames import frame_of_arrow
from automl_meta.task.numbers import Decimal
from automl_meta.task.opening import Content, open_content
from automl_meta.task.sniffing import SNIFFED_BYTES, UNICODE, CsvDialect, sniff_csv, sniff_encoding
from automl_meta.task.texts import plain_if_numbers
from automl_meta.task.values import FILE_MISSING, listed

__all__ = ["RawTable", "read_raw", "read_table"]

_BYTES_PER_CELL = 8  # lower bound


class RawTable(NamedTuple):
    """Unconverted table of a file.

    Parameters
    ----------
    frame : DataFrame
        Columns of text files are unconverted text; an empty field is an empty string.
    is_text : bool
        Whether numbers and missing values may be represented by text in the file format.
    notes : tuple of str
        Messages about guesses and changes.
    decimal : {".", ","} or None
        More plausible decimal mark, given the delimiter.
    """

    frame: pd.DataFrame
    is_text: bool = False
    notes: tuple[str, ...] = ()
    decimal: Decimal | None = None


def read_table(path: str | Path, separator: str | None = None) -> pd.DataFrame:
    """Read a table from a file, a URL or standard input.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.tsv``, ``.txt``, ``.xlsx``, ``.json``, ``.jsonl``, ``.parquet``, ``.feather`` or ``.arff`` file,
        optionally compressed or in an archive (``.gz``, ``.bz2``, ``.xz``, ``.zst``, ``.zip``, ``.tar``); a URL with
        scheme ``http``, ``https`` or ``file``; or ``-`` for standard input, whose format is detected. Delimiter and
        encoding of text files are detected.
    separator : str, optional
        Field separator of a CSV file; detected by default.

    Returns
    -------
    DataFrame
        Columns of plain numbers are numeric; other text stays text, with NaN for the texts that pandas reads as
        missing (such as ``NA`` and ``null``).

    Raises
    ------
    DataError
        If the file is missing, empty, a directory, or not a table.
    """
    raw = read_raw(path, separator)
    if not raw.is_text:
        return raw.frame
    return pd.DataFrame({name: _typed(raw.frame[name]) for name in raw.frame.columns}, index=raw.frame.index)


def read_raw(path: str | Path, separator: str | None = None) -> RawTable:
    """Read a table as `read_table` does, but without converting text.

    Raises
    ------
    DataError
        See `read_table`.
    UsageError
        If `separator` is not one character.
    """
    if separator is not None and len(separator) != 1:
        raise UsageError(f"The separator is {separator!r}; it must be one character, such as ';'.")
    content = open_content(path)
    try:
        return _reader(content, separator)(content, separator)
    except (DataError, UsageError):
        raise
    except ImportError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except Exception as error:  # the six readers do not document what damaged files raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path} cannot be read as a table: {reason}") from error


def _typed(column: pd.Series) -> pd.Series:
    """Convert plain numbers and booleans as `pandas.read_csv` does."""
    with contextlib.suppress(ValueError, TypeError):
        plain = pd.to_numeric(column.to_numpy(dtype=object))
        if len(column) and plain.dtype.kind in "fiu":
            return pd.Series(plain, index=column.index, name=column.name)
    numbers = plain_if_numbers(column) if len(column) else None
    missing = column.isna() | column.isin(FILE_MISSING)
    if numbers is not None and not (numbers.isna() & ~missing).any():
        whole = numbers.notna().all() and not column.astype(str).str.contains(r"[.eE]", regex=True).any()
        return numbers.astype("int64") if whole and (numbers.abs() < 2**53).all() else numbers
    if not missing.all() and column[~missing].isin(("True", "False", "TRUE", "FALSE", "true", "false")).all():
        truths = column.mask(missing).map(lambda text: str(text).lower() == "true", na_action="ignore")
        return truths if missing.any() else truths.astype(bool)
    return column.mask(missing) if missing.any() else column


def _reader(content: Content, separator: str | None) -> Callable[[Content, str | None], RawTable]:
    """Select a reader by magic bytes, then by suffix."""
    data, named = content.data, format_of(content.name)
    if data.startswith(b"PAR1") or named == "parquet":
        return _read_parquet
    if data.startswith((b"ARROW1", b"FEA1")) or named == "feather":
        return _read_feather
    if data.startswith(b"PK\x03\x04"):
        return _read_excel
    if data.startswith(b"\xd0\xcf\x11\xe0") or named == "other workbook":
        raise DataError(f"{content.name} is a workbook in an unsupported format. Save it as .xlsx or .csv.")
    head = data[:SNIFFED_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    is_csv = named == "csv" or separator is not None
    if named in ("json", "json lines") or (not is_csv and head[:1] in (b"{", b"[")):
        return _read_json
    if named == "arff" or (not is_csv and b"@relation" in head.lower()):
        return _read_arff
    return _read_csv


def _read_csv(content: Content, separator: str | None) -> RawTable:
    sniffed = sniff_csv(content.data, content.name)
    declared = re.match(rb"(?:\xef\xbb\xbf)?sep=(.)\r?\n", content.data)  # written by Excel
    if declared:
        content = content._replace(data=content.data[declared.end() :])
        separator = separator or declared.group(1).decode()
    dialect = CsvDialect(separator or sniffed.delimiter, sniffed.encoding)
    options: dict[str, Any] = {
        "sep": dialect.delimiter, "encoding": dialect.encoding, "dtype": str, "na_filter": False,
        "low_memory": False,
    }  # fmt: skip
    try:
        frame = pd.read_csv(io.BytesIO(content.data), **options)
    except pd.errors.EmptyDataError:
        raise DataError(f"{content.name} has no columns.") from None
    except UnicodeDecodeError:
        raise DataError(
            f"{content.name} is not text in the encoding {dialect.encoding}. Save it as UTF-8."
        ) from None
    notes = _header_notes(content.data.decode(dialect.encoding, errors="replace"), dialect.delimiter)
    if not isinstance(frame.index, pd.RangeIndex):
        if (frame.iloc[:, -1] == "").all():  # trailing delimiters in the rows, but not in the header
            names = frame.columns
            frame = frame.reset_index().iloc[:, : len(names)].set_axis(names, axis=1)
        else:
            notes = (
                *notes,
                "the rows have more fields than the header: the first fields were treated as row names",
            )
            frame = frame.reset_index(drop=True)
    if dialect.encoding not in UNICODE:
        notes = (
            *notes,
            f"the file is not UTF-8; it was read as {dialect.encoding}: save it as UTF-8 if the text looks garbled",
        )
    return RawTable(frame, True, notes, "," if dialect.delimiter == ";" else None)


def _header_notes(text: str, delimiter: str) -> tuple[str, ...]:
    """Note duplicate column names, which pandas renames: a, a becomes a, a.1."""
    header: list[str] = next(
        (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), []
    )
    return _renamed_notes([name for name in header if name])


def _renamed_notes(names: list[str]) -> tuple[str, ...]:
    doubled = sorted(name for name, count in Counter(names).items() if count > 1)
    if not doubled:
        return ()
    return (
        f"more than one column is named {listed(doubled)}: the later ones were renamed, as in {doubled[0] + '.1'!r}",
    )


def _renamed(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    names = [str(name) for name in frame.columns]
    taken = set(names)
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        new = name
        while seen[name] > 1 and new in taken:
            new = f"{name}.{seen[name] - 1}"
            seen[name] += new in taken
        taken.add(new)
        unique.append(new)
    return frame.set_axis(unique, axis=1), _renamed_notes(names)


def _read_excel(content: Content, _: str | None) -> RawTable:
    check_unpacked(_max_cells(content.data) * _BYTES_PER_CELL, content.name)
    with pd.ExcelFile(io.BytesIO(content.data), engine="openpyxl") as workbook:
        sheets = [str(name) for name in workbook.sheet_names]
        cells = pd.read_excel(
            workbook, sheet_name=sheets[0], header=None, dtype=object, keep_default_na=False, na_values=[""]
        )
    if cells.empty:
        raise DataError(f"The sheet {sheets[0]!r} of {content.name} is empty.")
    header = [f"Unnamed: {i}" if pd.isna(name) else str(name) for i, name in enumerate(cells.iloc[0])]
    frame, notes = _renamed(cells.iloc[1:].set_axis(header, axis=1).reset_index(drop=True))
    if len(sheets) > 1:
        notes = (*notes, f"the first sheet, {sheets[0]!r}, was read; others are {listed(sheets[1:])}")
    return RawTable(frame, True, notes)


def _max_cells(data: bytes) -> int:
    """Number of cells of the largest sheet, including empty rows and columns, which are not stored."""
    most = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                sheet = archive.read(name)
                rows = [int(row) for row in re.findall(rb"<row\b[^>]*?\br=[\"'](\d{1,9})", sheet)]
                columns = set(re.findall(rb"<c\b[^>]*?\br=[\"']([A-Z]{1,3})\d", sheet))
                width = max((_column_number(column) for column in columns), default=1)
                most = max(most, max(rows, default=1) * width)
    return most


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _read_json(content: Content, _: str | None) -> RawTable:
    text = content.data.decode(sniff_encoding(content.name, content.data))
    try:
        loaded = json.loads(text)
    except json.JSONDecodeError:
        loaded = [json.loads(line) for line in text.splitlines() if line.strip()]
    frame, notes = _renamed(_frame_of_json(loaded, content.name))
    return RawTable(frame, False, notes)


def _frame_of_json(loaded: Any, name: str) -> pd.DataFrame:
    """Convert a list of objects, an object of columns, or the ``split`` and ``table`` formats of pandas."""
    if isinstance(loaded, dict) and {"columns", "data"} <= loaded.keys():
        return pd.DataFrame(loaded["data"], columns=loaded["columns"], dtype=object)
    if isinstance(loaded, dict) and {"schema", "data"} <= loaded.keys():
        loaded = [{key: value for key, value in row.items() if key != "index"} for row in loaded["data"]]
    if isinstance(loaded, dict) and len(loaded) == 1 and _are_rows(next(iter(loaded.values()))):
        loaded = next(iter(loaded.values()))
    if isinstance(loaded, dict) and loaded and all(isinstance(column, dict) for column in loaded.values()):
        inner = {key for column in loaded.values() for key in column}
        if all(key.isdigit() for key in loaded) and not all(key.isdigit() for key in inner):
            return pd.DataFrame(list(loaded.values()), dtype=object)  # rows by name
        return pd.DataFrame({key: pd.Series(column, dtype=object) for key, column in loaded.items()})
    if isinstance(loaded, dict) and loaded and all(isinstance(column, list) for column in loaded.values()):
        return pd.DataFrame({key: pd.Series(column, dtype=object) for key, column in loaded.items()})
    if isinstance(loaded, dict):
        loaded = [loaded]
    if not _are_rows(loaded):
        raise DataError(f"{name} is JSON but not a table: pass a list of objects, one per row.")
    return pd.DataFrame(loaded, dtype=object)


def _are_rows(loaded: Any) -> bool:
    return isinstance(loaded, list) and all(isinstance(row, dict) for row in loaded)


def _read_parquet(content: Content, _: str | None) -> RawTable:
    import pyarrow.parquet as pq

    with pq.ParquetFile(io.BytesIO(content.data)) as file:
        about = file.metadata
        packed = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
        # Run-length encoding stores repeated values once, so that the file size is not a bound.
        check_unpacked(max(packed, about.num_rows * about.num_columns * _BYTES_PER_CELL), content.name)
        table = file.read()
    return _of_arrow(table)


def _of_arrow(table: Any) -> RawTable:
    """Convert an Arrow table; a named pandas index becomes a column."""
    table.validate(full=True)  # damaged offsets and strings would otherwise be detected only when used
    frame = frame_of_arrow(table)
    named = [str(name) for name in frame.index.names if name is not None]
    notes: tuple[str, ...] = ()
    if named:
        frame = frame.reset_index()
        notes = (f"the index {listed(named)} was treated as a column",)
    frame, more = _renamed(frame.reset_index(drop=True))
    return RawTable(frame, False, (*notes, *more))


def _read_feather(content: Content, _: str | None) -> RawTable:
    import pyarrow as pa
    from pyarrow import feather, ipc

    if content.data.startswith(b"FEA1"):
        return _of_arrow(feather.read_table(pa.BufferReader(content.data)))
    is_file = content.data.startswith(b"ARROW1")
    batches, size = [], 0
    with (ipc.open_file if is_file else ipc.open_stream)(pa.BufferReader(content.data)) as reader:
        for batch in map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader:
            size += batch.nbytes
            check_unpacked(size, content.name)
            batches.append(batch)
        return _of_arrow(pa.Table.from_batches(batches, reader.schema))


def _read_arff(content: Content, _: str | None) -> RawTable:
    """Read an ARFF file; nominal attributes become categorical columns."""
    import arff

    encoding = sniff_encoding(content.name, content.data)
    try:
        loaded = arff.loads(content.data.decode(encoding), encode_nominal=False)
    except arff.ArffException as error:
        raise DataError(f"{content.name} is not a valid ARFF file: {error}") from error
    frame = pd.DataFrame(loaded["data"], columns=[name for name, _ in loaded["attributes"]])
    for name, kind in loaded["attributes"]:
        if isinstance(kind, list):
            frame[name] = pd.Categorical(frame[name], categories=kind)
        elif kind.upper() in ("NUMERIC", "REAL", "INTEGER"):
            frame[name] = pd.to_numeric(frame[name])
    return RawTable(frame)
