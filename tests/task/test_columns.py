import datetime
import json

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


DAYS = pd.date_range("2021-01-20", periods=60, freq="11D")
DATES = {
    "german": inferred(DAYS.strftime("%d.%m.%Y"))[1],
    "ISO": inferred(DAYS.strftime("%Y-%m-%d"))[1],
    "dtype": inferred(DAYS)[1],
    "compact": inferred(DAYS.strftime("%Y%m%d"))[1],
    "american": inferred(DAYS.strftime("%m/%d/%Y"))[1],
    "with a zone": inferred(DAYS.tz_localize("UTC"))[1],
    "version 0.1": Column.of_version_0_1("datetime"),
}
THIRD_OF_APRIL = pd.Timestamp("2021-04-03")


@pytest.mark.parametrize(
    ("learnt", "values", "told"),
    [
        ("german", ["03.04.2021"] * 3, []),
        ("german", ["2021-04-03"] * 3, ["ISO8601", "%d.%m.%Y"]),
        ("german", ["03/04/2021"] * 3, ["%d/%m/%Y", "%d.%m.%Y"]),
        ("german", ["20210403"] * 3, ["%Y%m%d"]),
        ("german", [datetime.date(2021, 4, 3)] * 3, []),
        ("german", ["2021-04-03T00:00:00Z"] * 3, ["ISO8601", "UTC"]),
        ("german", pd.DatetimeIndex([THIRD_OF_APRIL] * 3, tz="UTC"), ["UTC"]),
        ("ISO", ["03.04.2021"] * 3, ["%d.%m.%Y", "ISO8601"]),
        ("ISO", ["2021-04-03"] * 3, []),
        ("ISO", ["20210403"] * 3, []),
        ("ISO", ["2021-04-03T00:00:00Z"] * 3, ["UTC"]),
        ("dtype", ["03.04.2021"] * 3, ["%d.%m.%Y"]),
        ("dtype", ["2021-04-03"] * 3, []),
        ("dtype", [20210403.0] * 3, ["%Y%m%d"]),
        ("compact", [20210403] * 3, []),
        ("compact", ["20210403"] * 3, []),
        ("compact", ["2021-04-03"] * 3, ["ISO8601", "%Y%m%d"]),
        ("american", ["04/03/2021"] * 3, []),
        ("american", ["04.03.2021"] * 3, ["%m.%d.%Y", "%m/%d/%Y"]),
        ("with a zone", ["2021-04-03"] * 3, ["UTC"]),
        ("with a zone", ["2021-04-03T00:00:00Z"] * 3, []),
        ("with a zone", pd.DatetimeIndex([THIRD_OF_APRIL] * 3, tz="UTC"), []),
        ("with a zone", pd.DatetimeIndex([THIRD_OF_APRIL] * 3), ["UTC"]),
        ("version 0.1", ["04/03/2021", "2021-04-03", "3 Apr 2021"], []),
        ("version 0.1", pd.DatetimeIndex([THIRD_OF_APRIL] * 3, tz="UTC"), []),
    ],
)
def test_new_dates_are_read_and_another_writing_is_told(learnt: str, values: object, told: list[str]) -> None:
    found, note = conformed(DATES[learnt], values)
    assert found == [THIRD_OF_APRIL] * 3
    assert all(word in note for word in told)
    assert (note == "") == (told == [])


@pytest.mark.parametrize("learnt", ["german", "ISO", "dtype", "compact", "american"])
def test_missing_dates_are_missing_and_words_are_refused(learnt: str) -> None:
    values, note = conformed(DATES[learnt], [None, "", "?"])
    assert (len(values), all(pd.isna(value) for value in values), note) == (3, True, "")
    with pytest.raises(DataError, match="'word'"):
        conformed(DATES[learnt], ["word"] * 3)
    with pytest.raises(DataError, match="is not a date"):
        conformed(DATES[learnt], [*DAYS[:8].strftime("%d.%m.%Y"), "word", "word"])


def test_one_misfit_among_ten_dates_is_missing_and_told() -> None:
    values, note = conformed(DATES["german"], ["25.03.2021"] * 9 + ["word"])
    assert values[:9] == [pd.Timestamp("2021-03-25")] * 9
    assert pd.isna(values[9])
    assert "'word'" in note


@pytest.mark.parametrize(
    ("numbers", "date", "unit"),
    [
        ([18000.0] * 3, "2019-04-14", "days"),
        ([1.6e9] * 3, "2020-09-13 12:26:40", "seconds"),
        ([2020.0] * 3, "2020-01-01", "years"),
    ],
)
def test_numbers_where_dates_were_are_read_in_a_unit_that_is_told(
    numbers: list[float], date: str, unit: str
) -> None:
    for learnt in ("german", "compact", "dtype"):
        found, note = conformed(DATES[learnt], numbers)
        assert found == [pd.Timestamp(date)] * 3
        assert unit in note
        assert ("1970" in note) == (unit != "years")


