import os
import signal

import pytest

from automl_meta.automl.interruption import Interruption


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Work:
    def __init__(self) -> None:
        self.interruption = Interruption()
        self.done: list[str] = []

    def press_then_write(self) -> None:
        with self.interruption:
            press()
            self.done.append("written")
            with self.interruption.raised():
                self.done.append("never")

    def press_where_it_is_raised(self) -> None:
        with self.interruption, self.interruption.raised():
            try:
                press()
            finally:
                self.done.append("cleaned up")

    def press_twice(self) -> None:
        with self.interruption:
            press()
            press()


def test_ctrl_c_waits_for_a_place_where_nothing_is_half_done() -> None:
    work = Work()
    with pytest.raises(KeyboardInterrupt):
        work.press_then_write()
    assert work.interruption.came
    assert work.done == ["written"]


def test_ctrl_c_is_raised_there_at_once_and_what_cleans_up_is_not_disturbed() -> None:
    work = Work()
    with pytest.raises(KeyboardInterrupt):
        work.press_where_it_is_raised()
    assert work.done == ["cleaned up"]


def test_the_second_ctrl_c_is_raised_anywhere() -> None:
    with pytest.raises(KeyboardInterrupt):
        Work().press_twice()


def test_a_handler_of_somebody_else_stays() -> None:
    got = []
    before = signal.signal(signal.SIGINT, lambda number, frame: got.append(number))
    try:
        with Interruption() as interruption, interruption.raised():
            press()
    finally:
        signal.signal(signal.SIGINT, before)
    assert got == [signal.SIGINT]
    assert not interruption.came
