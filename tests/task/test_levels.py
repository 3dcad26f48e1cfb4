import numpy as np
import pandas as pd
import pytest

from automl_meta.exceptions import DataError, UsageError
from automl_meta.task import Column
from automl_meta.task.inference import infer_columns
from automl_meta.task.levels import case_variants, colliding_levels, level_texts, match_levels
from automl_meta.task.options import ReadingOptions

nan = float("nan")


def learnt(values: object, **said: object) -> Column:
    _, columns = infer_columns(pd.DataFrame({"c": values}), ReadingOptions(**said))  # type: ignore[arg-type]
    return columns["c"]


@pytest.mark.parametrize(
    ("levels", "given", "meant"),
    [
        (("10", "20"), ["10.0", "20.00", "1e1"], ["10", "20", "10"]),
        (("False", "True"), ["0", "1", "1.0", "TRUE", "false", "yes", "F"], [0, 1, 1, 1, 0, 1, 0]),
        (("no", "yes"), ["True", "NO", "0", "1"], [1, 0, 0, 1]),
        (("0.10", "0.2"), ["0.1", "0.20"], ["0.10", "0.2"]),
        (("007", "012"), ["7", "12.0", "007"], ["007", "012", "007"]),
        (("007", "7", "8"), ["7", "007", "7.0", "8.0"], ["7", "007", "7.0", "8"]),
        (("NA", "DE"), ["NA", "DE", "nan"], ["NA", "DE", nan]),
        (("false", "maybe", "true"), ["TRUE", "1", "maybe"], ["true", "true", "maybe"]),
        (("Yes", "yes"), ["Yes", "yes"], ["Yes", "yes"]),
        (("1", "1_0"), ["10", "1_0"], ["10", "1_0"]),
    ],
)
def test_values_are_the_levels_that_they_mean(levels: tuple, given: list, meant: list) -> None:
    expected = [levels[value] if isinstance(value, int) else value for value in meant]
    found = match_levels(pd.Series(given, dtype=object), levels, frozenset({"nan", "NA"})).values
    assert pd.Series(found, dtype=object).equals(pd.Series(expected, dtype=object))


@pytest.mark.parametrize(
    ("fitted", "new"),
    [
        (["10", "20", "x"] * 9, [10, 20, "x"]),
        (pd.Categorical([10, 20, 30] * 9), [10.0, 20.0, nan]),
        (pd.Categorical([10, 20, 30] * 9), ["10", "20", "10.0"]),
        ([True, False, None] * 9, ["TRUE", "false", ""]),
        ([True, False, None] * 9, [1, 0, 1]),
        (["yes", "no"] * 9, [True, False, True]),
        (["true", "false"] * 9, pd.array([True, None, False], dtype="boolean")),
    ],
)
def test_a_level_is_known_in_any_form(fitted: object, new: object) -> None:
    column = learnt(fitted)
    found = column.conform(pd.Series(new, name="c"))
    assert set(found.values.dropna()) <= set(column.levels or ())
    assert found.note == ""


def test_blanks_around_levels_do_not_count_and_case_does_and_both_are_told() -> None:
    column = learnt(["pro", "PRO", "plus ", "plus", " basic"] * 5)
    assert column.levels == ("PRO", "basic", "plus", "pro")
    assert "whitespace around levels, as in ' basic', is ignored" in column.notes
    assert any("4 levels, but only 3 if case is ignored ('PRO' and 'pro')" in note for note in column.notes)


def test_levels_that_numbers_cannot_tell_apart_are_told_at_fit_and_when_numbers_come() -> None:
    column = learnt(["007", "7", "x7", "8"] * 6)
    assert any("'007', '7' are distinct as text only" in note for note in column.notes)
    column = learnt(["007", "7", "8"] * 6)
    assert column.kind == "categorical"
    assert "column 'c' was passed as numbers" in column.conform(pd.Series([7, 8], name="c")).note
    assert column.conform(pd.Series(["7", "007"], name="c")).note == ""


