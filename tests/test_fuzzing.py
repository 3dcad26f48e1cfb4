"""The harness itself: what it calls an answer, an error, a traceback, a crash and a hang."""

import os
import signal
import time

import numpy as np
import pytest
from damage import damaged, damaged_json
from fuzzing import Child

from automl_meta._utils.budget import Budget


def test_an_answer_an_error_and_a_traceback_are_told_apart(child) -> None:
    assert child.run(len, "abc").kind == "ok"
    assert child.run(os.stat, "/nowhere").kind == "traceback"
    assert child.run(Budget, -1).kind == "error"


def test_a_child_that_dies_is_replaced(child) -> None:
    assert child.run(signal.raise_signal, signal.SIGSEGV)[:2] == ("crash", "SIGSEGV")
    assert child.run(len, "abc").kind == "ok"


def test_a_child_that_hangs_is_ended() -> None:
    with Child(seconds=0.2) as impatient:
        assert impatient.run(time.sleep, 1000).kind == "hang"


@pytest.mark.parametrize("seed", range(20))
def test_damage_is_repeatable(seed: int) -> None:
    content = bytes(range(256)) * 4
    first, second = (damaged(content, np.random.default_rng(seed)) for _ in range(2))
    assert first == second
    value = {"a": [1, "2", {"b": None}], "c": "x"}
    first, second = (repr(damaged_json(value, np.random.default_rng(seed))) for _ in range(2))
    assert first == second
