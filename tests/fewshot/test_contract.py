import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="the extra fewshot is not installed")

from contracts import few_shot_learners

from automl_meta.fewshot import ArraySource, DigitsSource, TabularSource
from automl_meta.testing.fewshot import FewShotLearnerContract, TaskSourceContract

LEARNERS = few_shot_learners()
FIRST_ORDER = ("fomaml", "reptile")
SECOND_ORDER = [name for name in LEARNERS if name not in FIRST_ORDER]


@pytest.mark.parametrize("member", [LEARNERS[name] for name in SECOND_ORDER], ids=SECOND_ORDER)
class TestLearners(FewShotLearnerContract):
    pass


@pytest.mark.parametrize("member", [LEARNERS[name] for name in FIRST_ORDER], ids=FIRST_ORDER)
class TestFirstOrderLearners(FewShotLearnerContract):
    loss_is_a_function = False  # FOMAML takes the steps as constants, Reptile moves to where they end


def _sources():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=60), "b": ["u", "v", "w"] * 20, "c": ["p", "q", "r", "s"] * 15}
    )
    y = np.repeat(["one", "two", "three", "four"], [5, 6, 7, 20])
    return {
        "digits": DigitsSource(),
        "images": ArraySource(rng.integers(0, 256, (38, 4, 5), dtype=np.uint8), y),
        "groups": ArraySource(rng.normal(size=(38, 3)), y, groups=[1] * 11 + [2] * 27),
        "table": TabularSource(frame, "c"),
        "tables": TabularSource({"first": frame, "second": frame.sample(frac=1, random_state=0)}, "c"),
    }


SOURCES = _sources()


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
class TestSources(TaskSourceContract):
    pass