def test_a_column_of_mostly_unseen_values_is_told() -> None:
    note = learnt(["a", "b"] * 20).conform(pd.Series(["q", "r", "a"], name="town")).note
    assert note.startswith("2 of 3 values of column 'town' were not seen in training, such as 'q'")
    assert learnt(["a", "b"] * 20).conform(pd.Series(["q", "b", "a"], name="town")).note == ""


@pytest.mark.parametrize(
    ("fitted", "new", "expected"),
    [
        ([1.5, 2.5, 9.0], ["1,5", "2,5", "3,25"], [1.5, 2.5, 3.25]),
        (["1.234,5", "1,5", "2,5"], ["1234.5", "1.5", "2.75"], [1234.5, 1.5, 2.75]),
        (["1.234,5", "1,5", "2,5"], ["1.234", "2,5"], [1234, 2.5]),
        (["$5", "$7", "$1,200"], [5, 7.5], [5, 7.5]),
        ([0.0, 1.0, 1.0], ["TRUE", "false", ""], [1, 0, nan]),
        ([0.0, 1.0, 1.0], [True, False], [1, 0]),
        (["3 kg", "4 kg", "5 kg"], ["3000 kg", "2 kg"], [3000, 2]),
        ([1.0, 2.0, 4.0], ["1", "?", "n/a", "2"], [1, nan, nan, 2]),
        (pd.to_timedelta([1, 2, 3], unit="h"), ["0 days 01:00:00", "2:00:00"], [3600, 7200]),
    ],
)
def test_numbers_are_read_as_they_come(fitted: object, new: object, expected: list[float]) -> None:
    np.testing.assert_array_equal(learnt(fitted).conform(pd.Series(new, name="c")).values, expected)


def test_another_decimal_mark_than_in_training_is_told() -> None:
    assert "decimal mark ','" in learnt([1.5, 2.5, 9.0]).conform(pd.Series(["1,5", "2,25"], name="c")).note


@pytest.mark.parametrize(
    "writing",
    [
        lambda days: days.strftime("%d.%m.%Y"),
        lambda days: days.strftime("%Y-%m-%d"),
        lambda days: days.strftime("%Y%m%d").astype(int),
        lambda days: days.astype("datetime64[s]").astype("int64"),
        lambda days: days.astype("datetime64[ms]").astype("int64"),
        lambda days: days.astype("datetime64[ns]").astype("int64").astype(str),
        lambda days: (days - pd.Timestamp("1899-12-30")).days,
        lambda days: days.to_period("D"),
        lambda days: days.tz_localize("UTC"),
        lambda days: days.date,
    ],
)
@pytest.mark.parametrize("fitted", ["%d.%m.%Y", "%Y-%m-%d", "%Y%m%d"])
def test_dates_are_read_as_they_come(writing, fitted: str) -> None:
    days = pd.date_range("2021-01-20", periods=40, freq="17D")
    column = learnt(days.strftime(fitted))
    found = column.conform(pd.Series(writing(days), name="c"))
    assert (found.values.to_numpy("datetime64[s]") == days.to_numpy("datetime64[s]")).all()


def test_what_is_neither_is_refused_and_few_of_them_are_told() -> None:
    numeric, dates = learnt([1.5, 2.5, 3.0]), learnt(pd.date_range("2020", periods=9).strftime("%d.%m.%Y"))
    with pytest.raises(DataError, match="'abc', which is not a number"):
        numeric.conform(pd.Series(["abc", "1"], name="c"))
    with pytest.raises(DataError, match="'soon', which is not a date"):
        dates.conform(pd.Series(["soon"], name="c"))
    with pytest.raises(DataError, match="not close to these dates in any common unit"):
        dates.conform(pd.Series([3.5, 4.5], name="c"))
    with pytest.raises(DataError, match="contains dates"):
        numeric.conform(pd.Series(pd.date_range("2020", periods=2), name="c"))
    found = numeric.conform(pd.Series([*map(str, range(20)), "Total"], name="c"))
    assert "1 value of column 'c', such as 'Total': not a number, treated as missing" in found.note


