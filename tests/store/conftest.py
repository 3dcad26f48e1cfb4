"""The stores that the tests run on: an SQLite file, one in memory, and a PostgreSQL server."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from store import store_workers

from automl_meta.cli import main
from automl_meta.store import MetadataStore


@pytest.fixture(params=["file", "memory", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is still to be made, of each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["file", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that processes can share."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return str(tmp_path / "store.db")


@pytest.fixture
def store(url: str) -> Iterator[MetadataStore]:
    """An empty store of each kind."""
    with MetadataStore(url, seed=False) as opened:
        yield opened


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[MetadataStore]:
    """An empty store in a file."""
    with MetadataStore(tmp_path / "store.db", seed=False) as opened:
        yield opened


@pytest.fixture
def seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that takes the place of the shipped experience."""
    folder = tmp_path / "seed"
    with MetadataStore("sqlite://", seed=False) as source:
        store_workers.fill(source, n_datasets=3, n_configurations=4)
        source.export(folder)
    monkeypatch.setattr("automl_meta.store.seed.seed_folder", lambda: folder)
    return folder


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Call a command, written as in a shell, and say its exit code and what it printed."""

    def call(command: str, *arguments: object) -> SimpleNamespace:
        with pytest.raises(SystemExit) as ended:
            main([*shlex.split(command), *map(str, arguments)])
        out, err = capfd.readouterr()
        return SimpleNamespace(code=ended.value.code or 0, out=out, err=err)

    return call
