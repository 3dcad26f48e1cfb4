"""Owners: which process runs a trial, and whether it is alive."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import platform
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
import psutil
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from automl_meta.automl.retrying import STORAGE_ERRORS
from automl_meta.automl.trials import ALIVE, last_sign

__all__ = ["OWNER", "Owners", "signs_of_life", "this_process"]

OWNER = "process"
"""User attribute: `this_process` of the process that runs the trial."""

_SIGN_SECONDS = 5.0  # between two signs of life
_SILENT_SECONDS = 60.0  # without one, by the clock of the waiting process: then a process counts as dead
_LONG_AGO = 600.0  # by the clocks of both machines, which may differ by less: dead without waiting


def this_process() -> dict[str, Any]:
    """Describe this process, so that others can tell whether it has died."""
    return {**_place(), "pid": os.getpid(), "born": psutil.Process().create_time()}


class Owners:
    """Finds running trials that were lost with their process.

    A process of the same boot and namespace is looked up. Any other process, such as one in another container or
    on another machine, counts as dead after a minute without a sign of life.
    """

    def __init__(self) -> None:
        self._search = uuid.uuid4().hex
        self._seen: dict[int, tuple[float, float]] = {}  # by trial: its last sign, and our clock at the time

    @property
    def label(self) -> dict[str, Any]:
        """Owner of a trial: this process, and the search within it."""
        return {**this_process(), "search": self._search}

    def end_lost_trials(self, study: optuna.Study, own: Collection[int] = ()) -> None:
        """Mark running trials whose processes have died as failed.

        Parameters
        ----------
        study : Study
            Optuna study.
        own : collection of int
            Numbers of the trials that this search is running.
        """
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.number in own or not self._has_lost_its_process(trial):
                continue
            storage, number = study._storage, trial._trial_id
            with contextlib.suppress(
                optuna.exceptions.UpdateFinishedTrialError
            ):  # another process was faster
                storage.set_trial_user_attr(number, "status", "lost")
                storage.set_trial_user_attr(number, "reason", "the process that ran it has died")
                storage.set_trial_state_values(number, TrialState.FAIL)

    def _has_lost_its_process(self, trial: FrozenTrial) -> bool:
        owner = trial.user_attrs.get(OWNER)
        if not isinstance(owner, Mapping):
            return False  # of another program, which may be alive
        here = _place()
        if all(
            owner.get(name, value) == value for name, value in here.items()
        ):  # version 0.1.0 wrote only the host
            return owner.get("search") == self._search or _is_dead(owner)
        sign, clock = last_sign(trial)[0], time.monotonic()
        if not math.isnan(sign) and time.time() - sign > _LONG_AGO:
            return True
        seen = self._seen.get(trial.number)
        if seen is None or not (seen[0] == sign or math.isnan(sign)):
            self._seen[trial.number] = sign, clock
            return False
        return clock - seen[1] > _SILENT_SECONDS


@contextlib.contextmanager
def signs_of_life(study: optuna.Study, trial_id: int) -> Iterator[None]:
    """Write a sign of life every few seconds within the context."""
    if isinstance(study._storage, InMemoryStorage):
        yield
        return
    ended, started = threading.Event(), time.monotonic()
    storage = getattr(study._storage, "inner", study._storage)  # a missed sign of life is not retried

    def say() -> None:
        while not ended.wait(_SIGN_SECONDS):
            sign = [time.time(), time.monotonic() - started]
            with contextlib.suppress(*STORAGE_ERRORS, optuna.exceptions.UpdateFinishedTrialError):
                storage.set_trial_user_attr(trial_id, ALIVE, sign)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(1.0)


@functools.cache
def _place() -> dict[str, str]:
    """Identify the process namespace: containers may share a host name, and differ in this."""
    return {"host": platform.node(), "boot": _boot(), "namespace": _namespace()}


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not on Linux
        return str(round(psutil.boot_time()))


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _is_dead(owner: Mapping[str, Any]) -> bool:
    pid, born = owner.get("pid"), owner.get("born")
    if not isinstance(pid, int) or not isinstance(born, (int, float)):
        return False
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - born) > 1.0
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return True
    except psutil.Error:
        return False
