import numpy as np
import pandas as pd
import pytest

from automl_meta.task import TabularTask
from automl_meta.task.inference import infer_columns
from automl_meta.task.numbers import number_pattern, read_number, read_numbers, to_numbers
from automl_meta.task.options import ReadingOptions

nan = float("nan")


def inferred(values: object, **said: object):
    found, columns = infer_columns(pd.DataFrame({"c": values}), ReadingOptions(**said))  # type: ignore[arg-type]
    return found["c"], columns["c"]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1.234,56", "960,92", "2.080,62"], [1234.56, 960.92, 2080.62]),
        (["$1,200.50", "$960.92", "-$3.10"], [1200.5, 960.92, -3.1]),
        (["12 %", "5%", "7.5%"], [12, 5, 7.5]),
        (["3.5 kg", "4 kg", "0.25 kg"], [3.5, 4, 0.25]),
        (["3.5 kg", "350 g", "4 kg"], [3.5, 0.35, 4]),
        (["(12.5)", "13", "(1)"], [-12.5, 13, -1]),
        (["0,567", "1,234", "2,5"], [0.567, 1.234, 2.5]),
        (["1 234,5", "2 345 678,9", "1"], [1234.5, 2345678.9, 1]),
        (["1\u202f234,5", "2\u00a0345,9", "1"], [1234.5, 2345.9, 1]),
        (["1'234.50", "999", "12'000"], [1234.5, 999, 12000]),
        (["12K", "1.5M", "900"], [12e3, 1.5e6, 900]),
        (["1,23,456.7", "12,345", "1"], [123456.7, 12345, 1]),
        (["€ 12", "15 €", "EUR 7"], [12, 15, 7]),
        (["500-", "7", "\u22128"], [-500, 7, -8]),
        (["1e5", "2E-3", "3"], [1e5, 2e-3, 3]),
        (["12 km/h", "7 km/h", "30 km/h"], [12, 7, 30]),
        (["1.2 Mio. €", "3 Mio. €", "0.5 Mio. €"], [1.2e6, 3e6, 5e5]),
        (["1.234.567", "2.000", "1.500"], [1234567, 2000, 1500]),
        (["1", "2", "3.5"], [1, 2, 3.5]),
        ([*map(str, range(30)), "?"], [*range(30), nan]),
        ([*map(str, range(30)), "-", "n/a", "NA", "unknown", ""], [*range(30), nan, nan, nan, nan, nan]),
        ([*map(str, range(30)), "Total"], [*range(30), nan]),
        ([*map(str, range(1, 21)), ">20", "<1"], [*range(1, 21), 20, 1]),
    ],
)
def test_numbers_are_read_in_any_writing(texts: list[str], numbers: list[float]) -> None:
    values, column = inferred(texts)
    assert column.kind == "numeric"
    np.testing.assert_allclose(values, numbers, rtol=1e-12)


@pytest.mark.parametrize(
    "texts",
    [
        ["1.2.10", "1.3.2", "2.0.1"],
        ["3-2-1", "1-2-3", "2-2-2"],
        ["C100", "C200", "C300"],
        ["12a", "13b", "14c"],
        ["40005a", "40005b", "40006", "40007"],
        ["10-20", "20-30", "30-40"],
        ["<=50K", ">50K", ">50K"],
        ["1/2", "1/3", "2/3"],
        ["192.168.0.1", "10.0.0.1", "10.0.0.2"],
        ["US$ 5", "EUR 7", "GBP 3"],
        ["007", "012", "100"],
        ["01067", "80331", "10115"],
        ["12 Main Street", "5 High Street", "1 Mill Lane"],
        ["one", "two", "3"],
    ],
)
def test_what_only_looks_like_numbers_is_no_number(texts: list[str]) -> None:
    assert inferred(texts)[1].kind in ("categorical", "identifier", "text")


def test_every_conversion_is_told_with_what_did_not_fit() -> None:
    _, column = inferred([*(f"{n},5 €" for n in range(30)), "Total"])
    assert column.n_unfit == 1
    assert "decimal mark ','" in column.notes[0]
    assert "'€'" in column.notes[0]
    assert "1 value, such as 'Total': not numbers" in column.notes[1]


def test_words_for_missing_values_are_told() -> None:
    _, column = inferred([*map(str, range(30)), "?", "-"], is_file=True)
    assert column.notes == ("2 values treated as missing: '-', '?'",)


