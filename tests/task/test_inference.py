"""Inference of column kinds near its thresholds."""

import datetime

import numpy as np
import pandas as pd
import pytest

from automl_meta.exceptions import UsageError
from automl_meta.task import Column
from automl_meta.task.inference import decimal_mark, infer_columns, infer_numbers
from automl_meta.task.options import ReadingOptions

REMARKS = [f"a long remark {i}" for i in range(20)]
NAMES = [f"u{i}" for i in range(20)]
BIG = 2**53


def inferred(values: object, **said: object) -> tuple[pd.Series, Column]:
    found, columns = infer_columns(pd.DataFrame({"c": values}), ReadingOptions(**said))  # type: ignore[arg-type]
    return found["c"], columns["c"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (range(9), "numeric"),
        (range(10), "identifier"),
        (range(2, 12), "numeric"),
        ([*range(9), 9.5], "numeric"),
        ([0, *range(0, 18, 2)], "numeric"),
        ([*range(10), None], "numeric"),
        ([1, 1], "constant"),
        ([1, 1, None], "numeric"),
        (NAMES, "identifier"),
        (NAMES[:19], "categorical"),
        ([*NAMES, None], "categorical"),
        ([*NAMES, "u1"], "categorical"),
        (REMARKS, "text"),
        (REMARKS[:19], "categorical"),
        ([*REMARKS[:11], *REMARKS[:9]], "text"),
        ([*REMARKS[:10], *REMARKS[:10]], "categorical"),
        ([f"a remark {i}" for i in range(20)], "identifier"),
        (["y", "n"], "boolean"),
        (["t", "maybe"], "categorical"),
        (["t", "f", "n"], "categorical"),
        ([True, 2], "categorical"),
        ([datetime.time(1), None], "numeric"),
        ([datetime.timedelta(1), None], "numeric"),
        ([pd.Period("2020"), None, pd.Period("2021")], "datetime"),
        ([np.datetime64("2020-01-01"), datetime.date(2021, 1, 1)], "datetime"),
        (["01", "22", "33"], "categorical"),
        (["01", *map(str, range(2, 21))], "identifier"),
        (["01", "2", *map(str, range(30, 50))], "numeric"),
        (["1.1", "1.10"], "categorical"),
        (["1.1", "1.10", "2"], "numeric"),
    ],
)
def test_the_kind_near_its_limits(values: object, kind: str) -> None:
    assert inferred(list(values))[1].kind == kind  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("values", "merged"),
    [
        ([BIG - 1, BIG - 2], False),
        ([BIG, BIG + 1], True),
        ([BIG, BIG + 2], False),
        ([-BIG, -BIG - 1], True),
    ],
)
def test_whole_numbers_are_text_where_float64_would_merge_them(values: list[int], merged: bool) -> None:
    found, column = inferred(values * 5)
    assert found.tolist()[:2] == (list(map(str, values)) if merged else values)
    assert (column.notes != ()) == merged


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        ([3, 5, 9, *range(10, 20)], "identifier"),
        ([*range(13, 0, -1)], "identifier"),
        ([*range(20, 7, -1)], "numeric"),
        ([3, 3, 9, *range(10, 20)], "numeric"),
        (np.arange(13) * 2.5, "numeric"),
    ],
)
@pytest.mark.parametrize("name", ["Unnamed: 0", "index", ""])
def test_an_index_that_was_written_as_a_column_rises(index: object, kind: str, name: str) -> None:
    frame = pd.DataFrame({name: index, "b": [1.5, 2.5] * 6 + [7]})
    assert infer_columns(frame, ReadingOptions())[1][name].kind == kind


def test_infinite_values_alone_are_nothing() -> None:
    values, column = inferred([np.inf, -np.inf])
    assert values.isna().all()
    assert (column.kind, column.dropped != "") == ("constant", True)


def test_the_range_of_what_was_seen_is_kept() -> None:
    assert inferred([3.0, 1.5, np.nan, 2.0])[1].range == (1.5, 3.0)
    first, last = (pd.Timestamp(day).timestamp() for day in ("2020-01-05", "2021-03-01"))
    assert inferred(pd.to_datetime(["2021-03-01", None, "2020-01-05"]))[1].range == (first, last)


