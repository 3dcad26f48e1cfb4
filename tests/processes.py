"""Work that several processes do at the same moment, and what is left of processes that were killed."""

import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import psutil

_MARK = "AUTOML_META_TESTED"


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