def test_numbers_stored_as_text_in_a_frame_are_told() -> None:
    _, column = inferred(["1.5", "2.5", "3"])
    assert column.notes == ("its numbers were stored as text",)
    assert inferred(["1.5", "2.5", "3"], is_file=True)[1].notes == ()


@pytest.mark.parametrize(
    ("other", "expected"),
    [(["0,5", "1,25"], [1234.0, 5678.0]), (["0.5", "1.25"], [1.234, 5.678])],
)
def test_a_doubtful_decimal_mark_is_that_of_the_other_columns(
    other: list[str], expected: list[float]
) -> None:
    frame = pd.DataFrame({"doubtful": ["1.234", "5.678"], "clear": other})
    values, _ = infer_columns(frame, ReadingOptions(is_file=True))
    assert values["doubtful"].tolist() == expected


def test_a_doubtful_decimal_mark_without_a_hint_is_told() -> None:
    values, column = inferred(["1,234", "5,678", "9,012"])
    assert values.tolist() == [1234.0, 5678.0, 9012.0]
    assert "--decimal" in column.notes[-1]
    assert inferred(["1,234", "5,678", "9,012"], decimal=",")[0].tolist() == [1.234, 5.678, 9.012]


def test_the_same_numbers_are_the_same_task_in_any_writing() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(scale=1e4, size=(50, 2))
    german = pd.DataFrame({"a": [f"{n:,.4f}".translate(str.maketrans(",.", ".,")) for n in numbers[:, 0]]})
    plain = pd.DataFrame({"a": numbers[:, 0].round(4)})
    y = np.where(numbers[:, 1] > 0, "x", "z")
    one, two = (TabularTask.from_frame(frame, y) for frame in (german, plain))
    assert one.fingerprint == two.fingerprint
    np.testing.assert_array_equal(one.X["a"], two.X["a"])


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["12.50", "20.-", "9.90", "15.-"], [12.5, 20, 9.9, 15]),
        (["5.000,-", "1.250,50"], [5000, 1250.5]),
        (["5.5m", "500.2k", "1.2m"], [5.5e6, 500200, 1.2e6]),
        (["1.2B", "300M", "4.1B"], [1.2e9, 3e8, 4.1e9]),
        (["45 mn", "2 h", "30 mn"], [45, 120, 30]),
        (["5 m", "1.5 km", "30 m"], [5, 1500, 30]),
        (["10%", "0.1", "5%", "0.25"], [10, 10, 5, 25]),
        (["10%", "12", "5%"], [10, 12, 5]),
        (["1,340E+04", "2,769E+04"], [13400, 27690]),
        (["$1.2M", "$300K", "$5"], [1.2e6, 3e5, 5]),
        (["12.5°", "3°"], [12.5, 3]),
    ],
)
def test_units_and_powers_have_their_meaning(texts: list[str], numbers: list[float]) -> None:
    np.testing.assert_allclose(inferred(texts * 5)[0][: len(texts)], numbers, rtol=1e-12)


def test_marks_at_school_are_not_negative() -> None:
    assert inferred(["1-", "2", "2-", "3"] * 5)[1].kind == "categorical"


def test_whole_numbers_that_floats_would_merge_stay_apart() -> None:
    for values in ([10**17, 10**17 + 1] * 10, [str(10**17), str(10**17 + 1)] * 10, [10**20, 10**20 + 1] * 10):
        found, column = inferred(values)
        assert found.tolist() == [str(value) for value in values]
        assert "too large to be represented exactly" in column.notes[-1]


def test_a_column_of_nearly_enough_numbers_is_told() -> None:
    texts = [*map(str, range(50)), *(["error", "broken", "off", "lost"] * 4)]
    assert any(
        "of its values are numbers: --columns c:numeric parses them" in note
        for note in inferred(texts)[1].notes
    )


def test_millions_beside_plain_numbers_are_millions() -> None:
    assert inferred(["1.2M", "750000"] * 9)[0].tolist()[:2] == [1.2e6, 750000]
    assert inferred(["2m", "750000", "1.5m"] * 9)[0].tolist()[:3] == [2e6, 750000, 1.5e6]
    assert inferred(["2 m", "3.5", "1.5 m"] * 9)[0].tolist()[:3] == [2, 3.5, 1.5]


