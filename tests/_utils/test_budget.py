import math

import pytest

from automl_meta._utils.budget import Budget
from automl_meta.exceptions import UsageError


def test_without_seconds_there_is_no_limit() -> None:
    assert Budget().remaining == math.inf
    assert not Budget().exhausted


def test_no_seconds_are_spent_at_once() -> None:
    assert Budget(0).exhausted
    assert Budget(0).remaining == 0.0


def test_what_remains_is_never_more_than_was_given() -> None:
    assert 0 < Budget(1000).remaining <= 1000


@pytest.mark.parametrize("seconds", [-1, math.nan])
def test_seconds_below_zero_are_refused_with_their_value(seconds: float) -> None:
    with pytest.raises(UsageError, match=str(seconds)):
        Budget(seconds)
