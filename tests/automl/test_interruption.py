import os
import signal
from typing import Any

import pytest

from automl_meta import AutoMLClassifier, TabularTask
from automl_meta.automl import finishing
from automl_meta.automl.interruption import Interruption
from automl_meta.exceptions import AutomlMetaWarning
from automl_meta.experiments import InProcessEvaluator


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


def test_the_second_ctrl_c_is_raised_anywhere_while_the_first_waits() -> None:
    with pytest.raises(KeyboardInterrupt):
        Work().press_twice()


def test_one_that_was_raised_is_over() -> None:
    interruption = Interruption()
    with interruption:
        with pytest.raises(KeyboardInterrupt), interruption.raised():
            press()
        with interruption.raised():
            press_is_over = True
    assert press_is_over
    assert interruption.came


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


@pytest.mark.parametrize(
    ("place", "name"),
    [(finishing, "ranked_trials"), (finishing, "greedy_weights"), (InProcessEvaluator, "fit")],
)
def test_ctrl_c_after_the_search_costs_no_model(
    place: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = getattr(place, name)

    def pressed(*arguments: Any, **options: Any) -> Any:
        press()
        return known(*arguments, **options)

    monkeypatch.setattr(place, name, pressed)
    algorithms = ["dummy", "lda", "gaussian_nb"]
    model = AutoMLClassifier(n_trials=3, algorithms=algorithms, cv=2, store=False, random_state=0)
    with pytest.warns(AutomlMetaWarning, match="the best so far was fitted"):
        model.fit(TabularTask.bundled("iris"))
    assert model.interrupted_
    assert str(model.best_configuration_) in model.model_.configurations
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