@pytest.mark.parametrize(
    "texts", [["004.6", "813.54", "500.1"], ["038.9", "250.01", "401.9"], ["(1)", "(2)", "(3)"]]
)
def test_codes_of_other_kinds_are_no_numbers(texts: list[str]) -> None:
    assert inferred(texts * 9, is_file=True)[1].kind == "categorical"


def test_texts_that_differ_in_zeros_at_the_end_are_told() -> None:
    column = inferred(["1.1", "1.10", "1.2", "2.0"] * 9, is_file=True)[1]
    assert column.kind == "numeric"
    assert "'1.1', '1.10' are equal as numbers" in column.notes[-1]
    assert inferred(["1.1", "1.10"] * 9, is_file=True)[1].kind == "categorical"
    assert inferred(["1.5", "2.0", "3.0"] * 9, is_file=True)[1].notes == ()


@pytest.mark.parametrize(
    ("text", "decimal", "number", "unit", "is_bound"),
    [
        ("1,234.5", ".", 1234.5, "", False), ("1.234,5", ",", 1234.5, "", False), ("(5)", ".", -5, "", False),
        ("+5", ".", 5, "", False), ("555-", ".", -555, "", False), ("5.0-", ".", -5, "", False),
        ("5+", ".", 5, "", True), ("<=5", ".", 5, "", True), ("$5", ".", 5, "$", False), ("5 USD", ".", 5, "$", False),
        ("US$ 5", ".", 5, "$", False), ("5 kgs", ".", 5, "kg", False), ("5 s", ".", 5, "s", False), ("5 ms", ".", 5, "ms", False),
        ("1,340E+04", ",", 13400, "", False), (".5", ".", 0.5, "", False), ("5.", ".", 5, "", False),
        ("٣", ".", 3, "", False), ("$1.2M", ".", 1.2, "m $", False), ("$300 mio.", ".", 300, "mio $", False),
        ("1.2 M", ".", 1.2, "mio", False), ("5 m", ".", 5, "m", False), ("€ 3 Mrd", ".", 3, "mrd €", False),
        ("0,123", ",", 0.123, "", False), ("$ -5", ".", -5, "$", False), ("-$5", ".", -5, "$", False),
    ],
)  # fmt: skip
def test_a_number_is_read_with_its_unit(
    text: str, decimal: str, number: float, unit: str, is_bound: bool
) -> None:
    found, *about = read_number(text, number_pattern(decimal))
    assert float(found) == pytest.approx(number)
    assert about == [unit, is_bound]


@pytest.mark.parametrize(
    "text",
    [
        "1.234,5", "(5", "5)", "--5", "-(5)", "5-", "55-", "$5 kg", "1,340E+04", "-", ".", "1 23", "0,123", "R2D2", "5-6",
        "$", "5 toolongunitname",
    ],
)  # fmt: skip
def test_a_text_that_is_no_number_is_not_read(text: str) -> None:
    assert read_number(text, number_pattern(".")) == ("", "", False)


def reading(texts: list[str], counts: list[int] | None = None, **said: object):
    return read_numbers(
        np.array(texts, dtype=object),
        np.array(counts or [1] * len(texts)),
        **said,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("texts", "are"),
    [
        (["(1)", "(2)"], False),
        (["(1)"], True),
        ([*map(str, range(9)), "x"], True),
        ([*map(str, range(8)), "x"], False),
        (["3 kg", "4 g"], True),
        (["3 kg", "4 m"], False),
        ([*(f"{i} kg" for i in range(49)), "4 m"], True),
        ([*(f"{i} kg" for i in range(48)), "4 m"], False),
        (["3 foo", "4 foo", "5"], True),
        (["3 foo", "4 foo", "5", "6"], True),
        (["3 foo", "4", "5"], False),
        ([">5", "6", "7", "8", "9"], True),
        ([">5", "6", "7", "8"], False),
        ([*map(str, range(400))], True),
        ([*map(str, range(400)), *(f"x{i}" for i in range(40))], True),
        ([*map(str, range(400)), *(f"x{i}" for i in range(50))], False),
    ],
)
def test_texts_are_numbers_if_nine_tenths_are_in_units_that_belong_together(
    texts: list[str], are: bool
) -> None:
    assert (reading(texts) is not None) == are


