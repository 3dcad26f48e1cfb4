"""Statistical meta-features: how numeric columns and the target are distributed and go together."""

from __future__ import annotations

import numpy as np

from automl_meta.metafeatures import descriptive
from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor, summarised
from automl_meta.metafeatures.references import (
    ALI_SMITH_2006,
    CASTIELLO_2005,
    DAGOSTINO_1973,
    ENGELS_1998,
    FEURER_2015,
    KOEPF_2000,
    LINDNER_1999,
    RIVOLLI_2022,
    SALAMA_2013,
    SOARES_2004,
    STATLOG,
)
from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType

__all__ = ["Statistical"]

_NUMERIC = "a numeric column that varies"
_SQUARES = ", and values below 1e154, whose squares are numbers"
_PAIR = "two numeric columns that vary"
_CLASSES: tuple[TaskType, ...] = ("classification",)
_NUMBERS: tuple[TaskType, ...] = ("regression",)

_COLUMNS = (
    *summarised(
        "column_mean", "the mean of each numeric column", ENGELS_1998, _NUMERIC, statistics=("mean",)
    ),
    *summarised(
        "column_median", "the median of each numeric column", ENGELS_1998, _NUMERIC, statistics=("mean",)
    ),
    *summarised(
        "column_min", "the minimum of each numeric column", ENGELS_1998, _NUMERIC, statistics=("mean",)
    ),
    *summarised(
        "column_max", "the maximum of each numeric column", ENGELS_1998, _NUMERIC, statistics=("mean",)
    ),
    *summarised(
        "column_sd",
        "the standard deviation of each numeric column",
        ENGELS_1998,
        _NUMERIC,
        statistics=("mean",),
    ),
    *summarised(
        "column_variance",
        "the variance of each numeric column",
        CASTIELLO_2005,
        f"{_NUMERIC}{_SQUARES}",
        statistics=("mean",),
    ),
    *summarised(
        "column_range", "the range of each numeric column", ALI_SMITH_2006, _NUMERIC, statistics=("mean",)
    ),
    *summarised(
        "column_iqr",
        "the interquartile range of each numeric column",
        ALI_SMITH_2006,
        _NUMERIC,
        statistics=("mean",),
    ),
    *summarised(
        "column_mad",
        "the median absolute deviation of each numeric column, times 1.4826",
        ALI_SMITH_2006,
        _NUMERIC,
        statistics=("mean",),
    ),
    *summarised(
        "coefficient_of_variation",
        "the standard deviation of each numeric column divided by its absolute mean, in decades (log10)",
        RIVOLLI_2022,
        "a numeric column that varies and whose mean is not 0",
        statistics=("mean",),
    ),
    *summarised(
        "skewness", "the skewness of each numeric column (third standardised moment)", STATLOG, _NUMERIC
    ),
    *summarised(
        "kurtosis",
        "the excess kurtosis of each numeric column (fourth standardised moment minus 3)",
        STATLOG,
        _NUMERIC,
    ),
    *summarised(
        "outlier_share",
        "the share of values in each numeric column that lie more than 1.5 interquartile ranges outside the "
        "quartiles",
        KOEPF_2000,
        _NUMERIC,
        statistics=("mean", "max", "sd"),
    ),
    MetaFeature(
        "n_columns_with_outliers", "Number of numeric columns with such values.", KOEPF_2000, _NUMERIC
    ),
    MetaFeature(
        "normal_share",
        "Share of the numeric columns whose skewness and kurtosis do not speak against a normal distribution "
        "(D'Agostino and Pearson's test at 5 %).",
        DAGOSTINO_1973,
        "a numeric column that varies, with 20 values",
    ),
    *summarised(
        "distinct_share",
        "the number of different values in each numeric column divided by its values",
        RIVOLLI_2022,
        _NUMERIC,
    ),
    *summarised(
        "sparsity",
        "(values / different values - 1) / (values - 1) of each numeric column",
        SALAMA_2013,
        _NUMERIC,
    ),
    *summarised(
        "zero_share",
        "the share of zeros in each numeric column",
        RIVOLLI_2022,
        _NUMERIC,
        statistics=("mean", "max"),
    ),
    MetaFeature(
        "integer_share", "Share of the numeric columns that hold whole numbers only.", RIVOLLI_2022, _NUMERIC
    ),
    MetaFeature(
        "negative_share", "Share of the numeric columns that hold a number below 0.", RIVOLLI_2022, _NUMERIC
    ),
)
_TOGETHER = (
    *summarised(
        "correlation", "the absolute correlation of each pair of numeric columns", CASTIELLO_2005, _PAIR
    ),
    MetaFeature(
        "correlated_pair_share",
        "Share of the pairs of numeric columns with an absolute correlation of at least 0.5.",
        SALAMA_2013,
        _PAIR,
    ),
    *summarised(
        "covariance",
        "the absolute covariance of each pair of numeric columns",
        CASTIELLO_2005,
        f"{_PAIR}{_SQUARES}",
        statistics=("mean",),
    ),
    MetaFeature(
        "pca_first_share",
        "Share of the variance of the standardised numeric columns along their first principal component.",
        STATLOG,
        _NUMERIC,
    ),
    MetaFeature(
        "pca_95_share",
        "Principal components of the standardised numeric columns that hold 95 % of their variance, divided "
        "by the number of columns.",
        FEURER_2015,
        _NUMERIC,
    ),
    MetaFeature(
        "effective_rank_share",
        "Exponential of the entropy of the principal components' shares of variance, divided by the number of "
        "columns.",
        RIVOLLI_2022,
        _NUMERIC,
    ),
    MetaFeature(
        "pca_first_skewness",
        "Absolute skewness of the first principal component of the standardised numeric columns.",
        FEURER_2015,
        _NUMERIC,
    ),
    MetaFeature(
        "pca_first_kurtosis",
        "Excess kurtosis of the first principal component of the standardised numeric columns.",
        FEURER_2015,
        _NUMERIC,
    ),
)
_WITH_CLASSES = (
    *summarised(
        "canonical_correlation",
        "the canonical correlations of the numeric columns with the classes",
        STATLOG,
        _NUMERIC,
        _CLASSES,
        ("mean", "max"),
    ),
    MetaFeature(
        "n_discriminants", "Number of canonical correlations above 0.", LINDNER_1999, _NUMERIC, _CLASSES
    ),
    MetaFeature(
        "wilks_lambda",
        "Product of 1 - r² over the canonical correlations r.",
        LINDNER_1999,
        _NUMERIC,
        _CLASSES,
    ),
    MetaFeature(
        "pillai_trace", "Sum of r² over the canonical correlations r.", LINDNER_1999, _NUMERIC, _CLASSES
    ),
    MetaFeature(
        "lawley_hotelling_trace",
        "Sum of r² / (1 - r²) over the canonical correlations r.",
        LINDNER_1999,
        f"{_NUMERIC}, and no combination of numeric columns that tells a class for sure",
        _CLASSES,
    ),
    MetaFeature(
        "roy_root",
        "Largest r² / (1 - r²) over the canonical correlations r.",
        LINDNER_1999,
        f"{_NUMERIC}, and no combination of numeric columns that tells a class for sure",
        _CLASSES,
    ),
    *summarised(
        "class_effect",
        "the share of each numeric column's variance that lies between classes (eta²)",
        RIVOLLI_2022,
        _NUMERIC,
        _CLASSES,
    ),
    MetaFeature(
        "gravity",
        "Distance between the means of the largest and the smallest class.",
        ALI_SMITH_2006,
        f"{_NUMERIC}{_SQUARES}",
        _CLASSES,
    ),
    MetaFeature(
        "sd_ratio",
        "Box's M statistic of unlike covariance matrices within classes, as a geometric mean ratio of "
        "standard deviations.",
        STATLOG,
        "a non-singular covariance matrix of the numeric columns within every class",
        _CLASSES,
    ),
)
_WITH_NUMBERS = (
    *summarised(
        "target_correlation",
        "the absolute correlation of each numeric column with the target",
        SOARES_2004,
        _NUMERIC,
        _NUMBERS,
    ),
    MetaFeature(
        "correlated_with_target_share",
        "Share of the numeric columns whose absolute correlation with the target is at least 0.5.",
        SOARES_2004,
        _NUMERIC,
        _NUMBERS,
    ),
    MetaFeature(
        "multiple_correlation",
        "Adjusted R² of the least squares fit of the target on all numeric columns.",
        STATLOG,
        "two rows more than numeric columns, one of which varies",
        _NUMBERS,
    ),
    *summarised(
        "category_effect",
        "the share of the target's variance that lies between the levels of each categorical column (eta²)",
        KOEPF_2000,
        "a categorical or boolean column",
        _NUMBERS,
        ("mean", "max"),
    ),
    MetaFeature("target_skewness", "Skewness of the target.", SOARES_2004, "", _NUMBERS),
    MetaFeature("target_kurtosis", "Excess kurtosis of the target.", SOARES_2004, "", _NUMBERS),
    MetaFeature(
        "target_coefficient_of_variation",
        "Standard deviation of the target divided by its absolute mean, in decades (log10).",
        SOARES_2004,
        "a target whose mean is not 0",
        _NUMBERS,
    ),
    MetaFeature(
        "target_outlier_share",
        "Share of target values more than 1.5 interquartile ranges outside the quartiles.",
        KOEPF_2000,
        "",
        _NUMBERS,
    ),
    MetaFeature(
        "target_normality",
        "p-value of D'Agostino and Pearson's test that the target is normally distributed.",
        DAGOSTINO_1973,
        "20 rows",
        _NUMBERS,
    ),
    MetaFeature(
        "target_distinct_share", "Different target values divided by rows.", RIVOLLI_2022, "", _NUMBERS
    ),
    MetaFeature("target_top_share", "Share of the most frequent target value.", RIVOLLI_2022, "", _NUMBERS),
    MetaFeature("target_zero_share", "Share of zeros in the target.", RIVOLLI_2022, "", _NUMBERS),
    MetaFeature("target_negative_share", "Share of target values below 0.", RIVOLLI_2022, "", _NUMBERS),
    MetaFeature(
        "target_integer", "1 if all target values are whole numbers, 0 if not.", RIVOLLI_2022, "", _NUMBERS
    ),
    MetaFeature(
        "target_mean_median_gap",
        "(mean - median) / standard deviation of the target.",
        RIVOLLI_2022,
        "",
        _NUMBERS,
    ),
    MetaFeature(
        "target_iqr_to_range",
        "Interquartile range of the target divided by its range.",
        RIVOLLI_2022,
        "",
        _NUMBERS,
    ),
)


class Statistical(MetaFeatureExtractor):
    """Moments, quantiles and correlations of the numeric columns, and what ties them to the target.

    Missing values count in no column's own statistics; in quantities of several columns they are
    taken for the mean.
    """

    name = "statistical"
    features = _COLUMNS + _TOGETHER + _WITH_CLASSES + _WITH_NUMBERS

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the values; nothing here is random."""
        values = dict.fromkeys(self.names(view.task_type), float("nan"))
        block = view.numeric
        if block.n_columns:
            values |= descriptive.columns(block) | descriptive.together(block)
        if view.is_classification:
            if block.n_columns:
                values |= descriptive.with_classes(block, view.y)
        else:
            values |= descriptive.target(view) | descriptive.category_effects(view)
            if block.n_columns:
                values |= descriptive.with_numbers(block, view.target_block.standardised[:, 0])
        return {name: float(value) for name, value in values.items()}
