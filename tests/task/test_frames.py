import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from automl_meta import AutoMLClassifier, extract_metafeatures, recommend
from automl_meta.exceptions import DataError
from automl_meta.task import TabularTask
from automl_meta.task.frames import as_frame, exact_array, split_target

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "size": RNG.normal(size=80),
        "count": RNG.integers(0, 9, 80),
        "town": RNG.choice(["Oslo", "Bergen", "Tromsø"], 80),
        "day": pd.date_range("2022-01-01", periods=80),
    }
)
Y = np.where((TABLE["size"] > 0) ^ (TABLE["town"] == "Oslo"), "yes", "no")
OTHERS = {
    "polars": pl.from_pandas(TABLE),
    "polars lazy": pl.from_pandas(TABLE).lazy(),
    "pyarrow": pa.Table.from_pandas(TABLE),
    "record batch": pa.RecordBatch.from_pandas(TABLE),
    "pandas with arrow": TABLE.convert_dtypes(dtype_backend="pyarrow"),
    "pandas nullable": TABLE.convert_dtypes(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_tables_of_other_libraries_are_the_same_task(name: str) -> None:
    expected = TabularTask.from_frame(TABLE, Y)
    found = TabularTask.from_frame(OTHERS[name], Y)
    assert found.column_kinds == expected.column_kinds
    assert found.fingerprint == expected.fingerprint


@pytest.fixture(scope="module")
def model() -> AutoMLClassifier:
    return AutoMLClassifier(n_trials=1, algorithms=["decision_tree"], store=False, random_state=0).fit(
        TABLE, Y
    )


@pytest.mark.parametrize("name", OTHERS)
def test_columns_are_found_by_name_in_any_order(model: AutoMLClassifier, name: str) -> None:
    other = (
        OTHERS[name].select(["day", "town", "size", "count"])
        if "pandas" not in name
        else OTHERS[name][["day", "town", "size", "count"]]
    )
    expected = model.predict(TABLE)
    np.testing.assert_array_equal(model.predict(other), expected)
    np.testing.assert_array_equal(
        model.predict(TABLE[["day", "town", "size", "count"]].assign(more=1)), expected
    )
    np.testing.assert_array_equal(model.model_.predict(other), expected)


def test_a_missing_column_is_named(model: AutoMLClassifier) -> None:
    with pytest.raises(DataError, match="lacks columns that the model learnt from: 'town'"):
        model.predict(TABLE.drop(columns="town"))


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_the_target_may_be_named(library, model: AutoMLClassifier) -> None:
    frame = library({**TABLE.to_dict("list"), "y": Y.tolist()})
    named = AutoMLClassifier(n_trials=1, algorithms=["decision_tree"], store=False, random_state=0).fit(
        frame, "y"
    )
    np.testing.assert_array_equal(named.predict(TABLE), model.predict(TABLE))
    assert recommend(frame, "y", top=1).configurations == recommend(TABLE, Y, top=1).configurations
    assert extract_metafeatures(frame, "y", groups=["simple"]).values["n_features"] == 4


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.coo_array])
def test_sparse_tables_are_refused_in_words(make) -> None:
    for call in (recommend, TabularTask.from_frame, AutoMLClassifier(store=False).fit):
        with pytest.raises(DataError, match=r"X is a sparse matrix\. Pass a dense table"):
            call(make(np.eye(20)), [0, 1] * 10)


def test_sparse_columns_of_pandas_are_read() -> None:
    frame = TABLE[["size"]].assign(zeros=pd.arrays.SparseArray([0.0, 0.0, 1.0, 2.0] * 20))
    assert TabularTask.from_frame(frame, Y).column_kinds["zeros"] == "numeric"


def test_columns_may_be_named_by_numbers() -> None:
    frame = TABLE.set_axis([3, 1, 2, 0], axis=1)
    model = AutoMLClassifier(n_trials=1, algorithms=["decision_tree"], store=False, random_state=0).fit(
        frame, Y
    )
    np.testing.assert_array_equal(model.predict(frame[[0, 1, 2, 3]]), model.predict(frame))


@pytest.mark.parametrize("dtype", [">f8", ">i4", ">f4"])
def test_arrays_of_another_byte_order_are_read(dtype: str) -> None:
    values = RNG.integers(0, 50, (60, 3))
    swapped, y = values.astype(dtype), (values.sum(axis=1) > 70).astype(">i8")
    assert TabularTask.from_frame(swapped, y).fingerprint == TabularTask.from_frame(values, y).fingerprint
    model = AutoMLClassifier(n_trials=1, algorithms=["decision_tree"], store=False, random_state=0).fit(
        swapped, y
    )
    np.testing.assert_array_equal(model.predict(swapped), model.predict(values))


