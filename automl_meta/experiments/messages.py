"""Messages between an `Evaluator` and its worker: pickled, each preceded by its length."""

from __future__ import annotations

import io
import pickle
import struct
from dataclasses import dataclass
from typing import Any, Literal

from automl_meta.algorithms import Algorithm
from automl_meta.experiments.fitting import reason_of
from automl_meta.experiments.folds import Folds
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

__all__ = ["Question", "Unreadable", "packed", "receive", "send"]

_HEADER = struct.Struct("<Q")


@dataclass(frozen=True)
class Question:
    """Request to the worker to evaluate a configuration, or to fit it on all rows.

    None for the task or the protocol means that of the previous question.
    """

    kind: Literal["evaluate", "fit"]
    configuration: Configuration
    task: TabularTask | None
    protocol: Protocol | Folds | None
    algorithm: Algorithm | None


@dataclass(frozen=True)
class Unreadable:
    """Replaces a message that could not be pickled or unpickled."""

    reason: str


def packed(message: Any) -> bytes | Unreadable:
    """Pickle a message; objects of the user in it may raise any error."""
    # Pickle is safe here: this library is on both ends of the pipe.
    try:
        return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - raised by methods of the user's objects
        return Unreadable(reason_of(error))


def send(stream: io.RawIOBase, content: bytes) -> None:
    """Write one pickled message, in as many parts as the pipe requires."""
    for part in (_HEADER.pack(len(content)), content):
        left = memoryview(part)
        while left:
            left = left[stream.write(left) or 0 :]


def receive(stream: io.RawIOBase) -> Any:
    """Read one message.

    Returns
    -------
    object
        An `Unreadable` if it cannot be unpickled here; the next message can still be read.

    Raises
    ------
    EOFError
        If the other end has closed the pipe.
    """
    (size,) = _HEADER.unpack(_read(stream, _HEADER.size))
    content = _read(stream, size)
    try:
        return pickle.loads(content)
    except Exception as error:  # noqa: BLE001 - raised by imports of the user's objects
        return Unreadable(reason_of(error))


def _read(stream: io.RawIOBase, size: int) -> bytearray:
    content = bytearray(size)
    left = memoryview(content)
    while left:
        n_read = stream.readinto(left)
        if not n_read:
            raise EOFError
        left = left[n_read:]
    return content
