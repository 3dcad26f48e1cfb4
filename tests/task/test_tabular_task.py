from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl_meta.exceptions import DataError, UsageError
from automl_meta.task import TabularTask
from automl_meta.task.tabular_task import BUNDLED


def table(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "b": rng.choice(["x", "y", "z"], n),
            "c": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "y": rng.choice(["good", "bad"], n),
        }
    )


@pytest.mark.parametrize(
    ("target", "task_type"),
    [
        (["b", "a"] * 30, "classification"),
        ([True, False] * 30, "classification"),
        ([0, 1, 2] * 20, "classification"),
        ([0.0, 1.0] * 30, "classification"),
        (list(range(60)), "regression"),
        (np.linspace(0, 1, 60), "regression"),
        ([0.5, 1.5, 2.5] * 20, "regression"),
        (pd.Categorical([1, 2, 3] * 20), "classification"),
    ],
)
def test_the_type_of_the_task_is_what_a_person_would_say(target: object, task_type: str) -> None:
    assert TabularTask.from_frame(table()[["a"]], pd.Series(target)).task_type == task_type


def test_the_type_of_the_task_can_be_said() -> None:
    assert (
        TabularTask.from_frame(table()[["a"]], [0, 1, 2] * 20, task_type="regression").task_type
        == "regression"
    )


def test_labels_are_kept_as_they_came() -> None:
    assert TabularTask.from_frame(table()[["a"]], [5, 3] * 30).classes.tolist() == [3, 5]
    assert TabularTask.from_frame(table(), "y").classes.tolist() == ["bad", "good"]


def test_codes_follow_the_sorted_labels() -> None:
    task = TabularTask.from_frame(table(), "y")
    assert task.classes[task.y_codes].tolist() == task.y.tolist()


def test_the_callers_table_stays_as_it_was() -> None:
    frame = table()
    frame.loc[3, "a"] = np.inf
    before = frame.copy()
    task = TabularTask.from_frame(frame, "y")
    task.X.loc[0, "a"] = 99.0
    pd.testing.assert_frame_equal(frame, before)


def test_rows_without_a_target_are_left_out_and_told() -> None:
    frame = table()
    frame.loc[[1, 5], "y"] = None
    task = TabularTask.from_frame(frame, "y")
    assert task.n_rows == 58
    assert "2 rows with a missing target dropped" in task.notes


def test_a_class_with_one_row_is_told() -> None:
    frame = table()
    frame.loc[0, "y"] = "lonely"
    assert any("'lonely'" in note for note in TabularTask.from_frame(frame, "y").notes)


@pytest.mark.parametrize(
    ("change", "target", "message"),
    [
        (lambda f: f, "why", r"no target column 'why'\. The columns are: a, b, c, y\."),
        (lambda f: f.assign(y=np.nan), "y", "missing in every row"),
        (lambda f: f.assign(y="same"), "y", "a single class"),
        (lambda f: f.assign(y=7.0), "y", "a single class"),
        (lambda f: f.iloc[:0], "y", "no rows"),
        (lambda f: f.iloc[:1], "y", "only 1 row"),
        (lambda f: f[["y"]], "y", "no column other than the target"),
        (lambda f: f[["y"]].assign(k=1, e=np.nan, i=range(60)), "y", "constant, empty or identifiers"),
        (lambda f: f.assign(y=[f"id{i}" for i in range(60)]), "y", "too many classes"),
        (lambda f: pd.concat([f, f[["a"]]], axis=1), "y", "More than one column is named 'a'"),
    ],
)
def test_what_cannot_be_learnt_is_refused_in_words(change, target: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        TabularTask.from_frame(change(table()), target)
    assert "\n" not in str(caught.value)


def test_regression_on_words_is_refused() -> None:
    with pytest.raises(DataError, match="such as 'bad'"):
        TabularTask.from_frame(table(), "y", task_type="regression")


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(DataError, match="60 rows and y has 3"):
        TabularTask.from_frame(table(), [1, 2, 3])


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UsageError, match="clustering"):
        TabularTask.from_frame(table(), "y", task_type="clustering")  # type: ignore[arg-type]


