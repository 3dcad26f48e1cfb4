import datetime
import re

import numpy as np
import pandas as pd
import pytest

from automl_meta.exceptions import UsageError
from automl_meta.task.date_formats import is_day_first
from automl_meta.task.dates import (
    are_durations,
    from_numbers,
    is_compact_dates,
    read_dates,
    to_dates,
    to_seconds,
)
from automl_meta.task.inference import infer_columns
from automl_meta.task.options import ReadingOptions

DAYS = pd.date_range("2021-01-20", periods=60, freq="11D")


def inferred(values: object, **said: object):
    found, columns = infer_columns(pd.DataFrame({"c": values}), ReadingOptions(**said))  # type: ignore[arg-type]
    return found["c"], columns["c"]


@pytest.mark.parametrize(
    "date_format",
    [
        "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d-%b-%Y", "%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%y",
        "%m/%d/%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d. %b. %Y", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p",
        "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S+02:00",
    ],
)  # fmt: skip
def test_dates_are_read_in_any_writing(date_format: str) -> None:
    moments = DAYS + pd.Timedelta(hours=15, minutes=30)
    values, column = inferred(moments.strftime(date_format))
    assert column.kind == "datetime"
    expected = moments if "%H" in date_format or "%I" in date_format else moments.normalize()
    shift = pd.Timedelta(hours=2) if "+02:00" in date_format else pd.Timedelta(0)
    assert (values.to_numpy("datetime64[s]") == (expected - shift).to_numpy("datetime64[s]")).all()


@pytest.mark.parametrize(
    "texts",
    [
        ["1.2.10", "1.12.3", "2.0.1"],
        ["3-2-1", "1-2-3", "0-2-2"],
        ["2-1", "3-0", "1-1"],
        ["1.10", "2.11", "3.12"],
    ],
)
def test_versions_and_scores_are_no_dates(texts: list[str]) -> None:
    assert inferred(texts * 3)[1].kind != "datetime"


@pytest.mark.parametrize(
    "values",
    [
        pd.period_range("2020-01", periods=30, freq="M"),
        pd.period_range("2020Q1", periods=30, freq="Q"),
        pd.date_range("2020", periods=30, tz="Asia/Kolkata"),
        pd.array(pd.date_range("2020", periods=30).date, dtype="object"),
        pd.Series(pd.date_range("2020", periods=30).date).astype("date32[pyarrow]"),
        pd.Series(pd.date_range("2020", periods=30)).astype("timestamp[us][pyarrow]"),
        [datetime.datetime(2020, 1, 1 + i) for i in range(30)],
        pd.period_range("2020-01", periods=30, freq="M").astype(str),
        pd.period_range("2020Q1", periods=30, freq="Q").astype(str),
        pd.period_range("2020-01-06", periods=30, freq="W").astype(str),
    ],
)
def test_dates_of_any_dtype_are_dates(values: object) -> None:
    found, column = inferred(values)
    assert column.kind == "datetime"
    assert found.notna().all()
    assert found.dt.tz is None


@pytest.mark.parametrize(
    "values",
    [
        pd.to_timedelta(np.arange(30) * 90, unit="m"),
        pd.to_timedelta(np.arange(30) * 90, unit="m").astype(str),
        list(pd.to_timedelta(np.arange(30) * 90, unit="m").to_pytimedelta()),
        pd.Series(pd.to_timedelta(np.arange(30) * 90, unit="m")).astype("duration[us][pyarrow]"),
    ],
)
def test_durations_are_seconds(values: object) -> None:
    found, column = inferred(values)
    assert column.kind == "numeric"
    np.testing.assert_array_equal(found, np.arange(30) * 5400.0)


def test_times_of_the_day_are_seconds() -> None:
    assert inferred(["10:30", "11:20", "23:59"] * 4)[0].tolist()[:3] == [37800.0, 40800.0, 86340.0]
    assert inferred([datetime.time(10, 30), datetime.time(1)] * 9)[0].tolist()[:2] == [37800.0, 3600.0]


