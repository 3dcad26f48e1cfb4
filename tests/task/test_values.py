"""Conversions of column values."""

import numpy as np
import pandas as pd
import pytest

from automl_meta.task.values import (
    counted,
    finite,
    hashable,
    have_zones,
    joined,
    listed,
    plain_numbers,
    present_texts,
    usual_dtype,
    without_zone,
)


def test_counts_are_said_with_their_noun() -> None:
    assert [counted(n) for n in (0, 1, 2)] == ["0 values", "1 value", "2 values"]
    assert counted(2, "row") == "2 rows"


def test_some_names_are_quoted_and_more_are_hinted_at() -> None:
    assert listed(["a", "b"], 2) == "'a', 'b'"
    assert listed(["a", "b", "c"], 2) == "'a', 'b', …"
    assert listed(list("abcdefgh")).endswith("'h'")
    assert listed(list("abcdefghi")).endswith("'h', …")


def test_notes_are_joined_without_empty_ones() -> None:
    assert joined("one", "", "two") == "one; two"
    assert joined("", "") == ""


@pytest.mark.parametrize(
    ("texts", "have"),
    [
        (["2022-01-01 10:00Z", None], True),
        (["2022-01-01 10:00+02:00"], True),
        (["2022-01-01 10:00 GMT"], True),
        (["2022-01-01 10:00"], False),
        (["2022-01-01"], False),
        ([None], False),
        (["10:00 UTC"] * 9 + ["10:00"], False),
        (["10:00 UTC"] * 10 + ["10:00"], True),
    ],
)
def test_the_first_ten_dates_say_whether_there_is_a_time_zone(texts: list, have: bool) -> None:
    assert have_zones(pd.Series(texts, dtype=object)) is have


def test_words_for_missing_values_are_missing_and_the_rest_is_stripped() -> None:
    found = present_texts(pd.Series([" a ", "n/a", None, 5, "?"], index=list("vwxyz"), name="c"))
    assert found.fillna("missing").to_dict() == {
        "v": "a",
        "w": "missing",
        "x": "missing",
        "y": "5",
        "z": "missing",
    }
    assert found.name == "c"


def test_numbers_are_finite_and_the_original_is_left_alone() -> None:
    given = pd.Series([1.0, np.inf, -np.inf, np.nan], name="c")
    before = given.copy()
    found = finite(given)
    assert found.isna().tolist() == [False, True, True, True]
    pd.testing.assert_series_equal(given, before)
    assert finite(pd.Series([1, None], dtype="Int64")).tolist()[0] == 1.0
    np.testing.assert_array_equal(plain_numbers(pd.Series(["1.5", "x", "inf"])), [1.5, np.nan, np.nan])


def test_moments_with_a_zone_are_brought_to_utc() -> None:
    moments = pd.Series(pd.date_range("2022-06-01 12:00", periods=2, tz="Europe/Berlin"))
    assert without_zone(moments)[0] == pd.Timestamp("2022-06-01 10:00")
    naive = moments.dt.tz_localize(None)
    assert without_zone(naive).equals(naive)


def test_lists_become_text_and_the_rest_stays() -> None:
    assert hashable(pd.Series([[1], None, [2]])).fillna("missing").tolist() == ["[1]", "missing", "[2]"]
    numbers = pd.Series([1, 2])
    assert hashable(numbers) is numbers


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.arrays.SparseArray([0.0, 1.0])),
        pd.Series([0.0, 1.0], dtype="double[pyarrow]"),
        pd.Series(np.array([0.0, 1.0], dtype=">f8")),
    ],
)
def test_columns_of_unusual_dtypes_keep_their_values_names_and_rows(column: pd.Series) -> None:
    found = usual_dtype(column.set_axis(["r", "s"]).rename("c"))
    assert (found.to_dict(), found.name, found.dtype) == ({"r": 0.0, "s": 1.0}, "c", np.dtype(float))
