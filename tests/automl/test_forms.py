"""A model predicts the same whatever form the same values come in."""

import io
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automl_meta.algorithms import get_algorithm
from automl_meta.automl import TabularModel
from automl_meta.exceptions import AutomlMetaWarning
from automl_meta.task import TabularTask

N = 48
WORDS = (
    "red",
    "blue",
    "light green",
    "Ø",
    "x,y",
    'a "b"',
    "007",
    "12",
    "yes",
    "True",
    "NA",
    "1e3",
    "2021-01-01",
    "-",
    "#",
)
PANDAS_MISSING = {"NA"}


def model_of(frame: pd.DataFrame, y: np.ndarray) -> TabularModel:
    task = TabularTask.from_frame(frame, y)
    algorithm = get_algorithm("decision_tree", task.task_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = algorithm.build(algorithm.default_configuration, task).fit(task.X, task.y_codes)
    return TabularModel(task.task_type, [pipeline], [1.0], ["tree"], task.columns, task.classes)


def target(frame: pd.DataFrame) -> np.ndarray:
    """Something that all columns tell a little of, so that a changed value changes an answer."""
    codes = sum(pd.factorize(frame[name].astype(str))[0] * (3 + i) for i, name in enumerate(frame))
    labels = np.array(["p", "q", "r"])[np.asarray(codes) % 3]
    labels[:2] = ["p", "q"]  # there are two classes at least
    return labels


@st.composite
def columns(draw: st.DrawFn) -> pd.Series:
    """One column of any kind."""
    kind = draw(
        st.sampled_from(
            [
                "float",
                "integer",
                "holed integer",
                "boolean",
                "holed boolean",
                "date",
                "moment",
                "word",
                "number level",
            ]
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    holes = rng.random(N) < 0.2
    if kind == "float":
        return pd.Series(np.where(holes, np.nan, rng.normal(size=N).round(draw(st.integers(0, 6)))))
    if kind == "integer":
        return pd.Series(rng.integers(-5, 10 ** draw(st.integers(1, 6)), N))
    if kind == "holed integer":
        return pd.Series(rng.integers(0, 50, N), dtype="Int64").mask(holes)
    if kind in ("boolean", "holed boolean"):
        values = pd.Series(rng.random(N) < 0.5)
        return values.astype("boolean").mask(holes) if kind == "holed boolean" else values
    if kind == "date":
        return pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D"))
    if kind == "moment":
        moments = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**6, N), unit="s"))
        return moments.mask(holes)
    if kind == "number level":
        levels = draw(st.lists(st.integers(0, 30), min_size=2, max_size=6, unique=True))
        return pd.Series(pd.Categorical(rng.choice(levels, N))).mask(holes)
    words = draw(st.lists(st.sampled_from(WORDS), min_size=2, max_size=6, unique=True))
    return pd.Series(rng.choice(words, N)).mask(holes)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    found = {f"c{i}": column for i, column in enumerate(draw(st.lists(columns(), min_size=2, max_size=5)))}
    frame = pd.DataFrame({"always": np.random.default_rng(0).normal(size=N), **found})
    order = draw(st.permutations(list(frame.columns)))
    return frame[order]


def quiet(model: TabularModel, X: object) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error", AutomlMetaWarning)
        return model.predict(X)  # type: ignore[arg-type]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(frames(), st.randoms(use_true_random=False))
def test_any_table_predicts_the_same_from_every_file(tmp_path: Path, frame: pd.DataFrame, random) -> None:
    model = model_of(frame, target(frame))
    expected = quiet(model, frame)
    shuffled = frame[random.sample(list(frame.columns), frame.shape[1])]
    shuffled.to_csv(tmp_path / "t.csv", index=False)
    shuffled.to_parquet(tmp_path / "t.parquet")
    shuffled.to_feather(tmp_path / "t.feather")
    shuffled.to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.csv", "t.parquet", "t.feather", "t.xlsx"):
        np.testing.assert_array_equal(quiet(model, model.read_table(tmp_path / name)), expected, err_msg=name)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(frames())
def test_any_table_predicts_the_same_when_pandas_has_read_it_back(frame: pd.DataFrame) -> None:
    frame = frame.mask(frame.isin(list(PANDAS_MISSING)))  # which pandas takes for missing
    model = model_of(frame, target(frame))
    text = frame.to_csv(index=False)
    for options in ({}, {"dtype_backend": "numpy_nullable"}, {"dtype_backend": "pyarrow"}, {"dtype": str}):
        np.testing.assert_array_equal(
            quiet(model, pd.read_csv(io.StringIO(text), **options)), model.predict(frame)
        )


def test_levels_that_pandas_merges_are_warned_of() -> None:
    frame = pd.DataFrame({"code": ["007", "7", "8", "x"] * 12, "b": np.random.default_rng(0).normal(size=N)})
    frame = frame[frame["code"] != "x"]
    model = model_of(frame, np.where(frame["code"] == "007", "p", "q"))
    read = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    with pytest.warns(AutomlMetaWarning, match=r"column 'code' .*'007', '7'"):
        model.predict(read)


@pytest.mark.parametrize(
    "form",
    [
        lambda f: f.assign(code=f["code"].astype(float)),
        lambda f: f.assign(code=f["code"].astype(float).mask(f.index == 0)).iloc[1:],
        lambda f: f.assign(flag=f["flag"].map({True: 1, False: 0})),
        lambda f: f.assign(flag=f["flag"].map({True: "TRUE", False: "FALSE"})),
        lambda f: f.assign(flag=f["flag"].map({True: "true", False: "false"})),
        lambda f: f.assign(zip=f["zip"].astype(int)),
        lambda f: f.assign(day=f["day"].dt.strftime("%d.%m.%Y")),
        lambda f: f.assign(day=f["day"].astype("datetime64[ms]").astype("int64")),
        lambda f: f.assign(day=f["day"].dt.strftime("%Y%m%d").astype(int)),
        lambda f: f.assign(price=f["price"].map(lambda v: f"{v:.2f}".replace(".", ","))),
        lambda f: f.assign(price=f["price"].map(lambda v: f"$ {v:.2f}")),
        lambda f: f[f.columns[::-1]].assign(further="x"),
        lambda f: pl.from_pandas(f[f.columns[::-1]]),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    ],
)
def test_a_prediction_does_not_change_with_the_form_of_its_values(form) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "code": pd.Series(rng.choice(["10", "20", "30"], 200), dtype="category"),
            "flag": rng.random(200) < 0.5,
            "zip": rng.choice(["007", "012", "100"], 200),
            "day": pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, 200), unit="D"),
            "price": rng.normal(50, 20, 200).round(2),
        }
    )
    y = np.where(
        (frame["code"] == "10") ^ frame["flag"] ^ (frame["zip"] == "007") ^ (frame["day"] > "2022-01-01"),
        "p",
        "q",
    )
    model = model_of(frame, y)
    expected = quiet(model, frame)
    changed = form(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AutomlMetaWarning)  # another decimal mark or unit of dates is told
        found = model.predict(changed)
    np.testing.assert_array_equal(found, expected[-len(found) :])