def test_one_format_is_decided_over_the_whole_column() -> None:
    texts = ["03.04.2022", "05.06.2022", "28.11.2022"] * 5
    values, column = inferred(texts)
    assert column.date_format == "%d.%m.%Y"
    assert values[0] == pd.Timestamp("2022-04-03")
    assert column.notes == ("its dates were read as %d.%m.%Y",)


@pytest.mark.parametrize("date_format", ["%d/%m/%Y", "%m/%d/%Y"])
def test_of_two_formats_the_one_in_which_the_rows_are_in_order_is_taken(date_format: str) -> None:
    days = pd.DatetimeIndex(
        [pd.Timestamp(2022, month, day) for month in range(1, 13) for day in (2, 5, 9, 12)]
    )
    _, column = inferred(days.strftime(date_format))
    assert column.date_format == date_format
    assert "is also possible: choose by --date-format" in column.notes[0]


@pytest.mark.parametrize("date_format", ["%d/%m/%Y", "%m/%d/%Y"])
def test_of_two_formats_the_one_of_the_narrower_range_is_taken(date_format: str) -> None:
    days = pd.DatetimeIndex(
        [pd.Timestamp(2022, 5, 1 + i % 12) for i in np.random.default_rng(0).permutation(40)]
    )
    assert inferred(days.strftime(date_format))[1].date_format == date_format


@pytest.mark.parametrize(("clear", "date_format"), [("28/11/2022", "%d/%m/%Y"), ("11/28/2022", "%m/%d/%Y")])
def test_a_doubtful_order_is_that_of_the_other_columns(clear: str, date_format: str) -> None:
    frame = pd.DataFrame({"doubtful": ["03/04/2022", "01/02/2020", "05/01/2021"], "clear": [clear] * 3})
    frame.loc[0, "clear"] = "01/01/2022"
    _, columns = infer_columns(frame, ReadingOptions())
    assert columns["doubtful"].date_format == date_format


def test_the_first_of_each_month_is_likelier_than_days_of_january() -> None:
    texts = [f"{month}/1/22" for month in range(1, 13)] * 2
    assert inferred(texts)[0].dt.month.tolist()[:12] == list(range(1, 13))


def test_few_values_that_are_no_dates_count_as_missing_and_are_told() -> None:
    values, column = inferred([*DAYS.strftime("%d.%m.%Y"), "00.00.0000", "-"])
    assert column.kind == "datetime"
    assert values.isna().sum() == 2
    assert column.n_unfit == 1
    assert any("'00.00.0000'" in note for note in column.notes)


def test_the_user_may_say_the_format() -> None:
    texts = ["03/04/2022", "05/06/2022", "07/08/2022"]
    assert inferred(texts, date_format="%m/%d/%Y")[0][0] == pd.Timestamp("2022-03-04")
    assert inferred(texts, date_format="%d/%m/%Y")[0][0] == pd.Timestamp("2022-04-03")
    with pytest.raises(UsageError, match=re.escape("'%Q'")):
        inferred(texts, date_format="%Q")


