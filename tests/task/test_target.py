from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from automl_meta.exceptions import DataError
from automl_meta.task import TabularTask
from automl_meta.task.options import ReadingOptions
from automl_meta.task.target import infer_target

X = pd.DataFrame({"a": np.random.default_rng(0).normal(size=60)})
BIG = 10**17


def task(y: object, **said: object) -> TabularTask:
    return TabularTask.from_frame(X, pd.Series(y, name="y"), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["001", "002", "1"] * 20, ["001", "002", "1"]),
        ([" yes", "yes", "YES"] * 20, [" yes", "YES", "yes"]),
        ([BIG, BIG + 1] * 30, [BIG, BIG + 1]),
        (pd.array([BIG, BIG + 1, None] * 20, dtype="Int64"), [BIG, BIG + 1]),
        (pd.Series([BIG, BIG + 1, None] * 20, dtype="int64[pyarrow]"), [BIG, BIG + 1]),
        ([0.0, 1.0, 2.0, np.nan] * 15, [0, 1, 2]),
        (pd.array([True, False, None] * 20, dtype="boolean"), [False, True]),
        (pd.Series(["x", None, "z"] * 20).astype("string[pyarrow]"), ["x", "z"]),
        (pd.Series([True, False, None] * 20).astype("bool[pyarrow]"), [False, True]),
        (["1.0", "2.0"] * 30, ["1.0", "2.0"]),
        (pd.Categorical(["low", "high"] * 30), ["high", "low"]),
    ],
)
def test_labels_keep_their_exact_form(labels: object, classes: list) -> None:
    found = task(labels, task_type="classification")
    assert found.classes.tolist() == classes
    assert [type(label) for label in found.classes.tolist()] == [type(label) for label in classes]