def test_arrays_are_taken() -> None:
    task = TabularTask.from_frame(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) / 7)
    assert task.X.columns.tolist() == ["x0", "x1", "x2"]


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_data_sets_are_tasks(name: str) -> None:
    assert TabularTask.bundled(name).n_rows > 0


def test_an_unknown_bundled_name_is_refused() -> None:
    with pytest.raises(UsageError, match="titanic"):
        TabularTask.bundled("titanic")


class TestFingerprint:
    def test_it_does_not_depend_on_the_order_of_rows_and_columns_or_on_names(self) -> None:
        frame = table()
        task = TabularTask.from_frame(frame, "y", name="one")
        shuffled = frame.sample(frac=1, random_state=1)[["c", "y", "b", "a"]].rename(columns={"a": "alpha"})
        assert TabularTask.from_frame(shuffled, "y", name="other").fingerprint == task.fingerprint

    def test_it_survives_files(self, tmp_path: Path) -> None:
        frame = table()
        expected = TabularTask.from_frame(frame, "y").fingerprint
        frame.to_csv(tmp_path / "t.csv", index=False)
        frame.to_csv(tmp_path / "u.csv", index=False, sep=";", encoding="utf-16")
        frame.to_parquet(tmp_path / "t.parquet")
        for file in ("t.csv", "u.csv", "t.parquet"):
            assert TabularTask.from_file(tmp_path / file, "y").fingerprint == expected

    def test_it_does_not_depend_on_integers_being_floats(self) -> None:
        frame = pd.DataFrame({"a": [1, 2, 3, 5] * 10, "y": [0, 1] * 20})
        assert (
            TabularTask.from_frame(frame, "y").fingerprint
            == TabularTask.from_frame(frame.astype(float), "y").fingerprint
        )

    @pytest.mark.parametrize(
        "change",
        [
            lambda f: f.assign(a=f["a"] + 1e-6),
            lambda f: f.assign(a=f["a"].sample(frac=1, random_state=0).to_numpy()),
            lambda f: f.iloc[1:],
            lambda f: f.drop(columns="b"),
            lambda f: f.assign(y=f["y"].sample(frac=1, random_state=0).to_numpy()),
            lambda f: pd.concat([f, f]),
        ],
    )
    def test_it_changes_with_the_content(self, change) -> None:
        frame = table()
        changed = TabularTask.from_frame(change(frame), "y")
        assert changed.fingerprint != TabularTask.from_frame(frame, "y").fingerprint


class TestOf:
    def test_a_task_stays_as_it_is(self) -> None:
        task = TabularTask.bundled("iris")
        assert TabularTask.of(task) is task
        assert TabularTask.of(task, task_type="classification") is task

    def test_a_table_and_a_target_become_one(self) -> None:
        assert TabularTask.of(table(), "y").fingerprint == TabularTask.from_frame(table(), "y").fingerprint

    def test_no_target_two_targets_and_another_type_are_refused(self) -> None:
        task = TabularTask.bundled("iris")
        with pytest.raises(UsageError, match="no target"):
            TabularTask.of(table())
        with pytest.raises(UsageError, match="already"):
            TabularTask.of(task, task.y)
        with pytest.raises(UsageError, match="regression"):
            TabularTask.of(task, task_type="regression")


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [("iris", "f6d611e5f7e4f915ec0d86319c516182"), ("diabetes", "d0045e0317d3d3c78eab9347a0e14f46")],
)
def test_a_fingerprint_is_that_of_every_earlier_version(name: str, fingerprint: str) -> None:
    """Stores that are out there know data sets by it."""
    assert TabularTask.bundled(name).fingerprint == fingerprint
