"""Algorithms that hang, eat memory, fork and die, to be sent to a worker."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier

from automl_meta.algorithms import Algorithm, SearchSpace
from automl_meta.algorithms.preprocessing import ordinal_codes
from automl_meta.task import TabularTask


class Failing(DummyClassifier):
    def __init__(self, how: str = "hang") -> None:
        super().__init__()
        self.how = how

    def fit(self, X, y):
        if self.how == "hang":
            time.sleep(600)
        elif self.how == "eat":
            eaten = []
            while True:
                eaten.append(bytearray(os.urandom(1) * (16 << 20)))
        elif self.how == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif self.how == "exit":
            os._exit(7)
        elif self.how == "talk":
            os.write(1, b"noise on the wire " * 100)
            print("and more of it")  # noqa: T201
        elif self.how == "memory_error":
            raise MemoryError
        elif self.how == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self.how == "interrupt":
            os.killpg(0, signal.SIGINT)
        elif self.how == "end the parent":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
        elif self.how == "close all files":
            os.closerange(3, 256)
        elif self.how == "hang with children":
            _child(_hang)
            _child(_hang, detached=True)
            time.sleep(600)
        elif self.how == "leave children":
            _child(_hang)
            _child(_hang, detached=True)
        elif self.how == "return twice":
            if not os.path.exists(file := os.environ["PROCESSES_FILE"] + ".forked"):
                open(file, "w").close()
                os.fork()
        elif self.how == "share":
            shared = bytearray(os.urandom(1)) * (100 << 20)
            for _ in range(4):
                _child(lambda: time.sleep(0.4))  # so long that it is seen
            for _ in range(4):
                os.wait()
            del shared
        elif self.how == "child eats":
            _child(_eat)
            time.sleep(600)
        elif self.how == "cannot be sent":
            self.function_ = lambda: None
        return super().fit(X, y)


def _hang() -> None:
    time.sleep(600)


def _eat() -> None:
    """More than any limit of the tests, and not more than a machine has."""
    eaten = bytearray(os.urandom(1)) * (600 << 20)
    time.sleep(600)
    del eaten


def _child(work: Callable[[], None], detached: bool = False) -> None:
    """Fork, and note who it is where a test wants to know."""
    if os.fork() != 0:
        return
    if detached:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
    with open(os.environ["PROCESSES_FILE"], "a") as file:
        file.write(f"{os.getpid()}\n")
    work()
    os._exit(0)


def _preprocessing(task: TabularTask, seed: int) -> BaseEstimator:
    return ordinal_codes(task, seed, keep_missing=True)


class MakeFailing:
    def __init__(self, how: str) -> None:
        self.how = how

    def __call__(self, parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
        return Failing(self.how)


def failing(how: str) -> Algorithm:
    return Algorithm("failing", "classification", how, SearchSpace(), {}, MakeFailing(how), _preprocessing)