@pytest.mark.parametrize(
    ("field", "classes"),
    [
        (["001", "002"], ["001", "002"]),
        ([str(BIG), str(BIG + 1)], [BIG, BIG + 1]),
        (["0", "1", "2", ""], [0, 1, 2]),
        (["0", "1", "NA", "2"], [0, 1, 2]),
        (["yes", " yes", "YES"], [" yes", "YES", "yes"]),
        (["True", "False"], ["False", "True"]),
        (["TRUE", "FALSE"], ["FALSE", "TRUE"]),
        (["NA", "DE", "n/a"], ["DE", "NA", "n/a"]),
        (["None", "some", ""], ["None", "some"]),
        (["1", "2", "3", "U"], ["1", "2", "3", "U"]),
        (["1.0", "2.0"], ["1.0", "2.0"]),
    ],
)
def test_labels_of_a_file_keep_their_exact_form(tmp_path, field: list[str], classes: list) -> None:
    rows = "".join(f"{i % 7},{field[i % len(field)]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(f"a,y\n{rows}")
    found = TabularTask.from_file(tmp_path / "t.csv", "y", task_type="classification")
    assert found.classes.tolist() == classes


def test_missing_words_are_missing_among_numbers_and_labels_among_words_with_a_note() -> None:
    numbers = task([*map(str, range(57)), "NA", "None", "n/a"])
    assert (numbers.task_type, numbers.n_rows) == ("regression", 57)
    assert any("3 values of the target, such as 'NA': not numbers" in note for note in numbers.notes)
    words = task(["NA", "x", ""] * 20)
    assert (words.classes.tolist(), words.n_rows) == (["NA", "x"], 40)
    assert any("'NA' in the target are treated as labels" in note for note in words.notes)


@pytest.mark.parametrize(
    ("texts", "first"),
    [([f"${n:,}.50" for n in range(1000, 1060)], 1000.5), ([f"{n} %" for n in range(60)], 0.0), ([f"{n},5" for n in range(60)], 0.5)],
)  # fmt: skip
def test_amounts_are_quantities_also_without_being_told(texts: list[str], first: float) -> None:
    found = task(texts)
    assert (found.task_type, found.y[0]) == ("regression", first)
    assert any("the target: text such as" in note for note in found.notes)


def test_few_whole_numbers_taken_for_classes_are_told_with_the_remedy() -> None:
    note = "the 3 distinct numbers of the target were treated as classes"
    assert any(note in text and "--task-type regression" in text for text in task([1, 2, 3] * 20).notes)
    assert not any(note in text for text in task([1, 2, 3] * 20, task_type="classification").notes)
    assert not any("were treated as classes" in text for text in task([0, 1] * 30).notes)


def test_variants_of_one_label_are_told_and_never_merged() -> None:
    found = task(["yes", "Yes", " YES", "no"] * 15)
    assert len(found.classes) == 4
    assert any("' YES' and 'Yes' and 'yes'" in note for note in found.notes)


@pytest.mark.parametrize("task_type", ["auto", "classification", "regression"])
def test_advice_does_not_contradict_itself(task_type: str) -> None:
    with pytest.raises(DataError) as caught:
        task([f"name {i}" for i in range(60)], task_type=task_type)
    assert "leave the task type out" not in str(caught.value).lower()
    if task_type != "regression":
        assert "regression" not in str(caught.value)


def test_a_column_that_equals_the_target_is_told_with_the_remedy() -> None:
    y = np.where(X["a"] > 0, "x", "z")
    told = TabularTask.from_frame(X.assign(same=np.where(y == "x", 5, 7)), y).notes
    assert any(
        "column 'same' is equivalent to the target" in note and "--columns same:identifier" in note
        for note in told
    )
    numbers = X["a"].to_numpy()
    told = TabularTask.from_frame(pd.DataFrame({"same": numbers, "b": numbers**2}), numbers).notes
    assert [note for note in told if "is equivalent to the target" in note] == [
        note for note in told if "'same'" in note
    ]


def test_an_index_column_is_left_out_and_told() -> None:
    frame = X.assign(y=["x", "z"] * 30)[X["a"] > -1]
    found = TabularTask.from_frame(frame.reset_index().rename(columns={"index": "Unnamed: 0"}), "y")
    assert found.column_kinds["Unnamed: 0"] == "identifier"
    assert any(
        "it numbers the rows, so it was dropped (--columns 'Unnamed: 0:categorical' keeps it)" in note
        for note in found.notes
    )


@pytest.mark.parametrize("dtype", ["float64", "double[pyarrow]", "Float64", "object"])
def test_quantities_with_missing_ones_are_quantities_in_any_dtype(dtype: str) -> None:
    y = pd.Series([None, *np.random.default_rng(0).choice([1.5, 2.5, 3.7, 9.1], 59)], dtype=dtype)
    assert task(y).task_type == "regression"


def test_a_target_follows_the_decimal_mark_that_was_said_and_that_of_the_table(tmp_path) -> None:
    texts = [f"{i + 1}.{i * 7 % 1000:03d}" for i in range(60)]
    said = TabularTask.from_frame(X, pd.Series(texts), decimal=",")
    assert said.y.tolist()[:2] == [1000.0, 2007.0]
    table = pd.DataFrame(
        {"price": [text.replace(".", ",") for text in texts], "area": [f"{50 + i},5" for i in range(60)]}
    )
    assert TabularTask.from_frame(table, "price").y.tolist()[:2] == [1.0, 2.007]
    alone = TabularTask.from_frame(table.assign(area=range(0, 120, 2)), "price")
    assert any("choose by --decimal" in note for note in alone.notes)
    clear = TabularTask.from_frame(pd.DataFrame({"a": texts, "y": [f"{50 + i},5" for i in range(60)]}), "y")
    assert clear.X["a"].tolist()[:2] == [1000.0, 2007.0]


@pytest.mark.parametrize(
    ("labels", "task_type"),
    [
        ([*range(20)] * 10, "classification"),
        ([*range(20)] * 9, "regression"),
        ([*range(21)] * 10, "regression"),
        ([1, 2, 3] * 10, "classification"),
        ([1, 2, 3] * 9, "regression"),
        ([1.5, 2.5], "classification"),
        ([1, 2, 3.5] * 10, "regression"),
        (["1", "2", "3"], "classification"),
        (["1,5", "2,5", "3,5"] * 20, "regression"),
        ([*map(str, range(30)), "U"], "regression"),
        ([Decimal("1.5"), Decimal("2.5"), Decimal("3.5")], "regression"),
        ([1, "a"], "classification"),
    ],
)
def test_a_guess_near_its_limits(labels: list, task_type: str) -> None:
    assert infer_target(pd.Series(labels), "auto", ReadingOptions()).task_type == task_type


def test_text_of_whole_numbers_is_labels_in_a_frame_and_numbers_in_a_file() -> None:
    texts = pd.Series([*map(str, range(30))])
    assert infer_target(texts, "auto", ReadingOptions()).task_type == "classification"
    assert infer_target(texts, "auto", ReadingOptions(is_file=True)).task_type == "regression"
    assert infer_target(texts, "regression", ReadingOptions()).values.tolist() == [*range(30)]


@pytest.mark.parametrize(
    ("labels", "word"), [(["1", "2", "U"], "U"), ([True, False], "True"), (["b", "a"], "b"), (pd.Categorical(["x"]), "x")]
)  # fmt: skip
def test_a_word_that_keeps_from_regression_is_named(labels: object, word: str) -> None:
    with pytest.raises(DataError, match=f"'{word}'"):
        infer_target(pd.Series(labels), "regression", ReadingOptions())


@pytest.mark.parametrize("labels", [[None, None], ["", " "], [np.nan, np.nan]])
def test_a_target_without_a_value_is_refused(labels: list) -> None:
    with pytest.raises(DataError, match="missing in every row"):
        infer_target(pd.Series(labels), "auto", ReadingOptions())


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        ([1, 2, None], [1, 2, np.nan]),
        ([1.5, 2.0, None], [1.5, 2.0, np.nan]),
        ([2.0**53, 1.0, None], [2.0**53, 1.0, np.nan]),
        ([2.0**53 - 1, 1, None], [2**53 - 1, 1, np.nan]),
        ([1 - 2.0**53, 1, None], [1 - 2**53, 1, np.nan]),
        ([True, 1, "x"], ["True", "1", "x"]),
    ],
)
def test_labels_beside_missing_ones_keep_their_value_and_type(labels: list, kept: list) -> None:
    found = infer_target(pd.Series(labels), "classification", ReadingOptions()).values.tolist()
    assert repr(found) == repr(kept)


