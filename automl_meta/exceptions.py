"""Errors and warnings of automl_meta.

Each error says what came, what was expected and what to do. The tree::

    AutomlMetaError (Exception)
    ├── UsageError (ValueError)       an argument or an option is wrong
    ├── DataError (ValueError)        the data cannot be used
    ├── StoreError                    the metadata store cannot be read or written
    │   └── StoreVersionError         it was made by a newer version of automl_meta
    ├── NoExperienceError             the store knows no run that could advise
    ├── StudyError                    the storage of an Optuna study cannot be read or written
    ├── TrainingError                 meta-training did not come to a useful end
    ├── WorkerError                   processes for evaluations could not be started
    └── MissingDependencyError (ImportError)   an extra is not installed

    AutomlMetaWarning (UserWarning)   something was decided for the user
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
    """Base of all errors that automl_meta raises on purpose."""


class UsageError(AutomlMetaError, ValueError):
    """An argument or an option is wrong."""


class DataError(AutomlMetaError, ValueError):
    """The data cannot be used."""


class StoreError(AutomlMetaError):
    """The metadata store cannot be read or written."""


class StoreVersionError(StoreError):
    """The metadata store was made by a newer version of automl_meta."""


class NoExperienceError(AutomlMetaError):
    """The store knows no run that could advise."""


class StudyError(AutomlMetaError):
    """The storage of an Optuna study cannot be read or written."""


class TrainingError(AutomlMetaError):
    """Meta-training did not come to a useful end."""


class WorkerError(AutomlMetaError):
    """No process for evaluations could be started, also after several tries."""


class MissingDependencyError(AutomlMetaError, ImportError):
    """An optional dependency is not installed."""


class AutomlMetaWarning(UserWarning):
    """Something was decided for the user, who should know."""
