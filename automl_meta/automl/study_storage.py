"""Optuna studies in plain Optuna storages, shared by processes and resumed after a crash."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.trial import FrozenTrial

from automl_meta._utils.databases import database_file, parse_url, shown_url, without_secrets
from automl_meta._utils.optuna_studies import database_address, is_journal, readable, require_studies
from automl_meta.automl.journal import Journal
from automl_meta.automl.retrying import STORAGE_ERRORS, RetryingStorage, reason_of
from automl_meta.automl.turn import Turn
from automl_meta.exceptions import UsageError

__all__ = [
    "open_storage",
    "open_study",
    "predictions_of",
    "quiet",
    "save_predictions",
]

_ATTRIBUTE = "automl_meta"
_PREDICTIONS = "automl_meta:predictions"
_LONGEST_PREDICTIONS = 1 << 20  # characters of one trial; keeps the study small
_MOST_BYTES = 64 << 20  # unpacked predictions of one trial
_BRACES = str.maketrans({"{": "{{", "}": "}}"})
_LOCK_SECONDS = 120.0  # timeout of a locked SQLite database


def open_storage(storage: str | Path | BaseStorage | None, *, create: bool = True) -> BaseStorage:
    """Open a storage of studies.

    Parameters
    ----------
    storage : str, Path, BaseStorage or None
        Any SQLAlchemy URL; a file, which is a journal if it ends in ``.log`` or ``.journal`` and
        an SQLite database otherwise; an Optuna storage, which is returned as it is; None is a
        storage in memory.
    create : bool
        Whether to create a storage that does not exist.

    Returns
    -------
    BaseStorage
        Optuna storage.

    Raises
    ------
    UsageError
        If the storage cannot be opened, or does not exist and is not to be created.
    """
    if storage is None:
        return InMemoryStorage()
    if isinstance(storage, BaseStorage):
        return storage
    text = str(storage)
    if not create:
        require_studies(text)
    if is_journal(text):
        if create:
            _require_folder(Path(text))
        with readable(f"The journal {text}"):
            return JournalStorage(Journal(text))
    address = database_address(text)
    url = parse_url(address)
    file = database_file(url)
    if create and file is not None:
        _require_folder(file)
    try:
        options: dict[str, Any] = {}
        if url.get_backend_name() == "sqlite":
            options = {"connect_args": {"timeout": _LOCK_SECONDS}}
        with Turn(url, "tables"):  # processes that create the tables at the same time would collide
            # Optuna formats the URL as a template.
            return optuna.storages.get_storage(RDBStorage(address.translate(_BRACES), options))
    except (*STORAGE_ERRORS, ImportError, ValueError, RuntimeError, AssertionError) as error:
        reason = without_secrets(reason_of(error), url)
        raise UsageError(f"The storage {shown_url(text)} cannot be opened: {reason}") from error


def _require_folder(file: Path) -> None:
    """Fail at once where waiting, as for an unreachable server, would not help."""
    if not os.access(file.parent, os.W_OK):
        raise UsageError(
            f"The storage {file} cannot be opened: its folder does not exist or is not writable."
        )


def open_study(
    storage: BaseStorage, name: str | None, about: Mapping[str, Any], *, resume: bool = False
) -> optuna.Study:
    """Open or create a study, and check that it is about the same problem.

    Parameters
    ----------
    storage : BaseStorage
        Storage of the study.
    name : str, optional
        Name of the study, by which other processes join; a new name by default.
    about : mapping of str to value
        Plain values that all trials have in common; the process that creates the study writes them.
        ``seed`` and ``folds`` may differ: those of the study are used.
    resume : bool
        Whether the study has to exist already.

    Returns
    -------
    Study
        Optuna study.

    Raises
    ------
    UsageError
        If the study is about another problem, minimises, or is to be resumed and does not exist.
    """
    storage = RetryingStorage.around(optuna.storages.get_storage(storage))
    with readable(f"The study {name!r}"):
        return _opened(storage, name, about, resume)


def _opened(storage: BaseStorage, name: str | None, about: Mapping[str, Any], resume: bool) -> optuna.Study:
    known = name in storage_names(storage)
    if resume and not known:
        raise UsageError(
            f"There is no study {name!r} to resume. Leave out resume, or give the name of an existing study."
        )
    with quiet(), contextlib.suppress(optuna.exceptions.DuplicatedStudyError):
        number = storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], name)
        name = storage.get_study_name_from_id(number)
    sampler = optuna.samplers.RandomSampler(seed=0)  # never asked: all values are enqueued
    study = optuna.Study(str(name), storage, sampler=sampler)
    with Turn.of_study(study):
        found = study.user_attrs.get(_ATTRIBUTE)
        if found is None:
            study.set_user_attr(_ATTRIBUTE, dict(about))
            found = dict(about)
    if len(study.directions) > 1:
        raise UsageError(
            f"The study {study.study_name!r} has {len(study.directions)} objectives; a search has one."
        )
    if study.direction != optuna.study.StudyDirection.MAXIMIZE:
        raise UsageError(f"The study {study.study_name!r} minimises; scores here are greater-is-better.")
    if not isinstance(found, Mapping):
        raise UsageError(
            f"The study {study.study_name!r} was not created by automl_meta. Choose another study name."
        )
    for key, value in about.items():
        if key not in ("seed", "folds") and found.get(key) != value:
            raise UsageError(
                f"The study {study.study_name!r} has another {key}: {found.get(key)!r}, not {value!r}. "
                "Choose another study name."
            )
    return study


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the line that Optuna logs for each new study."""
    logger = logging.getLogger("optuna.storages")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def storage_names(storage: BaseStorage) -> set[str]:
    """Names of the studies in a storage."""
    return {study.study_name for study in storage.get_all_studies()}


