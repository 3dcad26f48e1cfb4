import json
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from skops import io

from automl_meta.algorithms import ALGORITHMS, get_algorithm
from automl_meta.automl import TabularModel
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
    with pytest.raises(DataError, match=r"Column 'number' holds 'abc', which is not a number"):
        model.predict(X.head(2).assign(number="abc"))
    with pytest.raises(DataError, match=r"Column 'day' holds 'soon', which is not a date"):
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
