import contextlib
import json
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from skops import io

from automl_meta.algorithms import ALGORITHMS, get_algorithm
from automl_meta.automl import AutoMLClassifier, TabularModel
from automl_meta.exceptions import AutomlMetaWarning, DataError, UsageError
from automl_meta.records import Configuration
from automl_meta.task import TabularTask
from automl_meta.testing.algorithms import mixed_task


def fitted(algorithm, n_rows: int = 60, configuration=None) -> tuple[TabularModel, pd.DataFrame]:
    task = mixed_task(algorithm.task_type, n_rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = algorithm.build(configuration or algorithm.default_configuration, task)
        pipeline.fit(task.X, task.y_codes)
    model = TabularModel(
        task.task_type, [pipeline], [1.0], ["x"], task.columns, np.asarray(task.classes), target="y"
    )
    return model, task.X


@pytest.fixture(scope="module")
def tree() -> tuple[TabularModel, pd.DataFrame]:
    return fitted(next(a for a in ALGORITHMS if a.name == "decision_tree"))


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: f"{a.name}-{a.task_type}")
def test_every_algorithm_is_saved_and_loaded_as_trusted_types(algorithm, tmp_path) -> None:
    several = algorithm.name in ("gaussian_process", "mlp", "lda")  # whose types depend on parameters
    for number, configuration in enumerate(algorithm.configurations(5 if several else 0)):
        model, X = fitted(algorithm, configuration=configuration)
        file = tmp_path / f"{number}.skops"
        model.save(file)
        np.testing.assert_array_equal(TabularModel.load(file).predict(X), model.predict(X))


@pytest.mark.parametrize("p", [1, 2])
def test_neighbours_in_few_columns_are_saved_as_trusted_types(p: int, tmp_path) -> None:
    """Up to 15 columns, scikit-learn keeps them in a tree."""
    task = TabularTask.bundled("iris")
    configuration = Configuration("knn", {"p": p, "n_neighbors": 5, "weights": "uniform"})
    pipeline = get_algorithm("knn", "classification").build(configuration, task).fit(task.X, task.y_codes)
    model = TabularModel("classification", [pipeline], [1.0], ["x"], task.columns, task.classes)
    model.save(tmp_path / "model.skops")
    loaded = TabularModel.load(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict(task.X), model.predict(task.X))


def test_no_pickle_is_in_the_file(tree, tmp_path) -> None:
    tree[0].save(tmp_path / "model.skops")
    with zipfile.ZipFile(tmp_path / "model.skops") as archive:
        names = archive.namelist()
    assert "schema.json" in names
    assert all(name.endswith((".json", ".npy", ".npz")) for name in names)


class Evil:
    def __init__(self) -> None:
        self.x = 1


@pytest.mark.parametrize("content", [Evil(), {"a": 1}], ids=["unknown type", "something else"])
def test_a_file_with_something_else_is_refused(content, tmp_path) -> None:
    io.dump(content, tmp_path / "model.skops")
    with pytest.raises(DataError, match=r"model.skops holds"):
        TabularModel.load(tmp_path / "model.skops")


def test_a_pickle_is_refused_and_not_run(tmp_path) -> None:
    file = tmp_path / "model.skops"
    file.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    with pytest.raises(DataError, match="is not a model"):
        TabularModel.load(file)
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*none.skops"):
        TabularModel.load(tmp_path / "none.skops")


