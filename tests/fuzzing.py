"""Fuzzing: a child process that reads damaged files and may die.

A `Child` calls a function in a process of its own and reports how each call ended: an answer, an error of automl_meta in
one line, or one of the three forbidden outcomes (`BAD`). `fuzz` calls it with seeded damage and counts the outcomes.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import psutil
from damage import Damage

from automl_meta.exceptions import AutomlMetaError

_WAITING = 12
BAD = ("traceback", "crash", "hang")


class Outcome(NamedTuple):
    """How one call ended: kind is ok, error (one line), traceback, crash or hang."""

    kind: str
    text: str
    seconds: float


class Child:
    """A process that calls functions of importable modules, and is replaced when it dies or hangs.

    Parameters
    ----------
    seconds : float
        Of work that one call may take; twelve times as much may pass.
    memory : int
        Bytes that the process may hold; beyond them a call ends with a MemoryError, which counts as a traceback.
    """

    def __init__(self, seconds: float = 5.0, memory: int = 4 << 30) -> None:
        self.seconds, self.memory = seconds, memory
        self._process: Any = None
        self._connection: Connection | None = None
        self._first: tuple[Callable[..., object], tuple] | None = None

    def prepare(self, function: Callable[..., object], *arguments: object) -> Outcome:
        """Call what each new process is to call first, in as long as its imports take."""
        self._first = function, arguments
        return self._prepared()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, function: Callable[..., object], *arguments: object) -> Outcome:
        """Call a function with arguments that can be pickled, and say how it ended."""
        if self._connection is None and self._first is not None:
            self._prepared()
        return self._called(function, arguments, self.seconds)

    def _prepared(self) -> Outcome:
        assert self._first is not None
        return self._called(*self._first, 120.0)

    def _called(self, function: Callable[..., object], arguments: tuple, seconds: float) -> Outcome:
        connection = self._started()
        begin = time.monotonic()
        before = self._cpu_seconds()
        connection.send((function, arguments))
        while not connection.poll(0.2):
            spent, passed = self._cpu_seconds() - before, time.monotonic() - begin
            if spent > seconds or passed > _WAITING * seconds:  # a loaded machine is no hang
                self._end()
                return Outcome("hang", f"no answer after {spent:.1f} s of work, {passed:.0f} s", passed)
        try:
            kind, text = connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            self._end()
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return Outcome("crash", name, time.monotonic() - begin)
        return Outcome(kind, text, time.monotonic() - begin)

    def _cpu_seconds(self) -> float:
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def _started(self) -> Connection:
        if self._connection is None:
            context = multiprocessing.get_context("spawn")
            self._connection, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other, self.memory), daemon=True)
            self._process.start()
            other.close()
            self._connection.recv()  # it has started
        return self._connection

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


def _serve(connection: Connection, memory: int) -> None:
    """Answer calls until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    warnings.simplefilter("ignore")
    connection.send("started")
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        connection.send(_called(function, arguments))


def _called(function: Callable[..., object], arguments: tuple) -> tuple[str, str]:
    try:
        return "ok", repr(function(*arguments))[:300]
    except AutomlMetaError as error:
        text = str(error)
        return ("error" if text.strip() and "\n" not in text.strip() else "traceback"), text[:2000]
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return "traceback", f"{type(error).__name__}: {str(error)[:300]} ({place})"


class Tally(NamedTuple):
    """What came of all tries: how many of each kind, and the bad ones with their seeds."""

    name: str
    tries: int
    kinds: Counter[str]
    bad: list[tuple[int, Outcome]]
    seconds: float
    slowest: float

    HEADER = "name | tries | answers | refused | tracebacks | crashes | hangs | seconds | slowest"

    @property
    def line(self) -> str:
        """A row of a table."""
        counts = (self.kinds[kind] for kind in ("ok", "error", *BAD))
        return " | ".join(
            [self.name, str(self.tries), *map(str, counts), f"{self.seconds:.1f}", f"{self.slowest:.2f}"]
        )


def fuzz(
    child: Child,
    function: Callable[[Path], object],
    intact: Path,
    folder: Path,
    seeds: Iterable[int],
    damage: Damage,
    name: str = "",
) -> Tally:
    """Damage a file by each seed, in turn, and call a function with the path of what came of it.

    Each new process reads the intact file first, so that what it imports takes none of the time.
    """
    content = intact.read_bytes()
    prepared = child.prepare(function, intact)
    if prepared.kind != "ok":
        raise ValueError(f"{intact} is not read before it is damaged: {prepared}")
    outcomes, begin = [], time.monotonic()
    path = folder / intact.name
    for seed in seeds:
        path.write_bytes(damage(content, np.random.default_rng(seed)))
        outcomes.append((seed, child.run(function, path)))
    path.unlink(missing_ok=True)
    return Tally(
        name or intact.name,
        len(outcomes),
        Counter(outcome.kind for _, outcome in outcomes),
        [(seed, outcome) for seed, outcome in outcomes if outcome.kind in BAD],
        time.monotonic() - begin,
        max(outcome.seconds for _, outcome in outcomes),
    )
