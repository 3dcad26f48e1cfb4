"""Journal: Optuna's journal file, which here survives a full disk and a death in the middle of a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from automl_meta.exceptions import DataError

__all__ = ["Journal"]

_BLOCK = 1 << 16  # bytes
_GRACE_SECONDS = 10  # then whoever held the lock was killed: a line takes milliseconds


class Journal(JournalFileBackend):
    """Optuna's journal file, whose last line is mended where it was not written to its end.

    Optuna appends to what a full disk or a death has left of a line, and from then on cannot read the
    file. Here such a rest is cut off, under the lock, before anything is appended; and what cannot be
    appended as a whole is taken back.

    Parameters
    ----------
    path : str or Path
        Of the file; it is made if it is not there.
    """

    def __init__(self, path: str | Path) -> None:
        self._own_lock = JournalFileSymlinkLock(str(path), grace_period=_GRACE_SECONDS)
        super().__init__(str(path), self._own_lock)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Read the records from one on.

        Raises
        ------
        DataError
            If a line that is not the last one is no record.
        """
        try:
            for record in super().read_logs(log_number_from):
                if not isinstance(record, dict):
                    raise ValueError("a line is no record")
                yield record
        except ValueError as error:  # those of decoding are among them
            raise DataError(
                f"The journal {self._file_path} is damaged: {error}. Take a copy of it from before, or "
                "begin a new one."
            ) from error

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append records, all of them or none."""
        content = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in logs).encode()
        self._own_lock.acquire()
        try:
            with open(self._file_path, "r+b", buffering=0) as file:
                end = _end_of_last_line(file)
                try:
                    file.truncate(end)
                    file.seek(end)
                    _write(file, content)
                    os.fsync(file.fileno())
                except BaseException:
                    file.truncate(end)
                    raise
        finally:
            self._own_lock.release()


def _write(file: BinaryIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _end_of_last_line(file: BinaryIO) -> int:
    """The position after the last line break."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
