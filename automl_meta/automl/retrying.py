"""RetryingStorage: a storage of studies that outlasts short outages of what is behind it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.storages import BaseStorage, InMemoryStorage

from automl_meta.exceptions import AutomlMetaWarning, DataError, StudyError

__all__ = ["STORAGE_ERRORS", "RetryingStorage", "patiently"]

STORAGE_ERRORS = (optuna.exceptions.StorageInternalError, sa.exc.SQLAlchemyError, OSError)
"""What the storage of a study fails with when its disk is full or its server is away."""

_PATIENCE_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds


def patiently(call: Callable[[], Any]) -> Any:
    """Call, and call again for half a minute while the storage of the study does not work.

    Raises
    ------
    StudyError
        If it still does not work then, or its content is damaged.
    """
    started, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            return call()
        except DataError as error:
            raise StudyError(str(error)) from error
        except STORAGE_ERRORS as error:
            reason = reason_of(error)
            if time.monotonic() - started > _PATIENCE_SECONDS:
                raise StudyError(f"The storage of the study does not work: {reason}.") from error
            if pause == _FIRST_PAUSE:
                warnings.warn(
                    f"The storage of the study does not work ({reason}); it is tried again for "
                    f"{_PATIENCE_SECONDS:.0f} s.",
                    AutomlMetaWarning,
                    stacklevel=2,
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def reason_of(error: BaseException) -> str:
    """One line: what the driver of the database, or the system, said."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


class RetryingStorage(BaseStorage):
    """A storage of studies that outlasts short outages of what is behind it.

    Each call is made again until it succeeds, for half a minute at most; then a StudyError ends it.

    Parameters
    ----------
    inner : BaseStorage
        Of Optuna.
    """

    def __init__(self, inner: BaseStorage) -> None:
        self.inner = inner

    @classmethod
    def around(cls, storage: BaseStorage) -> BaseStorage:
        """Wrap a storage once; memory has no outages."""
        return storage if isinstance(storage, (cls, InMemoryStorage)) else cls(storage)


def _retrying(name: str) -> Callable[..., Any]:
    def method(self: RetryingStorage, *arguments: Any, **options: Any) -> Any:
        return patiently(lambda: getattr(self.inner, name)(*arguments, **options))

    method.__name__ = name
    return method


# Every operation of a storage, also those that are not abstract: a cache may know better than the base class.
for _name, _value in vars(BaseStorage).items():
    if not _name.startswith("_") and callable(_value):
        setattr(RetryingStorage, _name, _retrying(_name))
RetryingStorage.__abstractmethods__ = frozenset()