def test_the_user_may_say_the_kind() -> None:
    codes = ["1", "2", "3"] * 7
    assert learnt(codes, kinds={"c": "categorical"}).levels == ("1", "2", "3")
    assert learnt(["007", "012"] * 9, kinds={"c": "numeric"}).kind == "numeric"
    assert learnt(codes, kinds={"c": "identifier"}).dropped == "as requested"
    assert learnt([f"u{i}" for i in range(30)], kinds={"c": "categorical"}).kind == "categorical"
    with pytest.raises(UsageError, match="no feature 'd'"):
        learnt(codes, kinds={"d": "numeric"})
    with pytest.raises(UsageError, match="kind 'number'"):
        learnt(codes, kinds={"c": "number"})
    with pytest.raises(UsageError, match="contains no number"):
        learnt(["a", "b"], kinds={"c": "numeric"})
    with pytest.raises(UsageError, match="contains no date"):
        learnt(["a", "b"], kinds={"c": "datetime"})


def test_a_column_survives_plain_values() -> None:
    for column in (learnt(["1,5 kg", "2,5 kg"]), learnt(["a", "b"]), learnt(["28.11.2022", "01.12.2022"])):
        assert repr(Column.from_dict(column.to_dict())) == repr(column)


def test_numbers_where_durations_were_are_read_in_the_unit_that_fits() -> None:
    column = learnt(pd.to_timedelta(np.arange(1, 40) * 1800, unit="s"))
    seconds = pd.Series([3600.0, 7200.0, 60000.0] * 4, name="c")
    for factor, unit in ((1, ""), (1000, "milliseconds"), (1 / 86400, "days")):
        found = column.conform(seconds * factor)
        np.testing.assert_allclose(found.values, seconds)
        assert found.note == (unit and f"column 'c' was passed as numbers, which were read as {unit}")
    assert "read as seconds" in column.conform(seconds.head(2) / 86400).note, "two rows are no evidence"
    assert column.conform(seconds.head(2)).note == ""


@pytest.mark.parametrize("new", [pd.Series([7, 8], dtype=object), pd.Series(["7", "7", "8"] * 9)])
def test_levels_that_lost_their_zeros_on_the_way_are_told(new: pd.Series) -> None:
    assert (
        "cannot distinguish its levels '007', '7'"
        in learnt(["007", "7", "8"] * 6).conform(new.rename("c")).note
    )


def test_a_doubtful_decimal_mark_is_that_of_the_known_range() -> None:
    column = learnt([51.25, 48.5, 59.125, 40.0])
    assert column.conform(pd.Series(["52,520", "48,137"], name="c")).values.tolist() == [52.52, 48.137]
    column = learnt(["51,25", "48,5", "59,125", "40"])
    found = column.conform(pd.Series(["52.520", "48.137"] * 5, name="c"))
    assert found.values.tolist() == [52.52, 48.137] * 5
    assert "decimal mark '.'" in found.note
    few = column.conform(pd.Series(["52.520"], name="c"))
    assert (few.values.tolist(), "may be in another format" in few.note) == ([52520.0], True)
    assert column.conform(pd.Series(["52,5"], name="c")).note == ""


def test_time_zones_that_come_or_go_are_told() -> None:
    moments = pd.Series(pd.date_range("2022-01-01", periods=30, freq="7h"), name="c")
    naive, aware = learnt(moments), learnt(moments.dt.tz_localize("UTC"))
    assert "have a time zone" in naive.conform(moments.dt.tz_localize("Europe/Berlin")).note
    assert "have a time zone" in naive.conform(moments.dt.strftime("%Y-%m-%dT%H:%M:%S+02:00")).note
    assert "have no time zone" in aware.conform(moments).note
    for column, same in (
        (naive, moments),
        (aware, moments.dt.tz_localize("UTC")),
        (naive, moments.astype(str)),
    ):
        assert column.conform(same).note == ""


