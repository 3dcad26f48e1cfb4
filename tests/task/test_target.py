import numpy as np
import pandas as pd
import pytest

from automl_meta.exceptions import DataError
from automl_meta.task import TabularTask

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
    assert any("3 values of the target, such as 'NA': no numbers" in note for note in numbers.notes)
    words = task(["NA", "x", ""] * 20)
    assert (words.classes.tolist(), words.n_rows) == (["NA", "x"], 40)
    assert any("'NA' among the labels" in note for note in words.notes)


@pytest.mark.parametrize(
    ("texts", "first"),
    [([f"${n:,}.50" for n in range(1000, 1060)], 1000.5), ([f"{n} %" for n in range(60)], 0.0), ([f"{n},5" for n in range(60)], 0.5)],
)  # fmt: skip
def test_amounts_are_quantities_also_without_being_told(texts: list[str], first: float) -> None:
    found = task(texts)
    assert (found.task_type, found.y[0]) == ("regression", first)
    assert any("the target: text such as" in note for note in found.notes)


def test_few_whole_numbers_taken_for_classes_are_told_with_the_remedy() -> None:
    note = "the 3 different numbers of the target were taken for classes"
    assert any(note in text and "--task-type regression" in text for text in task([1, 2, 3] * 20).notes)
    assert not any(note in text for text in task([1, 2, 3] * 20, task_type="classification").notes)
    assert not any("were taken for classes" in text for text in task([0, 1] * 30).notes)


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
        "column 'same' equals the target" in note and "--columns same:identifier" in note for note in told
    )
    numbers = X["a"].to_numpy()
    told = TabularTask.from_frame(pd.DataFrame({"same": numbers, "b": numbers**2}), numbers).notes
    assert [note for note in told if "equals the target" in note] == [
        note for note in told if "'same'" in note
    ]


def test_an_index_column_is_left_out_and_told() -> None:
    frame = X.assign(y=["x", "z"] * 30)[X["a"] > -1]
    found = TabularTask.from_frame(frame.reset_index().rename(columns={"index": "Unnamed: 0"}), "y")
    assert found.column_kinds["Unnamed: 0"] == "identifier"
    assert any(
        "it counts the rows, so it was left out (--columns 'Unnamed: 0:categorical' keeps it)" in note
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
    assert any("--decimal says which" in note for note in alone.notes)
    clear = TabularTask.from_frame(pd.DataFrame({"a": texts, "y": [f"{50 + i},5" for i in range(60)]}), "y")
    assert clear.X["a"].tolist()[:2] == [1000.0, 2007.0]