@pytest.mark.parametrize(
    "numbers", [[10000000, 20000000, 30000000], [20221301, 20221302, 20221303], [20220101] * 2]
)
def test_numbers_of_eight_digits_need_not_be_dates(numbers: list[int]) -> None:
    assert inferred(numbers)[1].kind != "datetime"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-11-28 10:00:00+01", "2022-11-28 09:00:00"), ("2022-11-28 10:00:00 UTC", "2022-11-28 10:00:00"),
        ("2022-11-28 10:00:00,123", "2022-11-28 10:00:00.123"),
        ("2022-11-28T10:00:00+01:00[Europe/Berlin]", "2022-11-28 09:00:00"),
        ("28.11.2022 14:30 Uhr", "2022-11-28 14:30:00"), ("28/11/2022 08:55 p.m.", "2022-11-28 20:55:00"),
        ("17. 5. 2022", "2022-05-17"), ("2022. 5. 17.", "2022-05-17"), ("2022年5月17日", "2022-05-17"),
        ("17. Januar 2022", "2022-01-17"), ("3. März 2022", "2022-03-03"), ("3 août 2022", "2022-08-03"),
        ("3 de mayo", None), ("Nov-22", "2022-11-01"), ("Mar 2023", "2023-03-01"), ("Q4 2022", "2022-10-01"),
        ("2022/Q4", "2022-10-01"), ("Q4/2022", "2022-10-01"), ("4Q22", "2022-10-01"), ("2022-W47", "2022-11-21"),
        ("Mon, 28 Nov 2022", "2022-11-28"), ("Mon, 28 Nov 2022 10:00:00 +0000", "2022-11-28 10:00:00"),
    ],
)  # fmt: skip
def test_dates_of_many_countries_and_programs_are_read(text: str, moment: str | None) -> None:
    found = read_dates(pd.Series([text]))
    assert (found is None) == (moment is None)
    if found is not None:
        assert to_dates(pd.Series([text]), found.format)[0] == pd.Timestamp(moment)


def test_seconds_may_be_left_out_in_some_rows() -> None:
    assert inferred(["28.11.2022 14:30", "29.11.2022 14:30:15"] * 9)[0].notna().all()


def test_two_digit_years_do_not_lie_in_the_future() -> None:
    values, column = inferred(["27.06.55", "04.12.57", "13.01.89", "01.02.99", "05.06.01"] * 3)
    assert values.dt.year.tolist()[:5] == [1955, 1957, 1989, 1999, 2001]
    assert column.date_format.startswith("%d.%m.%y|19")
    assert column.conform(pd.Series(["27.06.55"])).values.dt.year.tolist() == [1955]


def test_rows_in_perfect_order_decide() -> None:
    days = pd.DatetimeIndex([day for day in pd.date_range("2022-01-01", "2022-12-12") if day.day <= 12])
    assert inferred(days.strftime("%d/%m/%Y"))[1].date_format == "%d/%m/%Y"
    assert inferred(days.strftime("%m/%d/%Y"))[1].date_format == "%m/%d/%Y"


def test_after_the_year_comes_the_month() -> None:
    assert inferred(["2020-01-05", "2020-03-02", "2020-04-10"] * 5)[1].date_format == "ISO8601"


@pytest.mark.parametrize("as_text", [True, False])
def test_compact_dates_tolerate_an_odd_value(as_text: bool) -> None:
    days = [*pd.date_range("2022-01-01", periods=59).strftime("%Y%m%d"), "20220230"]
    values, column = inferred(days if as_text else list(map(int, days)))
    assert (column.kind, column.n_unfit, values.isna().sum()) == ("datetime", 1, 1)
    found = column.conform(pd.Series([*map(int, days[:30]), 0]))
    assert "1 value of column" in found.note
    assert found.values.notna().sum() == 30


def test_a_column_of_nearly_enough_dates_is_told() -> None:
    texts = [*DAYS.strftime("%d.%m.%Y"), *(["unbekannt"] * 6)]
    assert any("--columns c:datetime parses them" in note for note in inferred(texts)[1].notes)


def test_lap_times_are_seconds() -> None:
    assert inferred(["1:09.3", "2:39.971"] * 9)[0].tolist()[:2] == [69.3, 159.971]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1 days 02:30:00", 95400), ("3 days, 1:00:00", 262800), ("-1 day 1:00", -82800), ("02:30", 9000),
        ("2:30 PM", 52200), ("12:15 AM", 900), ("12:15 pm", 44100), ("1:09.3", 69.3), ("5", np.nan), (None, np.nan),
    ],
)  # fmt: skip
def test_durations_and_times_of_the_day_are_read_as_seconds(text: str | None, seconds: float) -> None:
    np.testing.assert_array_equal(to_seconds(pd.Series([text, "00:00"], dtype=object)), [seconds, 0.0])


