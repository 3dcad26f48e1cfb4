"""Access to the bytes of a table: from a file, a URL or standard input, decompressed."""

from __future__ import annotations

import bz2
import gzip
import http.client
import io
import lzma
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from automl_meta._utils.databases import shown_url
from automl_meta._utils.printable import printable
from automl_meta._utils.unpacking import check_unpacked, read_unpacked
from automl_meta.exceptions import DataError
from automl_meta.task.formats import without_compression

__all__ = ["Content", "open_content", "source_name"]

_URL_SCHEMES = ("http", "https", "file")
_TIMEOUT = 60.0  # seconds without a response from a server


class Content(NamedTuple):
    """Decompressed content of a source.

    Parameters
    ----------
    name : str
        Name of the file or archive member, without compression suffixes.
    data : bytes
        Decompressed bytes.
    """

    name: str
    data: bytes


def open_content(source: str | Path) -> Content:
    """Read and decompress a file, a URL (http, https, file) or standard input (``-``).

    Raises
    ------
    DataError
        If the source is missing, empty, a directory or unreachable, or cannot be decompressed.
    """
    text = str(source)
    try:
        if text == "-":
            content = Content("stdin", sys.stdin.buffer.read())
        elif _scheme(text):
            content = Content(_url_name(text), _downloaded(text))
        else:
            content = Content(Path(text).name, _read_file(Path(text)))
        if not content.data:
            raise DataError(f"{'Standard input' if text == '-' else text} is empty.")
        return _unpacked(content)
    except DataError:
        raise
    except (
        OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError,
        ValueError,
    ) as error:  # fmt: skip
        raise DataError(f"{shown_url(text)} cannot be read: {_reason(error)}") from error


def source_name(source: str | Path) -> str:
    """Default name of a table: the name of its file without suffixes."""
    text = str(source)
    if text == "-":
        return "stdin"
    name = _url_name(text) if _scheme(text) else Path(text).name
    return without_compression(name).rsplit(".", 1)[0] or name


def _scheme(text: str) -> str:
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme and scheme not in _URL_SCHEMES and not Path(text).exists():
        raise DataError(
            f"{text} cannot be read: supported URL schemes are {', '.join(f'{known}://' for known in _URL_SCHEMES)}. "
            "Download the file first."
        )
    return scheme if scheme in _URL_SCHEMES else ""


def _url_name(url: str) -> str:
    return PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name or "table"


def _downloaded(url: str) -> bytes:
    try:
        address = urllib.parse.quote(url, safe="%/:=&?~#+!$,;'@()*[]")  # spaces and other unsafe characters
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise DataError(
            f"{shown_url(url)} cannot be read: the server answered {error.code} {error.reason}."
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{shown_url(url)} cannot be read: {_reason(reason)}") from error


def _read_file(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path} is a directory. Pass a file (.csv, .parquet, .xlsx, .json, .arff, …).")
    if not path.exists():
        raise DataError(f"There is no file {path}.")
    return path.read_bytes()


def _unpacked(content: Content) -> Content:
    """Decompress recursively, by magic bytes rather than by name."""
    name, data = content
    inner, stream = without_compression(name), io.BytesIO(data)
    if data.startswith(b"\x1f\x8b"):
        return _unpacked(Content(inner, read_unpacked(gzip.GzipFile(fileobj=stream), name)))
    if data.startswith(b"BZh"):
        return _unpacked(Content(inner, read_unpacked(bz2.BZ2File(stream), name)))
    if data.startswith(b"\xfd7zXZ\x00"):
        return _unpacked(Content(inner, read_unpacked(lzma.LZMAFile(stream), name)))
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        import pyarrow as pa

        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as packed:
            return _unpacked(Content(inner, read_unpacked(packed, name)))
    if data.startswith(b"PK\x03\x04"):
        return _from_zip(name, data)
    if data[257:262] == b"ustar":
        return _from_tar(name, data)
    return Content(name, data)


def _from_zip(name: str, data: bytes) -> Content:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [member for member in archive.namelist() if not member.endswith("/")]
        if "xl/workbook.xml" in members or "[Content_Types].xml" in members:
            check_unpacked(sum(member.file_size for member in archive.infolist()), name)
            return Content(name, data)  # a workbook
        member = _table(name, members)
        with archive.open(member) as stream:
            return _unpacked(Content(PurePosixPath(member).name, read_unpacked(stream, name)))


def _from_tar(name: str, data: bytes) -> Content:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = _table(name, [member.name for member in archive.getmembers() if member.isfile()])
        stream = archive.extractfile(member)
        if stream is None:
            raise DataError(f"{member} in {name} is not a file.")
        return _unpacked(Content(PurePosixPath(member).name, read_unpacked(stream, name)))


def _table(name: str, members: list[str]) -> str:
    """Return the only table of an archive, ignoring hidden files and those of operating systems."""
    tables = [
        member
        for member in members
        if not PurePosixPath(member).name.startswith(".") and "__MACOSX" not in PurePosixPath(member).parts
    ]
    if len(tables) != 1:
        shown = ", ".join(map(printable, tables[:5])) or "none"
        raise DataError(
            f"{name} must contain one table, but contains {len(tables)} files ({shown}). Extract it first."
        )
    return tables[0]


def _reason(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