def test_another_version_of_a_library_is_told(tree, tmp_path) -> None:
    model, _ = tree
    model.save(tmp_path / "model.skops")
    with zipfile.ZipFile(tmp_path / "model.skops") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = parts["schema.json"].decode()
    current = json.dumps(json.dumps(model.versions["scikit-learn"]))[1:-1]
    parts["schema.json"] = schema.replace(
        current, current.replace(model.versions["scikit-learn"], "1.0")
    ).encode()
    with zipfile.ZipFile(tmp_path / "old.skops", "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.warns(AutomlMetaWarning, match=r"scikit-learn 1\.0"):
        TabularModel.load(tmp_path / "old.skops")


def test_columns_are_found_by_name_in_any_order_and_further_ones_ignored(tree) -> None:
    model, X = tree
    other = X[X.columns[::-1]].assign(further=1)
    np.testing.assert_array_equal(model.predict(other), model.predict(X))


def test_a_missing_column_is_named(tree) -> None:
    model, X = tree
    with pytest.raises(DataError, match=r"lacks columns that the model learnt from: 'town'"):
        model.predict(X.drop(columns="town"))


def test_a_column_from_which_nothing_was_learnt_may_be_missing(tree) -> None:
    model, X = tree
    np.testing.assert_array_equal(model.predict(X.drop(columns="empty")), model.predict(X))


def test_text_where_numbers_were_learnt_is_refused_with_the_value(tree) -> None:
    model, X = tree
    with pytest.raises(DataError, match=r"Column 'number' contains 'abc', which is not a number"):
        model.predict(X.head(2).assign(number="abc"))
    with pytest.raises(DataError, match=r"Column 'day' contains 'soon', which is not a date"):
        model.predict(X.head(2).assign(day="soon"))


def test_numbers_and_dates_as_text_are_read(tree) -> None:
    model, X = tree
    as_text = X.assign(number=X["number"].map(str).where(X["number"].notna(), ""), day=X["day"].astype(str))
    np.testing.assert_array_equal(model.predict(as_text), model.predict(X))


def test_a_single_row_is_predicted_as_in_the_table(tree) -> None:
    model, X = tree
    assert [model.predict(X.iloc[[row]])[0] for row in range(5)] == model.predict(X)[:5].tolist()


def test_an_array_of_another_width_is_refused(tree) -> None:
    with pytest.raises(DataError, match=r"X has shape \(2, 3\); the model expects 8 columns"):
        tree[0].predict(np.zeros((2, 3)))


def test_a_regression_has_no_probabilities() -> None:
    model, X = fitted(next(a for a in ALGORITHMS if a.task_type == "regression" and a.name == "ridge"))
    with pytest.raises(UsageError, match="no probabilities"):
        model.predict_proba(X)


def test_pipelines_count_by_their_weights(tree) -> None:
    model, X = tree
    dummy, _ = fitted(next(a for a in ALGORITHMS if a.name == "dummy"))
    both = TabularModel(
        "classification",
        [*model.pipelines, *dummy.pipelines],
        [0.75, 0.25],
        ["a", "b"],
        model.columns,
        model.labels,
    )
    expected = 0.75 * model.predict_proba(X) + 0.25 * dummy.predict_proba(X)
    np.testing.assert_allclose(both.predict_proba(X), expected)


def test_a_file_that_cannot_be_written_leaves_nothing(tree, tmp_path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        tree[0].save(tmp_path / "nowhere" / "model.skops")
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_model_says_what_it_is_and_what_it_was_made_with(tree, tmp_path) -> None:
    tree[0].save(tmp_path / "model.skops")
    loaded = TabularModel.load(tmp_path / "model.skops")
    assert repr(loaded) == repr(tree[0])
    assert repr(loaded).startswith("TabularModel(classification of 'y' from 8 columns by 1 x; ")
    assert f"scikit-learn {loaded.versions['scikit-learn']}" in repr(loaded)


def test_the_estimators_load_what_they_save(tree, tmp_path) -> None:
    tree[0].save(tmp_path / "model.skops")
    loaded = AutoMLClassifier.load(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict(tree[1]), tree[0].predict(tree[1]))


def test_a_model_is_scored_by_accuracy_or_r2(tree) -> None:
    model, X = tree
    y = model.predict(X).copy()
    assert model.score(X, y) == 1.0
    y[: len(y) // 2] = "other"
    assert model.score(X, y) == 0.5
    regression, X = fitted(next(a for a in ALGORITHMS if a.name == "ridge"))
    assert regression.score(X, regression.predict(X)) == pytest.approx(1.0)


def test_labels_that_the_model_does_not_know_and_other_lengths_cannot_be_scored(tree) -> None:
    model, X = tree
    with pytest.raises(UsageError, match=r"y holds labels such as 1; the model knows 'maybe', 'no', 'yes'"):
        model.score(X, np.ones(len(X)).astype(int))
    with pytest.raises(UsageError, match=r"y has shape \(2,\), but X has 60 rows"):
        model.score(X, ["yes", "no"])


def shapes() -> dict[str, pd.DataFrame]:
    """Tables of one kind of column each, narrow and wide."""
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(80, 30))).add_prefix("x")
    texts = [" ".join(rng.choice(["good", "bad", "day", "out"], 9)) + f" {row}" for row in range(80)]
    return {
        "one column": numbers.iloc[:, :1],
        "15 columns": numbers.iloc[:, :15],
        "30 columns": numbers,
        "dates": pd.DataFrame({"day": pd.date_range("2024-01-01", periods=80)}),
        "text": pd.DataFrame({"remark": texts}),
        "categories": pd.DataFrame(
            {"a": rng.choice(list("uvw"), 80), "b": [f"c{i % 40}" for i in range(80)]}
        ),
    }


@pytest.mark.parametrize("shape", shapes())
@pytest.mark.parametrize("name", ["knn", "lightgbm", "lda"])
def test_tables_of_every_shape_and_many_classes_are_saved_as_trusted_types(name, shape, tmp_path) -> None:
    round_trip(get_algorithm(name, "classification"), shapes()[shape], 10, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("shape", shapes())
@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: f"{a.name}-{a.task_type}")
def test_every_algorithm_is_saved_for_tables_of_every_shape(algorithm, shape, tmp_path) -> None:
    for n_classes in (2, 10):
        for configuration in algorithm.configurations(2):
            # Without shrinkage a covariance of few rows cannot be inverted: there is nothing to save then.
            with contextlib.suppress(np.linalg.LinAlgError):
                round_trip(algorithm, shapes()[shape], n_classes, tmp_path, configuration)


def round_trip(algorithm, X, n_classes, tmp_path, configuration=None) -> None:
    rng = np.random.default_rng(1)
    is_classification = algorithm.task_type == "classification"
    y = (
        [f"class {row % n_classes}" for row in range(len(X))]
        if is_classification
        else rng.normal(size=len(X))
    )
    task = TabularTask.from_frame(X, pd.Series(y, name="y"), task_type=algorithm.task_type)
    pipeline = algorithm.build(configuration or algorithm.default_configuration, task)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(task.X, task.y_codes)
    labels = np.asarray(task.classes)
    model = TabularModel(task.task_type, [pipeline, pipeline], [0.5, 0.5], ["a", "b"], task.columns, labels)
    model.save(tmp_path / "model.skops")
    loaded = TabularModel.load(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weights", [0.5]),
        ("weights", [float("nan")]),
        ("weights", ["1"]),
        ("labels", np.array([[1]])),
        ("labels", np.array(["one"])),
        ("configurations", []),
        ("task_type", "clustering"),
        ("versions", {"format": 2}),
        ("target", None),
        ("further", 1),
    ],
)
def test_a_model_that_says_something_wrong_of_itself_is_refused(tree, field, value, tmp_path) -> None:
    tree[0].save(tmp_path / "model.skops")
    model = TabularModel.load(tmp_path / "model.skops")
    state = {**model.__getstate__(), field: value}
    model.__class__ = type("TabularModel", (TabularModel,), {"__getstate__": lambda self: state})
    model.__class__.__module__ = TabularModel.__module__
    io.dump(model, tmp_path / "wrong.skops")
    with pytest.raises(DataError, match="is damaged: "):
        TabularModel.load(tmp_path / "wrong.skops")
