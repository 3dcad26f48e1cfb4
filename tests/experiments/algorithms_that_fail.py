"""Algorithms that hang, eat memory and die, to be sent to a worker."""

import os
import signal
import time
from collections.abc import Mapping
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
        return super().fit(X, y)


def _preprocessing(task: TabularTask, seed: int) -> BaseEstimator:
    return ordinal_codes(task, seed, keep_missing=True)


class MakeFailing:
    def __init__(self, how: str) -> None:
        self.how = how

    def __call__(self, parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
        return Failing(self.how)


def failing(how: str) -> Algorithm:
    return Algorithm("failing", "classification", how, SearchSpace(), {}, MakeFailing(how), _preprocessing)
