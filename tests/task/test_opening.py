import bz2
import gzip
import io
import lzma
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pytest

from automl_meta.exceptions import DataError
from automl_meta.task import TabularTask, read_table
from automl_meta.task.opening import source_name

ROWS = "a,b,y\n" + "".join(f"{i},{i % 5},{'xz'[i % 2]}\n" for i in range(40))


def zipped(content: bytes, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(content: bytes, mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        about = tarfile.TarInfo("folder/t.csv")
        about.size = len(content)
        archive.addfile(about, io.BytesIO(content))
    return stream.getvalue()


def zstandard(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


PACKED = {
    "t.csv.gz": gzip.compress(ROWS.encode()),
    "t.csv.bz2": bz2.compress(ROWS.encode()),
    "t.csv.xz": lzma.compress(ROWS.encode()),
    "t.csv.zst": zstandard(ROWS.encode()),
    "t.csv.zip": zipped(ROWS.encode(), "t.csv"),
    "mac.zip": zipped(ROWS.encode(), "t.csv", "__MACOSX/._t.csv", ".DS_Store"),
    "t.csv.tar": tarred(ROWS.encode(), "w"),
    "t.tar.gz": tarred(ROWS.encode(), "w:gz"),
    "t.tar.bz2": tarred(ROWS.encode(), "w:bz2"),
    "t.tar.xz": tarred(ROWS.encode(), "w:xz"),
    "named_otherwise.csv": gzip.compress(ROWS.encode()),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_files_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PACKED[name])
    assert read_table(tmp_path / name)["b"].tolist() == [i % 5 for i in range(40)]


def test_an_archive_of_several_tables_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "t.zip").write_bytes(zipped(b"a\n1\n", "a.csv", "b.csv"))
    with pytest.raises(
        DataError, match=r"t.zip must contain one table, but contains 2 files \(a.csv, b.csv\)"
    ):
        read_table(tmp_path / "t.zip")


@pytest.mark.parametrize("name", [name for name in PACKED if not name.endswith(".tar")])
def test_damaged_packing_is_one_line(tmp_path: Path, name: str) -> None:
    content = PACKED[name]
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a local server of a folder."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "two words.csv").write_text(ROWS)
    (folder / "t.csv.gz").write_bytes(gzip.compress(ROWS.encode()))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_addresses_are_read(served: str, tmp_path: Path) -> None:
    task = TabularTask.from_file(f"{served}/two%20words.csv", "y")
    assert (task.name, task.n_rows) == ("two words", 40)
    assert len(read_table(f"{served}/t.csv.gz?version=2")) == 40
    (tmp_path / "a b.csv").write_text(ROWS)
    assert len(read_table((tmp_path / "a b.csv").as_uri())) == 40


def test_an_address_that_fails_is_one_line(served: str) -> None:
    for address, message in (
        (f"{served}/none.csv", "the server answered 404"),
        ("http://127.0.0.1:9/t.csv", "cannot be read"),
        ("http://127.0.0.1:9/a b.csv", "cannot be read"),
        ("s3://bucket/t.csv", "supported URL schemes are http://, https://, file://"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            read_table(address)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [ROWS.encode(), gzip.compress(ROWS.encode()), b'[{"a": 1, "b": 2}]'],
    ids=[
        "csv",
        "gzip",
        "json",
    ],  # compressed data contain the current time: names would differ between pytest workers
)
def test_standard_input_is_read_in_any_format(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert {"a", "b"} <= set(read_table("-").columns)


@pytest.mark.parametrize(
    ("source", "name"),
    [("x/sales.2022.csv.gz", "sales.2022"), ("-", "stdin"), ("http://h/a%20b.csv?c=d", "a b"), ("t.tar.gz", "t"), (".csv", ".csv")],
)  # fmt: skip
def test_a_data_set_is_called_like_its_file(source: str, name: str) -> None:
    assert source_name(source) == name


def test_passwords_of_addresses_are_not_shown() -> None:
    with pytest.raises(DataError, match="cannot be read") as told:
        read_table("http://me:secret@127.0.0.1:1/a.csv?token=secret")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(("n_files", "n_shown"), [(2, 2), (5, 5), (6, 5)])
def test_of_the_files_in_an_archive_five_are_named(tmp_path: Path, n_files: int, n_shown: int) -> None:
    (tmp_path / "t.zip").write_bytes(zipped(b"a\n1\n", *(f"{i}.csv" for i in range(n_files))))
    with pytest.raises(DataError) as told:
        read_table(tmp_path / "t.zip")
    assert str(told.value).count(".csv") == n_shown


def test_an_archive_without_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.zip").write_bytes(zipped(b"", ".DS_Store"))
    with pytest.raises(DataError, match="none"):
        read_table(tmp_path / "t.zip")
