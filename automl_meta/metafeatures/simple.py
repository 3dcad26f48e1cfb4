"""Simple meta-features: sizes, column kinds, missing values and class distribution."""

from __future__ import annotations

import numpy as np

from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor, summaries, summarised
from automl_meta.metafeatures.references import ENGELS_1998, FEURER_2015, KALOUSIS_1999, RIVOLLI_2022, STATLOG
from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType
from automl_meta.task import ColumnKind

__all__ = ["Simple"]

_CLASSES: tuple[TaskType, ...] = ("classification",)
_CATEGORIES = "a categorical or boolean column"
_KINDS: tuple[ColumnKind, ...] = (
    "numeric",
    "categorical",
    "boolean",
    "datetime",
    "text",
    "identifier",
    "constant",
)


class Simple(MetaFeatureExtractor):
    """Simple meta-features, computed on all rows without subsampling."""

    name = "simple"
    stochastic = False
    features = (
        MetaFeature("n_rows", "Number of rows with a non-missing target.", STATLOG),
        MetaFeature("n_features", "Number of feature columns, including unusable ones.", STATLOG),
        MetaFeature("log_n_rows", "Natural logarithm of the number of rows.", FEURER_2015),
        MetaFeature("log_n_features", "Natural logarithm of the number of feature columns.", FEURER_2015),
        MetaFeature("features_per_row", "Dimensionality: feature columns divided by rows.", RIVOLLI_2022),
        MetaFeature("rows_per_feature", "Rows divided by feature columns.", KALOUSIS_1999),
        MetaFeature("n_numeric", "Number of numeric columns.", ENGELS_1998),
        MetaFeature("n_categorical", "Number of categorical columns, excluding boolean ones.", ENGELS_1998),
        MetaFeature("n_boolean", "Number of boolean columns.", STATLOG),
        MetaFeature("n_datetime", "Number of datetime columns.", RIVOLLI_2022),
        MetaFeature("n_text", "Number of free-text columns.", RIVOLLI_2022),
        MetaFeature("n_identifier", "Number of identifier columns.", RIVOLLI_2022),
        MetaFeature("n_constant", "Number of constant or empty columns.", RIVOLLI_2022),
        MetaFeature("numeric_share", "Share of numeric columns.", ENGELS_1998),
        MetaFeature("categorical_share", "Share of categorical and boolean columns.", ENGELS_1998),
        MetaFeature(
            "categorical_to_numeric",
            "Ratio of categorical and boolean columns to numeric columns.",
            FEURER_2015,
            "a numeric column",
        ),
        MetaFeature(
            "numeric_to_categorical",
            "Ratio of numeric columns to categorical and boolean columns.",
            FEURER_2015,
            _CATEGORIES,
        ),
        MetaFeature(
            "n_binary",
            "Number of columns with exactly two distinct values, ignoring missing values; numeric columns "
            "are examined on the sample used for statistics.",
            STATLOG,
        ),
        MetaFeature("missing_share", "Share of missing values.", KALOUSIS_1999),
        MetaFeature("columns_with_missing_share", "Share of columns with missing values.", FEURER_2015),
        MetaFeature(
            "rows_with_missing_share", "Share of rows with a missing value in a usable column.", FEURER_2015
        ),
        MetaFeature(
            "column_missing_share_max", "Highest share of missing values in a column.", KALOUSIS_1999
        ),
        *summarised(
            "n_levels", "the number of levels of each categorical or boolean column", FEURER_2015, _CATEGORIES
        ),
        MetaFeature(
            "n_levels_sum",
            "Total number of levels of categorical and boolean columns.",
            FEURER_2015,
            _CATEGORIES,
        ),
        MetaFeature(
            "rare_level_share",
            "Share of the levels of categorical and boolean columns that occur in a single row.",
            RIVOLLI_2022,
            _CATEGORIES,
        ),
        MetaFeature("n_classes", "Number of classes.", STATLOG, "", _CLASSES),
        *summarised("class_share", "the relative frequency of each class", FEURER_2015, "", _CLASSES),
        MetaFeature(
            "imbalance_ratio",
            "Size of the largest class divided by that of the smallest.",
            RIVOLLI_2022,
            "",
            _CLASSES,
        ),
        MetaFeature("class_rows_min", "Number of rows of the smallest class.", RIVOLLI_2022, "", _CLASSES),
        MetaFeature("rows_per_class", "Rows divided by classes.", RIVOLLI_2022, "", _CLASSES),
        MetaFeature(
            "class_alone_share", "Share of the classes with a single row.", RIVOLLI_2022, "", _CLASSES
        ),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the values; `rng` is not used."""
        values = _sizes(view) | _missing(view) | _levels(view)
        if view.is_classification:
            values |= _classes(view)
        return {name: float(value) for name, value in values.items()}


def _sizes(view: TaskView) -> dict[str, float]:
    n_rows, n_features = view.task.n_rows, view.task.n_features
    values: dict[str, float] = {
        "n_rows": n_rows,
        "n_features": n_features,
        "log_n_rows": np.log(n_rows),
        "log_n_features": np.log(n_features),
        "features_per_row": n_features / n_rows,
        "rows_per_feature": n_rows / n_features,
    }
    kinds = list(view.task.column_kinds.values())
    values |= {f"n_{kind}": kinds.count(kind) for kind in _KINDS}
    n_numeric, n_categorical = kinds.count("numeric"), kinds.count("categorical") + kinds.count("boolean")
    values |= {
        "numeric_share": n_numeric / n_features,
        "categorical_share": n_categorical / n_features,
        "categorical_to_numeric": n_categorical / n_numeric if n_numeric else np.nan,
        "numeric_to_categorical": n_numeric / n_categorical if n_categorical else np.nan,
    }
    return values


def _missing(view: TaskView) -> dict[str, float]:
    n_rows = view.task.n_rows
    empty = [column for column in view.task.columns_of("constant") if view.task.X[column].isna().iloc[0]]
    counts = np.array([*view.canonical.n_missing.values(), *[n_rows] * len(empty)], dtype=np.float64)
    return {
        "missing_share": counts.sum() / (n_rows * view.task.n_features),
        "columns_with_missing_share": np.count_nonzero(counts) / view.task.n_features,
        "rows_with_missing_share": view.canonical.has_missing.mean(),
        "column_missing_share_max": counts.max(initial=0.0) / n_rows,
    }


def _levels(view: TaskView) -> dict[str, float]:
    counts = [
        np.bincount(view.canonical.codes[column] + 1)[1:]
        for column in view.task.columns_of("categorical", "boolean")
    ]
    n_levels = np.array([len(count) for count in counts], dtype=np.float64)
    n_alone = sum(int((count == 1).sum()) for count in counts)
    n_binary = (n_levels == 2).sum() + (view.numeric.n_distinct == 2).sum()
    return summaries("n_levels", n_levels) | {
        "n_levels_sum": n_levels.sum() if counts else np.nan,
        "rare_level_share": n_alone / n_levels.sum() if counts else np.nan,
        "n_binary": n_binary,
    }


def _classes(view: TaskView) -> dict[str, float]:
    counts = view.class_counts
    return summaries("class_share", counts / counts.sum()) | {
        "n_classes": len(counts),
        "imbalance_ratio": counts.max() / counts.min(),
        "class_rows_min": counts.min(),
        "rows_per_class": counts.sum() / len(counts),
        "class_alone_share": (counts == 1).mean(),
    }
