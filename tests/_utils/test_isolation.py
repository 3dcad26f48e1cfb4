import threading
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import sklearn

from automl_meta._utils.isolation import default_settings


@pytest.fixture
def _own_settings() -> Iterator[None]:
    """Settings that a user may have changed."""
    with (
        sklearn.config_context(enable_metadata_routing=True, transform_output="pandas", assume_finite=True),
        np.errstate(all="raise"),
        pd.option_context("future.distinguish_nan_and_na", True, "mode.string_storage", "python"),
    ):
        yield


def _settings() -> tuple[object, ...]:
    options = [pd.get_option(name) for name in ("future.distinguish_nan_and_na", "mode.string_storage")]
    return sklearn.get_config(), np.geterr(), options


@pytest.mark.usefixtures("_own_settings")
def test_settings_are_the_defaults_within_and_the_own_ones_after() -> None:
    before, fresh = _settings(), []
    with default_settings():
        thread = threading.Thread(target=lambda: fresh.append((sklearn.get_config(), np.geterr())))
        thread.start()
        thread.join()
        config, errors, options = _settings()
    assert (config, errors) == fresh[0]
    assert options == [False, "auto"]
    assert _settings() == before


@pytest.mark.usefixtures("_own_settings")
def test_settings_come_back_after_an_error() -> None:
    before = _settings()
    with pytest.raises(ZeroDivisionError), default_settings():
        raise ZeroDivisionError
    assert _settings() == before


def test_it_decorates_a_function_as_well() -> None:
    @default_settings()
    def transform_output() -> str:
        return sklearn.get_config()["transform_output"]

    with sklearn.config_context(transform_output="pandas"):
        assert [transform_output(), transform_output()] == ["default", "default"]
