"""Preprocessing of mixed tables for each family of algorithms.

All steps are scikit-learn transformers that are fitted inside the pipeline, so that neither values
nor targets leak from test folds. Only the layout of the pipeline is decided once for the whole task:
the kind of each column, and whether a categorical column has more than `HIGH_CARDINALITY` different
values. It depends on the features of all rows and never on the target, so that all folds score the
pipeline that is fitted in the end. Identifier and constant columns are dropped.
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
"""Number of levels above which a categorical column is target-encoded."""

_MAX_WORDS = 50  # most frequent words of a free-text column that become features


def expand_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Expand each datetime column to seven numeric ones: calendar fields, and days since 1970."""
    columns = {}
    for name in frame.columns:
        moment = pd.to_datetime(frame[name], errors="coerce", utc=True)
        for part in ("year", "month", "day", "day_of_week", "day_of_year", "hour"):
            columns[f"{name}_{part}"] = getattr(moment.dt, part).astype("float64")
        columns[f"{name}_days"] = (moment - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1)
    return pd.DataFrame(columns, index=frame.index)


def fill_text(column: pd.Series) -> pd.Series:
    """Replace missing texts by empty strings."""
    return column.fillna("").astype(str)


def not_empty(frame: pd.DataFrame) -> list[str]:
    """Names of the columns with non-missing values, a column selector evaluated on the training rows."""
    return list(frame.columns[frame.notna().any()])


def split_categories(task: TabularTask) -> tuple[list[str], list[str]]:
    """Split the categorical and boolean columns into those of low and of high cardinality, in all rows."""
    columns = task.columns_of("categorical", "boolean")
    few = [column for column in columns if task.X[column].nunique() <= HIGH_CARDINALITY]
    return few, [column for column in columns if column not in few]


def ordinal_codes(
    task: TabularTask, seed: int, *, keep_missing: bool, drop_empty: bool = False
) -> ColumnTransformer:
    """Preprocessing for trees: ordinal codes for categories, no scaling.

    A tree isolates an ordinal code with few splits, whereas every one-hot column needs its own, and
    scaling does not affect a tree. The output order is numbers, dates, target-encoded categories,
    texts, categories, so that ordinal codes come last.

    Parameters
    ----------
    task : TabularTask
        Task that determines the column kinds.
    seed : int
        Random seed of the cross-fitting in the target encoder.
    keep_missing : bool
        Whether to keep missing numbers as NaN, for algorithms that support them.
    drop_empty : bool, default=False
        Whether to drop columns that are all missing in the training rows, for algorithms that
        support missing values but not empty columns.

    Returns
    -------
    ColumnTransformer
        Unfitted transformer.
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
    """Preprocessing for linear models, neighbours, kernels and networks: scaled numbers, one-hot categories.

    Missing numbers are imputed by the median, with a missing indicator.
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
    # Set explicitly, since scikit-learn infers classes from a numeric target with integer values.
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
            f"text_{number}",  # a column name may not be a valid step name
            make_pipeline(FunctionTransformer(fill_text), TfidfVectorizer(max_features=_MAX_WORDS)),
            column,
        )
        for number, column in enumerate(task.columns_of("text"))
    ]


def _column_transformer(steps: list[tuple]) -> ColumnTransformer:
    return ColumnTransformer(
        [step for step in steps if len(step[2])], sparse_threshold=0.0, verbose_feature_names_out=False
    )
