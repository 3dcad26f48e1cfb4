"""Where stores lie, and one clear message when one cannot be used."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from store.store_workers import connected, dataset, run

from automl_meta.exceptions import (
    AutomlMetaWarning,
    MissingDependencyError,
    StoreError,
    StoreVersionError,
    UsageError,
)
from automl_meta.store import MetadataStore


def opened(url: str | Path) -> MetadataStore:
    return MetadataStore(url, seed=False)


def test_a_path_is_a_file_whatever_is_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "50% of ün#icode? & more" / "my store.db"
    with opened(path) as store:
        store.add_dataset(dataset(0))
    with opened(str(path)) as store:
        assert store.path == path
        assert len(store.datasets()) == 1
    assert path.is_file()


def test_a_relative_path_stays_the_same_file_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with opened("store.db") as store:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.add_dataset(dataset(0))
        assert len(store.datasets()) == 1
    assert not (tmp_path / "elsewhere" / "store.db").exists()


@pytest.mark.parametrize(
    "content",
    [b"not a database at all\n" * 100, b"SQLite format 3\x00" + b"\xff" * 5000],
    ids=["text", "damaged"],
)
def test_a_file_that_is_no_database_is_told_from_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"store\.db is damaged or not a store.*mv ") as caught:
        opened(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_store_that_is_damaged_later_says_so_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with opened(path) as store:
        store.add_dataset(dataset(0))
        store.add_runs([run(dataset(0), number) for number in range(300)])
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="is damaged or not a store"), opened(path) as store:
        list(store.runs())


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(
        StoreError, match=r"is not a store of automl_meta; it contains tables of another.*bookmarks"
    ):
        opened(path)
    assert path.read_bytes()[100:] == before[100:]  # the header may note who looked


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be opened .*It is a folder\. .*--store"):
        opened(tmp_path)


def test_a_path_below_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"folder of the store .* cannot be created"):
        opened(tmp_path / "file" / "store.db")


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    with opened(tmp_path / "store.db") as store:
        assert store.check() == []


def test_a_store_that_is_only_read_is_not_made(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "empty.db").touch()
    for url in (tmp_path / "typo.db", f"sqlite:///{tmp_path}/typo.db", tmp_path / "empty.db", postgres_url):
        with pytest.raises(StoreError, match=r"There is no store at .*Check the name"):
            MetadataStore(url, create=False)
    assert not (tmp_path / "typo.db").exists()
    assert (tmp_path / "empty.db").stat().st_size == 0


def test_the_default_store_is_made_by_readers_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_META_STORE", str(tmp_path / "own.db"))
    MetadataStore(seed=False, create=False).close()
    assert (tmp_path / "own.db").is_file()


def test_a_store_that_is_gone_is_told_and_not_made_anew(tmp_path: Path) -> None:
    with opened(tmp_path / "store.db") as store:
        store.add_dataset(dataset(0))
        for path in tmp_path.glob("store.db*"):
            path.unlink()
        with pytest.raises(StoreError, match="cannot be opened"):
            store.add_runs([run(dataset(0), 1)])
    assert list(tmp_path.iterdir()) == []


_READ_AS_SOMEBODY_ELSE = """
import os, sys
import alembic.migration, alembic.operations, alembic.script, pyarrow.csv, sqlalchemy.dialects.sqlite
from automl_meta.store import MetadataStore

if os.getuid() == 0:
    os.setuid(65534)  # nothing is read-only to root
with MetadataStore(sys.argv[1]) as store:
    print(len(store.run_ids()), store.meta_dataset("accuracy", "classification"))
"""


@pytest.mark.parametrize("is_written_to", [False, True])
def test_a_store_in_a_read_only_folder_can_be_read(is_written_to: bool) -> None:
    folder = Path(tempfile.mkdtemp())  # not pytest's, which other accounts cannot enter
    other = None
    try:
        with opened(folder / "a?b.db") as store:
            store.add_dataset(dataset(0))
            store.add_runs([run(dataset(0), 1)])
            if is_written_to:  # by a process that holds the log open
                other = sqlite3.connect(folder / "a?b.db")
                other.execute("SELECT count(*) FROM runs").fetchone()
                store.add_runs([run(dataset(0), 2)])
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", _READ_AS_SOMEBODY_ELSE, str(folder / "a?b.db")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        if other is not None:
            other.close()
        folder.chmod(0o755)
        shutil.rmtree(folder)
    assert done.stdout.strip().startswith("2 Meta" if is_written_to else "1 Meta"), done.stderr


_AS_SOMEBODY_ELSE = """
import os, sys
import alembic.migration, alembic.operations, alembic.script, pyarrow.csv, sqlalchemy.dialects.sqlite
from automl_meta.exceptions import StoreError
from automl_meta.records import Source
from automl_meta.store import MetadataStore

