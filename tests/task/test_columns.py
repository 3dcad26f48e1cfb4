import datetime

import numpy as np
import pandas as pd
import pytest

from automl_meta.exceptions import DataError
from automl_meta.task.columns import Column
from automl_meta.task.inference import infer_columns
from automl_meta.task.options import ReadingOptions

N = 40


def inferred(values: object, **said: object) -> tuple[pd.Series, Column]:
    found, columns = infer_columns(pd.DataFrame({"c": values}), ReadingOptions(**said))  # type: ignore[arg-type]
    return found["c"], columns["c"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.linspace(0, 1, N), "numeric"),
        (np.arange(N) % 7, "numeric"),
        (np.arange(N), "identifier"),
        (np.arange(N)[::-1] + 1, "identifier"),
        ([f"u{i}" for i in range(N)], "identifier"),
        ([3.0] * N, "constant"),
        ([np.nan] * N, "constant"),
        ([None] * N, "constant"),
        (["x"] * N, "constant"),
        ([1.0, np.nan] * (N // 2), "numeric"),
        (["x", None] * (N // 2), "categorical"),
        (["red", "blue"] * (N // 2), "categorical"),
        (["yes", "No"] * (N // 2), "boolean"),
        ([True, False] * (N // 2), "boolean"),
        ([True, None] * (N // 2), "boolean"),
        (pd.Categorical([1, 2, 3, 4] * (N // 4)), "categorical"),
        (pd.date_range("2020", periods=N), "datetime"),
        (pd.date_range("2020", periods=N, tz="Europe/Oslo"), "datetime"),
        ([f"2021-03-{1 + i % 28:02d}" for i in range(N)], "datetime"),
        ([f"{1 + i % 12}/{1 + i % 28}/2021 10:30" for i in range(N)], "datetime"),
        ([datetime.date(2020, 1, 1 + i % 28) for i in range(N)], "datetime"),
        (pd.to_timedelta(np.arange(N) % 9, unit="h"), "numeric"),
        ([f"a long remark with many words {i}" for i in range(N)], "text"),
        ([1, "one", 2.5, "two"] * (N // 4), "categorical"),
        (pd.array([1, None] * (N // 2), dtype="Int64"), "numeric"),
        (pd.array(["a", None, "b", "a"] * (N // 4), dtype="string"), "categorical"),
        (np.array([1 + 2j, 3j] * (N // 2)), "categorical"),
    ],
)
def test_the_kind_of_a_column_is_what_a_person_would_say(values: object, kind: str) -> None:
    column = pd.Series(values, name="c")
    before = column.copy()
    assert inferred(column)[1].kind == kind
    pd.testing.assert_series_equal(column, before)


def test_infinities_become_missing_and_are_told() -> None:
    values, column = inferred([1.0, np.inf, -np.inf, 2.0])
    assert (column.kind, column.notes) == ("numeric", ("2 infinite values treated as missing",))
    assert values.isna().tolist() == [False, True, True, False]


def test_mixed_types_are_told() -> None:
    assert "mixed types" in inferred([1, "one"] * 20)[1].notes[0]


def test_numbers_as_text_in_a_mixed_column_keep_their_values() -> None:
    values, _ = inferred([1, "one", None, " "] * 10)
    assert values.dropna().unique().tolist() == ["1", "one"]


def conformed(column: Column, values: object) -> tuple[list, str]:
    found = column.conform(pd.Series(values, name="c"))
    return found.values.tolist(), found.note


LEVELS = inferred(["a", "b"] * N)[1]
NUMBERS = inferred([1.5, 2.5, 3.0])[1]
PERCENTS = inferred([f"{i}%" for i in range(2, 90)])[1]
CODES = inferred(["007", "7", "8"] * 6)[1]
HALF_HOURS = inferred(pd.to_timedelta(np.arange(1, 40) * 1800, unit="s"))[1]


@pytest.mark.parametrize(
    ("values", "is_told"), [(["q", "r", "a", "b"], False), (["q", "r", "s", "a", "b"], True), (["q"], True), ([], False)]
)  # fmt: skip
def test_unseen_levels_are_told_if_they_are_more_than_half(values: list[str], is_told: bool) -> None:
    assert ("not seen" in conformed(LEVELS, values)[1]) == is_told


@pytest.mark.parametrize(("n_numbers", "n_words"), [(9, 1), (18, 2)])
def test_up_to_a_tenth_of_misfits_is_tolerated(n_numbers: int, n_words: int) -> None:
    values, note = conformed(NUMBERS, [*map(str, range(n_numbers)), *["word"] * n_words])
    assert values[:n_numbers] == list(range(n_numbers))
    assert np.isnan(values[n_numbers:]).all()
    assert str(n_words) in note
    with pytest.raises(DataError, match="'word'"):
        conformed(NUMBERS, [*map(str, range(n_numbers - 1)), *["word"] * n_words])


def test_a_column_that_is_empty_in_ten_rows_is_told_unless_it_mostly_was_before() -> None:
    assert conformed(LEVELS, [None] * 10)[1] != ""
    assert conformed(LEVELS, [None] * 9)[1] == ""
    mostly = inferred(["a", None, None, None] * N)[1]
    assert mostly.mostly_missing
    assert not inferred(["a", None] * N)[1].mostly_missing
    assert conformed(mostly, [None] * 10)[1] == ""


def test_categories_of_numbers_are_numbers_to_a_numeric_column() -> None:
    assert conformed(NUMBERS, pd.Categorical([1, 2]))[0] == [1.0, 2.0]


def test_what_nothing_was_learnt_from_is_left_as_it_is() -> None:
    constant = inferred([3.0] * N)[1]
    assert conformed(constant, ["x", "y"] * N) == (["x", "y"] * N, "")


@pytest.mark.parametrize(
    ("values", "factor", "is_told"),
    [
        ([0.05, 1.0, 0.2] * 4, 100, True),
        ([0.5] * 10, 100, True),
        ([-0.5, 0.2] * 5, 100, True),
        ([0.5] * 9, 1, True),
        ([1.5, 0.2] * 6, 1, False),
        ([1.0, 0.0] * 6, 1, False),
    ],
)
def test_shares_are_percents_if_none_exceeds_one_and_not_all_are_whole(
    values: list[float], factor: int, is_told: bool
) -> None:
    found, note = conformed(PERCENTS, values)
    assert (found, note != "") == (pytest.approx([value * factor for value in values]), is_told)


def test_small_percents_are_no_shares() -> None:
    small = inferred([f"{i / 50}%" for i in range(2, 101)])[1]
    assert conformed(small, [0.5, 0.2] * 6) == ([0.5, 0.2] * 6, "")


@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        (["7"] * 9, False),
        (["7"] * 10, True),
        (["007", *["7"] * 12], False),
        ([7] * 2, True),
        (["8"] * 12, False),
    ],
)
def test_zeros_that_are_lost_are_told_if_none_of_ten_values_has_any(values: list, is_told: bool) -> None:
    assert ("cannot distinguish" in conformed(CODES, values)[1]) == is_told


@pytest.mark.parametrize(
    ("per_second", "unit"),
    [
        (1, ""),
        (1e3, "milliseconds"),
        (1e6, "microseconds"),
        (1e9, "nanoseconds"),
        (1 / 3600, "hours"),
        (1 / 86400, "days"),
    ],
)
def test_durations_are_read_in_the_unit_that_fits_what_was_learnt(per_second: float, unit: str) -> None:
    seconds = np.array([3600.0, 7200.0, 60000.0] * 4)
    values, note = conformed(HALF_HOURS, seconds * per_second)
    assert values == pytest.approx(seconds)
    assert unit in note
    assert (note == "") == (unit == "")


def test_durations_in_minutes_are_read_if_as_seconds_they_would_be_far_too_short() -> None:
    days = inferred(pd.to_timedelta(np.arange(1, 41) * 25_000, unit="s"))[1]
    minutes = np.linspace(500, 900, 12)
    values, note = conformed(days, minutes)
    assert values == pytest.approx(minutes * 60)
    assert "minutes" in note