def test_what_is_no_table_is_refused_in_words() -> None:
    with pytest.raises(DataError, match="X must have shape"):
        as_frame([1, 2, 3])
    with pytest.raises(DataError, match="More than one column is named 'a'"):
        as_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match="The target has 2 columns"):
        TabularTask.from_frame(TABLE, TABLE[["size", "count"]])


@pytest.mark.parametrize(
    "y",
    [
        pl.Series("y", [10**17, 10**17 + 1]),
        pa.chunked_array([[10**17, 10**17 + 1]]),
        pd.array([10**17, 10**17 + 1], dtype="Int64"),
        pd.DataFrame({"y": [10**17, 10**17 + 1]}),
    ],
)
def test_targets_of_other_libraries_keep_their_values(y: object) -> None:
    assert exact_array(y).tolist() == [10**17, 10**17 + 1]


@pytest.mark.parametrize(
    "labels",
    [
        pl.Series([True, False]), pl.Series(["001", "1"]), pl.Series([10**17, 10**17 + 1]), pa.chunked_array([["x", "z"]]),
        pd.Series([True, False], dtype="boolean"), pd.Series([7, 9], dtype="int8[pyarrow]"),
    ],
)  # fmt: skip
def test_labels_of_other_libraries_come_back_as_given(labels) -> None:
    given = labels.to_pylist() if isinstance(labels, pa.ChunkedArray) else labels.to_list()
    y = [given[i % 2] for i in range(80)]
    column = (
        pa.chunked_array([y]) if isinstance(labels, pa.ChunkedArray) else type(labels)(y, dtype=labels.dtype)
    )
    model = AutoMLClassifier(n_trials=1, algorithms=["decision_tree"], store=False, random_state=0).fit(
        TABLE, column
    )
    assert sorted(model.classes_.tolist()) == sorted(given)
    assert {type(label) for label in model.predict(TABLE).tolist()} == {type(label) for label in given}


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (pd.array([1, 2], dtype="Int64"), "int64"),
        (pd.array([1.5, 2.5], dtype="Float64"), "float64"),
        (pd.array([True, False], dtype="boolean"), "bool"),
        (pl.Series([1, 2]), "int64"),
        (pd.Series([1, None]), "object"),
        (np.array([1, 2], dtype=">i8"), "int64"),
        ([1, 2], "int64"),
    ],
)
def test_an_exact_array_has_a_dtype_of_numpy(y: object, dtype: str) -> None:
    assert exact_array(y).dtype == np.dtype(dtype)


@pytest.mark.parametrize("X", [pd.Series([1, 2]), np.zeros((2, 2, 2)), object()])
def test_only_what_has_rows_and_columns_is_a_table(X: object) -> None:
    with pytest.raises(DataError, match=r"^X "):
        as_frame(X)


def test_numbers_of_a_table_of_objects_are_numbers() -> None:
    frame = as_frame(np.array([[1, "a"], [2, "b"]], dtype=object))
    assert frame["x0"].tolist() == [1, 2]
    assert pd.api.types.is_integer_dtype(frame["x0"].dtype)
    assert as_frame(pd.DataFrame({0: [1], "b": [2]})).columns.tolist() == ["0", "b"]


@pytest.mark.parametrize(
    ("name", "suggestion"), [("AGE ", "'age'"), ("agee", "'age'"), ("quite other", None)]
)
def test_a_target_that_is_not_there_is_told_with_what_is_near(name: str, suggestion: str | None) -> None:
    few = pd.DataFrame([[1] * 3], columns=["age", "town", "size"])
    with pytest.raises(DataError, match=f"no target column {name!r}") as told:
        split_target(few, name)
    assert ("Did you mean" in str(told.value)) == (suggestion is not None)
    assert suggestion is None or suggestion in str(told.value)
    assert "age, town, size." in str(told.value)
    for n, dots in ((12, False), (13, True)):
        with pytest.raises(DataError) as told:
            split_target(pd.DataFrame(np.zeros((2, n))), "quite other")
        assert ("…" in str(told.value)) == dots


def test_whole_numbers_and_booleans_of_arrow_stay_beside_missing_ones() -> None:
    table = pa.table(
        {
            "a": pa.array([2**60, None]),
            "b": pa.array([True, None]),
            "c": pa.array([1, 2]),
            "d": pa.array([1.5, None]),
        }
    )
    frame = as_frame(table)
    assert frame["a"].tolist()[0] == 2**60
    assert [str(dtype) for dtype in frame.dtypes] == ["Int64", "boolean", "Int64", "float64"]


def test_whole_numbers_that_arrow_does_not_have_are_read() -> None:
    frame = pl.DataFrame({"a": pl.Series([2**100, 1], dtype=pl.Int128), "b": [1, 2]})
    assert as_frame(frame).to_dict("list") == {"a": [2**100, 1], "b": [1, 2]}