@pytest.mark.parametrize(
    ("texts", "are"),
    [
        (["10:30", "1 day"], True),
        (["10:30", "23:59:59.5"], True),
        ([], False),
        (["10:30", ""], False),
        (["10:75"], False),
        (["10:30", "soon"], False),
        (["7"], False),
    ],
)
def test_a_column_of_durations_has_nothing_else(texts: list[str], are: bool) -> None:
    assert are_durations(np.array(texts, dtype=object)) == are


@pytest.mark.parametrize(
    ("numbers", "are"),
    [
        ([20220101, 20220102, 20220103], True),
        ([20220101, 20220102] * 5, False),
        ([20220101.5, 20220102, 20220103], False),
        ([19000101, 20220101, 21001231], True),
        ([18991231, 20220101, 20220102], False),
        ([20220101, 20220102, 21010101], False),
        ([*range(20220101, 20220120), 5], True),
        ([*range(20220101, 20220119), 5], False),
        ([20220100, 20220101, 20220102], False),
        ([20220132, 20220101, 20220102], False),
        ([20220001, 20220101, 20220102], False),
        ([20221301, 20220101, 20220102], False),
        ([20220231, 20220230, 20220229], False),
        ([], False),
    ],
)
def test_numbers_of_eight_digits_are_dates_if_nearly_all_are_days(numbers: list[float], are: bool) -> None:
    assert is_compact_dates(np.array(numbers, dtype=float)) == are


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("1/31/22", "%m/%d/%y"), ("2022 1 31", "%Y %m %d"), ("2022.1.31", "%Y.%m.%d"), ("31-01-2022", "%d-%m-%Y"),
        ("19000101", "%Y%m%d"), ("21001231", "%Y%m%d"), ("18991231", None), ("21010101", None), ("1-2-22", None),
        ("01 02 22", None), ("Jan-22", "%b-%y"), ("Jan. 2022", "%b. %Y"), ("31 Foo 2022", None), ("Foo 2022", None),
        ("2022W47", "ISO week"), ("2022/11", "%Y/%m"), ("11-2022", "%m-%Y"), ("2022-11-28T10:00Z", "ISO8601"),
        ("28.11.2022, 10:00", "%d.%m.%Y, %H:%M"), ("28.11.2022 10:00:01.5", "%d.%m.%Y %H:%M:%S.%f"),
        ("28.11.2022 10:00pm", "%d.%m.%Y %I:%M%p"), ("28.11.2022 10:00 am", "%d.%m.%Y %I:%M %p"),
        ("28.11.2022 10:00+02:00", "%d.%m.%Y %H:%M%z"), ("28.11.2022 10:00 +0200", "%d.%m.%Y %H:%M %z"),
        ("Nov 28, 2022 10:00", "%b %d, %Y %H:%M"), ("28-Nov-22", "%d-%b-%y"), ("-28.11.2022", None),
        ("28.11.2022" + " " * 10 + "x" * 50, None),
    ],
)  # fmt: skip
def test_the_format_is_that_of_the_text(text: str, date_format: str | None) -> None:
    found = read_dates(pd.Series([text] * 3))
    assert (None if found is None else found.format) == date_format


def test_nineteen_dates_of_twenty_values_are_enough() -> None:
    found = read_dates(pd.Series(["28.11.2022"] * 19 + ["soon"]))
    assert found is not None
    assert (found.format, found.share, found.others) == ("%d.%m.%Y", 0.95, ())
    assert read_dates(pd.Series(["28.11.2022"] * 18 + ["soon"])) is None
    assert read_dates(pd.Series([None], dtype=object)) is None
    few = read_dates(pd.Series(["28.11.2022"] * 3 + ["soon"] * 9), force=True)
    assert few is not None
    assert few.share == 0.25
    assert read_dates(pd.Series(["soon", "later"]), force=True) is None


@pytest.mark.parametrize(("text", "year"), [("27.06.29", 2029), ("27.06.30", 1930), ("27.06.99", 1999)])
def test_a_format_may_say_the_century_of_two_digit_years(text: str, year: int) -> None:
    assert to_dates(pd.Series([text]), "%d.%m.%y|1930").dt.year.tolist() == [year]


