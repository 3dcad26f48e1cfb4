"""Errors and warnings of automl_meta.

Each message says which value was given, what was expected and what to do. The hierarchy::

    AutomlMetaError (Exception)
    ├── UsageError (ValueError)       an argument or an option is invalid
    ├── DataError (ValueError)        the data cannot be used
    ├── StoreError                    the metadata store cannot be read or written
    │   └── StoreVersionError         the store was created by a newer version of automl_meta
    ├── NoExperienceError             the store holds no run to base a recommendation on
    ├── StudyError                    the storage of an Optuna study cannot be read or written
    ├── TrainingError                 meta-training failed
    ├── WorkerError                   no worker process for evaluations could be started
    └── MissingDependencyError (ImportError)   an optional dependency is not installed

    AutomlMetaWarning (UserWarning)   a decision was made on the user's behalf
"""

from __future__ import annotations

__all__ = [
    "AutomlMetaError",
    "AutomlMetaWarning",
    "DataError",
    "MissingDependencyError",
    "NoExperienceError",
    "StoreError",
    "StoreVersionError",
    "StudyError",
    "TrainingError",
    "UsageError",
    "WorkerError",
]


class AutomlMetaError(Exception):
    """Base class of all errors that automl_meta raises deliberately."""


class UsageError(AutomlMetaError, ValueError):
    """An argument or an option is invalid."""


class DataError(AutomlMetaError, ValueError):
    """The data cannot be used."""


class StoreError(AutomlMetaError):
    """The metadata store cannot be read or written."""


class StoreVersionError(StoreError):
    """The metadata store was created by a newer version of automl_meta."""


class NoExperienceError(AutomlMetaError):
    """The store holds no run to base a recommendation on."""


class StudyError(AutomlMetaError):
    """The storage of an Optuna study cannot be read or written."""


class TrainingError(AutomlMetaError):
    """Meta-training failed."""


class WorkerError(AutomlMetaError):
    """No worker process for evaluations could be started, even after several attempts."""


class MissingDependencyError(AutomlMetaError, ImportError):
    """An optional dependency is not installed."""


class AutomlMetaWarning(UserWarning):
    """A decision was made on the user's behalf."""
