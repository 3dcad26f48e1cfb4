from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer

from automl_meta.algorithms.preprocessing import (
    HIGH_CARDINALITY,
    ordinal_codes,
    scaled_numbers,
    split_categories,
)
from automl_meta.task import TabularTask
from automl_meta.testing.algorithms import mixed_task


def codes(task: TabularTask, seed: int) -> ColumnTransformer:
    return ordinal_codes(task, seed, keep_missing=True, drop_empty=True)


PREPROCESSING = pytest.mark.parametrize("preprocessing", [codes, scaled_numbers])


@PREPROCESSING
def test_nothing_that_is_learnt_comes_from_test_rows(
    preprocessing: Callable[[TabularTask, int], ColumnTransformer],
) -> None:
    task = mixed_task("classification", n_rows=200)
    train, test = np.arange(120), np.arange(120, 200)
    frame, target = task.X.copy(), task.y.copy()
    frame.loc[test, "number"] *= 1000.0
    frame.loc[test] = frame.loc[test[::-1]].to_numpy()
    target.loc[test] = target.loc[test[::-1]].to_numpy()
    other = TabularTask.from_frame(frame.astype(task.X.dtypes), target, name="other")
    assert split_categories(other) == split_categories(task)
    first, second = (
        preprocessing(one, 0).fit(one.X.iloc[train], one.y_codes[train]).transform(task.X.iloc[train])
        for one in (task, other)
    )
    np.testing.assert_array_equal(first, second)


@PREPROCESSING
def test_the_layout_is_that_of_all_rows_so_that_every_fold_scores_the_final_pipeline(
    preprocessing: Callable[[TabularTask, int], ColumnTransformer],
) -> None:
    rng = np.random.default_rng(0)
    n_towns = HIGH_CARDINALITY + 1
    towns = [f"town {i}" for i in [*range(n_towns), *rng.integers(0, 5, 89)]]
    task = TabularTask.from_frame(
        pd.DataFrame({"town": towns, "x": rng.normal(size=120)}), rng.choice(["a", "b"], 120)
    )
    fold = np.arange(n_towns, 120)  # which knows five towns
    fitted = preprocessing(task, 0).fit(task.X.iloc[fold], task.y_codes[fold])
    assert {name: columns for name, _, columns in fitted.transformers_}["many_categories"] == ["town"]