def test_what_was_read_of_the_target_is_handed_on() -> None:
    found = infer_target(pd.Series(["1,5", "2,5", "3,75"] * 20), "auto", ReadingOptions())
    assert found.number is not None
    assert (found.number.decimal, found.mark, found.is_ambiguous) == (",", ",", False)
    doubtful = infer_target(pd.Series([f"1,{i}" for i in range(100, 160)]), "auto", ReadingOptions())
    assert (doubtful.mark, doubtful.is_ambiguous) == (None, True)
    plain = infer_target(pd.Series([1.5, 2.5, 3.5]), "auto", ReadingOptions())
    assert (plain.number, plain.mark, plain.is_ambiguous, plain.notes) == (None, None, False, ())


@pytest.mark.parametrize(
    ("labels", "is_told"), [([0, 1], False), ([0, 2], True), ([1, 2], True), (["x", "z"], False), ([True, False], False)]
)  # fmt: skip
def test_numbers_other_than_0_and_1_that_were_taken_for_classes_are_told(labels: list, is_told: bool) -> None:
    notes = infer_target(pd.Series(labels * 10), "auto", ReadingOptions()).notes
    assert any("--task-type regression" in note for note in notes) == is_told


@pytest.mark.parametrize(
    ("n_classes", "n_rows", "is_refused"),
    [(30, 60, False), (31, 60, True), (2, 2, False), (2, 3, False), (3, 5, True)],
)
def test_more_classes_than_half_of_the_rows_are_too_many(
    n_classes: int, n_rows: int, is_refused: bool
) -> None:
    y = [f"c{i % n_classes}" for i in range(n_rows)]
    frame = pd.DataFrame({"a": np.arange(n_rows) % 2 + 0.5})
    if is_refused:
        with pytest.raises(DataError, match=f"{n_classes} distinct values in {n_rows} rows"):
            TabularTask.from_frame(frame, y)
    else:
        assert len(TabularTask.from_frame(frame, y).classes) == n_classes


