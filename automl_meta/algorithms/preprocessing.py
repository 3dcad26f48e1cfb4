"""From a mixed table to numbers, in the way that suits each family of algorithms.

All of it is scikit-learn, fitted inside the pipeline, so that nothing of a test fold is seen.
Columns that name rows or never change are left out.
"""

from __future__ import annotations

import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from automl_meta.task import TabularTask

__all__ = [
    "HIGH_CARDINALITY",
    "expand_dates",
    "fill_text",
    "not_empty",
    "ordinal_codes",
    "scaled_numbers",
    "split_categories",
]

HIGH_CARDINALITY = 30
"""Categorical columns with more different values are encoded by the target instead of one by one."""

_WORDS = 50  # most frequent words of a free-text column that become features


def expand_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn each date column into seven numbers: parts of the calendar, and days since 1970."""
    columns = {}
    for name in frame.columns:
        moment = pd.to_datetime(frame[name], errors="coerce", utc=True)
        for part in ("year", "month", "day", "day_of_week", "day_of_year", "hour"):
            columns[f"{name}_{part}"] = getattr(moment.dt, part).astype("float64")
        columns[f"{name}_days"] = (moment - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1)
    return pd.DataFrame(columns, index=frame.index)


def fill_text(column: pd.Series) -> pd.Series:
    """Turn missing texts into empty ones."""
    return column.fillna("").astype(str)


def not_empty(frame: pd.DataFrame) -> list[str]:
    """Names of the columns that hold any value; asked when fitted, on the rows that are learnt from."""
    return list(frame.columns[frame.notna().any()])


def split_categories(task: TabularTask) -> tuple[list[str], list[str]]:
    """Names of the categorical and boolean columns: those with few values, those with many."""
    columns = task.columns_of("categorical", "boolean")
    few = [column for column in columns if task.X[column].nunique() <= HIGH_CARDINALITY]
    return few, [column for column in columns if column not in few]


def ordinal_codes(
    task: TabularTask, seed: int, *, keep_missing: bool, drop_empty: bool = False
) -> ColumnTransformer:
    """For trees: no scaling, categories as whole numbers.

    A tree splits off a code in a few steps where a one-hot column would need a split of its own,
    and scaling does not change it. Columns come out in the order numbers, dates, target-encoded
    categories, texts, categories, so that the last ones are those that hold codes.

    Parameters
    ----------
    task : TabularTask
        Tells the kinds of the columns.
    seed : int
        Of the cross-fitting inside the target encoder.
    keep_missing : bool
        Whether missing numbers stay NaN, for algorithms that know what to do with them.
    drop_empty : bool
        Whether columns without any number in the rows that are learnt from are left out, for
        algorithms that know missing numbers but not a column of nothing else.
    """
    few, many = split_categories(task)
    numbers = "passthrough" if keep_missing else _imputer()
    dates = FunctionTransformer(expand_dates)
    if drop_empty:
        present = ColumnTransformer([("present", "passthrough", not_empty)], verbose_feature_names_out=False)
        numbers, dates = present, make_pipeline(dates, clone(present))
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1, max_categories=250
    )
    steps = [
        ("numbers", numbers, task.columns_of("numeric")),
        ("dates", dates if keep_missing else make_pipeline(dates, _imputer()), task.columns_of("datetime")),
        ("many_categories", _target_encoder(task, seed), many),
        *_text_steps(task),
        ("categories", codes, few),
    ]
    return _column_transformer(steps)


def scaled_numbers(task: TabularTask, seed: int) -> ColumnTransformer:
    """For linear models, neighbours, kernels and networks: everything on one scale, categories one-hot.

    Missing numbers become the median, and a further column tells where they were missing.
    """
    few, many = split_categories(task)
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    one_hot = OneHotEncoder(handle_unknown="ignore", max_categories=HIGH_CARDINALITY, sparse_output=False)
    steps = [
        ("numbers", numbers, task.columns_of("numeric")),
        (
            "dates",
            make_pipeline(FunctionTransformer(expand_dates), _imputer(), StandardScaler()),
            task.columns_of("datetime"),
        ),
        ("many_categories", make_pipeline(_target_encoder(task, seed), StandardScaler()), many),
        *_text_steps(task),
        ("categories", one_hot, few),
    ]
    return _column_transformer(steps)


def _imputer() -> SimpleImputer:
    return SimpleImputer(strategy="median", keep_empty_features=True)


def _target_encoder(task: TabularTask, seed: int) -> TargetEncoder:
    # Said rather than guessed: scikit-learn would take a numeric target of whole numbers for classes.
    kind = (
        "continuous"
        if task.task_type == "regression"
        else "binary"
        if len(task.classes) == 2
        else "multiclass"
    )
    return TargetEncoder(target_type=kind, random_state=seed)


def _text_steps(task: TabularTask) -> list[tuple[str, Pipeline, str]]:
    return [
        (
            f"text_{number}",  # a name of the user's could be none of scikit-learn's
            make_pipeline(FunctionTransformer(fill_text), TfidfVectorizer(max_features=_WORDS)),
            column,
        )
        for number, column in enumerate(task.columns_of("text"))
    ]


def _column_transformer(steps: list[tuple]) -> ColumnTransformer:
    return ColumnTransformer(
        [step for step in steps if len(step[2])], sparse_threshold=0.0, verbose_feature_names_out=False
    )
