"""Optuna's own contract for samplers, without a history, with one, and with one that knows half of the space."""

from collections.abc import Callable

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    RelativeSamplerTestCase,
    SingleOnlySamplerTestCase,
)

from automl_meta.tuning import ExperienceSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)


def _past() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {"task": task, "x": rng.random(20), "elsewhere": rng.random(20), "value": rng.random(20)}
        )
        for task in ("a", "b")
    ]
    return pd.concat(frames)


@pytest.fixture(params=["cold", "history"])
def sampler(request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
    if request.param == "cold":
        return lambda: ExperienceSampler(seed=0)
    return lambda: ExperienceSampler(_past(), seed=0, direction="maximize")


class TestBasic(BasicSamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler: Callable[[], BaseSampler]) -> Callable[[], BaseSampler]:
        return sampler


class TestRelative(RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler: Callable[[], BaseSampler]) -> Callable[[], BaseSampler]:
        return sampler


class TestSingleOnly(SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler: Callable[[], BaseSampler]) -> Callable[[], BaseSampler]:
        return sampler
