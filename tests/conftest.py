"""What tests of several rooms share: a PostgreSQL server of their own, and processes."""

import itertools
import multiprocessing
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from fuzzing import Child
from processes import at_once

_counter = itertools.count()


def _postgres_binaries() -> Path | None:
    """Debian keeps the server's programs off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _account() -> str | None:
    """Who runs the server: it refuses to be root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _call_postgres(folder: Path, program: str, *arguments: str) -> None:
    binaries = _postgres_binaries()
    assert binaries is not None
    subprocess.run(
        [str(binaries / program), "-D", str(folder / "data"), *arguments],
        check=True,
        user=_account(),
        cwd=folder,
        stdout=subprocess.DEVNULL,  # a pipe would be held open by the server
        timeout=120,
    )


def start_postgres(folder: Path) -> None:
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    _call_postgres(folder, "pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)


def stop_postgres(folder: Path) -> None:
    _call_postgres(folder, "pg_ctl", "stop", "-m", "immediate")


@pytest.fixture
def postgres_outage(postgres_server: Path) -> Callable[[float], None]:
    """Stop the server for some seconds."""

    def outage(seconds: float) -> None:
        stop_postgres(postgres_server)
        time.sleep(seconds)
        start_postgres(postgres_server)

    return outage


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """The folder of the socket of a server that lives as long as the tests."""
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    account = _account()
    # Not pytest's folder, which other accounts cannot enter; and short, as socket paths must be.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if account is not None:
        shutil.chown(folder, account)

    try:
        initial = ("-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        _call_postgres(folder, "initdb", *initial)
        start_postgres(folder)
        try:
            yield folder
        finally:
            stop_postgres(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Path) -> str:
    """An empty database."""
    import psycopg

    name = f"store_{next(_counter)}"
    with psycopg.connect(
        host=str(postgres_server), user="tester", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://tester@/{name}?host={postgres_server}"


@pytest.fixture(scope="session")
def in_processes() -> Iterator[Callable[..., list]]:
    """Call a function of a module of the tests in four processes at the same moment."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(4, mp_context=context) as pool:
        barrier = manager.Barrier(4, timeout=120)

        def call(function: Callable[..., object], *arguments: object) -> list:
            futures = [pool.submit(at_once, barrier, function, worker, *arguments) for worker in range(4)]
            return [future.result(timeout=180) for future in futures]

        yield call


@pytest.fixture(scope="session")
def child() -> Iterator[Child]:
    """A process that reads damaged files, and may die of it; each call has five seconds."""
    with Child() as child:
        yield child