def test_classes_of_one_row_are_counted_and_five_are_named() -> None:
    for n_alone, dots in ((1, False), (5, False), (6, True)):
        notes = task([*(f"c{i}" for i in range(n_alone)), *["z"] * (60 - n_alone)]).notes
        (note,) = [note for note in notes if "one row each" in note]
        assert note.startswith(f"{n_alone} ")
        assert f"'c{min(n_alone, 5) - 1}'" in note
        assert ("…" in note) == dots
    assert not any("one row each" in note for note in task(["x", "z"] * 30).notes)


@pytest.mark.parametrize("n_rows", [60, 30])
def test_a_numeric_column_equals_a_target_of_classes_if_it_tells_them_apart(n_rows: int) -> None:
    codes = np.array([0, 1, 2] * (n_rows // 3))
    other = codes.copy()
    other[-1] = 0
    frame = pd.DataFrame(
        {
            "same": codes * 1.5 + 2,
            "finer": codes + np.arange(n_rows) / 100,
            "coarser": codes > 0,
            "other": other * 1.5,
        }
    )
    notes = TabularTask.from_frame(
        frame.assign(holed=frame["same"].where(codes > 0)), np.array(["x", "y", "z"])[codes]
    ).notes
    assert [note.split("'")[1] for note in notes if "is equivalent to the target" in note] == ["same"]


def test_a_column_that_differs_from_the_target_in_one_late_row_is_no_copy() -> None:
    numbers = np.random.default_rng(0).normal(size=60)
    late = numbers.copy()
    late[55] += 1
    notes = TabularTask.from_frame(pd.DataFrame({"same": numbers, "late": late}), numbers).notes
    assert [note.split("'")[1] for note in notes if "is equivalent to the target" in note] == ["same"]


def test_a_column_of_words_with_a_missing_one_is_no_copy_of_the_target() -> None:
    y = np.where(X["a"] > 0, "x", "z")
    words = np.where(y == "x", "up", "down").astype(object)
    holed = words.copy()
    holed[0] = None
    told = TabularTask.from_frame(X.assign(words=words, holed=holed), y).notes
    assert [note.split("'")[1] for note in told if "is equivalent to the target" in note] == ["words"]


def test_of_many_labels_that_differ_in_case_three_are_shown() -> None:
    labels = [text for word in "abcde" for text in (word, word.upper())]
    (note,) = infer_target(pd.Series(labels * 3), "auto", ReadingOptions()).notes
    assert all(f"'{word}'" in note for word in "ABC")
    assert "'D'" not in note


def test_of_many_words_for_missing_labels_four_are_shown() -> None:
    labels = ["?", "-", "n/a", "NA", "null", "x"]
    (note,) = infer_target(pd.Series(labels * 3), "auto", ReadingOptions()).notes
    assert note.count("'") == 8
    assert "…" in note


def test_objects_that_are_no_numbers_are_labels() -> None:
    for labels in (
        [b"x", b"z"],
        [("a",), ("b",)],
        [np.datetime64("2020-01-01"), np.datetime64("2021-01-01")],
    ):
        assert (
            infer_target(pd.Series(labels * 10, dtype=object), "auto", ReadingOptions()).task_type
            == "classification"
        )