@pytest.mark.parametrize(
    ("date_format", "is_first"),
    [("%d.%m.%Y", True), ("%m/%d/%y", False), ("%Y-%d-%m", None), ("%d %b %Y", None), ("%m/%Y", None)],
)
def test_a_format_says_whether_the_day_comes_first(date_format: str, is_first: bool | None) -> None:
    assert is_day_first(date_format) is is_first


@pytest.mark.parametrize(
    ("numbers", "dates", "unit"),
    [
        ([1.6e9], ["2020-09-13 12:26:40"], "seconds"),
        ([1.6e12], ["2020-09-13 12:26:40"], "milliseconds"),
        ([1.6e15], ["2020-09-13 12:26:40"], "microseconds"),
        ([1.6e18], ["2020-09-13 12:26:40"], "nanoseconds"),
        ([18500, 5], ["2020-08-26", "1970-01-06"], "days"),
        ([44000], ["2020-06-18"], "days since 1899-12-30"),
        ([2020, 2021], ["2020-01-01", "2021-01-01"], "years"),
        ([1000, 2999], ["1000-01-01", "2999-01-01"], "years"),
        ([20200101, 20200102], ["2020-01-01", "2020-01-02"], "%Y%m%d"),
    ],
)
def test_numbers_are_dates_in_the_unit_that_brings_them_near_those_known(
    numbers: list[float], dates: list[str], unit: str
) -> None:
    found = from_numbers(pd.Series(numbers, dtype=float), 1.5e9, 1.7e9)
    assert found is not None
    assert found[0].tolist() == [pd.Timestamp(date) for date in dates]
    assert found[1] == unit


@pytest.mark.parametrize("numbers", [[18500, 5, 5], [2020, 999], [2020.5, 2021], [20200101, 5]])
def test_numbers_that_are_near_no_known_date_are_no_dates(numbers: list[float]) -> None:
    assert from_numbers(pd.Series(numbers, dtype=float), 1.5e9, 1.51e9) is None


def test_the_known_range_is_widened_by_its_width_and_a_year_at_least() -> None:
    day = 86400.0
    for low, high, width in ((1.5e9, 1.5e9, 366 * day), (1.4e9, 1.5e9, 1e8)):
        for bound in (low - width, high + width):
            assert from_numbers(pd.Series([bound]), low, high) is not None
        for beyond in (low - width - 1, high + width + 1):
            assert from_numbers(pd.Series([beyond]), low, high) is None


def test_new_dates_in_another_writing_are_told_with_both_formats() -> None:
    _, column = inferred(DAYS.strftime("%d.%m.%Y"))
    note = column.conform(pd.Series(DAYS.strftime("%Y/%m/%d"), name="c")).note
    assert "%Y/%m/%d" in note
    assert "%d.%m.%Y" in note
    _, dates = inferred(DAYS)
    assert dates.conform(pd.Series(DAYS.strftime("%Y/%m/%d"), name="c")).note == ""


@pytest.mark.parametrize(
    ("texts", "moments"),
    [
        (["28.11.2022 14:30", "29.11.2022"], ["2022-11-28 14:30", "2022-11-29"]),
        (["11/28/2022 2:30 PM", "11/29/2022"], ["2022-11-28 14:30", "2022-11-29"]),
        (["28.11.2022, 14:30", "29.11.2022"], ["2022-11-28 14:30", "2022-11-29"]),
        (["2022/11/28 14:30:15", "2022/11/29 10:00"], ["2022-11-28 14:30:15", "2022-11-29 10:00"]),
        (["2022/11/28 14:30", "2022/11/29 10:00:15"], ["2022-11-28 14:30", "2022-11-29 10:00:15"]),
    ],
)
def test_midnight_and_seconds_may_be_left_out(texts: list[str], moments: list[str]) -> None:
    values, column = inferred(texts * 3)
    assert column.n_unfit == 0
    assert values.tolist()[:2] == [pd.Timestamp(moment) for moment in moments]