def test_years_are_no_surprise_where_there_were_first_days_of_years() -> None:
    years = inferred([f"{year}-01-01" for year in range(2000, 2030)])[1]
    assert conformed(years, [2003]) == ([pd.Timestamp("2003-01-01")], "")
    assert conformed(inferred([f"{y}-01-02" for y in range(2000, 2030)])[1], [2003])[1] != ""


def test_numbers_near_no_date_are_refused() -> None:
    for numbers in ([5.0] * 3, [20210403.0] * 4 + [5.0] * 6):
        with pytest.raises(DataError, match="'c'"):
            conformed(DATES["compact"], numbers)


@pytest.mark.parametrize(
    ("fitted", "new", "expected", "is_told"),
    [
        ([1.5, 2.5, 9.0], ["1,5", "2,5"], [1.5, 2.5], True),
        ([1.5, 2.5, 9.0], ["1.234,5"], [1234.5], True),
        ([1.5, 2.5, 9.0], ["5 kg", "7 kg"], [5, 7], False),
        ([1.5, 2.5, 9.0], ["$5"], [5], False),
        ([1.5, 2.5, 9.0], ["true", "1"], [1, 1], False),
        ([1.5, 2.5, 9.0], ["inf", "1"], [np.nan, 1], False),
        ([1.5, 2.5, 9.0], [np.inf, 1], [np.nan, 1], False),
        ([1.5, 2.5, 9.0], pd.to_timedelta([1, 2], unit="s"), [1, 2], False),
        (["1,5", "2,5", "9"], ["1,5", "7"], [1.5, 7], False),
        (["1,5", "2,5", "9"], ["1.5", "7"], [1.5, 7], True),
        (["1,5", "2,5", "9"], [1.5, 7.0], [1.5, 7], False),
        (["3 kg", "4 kg", "500 g"], ["3000 g", "2 kg"], [3, 2], False),
    ],
)
def test_new_numbers_are_read_and_another_writing_is_told(
    fitted: object, new: object, expected: list[float], is_told: bool
) -> None:
    found, note = conformed(inferred(fitted)[1], new)
    np.testing.assert_array_equal(found, expected)
    assert (note != "") == is_told


def test_a_model_of_version_0_1_takes_levels_by_their_text_alone() -> None:
    old = Column.of_version_0_1("categorical")
    values, note = conformed(old, [1.0, " x ", "", None] * 3)
    assert values[:2] == ["1.0", "x"]
    assert all(pd.isna(value) for value in values[2:4])
    assert note == ""
    assert conformed(old, [None] * 10)[1] == ""


def test_text_is_written_as_levels_are() -> None:
    texts = inferred([f"a remark of many words {i}" for i in range(30)])[1]
    assert texts.kind == "text"
    assert conformed(texts, [1.0, 2.0]) == (["1", "2"], "")
    assert conformed(texts, [" x ", [1]]) == (["x", "[1]"], "")


def test_what_is_known_of_a_column_by_default() -> None:
    column = Column("numeric")
    assert (column.levels, column.date_format, column.dropped, column.notes) == ((), "", "", ())
    flags = (column.is_duration, column.has_zone, column.mostly_missing, column.n_unfit)
    assert flags == (False, False, False, 0)
    assert np.isnan(column.range).all()
    with pytest.raises(AttributeError):
        column.kind = "text"  # type: ignore[misc]


def test_a_column_survives_a_file_with_all_that_is_known_of_it() -> None:
    for column in (*DATES.values(), NUMBERS, PERCENTS, LEVELS, Column.of_version_0_1("boolean")):
        copy = Column.from_dict(json.loads(json.dumps(column.to_dict())))
        assert repr(copy) == repr(column)


@pytest.mark.parametrize(
    ("values", "is_read"), [([70200.0 * 1.1] * 10, True), ([70200.0 * 1.2] * 10, False), ([70.3] * 10, True), ([0.0] * 10, True)]
)  # fmt: skip
def test_numbers_of_the_size_of_known_durations_are_seconds(values: list[float], is_read: bool) -> None:
    assert (conformed(HALF_HOURS, values) == (values, "")) == is_read


def test_numbers_far_beyond_known_durations_are_read_in_a_smaller_unit() -> None:
    values, note = conformed(HALF_HOURS, [1e12] * 12)
    assert values == pytest.approx([1000.0] * 12)
    assert "nanoseconds" in note


def test_a_range_of_nothing_fits_no_number() -> None:
    zero = inferred(pd.to_timedelta([0, 0, None] * N, unit="s"))[1]
    assert zero.range == (0.0, 0.0)
    assert conformed(zero, [5.0] * 12) == ([5.0] * 12, "")
    assert np.isnan(conformed(HALF_HOURS, [None] * 5)[0]).all()


def test_a_column_that_lost_all_its_numbers_is_told_and_no_error() -> None:
    values, note = conformed(NUMBERS, [None] * 10)
    assert np.isnan(values).all()
    assert "every row" in note
