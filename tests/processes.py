"""Work that several processes do at the same moment, and what remains of processes that were killed."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil

_MARK = "AUTOML_META_TESTED"
FAST = ("dummy", "gaussian_nb", "knn", "lda")

ENDINGS = {
    "killed": (signal.SIGKILL, False),
    "Ctrl-C": (signal.SIGINT, True),
    "terminated": (signal.SIGTERM, False),
    "hung up": (signal.SIGHUP, True),
}
"""Ways to end a program: the signal, and whether its whole process group receives it, as from a terminal."""


def collect_command(n_samples: int) -> tuple[list[str], int]:
    """A `collect` of fast algorithms on two data sets, and the number of runs that it makes."""
    from automl_meta.algorithms import algorithms_for

    command = [
        sys.executable, "-m", "automl_meta.cli", "collect", "sklearn:iris", "sklearn:wine", "--no-shipped",
        "--only", ",".join(FAST), "--samples", str(n_samples), "--jobs", "2", "--json",
    ]  # fmt: skip
    found = algorithms_for("classification", only=FAST)
    return command, 2 * sum(len(algorithm.configurations(n_samples)) for algorithm in found)


def counts(found: Counter[str], *more: str) -> str:
    """The failures found, as columns of a table."""
    names = ("lost", "doubled", "tracebacks", "hangs", *more, "orphans", "leftovers")
    return " | ".join(f"{found[name]} {name}" for name in names)


def at_once(barrier, function, worker, *arguments):
    """Wait for the others, then do it."""
    barrier.wait()
    return function(worker, *arguments)


class Marked:
    """Programs that can be found with all that they start, wherever it goes, in a folder of their own.

    Each is the first of a process group, as a terminal would have it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "current"
        self.temporary = folder / "temporary"
        for each in (self.folder, self.temporary):
            each.mkdir()
        self._value = uuid.uuid4().hex
        self._pids: set[int] = set()

    def start(self, *command: object, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        ours = {_MARK: self._value, "TMPDIR": str(self.temporary)}
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=self.folder,
            env={**os.environ, **(environment or {}), **ours},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._pids.add(process.pid)
        return process

    def alive(self) -> list[psutil.Process]:
        """Those that run now."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self._value and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        self._pids.update(process.pid for process in found)
        return found

    def survivors(self, seconds: float = 60.0) -> list[psutil.Process]:
        """Those that still run after so long; ended then."""
        end = time.monotonic() + seconds
        while (found := self.alive()) and time.monotonic() < end:
            time.sleep(0.1)
        for process in found:
            process.kill()
        return found

    def end(
        self, process: subprocess.Popen[str], ending: str, seconds: float, found: Counter[str]
    ) -> tuple[int, str]:
        """End a program after some seconds unless it ends by itself, and count what it must not do.

        Returns its exit code and what it wrote to standard error.
        """
        sent, to_group = ENDINGS[ending]
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.alive()  # notes whose leftovers to look for
            (os.killpg if to_group else os.kill)(process.pid, sent)
        try:
            _, errors = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            found["hangs"] += 1
            process.kill()
            _, errors = process.communicate()
        is_starting = sent == signal.SIGINT and "automl_meta" not in errors  # Python itself
        if not is_starting and ("Traceback" in errors or process.returncode not in (0, -sent, 130)):
            found["tracebacks"] += 1
            sys.stdout.write(f"\n{ending}: {process.returncode} {errors[-2000:]}\n")
        self.count_remains(found)
        return process.returncode, errors

    def count_remains(self, found: Counter[str]) -> None:
        """Count the processes and files that remain."""
        survivors, leftovers = self.survivors(), self.leftovers()
        found["orphans"] += len(survivors)
        found["leftovers"] += len(leftovers)
        if survivors or leftovers:
            sys.stdout.write(f"\nremains: {survivors} {leftovers}\n")

    def leftovers(self) -> list[str]:
        """Temporary files, shared memory and core files that are left when none runs any more."""
        shared = Path("/dev/shm")
        owned = [
            path.name
            for path in (shared.iterdir() if shared.exists() else ())
            if any(f"{before}{pid}" in path.name for pid in self._pids for before in "-_")
        ]
        cores = [path.name for path in self.folder.iterdir() if path.name.startswith("core")]
        return owned + [path.name for path in self.temporary.iterdir()] + cores
