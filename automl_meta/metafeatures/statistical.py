"""Statistical meta-features: distributions and correlations of numeric columns and the target."""

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

_NUMERIC = "a non-constant numeric column"
_SQUARES = ", and values below 1e154, whose squares do not overflow"
_PAIR = "two non-constant numeric columns"
_SEPARABLE = ", and classes that are not linearly separable on the numeric columns"
_CLASSES: tuple[TaskType, ...] = ("classification",)
_NUMBERS: tuple[TaskType, ...] = ("regression",)

_COLUMNS = (
    *(
        MetaFeature(f"{name}_mean", f"Mean of the {quantity} of each numeric column.", source, needs)
        for name, quantity, source, needs in (
            ("column_mean", "mean", ENGELS_1998, _NUMERIC),
            ("column_median", "median", ENGELS_1998, _NUMERIC),
            ("column_min", "minimum", ENGELS_1998, _NUMERIC),
            ("column_max", "maximum", ENGELS_1998, _NUMERIC),
            ("column_sd", "standard deviation", ENGELS_1998, _NUMERIC),
            ("column_variance", "variance", CASTIELLO_2005, f"{_NUMERIC}{_SQUARES}"),
            ("column_range", "range", ALI_SMITH_2006, _NUMERIC),
            ("column_iqr", "interquartile range", ALI_SMITH_2006, _NUMERIC),
            ("column_mad", "median absolute deviation (times 1.4826)", ALI_SMITH_2006, _NUMERIC),
            (
                "coefficient_of_variation",
                "coefficient of variation (log10 of standard deviation / absolute mean)",
                RIVOLLI_2022,
                "a non-constant numeric column with a non-zero mean",
            ),
        )
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
        "the share of outliers in each numeric column (more than 1.5 interquartile ranges outside the "
        "quartiles)",
        KOEPF_2000,
        _NUMERIC,
        statistics=("mean", "max", "sd"),
    ),
    MetaFeature("n_columns_with_outliers", "Number of numeric columns with outliers.", KOEPF_2000, _NUMERIC),
    MetaFeature(
        "normal_share",
        "Share of the numeric columns for which normality is not rejected (D'Agostino and Pearson's test at "
        "the 5 % level).",
        DAGOSTINO_1973,
        "a non-constant numeric column with 20 values",
    ),
    *summarised(
        "distinct_share",
        "the number of distinct values of each numeric column divided by its number of values",
        RIVOLLI_2022,
        _NUMERIC,
    ),
    *summarised(
        "sparsity",
        "the sparsity of each numeric column ((n / n_distinct - 1) / (n - 1) for n values)",
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
        "integer_share", "Share of the numeric columns with integer values only.", RIVOLLI_2022, _NUMERIC
    ),
    MetaFeature(
        "negative_share", "Share of the numeric columns with negative values.", RIVOLLI_2022, _NUMERIC
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
        "Share of variance explained by the first principal component of the standardised numeric columns.",
        STATLOG,
        _NUMERIC,
    ),
    MetaFeature(
        "pca_95_share",
        "Principal components that explain 95 % of the variance of the standardised numeric columns, divided "
        "by the number of columns.",
        FEURER_2015,
        _NUMERIC,
    ),
    MetaFeature(
        "effective_rank_share",
        "Effective rank (exponential of the entropy of the explained variance ratios of the principal "
        "components), divided by the number of columns.",
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
        "n_discriminants",
        "Number of discriminant functions (non-zero canonical correlations).",
        LINDNER_1999,
        _NUMERIC,
        _CLASSES,
    ),
    MetaFeature(
        "wilks_lambda",
        "Wilks' lambda: product of 1 - r² over the canonical correlations r.",
        LINDNER_1999,
        _NUMERIC,
        _CLASSES,
    ),
    MetaFeature(
        "pillai_trace",
        "Pillai's trace: sum of r² over the canonical correlations r.",
        LINDNER_1999,
        _NUMERIC,
        _CLASSES,
    ),
    MetaFeature(
        "lawley_hotelling_trace",
        "Lawley-Hotelling trace: sum of r² / (1 - r²) over the canonical correlations r.",
        LINDNER_1999,
        f"{_NUMERIC}{_SEPARABLE}",
        _CLASSES,
    ),
    MetaFeature(
        "roy_root",
        "Roy's largest root: maximum of r² / (1 - r²) over the canonical correlations r.",
        LINDNER_1999,
        f"{_NUMERIC}{_SEPARABLE}",
        _CLASSES,
    ),
    *summarised(
        "class_effect",
        "the between-class share of each numeric column's variance (eta squared)",
        RIVOLLI_2022,
        _NUMERIC,
        _CLASSES,
    ),
    MetaFeature(
        "gravity",
        "Centre of gravity: distance between the means of the largest and the smallest class.",
        ALI_SMITH_2006,
        f"{_NUMERIC}{_SQUARES}",
        _CLASSES,
    ),
    MetaFeature(
        "sd_ratio",
        "SD ratio: Box's M statistic for equality of the class covariance matrices, as a geometric mean ratio "
        "of standard deviations.",
        STATLOG,
        "a non-singular covariance matrix of the numeric columns in every class",
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
        "Adjusted R² of a least-squares fit of the target on all numeric columns.",
        STATLOG,
        "two rows more than numeric columns, one of them non-constant",
        _NUMBERS,
    ),
    *summarised(
        "category_effect",
        "the between-level share of the target's variance for each categorical column (eta squared)",
        KOEPF_2000,
        "a categorical or boolean column",
        _NUMBERS,
        ("mean", "max"),
    ),
    MetaFeature("target_skewness", "Skewness of the target.", SOARES_2004, "", _NUMBERS),
    MetaFeature("target_kurtosis", "Excess kurtosis of the target.", SOARES_2004, "", _NUMBERS),
    MetaFeature(
        "target_coefficient_of_variation",
        "Coefficient of variation of the target (log10 of standard deviation / absolute mean).",
        SOARES_2004,
        "a target with a non-zero mean",
        _NUMBERS,
    ),
    MetaFeature(
        "target_outlier_share",
        "Share of outliers in the target (more than 1.5 interquartile ranges outside the quartiles).",
        KOEPF_2000,
        "",
        _NUMBERS,
    ),
    MetaFeature(
        "target_normality",
        "p-value of D'Agostino and Pearson's normality test of the target.",
        DAGOSTINO_1973,
        "20 rows",
        _NUMBERS,
    ),
    MetaFeature(
        "target_distinct_share",
        "Number of distinct target values divided by rows.",
        RIVOLLI_2022,
        "",
        _NUMBERS,
    ),
    MetaFeature("target_top_share", "Share of the most frequent target value.", RIVOLLI_2022, "", _NUMBERS),
    MetaFeature("target_zero_share", "Share of zeros in the target.", RIVOLLI_2022, "", _NUMBERS),
    MetaFeature("target_negative_share", "Share of negative target values.", RIVOLLI_2022, "", _NUMBERS),
    MetaFeature(
        "target_integer", "1 if all target values are integers, 0 otherwise.", RIVOLLI_2022, "", _NUMBERS
    ),
    MetaFeature(
        "target_mean_median_gap",
        "Non-parametric skew of the target: (mean - median) / standard deviation.",
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
    """Moments, quantiles and correlations of the numeric columns, and their relation to the target.

    Missing values are ignored in univariate statistics and replaced by the column mean in
    multivariate ones.
    """

    name = "statistical"
    stochastic = False
    features = _COLUMNS + _TOGETHER + _WITH_CLASSES + _WITH_NUMBERS

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the values; `rng` is not used."""
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