def test_years_where_dates_were_and_columns_that_are_all_missing_are_told() -> None:
    dates = learnt(pd.date_range("2020-01-20", periods=40, freq="17D"))
    assert "read as years" in dates.conform(pd.Series([2020, 2021], name="c")).note
    assert "'c' is missing in every row" in dates.conform(pd.Series([None] * 20, name="c")).note
    assert dates.conform(pd.Series([None], name="c", dtype=object)).note == ""
    assert learnt(pd.period_range("2000", periods=30, freq="Y")).conform(pd.Series([2003, 2004])).note == ""


def test_a_doubtful_order_of_new_dates_is_that_of_training() -> None:
    column = learnt(pd.date_range("2020-01-20", periods=40, freq="17D").strftime("%d.%m.%Y"))
    assert column.conform(pd.Series(["03/04/2021", "05/06/2021"])).values.dt.day.tolist() == [3, 5]


def test_numbers_alone_are_seconds_where_durations_were() -> None:
    column = learnt([f"{i:02d}:30:15" for i in range(24)])
    assert column.conform(pd.Series(["5400", "01:30:00"])).values.tolist() == [5400.0, 5400.0]


def test_shares_where_percents_were_are_percents_or_told() -> None:
    column = learnt([f"{i}%" for i in range(2, 90)])
    many, few = (column.conform(pd.Series([0.05, 0.5, 0.2] * n, name="c")) for n in (5, 1))
    assert (many.values.tolist()[:3], many.note) == (
        [5.0, 50.0, 20.0],
        "the numbers of column 'c' were read as fractions, 0.05 as 5 %",
    )
    assert (few.values.tolist(), "may be fractions" in few.note) == ([0.05, 0.5, 0.2], True)
    for same in (["5%", "50%"], ["0.5%"], [5.0, 50.0]):
        assert column.conform(pd.Series(same, name="c")).note == ""


def test_python_dates_are_dates_without_a_word() -> None:
    column = learnt(pd.date_range("2020-01-20", periods=40, freq="17D").strftime("%d.%m.%Y"))
    assert column.conform(pd.Series(pd.date_range("2020-03-04", periods=3).date)).note == ""


def test_a_single_number_with_a_thousands_mark_is_one() -> None:
    assert learnt([1, 2, 30, 400]).conform(pd.Series(["1,000"])).values.tolist() == [1000.0]


def test_numbers_are_levels_without_decimals_as_long_as_they_are_exact() -> None:
    texts = level_texts(pd.Series([2.0, 2.5, 2.0**53 - 1, 2.0**53, -(2.0**53)]))
    assert texts.tolist() == ["2", "2.5", "9007199254740991", "9007199254740992.0", "-9007199254740992.0"]
    assert level_texts(pd.Series([np.float32(3.0), None, " x "], dtype=object)).fillna(
        "missing"
    ).tolist() == ["3", "missing", "x"]
    assert level_texts(pd.Series(["TRUE", "false"])).tolist() == ["True", "False"]
    assert level_texts(pd.Series(["TRUE", "x"])).tolist() == ["TRUE", "x"]


def test_what_is_no_level_is_counted() -> None:
    found = match_levels(
        pd.Series(["a", "q", "q", nan, "NA", "r"], dtype=object), ("a", "b"), frozenset({"NA"})
    )
    assert (found.n_present, found.unseen, found.n_unseen) == (4, ("q", "r"), 3)


@pytest.mark.parametrize(
    ("levels", "colliding"),
    [
        (("007", "7", "8"), ("007", "7")),
        (("1", "1.0", "true"), ("1", "1.0", "true")),
        (("Yes", "yes"), ("Yes", "yes")),
        (("a", "A"), ()),
        (("1_0", "10"), ()),
        (("inf", "-inf"), ()),
        ((str(2**60), str(2**60 + 1)), ()),
        ((str(2**60), f"0{2**60}"), (str(2**60), f"0{2**60}")),
    ],
)
def test_levels_that_mean_the_same_number_or_word_collide(levels: tuple, colliding: tuple) -> None:
    assert colliding_levels(levels) == colliding


def test_variants_in_case_and_blanks_are_grouped() -> None:
    assert case_variants(["b", "a ", "A", "B", "c"]) == [("B", "b"), ("A", "a ")]
    assert case_variants(["a", "b"]) == []