def save_predictions(study: optuna.Study, trial_id: int, responses: Mapping[str, NDArray]) -> None:
    """Save the out-of-fold predictions of a trial with it, so that any process can use them.

    Probabilities have half precision, numbers single precision; large predictions are not saved.
    """
    if isinstance(study._storage, InMemoryStorage) or not responses:
        return
    chosen = responses.get("predict_proba", responses["predict"])
    small = chosen.astype(np.float16 if "predict_proba" in responses else np.float32)
    buffer = io.BytesIO()
    np.save(buffer, small if chosen.dtype.kind == "f" else chosen.astype(np.int32), allow_pickle=False)
    text = base64.b64encode(zlib.compress(buffer.getvalue(), 6)).decode()
    if len(text) <= _LONGEST_PREDICTIONS:
        study._storage.set_trial_system_attr(trial_id, _PREDICTIONS, text)


def predictions_of(trial: FrozenTrial) -> dict[str, NDArray]:
    """Predictions that `save_predictions` saved; empty if there are none, or they are not valid.

    Others may write to a study, so the unpacked size is limited.
    """
    text = trial.system_attrs.get(_PREDICTIONS)
    kept = _unpacked(text) if isinstance(text, str) and len(text) <= _LONGEST_PREDICTIONS else None
    if kept is None or not np.isfinite(kept).all():
        return {}
    if kept.ndim == 2:
        probabilities = kept.astype(np.float64)
        return {"predict": probabilities.argmax(axis=1), "predict_proba": probabilities}
    return {"predict": kept.astype(np.float64 if kept.dtype.kind == "f" else np.int64)}


def _unpacked(text: str) -> NDArray | None:
    """Unpack an array with a dtype that `save_predictions` writes; None otherwise."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(base64.b64decode(text), _MOST_BYTES)
        header = io.BytesIO(content)
        np.lib.format.read_magic(header)
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(header)
    except (ValueError, TypeError, zlib.error):
        return None
    body = content[header.tell() :]
    is_expected = dtype.str in ("<f2", "<f4", "<i4") and len(shape) in (1, 2) and min(shape) > 0
    if not unpacker.eof or not is_expected or math.prod(shape) * dtype.itemsize != len(body):
        return None
    return np.frombuffer(body, dtype).reshape(shape, order="F" if is_fortran else "C")