@pytest.mark.parametrize(
    ("n_numbers", "n_words", "is_told"), [(14, 6, True), (13, 7, False), (12, 4, True), (11, 4, False)]
)  # fmt: skip
def test_a_column_that_is_nearly_numbers_or_dates_is_told(
    n_numbers: int, n_words: int, is_told: bool
) -> None:
    words = [f"w{i}" for i in range(n_words)]
    for kind, texts in (
        ("numeric", [*map(str, range(n_numbers))]),
        ("datetime", [f"2022-01-{i:02d}" for i in range(1, n_numbers + 1)]),
    ):
        assert any(f"c:{kind}" in note for note in inferred([*texts, *words])[1].notes) == is_told, kind


def test_a_format_that_was_said_is_taken_if_it_reads_more_than_half() -> None:
    texts = ["01.02.2022", "03.04.2022"]
    values, column = inferred([*texts, "soon"], date_format="%m.%d.%Y")
    assert (column.kind, column.n_unfit) == ("datetime", 1)
    assert values.dt.month.tolist()[:2] == [1, 3]
    assert inferred([*texts, "soon", "later"], date_format="%m.%d.%Y")[1].kind == "categorical"


@pytest.mark.parametrize(
    ("kind", "given", "values"),
    [
        ("identifier", [1, 2, 3], [1, 2, 3]),
        ("text", ["a", "b"], ["a", "b"]),
        ("text", ["a", "a"], ["a", "a"]),
        ("boolean", ["a", "b"], ["a", "b"]),
        ("categorical", [1, 2, 3], ["1", "2", "3"]),
        ("categorical", ["a", "a"], ["a", "a"]),
        ("numeric", ["1", "2", "x"], [1, 2, np.nan]),
        ("numeric", ["1", "2", "?"], [1, 2, np.nan]),
        ("numeric", ["1,5", "2,5"], [1.5, 2.5]),
        ("numeric", [1, 2, 1], [1, 2, 1]),
        ("numeric", [*range(12)], [*range(12)]),
        ("datetime", ["2022-01-01", "x"], [pd.Timestamp("2022-01-01"), pd.NaT]),
        ("datetime", pd.date_range("2022-01-01", periods=2), [*pd.date_range("2022-01-01", periods=2)]),
    ],
)
def test_a_column_is_of_the_kind_that_was_said(kind: str, given: object, values: list) -> None:
    found, column = inferred(given, kinds={"c": kind})
    assert column.kind == kind
    assert pd.Series(found.tolist()).equals(pd.Series(values, dtype=pd.Series(found.tolist()).dtype))


def test_a_column_of_words_cannot_be_said_to_be_dates_of_a_format() -> None:
    with pytest.raises(UsageError, match="cannot be datetime"):
        inferred(["a", "b"], kinds={"c": "datetime"}, date_format="%d.%m.%Y")


def test_declared_categories_and_words_of_a_file() -> None:
    assert inferred(["1", "2", "NA"] * 3, is_file=True)[1].notes == ()
    assert "'?'" in inferred(["1", "2", "?"] * 3, is_file=True)[1].notes[0]
    assert inferred(["x", "y", "NA"] * 3, is_file=True)[1].levels == ("x", "y")
    assert inferred(["x", "y", "NA"] * 3)[1].levels == ("NA", "x", "y")
    assert inferred(pd.Categorical(NAMES))[1].kind == "categorical"


def test_a_plain_column_of_a_file_is_what_a_column_of_text_would_be() -> None:
    def found(texts: list[str]) -> tuple[str, list]:
        values, column = inferred(pd.Series(texts, dtype="str"), is_file=True)
        return column.kind, values.tolist()

    assert found(["1", "2.5", "7"]) == ("numeric", [1, 2.5, 7])
    assert found(["1", "", "7"])[0] == "numeric"
    assert found([*map(str, range(10))])[0] == "identifier"
    assert found(["20220101", "20220102", "20220103"])[0] == "datetime"
    assert found(["01", "02", "11"])[0] == "categorical"
    assert found(["5", "5"])[0] == "constant"
    assert found([str(BIG), str(BIG + 1), "3"])[0] == "categorical"
    assert found([str(-BIG), str(-BIG - 1), "3"])[0] == "categorical"
    assert found(["1.5", "inf", "3"])[0] == "numeric"