if os.getuid() == 0:
    os.setuid(65534)  # nothing is read-only to root
for path in sys.argv[1:]:
    try:
        with MetadataStore(path, seed=False) as store:
            store.add_source(Source("new"))
    except StoreError as error:
        print(error)
"""


def test_a_folder_that_cannot_be_written_is_told() -> None:
    folder = Path(tempfile.mkdtemp())  # not pytest's, which other accounts cannot enter
    try:
        with opened(folder / "old.db") as store:
            store.add_dataset(dataset(0))
        (folder / "old.db").chmod(0o444)
        folder.chmod(0o555)
        paths = [str(folder / "old.db"), str(folder / "new.db"), str(folder / "new" / "new.db")]
        command = [sys.executable, "-c", _AS_SOMEBODY_ELSE, *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
    old, new, new_folder = done.stdout.strip().splitlines()
    assert "the file or its folder is read-only" in old
    assert "Check the permissions of its folder." in new
    assert "cannot be created: Permission denied" in new_folder
    assert all("--store" in message for message in (old, new, new_folder))


def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    with opened(tmp_path / "store.db") as store:
        store.add_dataset(dataset(0))
        store.add_runs([run(dataset(0), 1)])
        pages = sqlite3.connect(store.path).execute("PRAGMA page_count").fetchone()[0]

        def is_full(connection: sqlite3.Connection, _: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        event.listen(Engine, "connect", is_full)
        try:
            with pytest.raises(StoreError, match="the disk is full"):
                store.add_runs([run(dataset(0), number) for number in range(1000)])
        finally:
            event.remove(Engine, "connect", is_full)
    with opened(tmp_path / "store.db") as store:
        assert len(store.run_ids()) == 1
        assert store.check() == []


def test_a_store_that_stays_locked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl_meta.store.failures.BUSY_SECONDS", 0.1)
    path = tmp_path / "store.db"
    with opened(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process"):
            store.add_dataset(dataset(0))
        assert len(store.datasets()) == 0  # reading goes on
        other.execute("ROLLBACK")
        other.close()
        store.add_dataset(dataset(0))


def test_a_lock_that_passes_is_waited_for_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl_meta.store.failures.NOTICE_SECONDS", 0.05)
    with opened(tmp_path / "store.db") as store:
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("automl_meta.store.failures.time.sleep", lambda seconds: other.rollback())
        with pytest.warns(AutomlMetaWarning, match="is locked or does not answer; trying again"):
            store.add_dataset(dataset(0))
        other.close()
        assert len(store.datasets()) == 1


def test_a_file_that_is_locked_while_it_is_opened_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(1.5, other.rollback)
    release.start()
    with opened(tmp_path / "store.db") as store:
        assert len(store.datasets()) == 0
    release.join()
    other.close()


@pytest.mark.parametrize(
    ("is_default", "remedy"),
    [(True, "; the next command creates a new one"), (False, "`store import` then create")],
)
def test_who_creates_a_store_in_place_of_a_damaged_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_default: bool, remedy: str
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"no database " * 1000)
    monkeypatch.setenv("AUTOML_META_STORE", str(path if is_default else tmp_path / "other.db"))
    with pytest.raises(StoreError, match=rf"is damaged.* \(mv .*{re.escape(remedy)}"):
        opened(path)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"cannot be used: .*Check that the server is running") as caught:
        opened("postgresql+psycopg://me:secret@127.0.0.1:1/experience")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_is_not_shown(postgres_url: str) -> None:
    with opened(postgres_url.replace("tester@", "tester:secret@")) as store:
        assert "secret" not in store.url
        assert "secret" not in repr(store)
        assert store.path is None
        assert store.info()["bytes"] is None


@pytest.mark.parametrize("url", ["nosuch://host/database", "postgresql+nosuch://host/database", "://"])
def test_a_url_of_no_known_kind_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="sqlite://"):
        opened(url)


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(MissingDependencyError, match="pip install pg8000"):
        opened("postgresql+pg8000://host/database")


def test_a_store_of_a_newer_version_is_not_touched(shared_url: str) -> None:
    opened(shared_url).close()
    with connected(shared_url) as connection:
        connection.exec_driver_sql("UPDATE automl_meta_version SET version_num = '9999'")
    with pytest.raises(StoreVersionError, match=r"schema 9999.* supports 0002 and older. Update automl_meta"):
        opened(shared_url)


def test_other_errors_of_the_database_are_store_errors_too(file_store: MetadataStore) -> None:
    with connected(file_store.path) as connection:
        connection.exec_driver_sql("DROP TABLE run_folds")
    with pytest.raises(StoreError, match="no such table") as caught:
        list(file_store.runs())
    assert "[SQL" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OperationalError)
