"""Journal: Optuna's journal file, which survives a full disk and a crash in the middle of a line."""

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
_GRACE_SECONDS = 10  # then the owner of the lock was killed: a line takes milliseconds


class Journal(JournalFileBackend):
    """Optuna's journal file, whose last line is repaired if it is incomplete.

    Optuna appends to an incomplete line that a full disk or a crash has left, and cannot read the
    file after that. Here such a line is removed, under the lock, before anything is appended, and
    an incomplete append is undone.

    Parameters
    ----------
    path : str or Path
        Path of the file; created if it does not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self._own_lock = JournalFileSymlinkLock(str(path), grace_period=_GRACE_SECONDS)
        super().__init__(str(path), self._own_lock)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Read the records from a number on.

        Raises
        ------
        DataError
            If a line other than the last one is not a record.
        """
        try:
            for record in super().read_logs(log_number_from):
                if not isinstance(record, dict):
                    raise ValueError("a line is no record")
                yield record
        except ValueError as error:  # includes decoding errors
            raise DataError(
                f"The journal {self._file_path} is damaged: {error}. Restore a backup, or start a new one."
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
    """Position after the last line break."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