def test_the_decimal_mark_of_a_table_is_that_of_its_clear_columns() -> None:
    clear, other, doubtful = ["0,5", "1,25"], ["0.5", "1.25"], ["1.234", "5.678"]
    for columns, mark in (
        ({"a": clear, "b": doubtful}, ","),
        ({"a": other, "b": doubtful}, "."),
        ({"a": clear, "b": other}, None),
        ({"b": doubtful}, None),
        ({"a": ["x", "y"]}, None),
    ):
        frame = pd.DataFrame(columns)
        assert decimal_mark(frame, ReadingOptions(is_file=True)) == mark
        if "b" in columns and "a" in columns and mark is not None:
            expected = [1234.0, 5678.0] if mark == "," else [1.234, 5.678]
            assert infer_columns(frame, ReadingOptions(is_file=True))[0]["b"].tolist() == expected


def test_the_mark_of_the_target_decides_what_the_features_leave_open() -> None:
    frame = pd.DataFrame({"b": ["1.234", "5.678"]})
    assert infer_columns(frame, ReadingOptions(is_file=True), ",")[0]["b"].tolist() == [1234.0, 5678.0]
    assert infer_columns(frame, ReadingOptions(is_file=True), ".")[0]["b"].tolist() == [1.234, 5.678]
    assert infer_columns(frame, ReadingOptions(decimal=","), ".")[0]["b"].tolist() == [1234.0, 5678.0]


def test_text_is_read_as_numbers_unless_it_is_something_else() -> None:
    found = infer_numbers(pd.Series(["1,5", "2,25"]), ReadingOptions())
    assert found is not None
    assert (found.values.tolist(), found.mark, found.is_ambiguous) == ([1.5, 2.25], ",", False)
    doubtful = infer_numbers(pd.Series(["1,234", "5,678"]), ReadingOptions())
    assert doubtful is not None
    assert (doubtful.mark, doubtful.is_ambiguous) == (None, True)
    for texts in (["10:30", "11:20"], ["2022-01-01", "2022-01-02"], ["a", "b"], ["", "?"]):
        assert infer_numbers(pd.Series(texts), ReadingOptions()) is None


def test_codes_that_begin_with_a_zero_are_told_unless_nothing_is_learnt_from_them() -> None:
    assert "'01'" in inferred(["01", "2", "3"] * 3)[1].notes[0]
    assert inferred(["01", *map(str, range(2, 21))])[1].notes == ()


def test_of_many_levels_that_differ_in_case_three_pairs_are_shown() -> None:
    levels = [text for word in "abcde" for text in (f"{word}{word}", f"{word}{word}".upper())]
    (note,) = inferred(levels * 3)[1].notes
    assert note.startswith("10 levels")
    assert " 5 " in note
    assert "'CC'" in note
    assert "'DD'" not in note


def test_of_many_levels_that_are_one_number_four_are_shown() -> None:
    (note,) = inferred(["1.0", "1.00", "01", "001", "0001", "x"] * 5, kinds={"c": "categorical"})[1].notes
    assert note.count("'") == 8


def test_shares_among_percents_and_bounds_are_told() -> None:
    assert any("0.25" in note for note in inferred(["5%", "6%", "0.5"] * 4)[1].notes)
    assert not any("0.25" in note for note in inferred(["5%", "6%", "7"] * 4)[1].notes)
    assert any("'>20'" in note for note in inferred([*map(str, range(1, 21)), ">20"])[1].notes)
    assert not any("'>20'" in note for note in inferred(["5%", "6%"])[1].notes)


def test_a_doubtful_mark_is_told_unless_it_was_said() -> None:
    def is_told(texts: list[str], **said: object) -> bool:
        return any("--decimal" in note for note in inferred(texts, **said)[1].notes)

    assert is_told(["1,234", "5,678"])
    assert not is_told(["1,234", "5,678"], decimal=",")
    assert not is_told(["1,5", "2,5"])
    assert not is_told(["3 kg", "4 kg"])


@pytest.mark.parametrize(
    ("clear", "doubtful"),
    [(["0.5", "1.25"], [1.234, 5.678]), (["0,5", "1,25"], [1234.0, 5678.0]), (["5", "7"], [1.234, 5.678])],
)
def test_plain_columns_of_a_file_say_the_mark_of_the_others(clear: list[str], doubtful: list[float]) -> None:
    frame = pd.DataFrame({"a": clear, "b": ["1.234", "5.678"]}, dtype="str")
    assert infer_columns(frame, ReadingOptions(is_file=True))[0]["b"].tolist() == doubtful
    both = frame.assign(c=pd.Series(["0,5", "1,5"], dtype="str"))
    expected = [1234.0, 5678.0] if clear != ["0.5", "1.25"] else [1.234, 5.678]
    assert infer_columns(both, ReadingOptions(is_file=True))[0]["b"].tolist() == expected