def test_words_as_many_as_numbers_are_more_than_misfits() -> None:
    assert reading(["word", "1"], [1, 100]) is None
    found = reading(["word", "1", "2"], [1, 100, 100])
    assert found is not None
    assert found.share == pytest.approx(200 / 201)


def test_few_numbers_are_enough_if_they_are_asked_for() -> None:
    found = reading(["x", "1"], force=True)
    assert found is not None
    assert found.share == 0.5
    assert reading(["x"], force=True) is None


@pytest.mark.parametrize(
    ("texts", "units"),
    [
        (["2m", "3m", "2500"], {"m": 1e6}),
        (["2m", "3m", "2499"], {"m": 1.0}),
        (["5%", "0.25"], {"%": 1.0, "": 100.0}),
        (["5%", "1"], {"%": 1.0, "": 100.0}),
        (["5%", "1.5"], {"%": 1.0}),
        (["5‰", "5%", "6%"], {"%": 1.0, "‰": 0.1}),
        (["1.2 Mio. €", "3 €", "4 €"], {"€": 1.0, "mio €": 1e6}),
        (["1 h", "2 min", "3 min"], {"min": 1.0, "h": 60.0}),
        (["1 h", "2 h", "3 min"], {"h": 1.0, "min": 1 / 60}),
        (["3 kg", "4 g", "5 g"], {"g": 1.0, "kg": 1e3}),
        (["3 l", "4 ml", "5 l"], {"l": 1.0, "ml": 1e-3}),
        (["3 k", "4 k", "5"], {"k": 1e3}),
        (["1.2 bn", "3 mn"], {"bn": 1e9, "mn": 1e6}),
    ],
)
def test_units_are_brought_to_the_most_frequent_one(texts: list[str], units: dict[str, float]) -> None:
    found = reading(texts)
    assert found is not None
    assert found.format.units == pytest.approx({"": 1.0} | units)


def test_the_other_mark_is_told_if_it_gives_other_numbers() -> None:
    clear, doubtful, said = (
        reading(["1,5", "2,5"]),
        reading(["1.234", "5.678"]),
        reading(["1.234"], decimal=","),
    )
    assert (clear.format.decimal, clear.other) == (",", None)
    assert (doubtful.format.decimal, doubtful.other.decimal) == (".", ",")
    assert (said.format.decimal, said.other.decimal) == (",", ".")
    whole = reading(["1", "2"], decimal=",")
    assert (whole.format.decimal, whole.other) == (".", None)


def test_bounds_are_counted() -> None:
    assert reading([">5", "<1", *map(str, range(9))]).n_bounds == 2


def test_numbers_are_read_in_a_known_format() -> None:
    column = pd.Series(["1,5 kg", "2 g", "x", None, "3", "4 m"], index=[3, 1, 4, 1, 5, 9])
    found = to_numbers(column, ",", {"kg": 1.0, "g": 1e-3})
    np.testing.assert_array_equal(found, [1.5, 0.002, nan, nan, nan, nan])
    assert found.index.equals(column.index)


@pytest.mark.parametrize(
    "dimension",
    [
        {"mg": 1e-3, "g": 1.0, "kg": 1e3, "t": 1e6, "lb": 453.59237, "oz": 28.349523125},
        {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3, "in": 0.0254, "ft": 0.3048, "yd": 0.9144, "mi": 1609.344},
        {"ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "day": 86400.0, "d": 86400.0},
        {"ml": 1e-3, "cl": 1e-2, "dl": 0.1, "l": 1.0},
        {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12},
        {"w": 1.0, "kw": 1e3, "mw": 1e6},
        {"wh": 1.0, "kwh": 1e3, "mwh": 1e6},
    ],
)  # fmt: skip
def test_units_of_one_dimension_are_converted(dimension: dict[str, float]) -> None:
    main, size = next(iter(dimension.items()))
    for unit, other in dimension.items():
        found = reading([f"1 {main}", f"2 {main}", f"3 {main}", f"4 {unit}"])
        assert found.format.units[unit] == pytest.approx(other / size), unit


def test_powers_of_ten_are_known_by_their_names() -> None:
    powers = {"k": 1e3, "tsd": 1e3, "mio": 1e6, "mn": 1e6, "mm": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9}
    for power, factor in powers.items():
        found = reading([f"1 {power}", "2 k", "3 k", "5"])
        assert found.format.units[power] == factor, power
