"""Computation of the statistical meta-features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from automl_meta.metafeatures.extractor import summaries
from automl_meta.metafeatures.numeric import NumericBlock
from automl_meta.metafeatures.task_view import TaskView

__all__ = [
    "box_m_ratio",
    "category_effects",
    "columns",
    "squared_canonical_correlations",
    "target",
    "together",
    "with_classes",
    "with_numbers",
]

Floats = NDArray[np.float64]


def columns(block: NumericBlock) -> dict[str, float]:
    """Summaries of univariate statistics."""
    low, first, median, third, high = block.quartiles
    in_units = {
        "column_mean": block.mean,
        "column_median": median,
        "column_min": low,
        "column_max": high,
        "column_sd": block.sd,
        "column_variance": block.sd**2,
        "column_range": high - low,
        "column_iqr": third - first,
        "column_mad": 1.4826 * block.median_absolute_deviation,
    }
    values: dict[str, float] = {}
    for name, column_values in in_units.items():
        values |= summaries(name, column_values, ("mean",))
    outliers = _outlier_shares(block)
    n, n_distinct = block.n_present, block.n_distinct
    values |= summaries("coefficient_of_variation", _decades_of_variation(block), ("mean",))
    values |= summaries("skewness", block.skewness) | summaries("kurtosis", block.kurtosis)
    values |= summaries("outlier_share", outliers, ("mean", "max", "sd"))
    values |= summaries("distinct_share", n_distinct / n)
    values |= summaries("sparsity", (n / n_distinct - 1) / (n - 1))
    values |= summaries("zero_share", (block.values == 0).sum(axis=0) / n, ("mean", "max"))
    normality = _normality(block)
    tested = np.isfinite(normality)
    return values | {
        "n_columns_with_outliers": float(np.count_nonzero(outliers)),
        "normal_share": float(np.mean(normality[tested] > 0.05)) if tested.any() else float("nan"),
        "integer_share": float(_are_integers(block).mean()),
        "negative_share": float(np.mean(low < 0)),
    }


def together(block: NumericBlock) -> dict[str, float]:
    """Multivariate statistics: correlations and principal components."""
    shares = block.correlation_eigenvalues[::-1] / block.correlation_eigenvalues.sum()
    positive = shares[shares > 0]
    n_for_95 = int(np.searchsorted(np.cumsum(shares), 0.95 - 1e-12)) + 1
    direction = np.linalg.eigh(block.correlation)[1][:, -1]
    component = NumericBlock((block.standardised @ direction)[:, None])
    pairs = np.triu_indices(block.n_columns, k=1)
    correlations = np.abs(block.correlation[pairs])
    covariances = correlations * block.sd[pairs[0]] * block.sd[pairs[1]]
    return (
        summaries("correlation", correlations)
        | summaries("covariance", covariances, ("mean",))
        | {
            "correlated_pair_share": float(np.mean(correlations >= 0.5))
            if len(correlations)
            else float("nan"),
            "pca_first_share": shares[0],
            "pca_95_share": n_for_95 / block.n_columns,
            "effective_rank_share": float(np.exp(-np.sum(positive * np.log(positive))) / block.n_columns),
            "pca_first_skewness": abs(component.skewness[0]),
            "pca_first_kurtosis": component.kurtosis[0],
        }
    )


def with_classes(block: NumericBlock, y: NDArray[np.int64]) -> dict[str, float]:
    """Multivariate statistics of numeric columns and classes."""
    counts = np.bincount(y)
    by_class = block.standardised[np.argsort(y, kind="stable")]
    means = np.add.reduceat(by_class, np.cumsum(counts) - counts, axis=0) / counts[:, None]
    squared = squared_canonical_correlations(block, means, counts)
    with np.errstate(divide="ignore"):
        roots = np.where(squared < 1.0 - 1e-9, squared / (1.0 - squared), np.inf)
    variances = np.mean(block.standardised**2, axis=0)
    effects = (counts @ means**2) / counts.sum() / variances
    unit = block.sd * np.sqrt((block.n_present - 1) / block.n_present)
    return (
        summaries("canonical_correlation", np.sqrt(squared), ("mean", "max"))
        | summaries("class_effect", effects)
        | {
            "n_discriminants": float(np.count_nonzero(squared > 1e-12)),
            "wilks_lambda": float(np.prod(1.0 - squared)),
            "pillai_trace": float(np.sum(squared)),
            "lawley_hotelling_trace": _finite(np.sum(roots)),
            "roy_root": _finite(roots.max()),
            "gravity": _finite(np.linalg.norm((means[0] - means[np.argmin(counts)]) * unit)),
            "sd_ratio": box_m_ratio(block.standardised, y),
        }
    )


def squared_canonical_correlations(block: NumericBlock, means: Floats, counts: NDArray[np.int64]) -> Floats:
    """Squared canonical correlations of columns with class indicators, in descending order.

    Parameters
    ----------
    block : NumericBlock
        The columns.
    means : ndarray of shape (n_classes, n_columns), float64
        Class means of the standardised columns.
    counts : ndarray of shape (n_classes,), int64
        Number of rows of each class.

    Returns
    -------
    ndarray of shape (min(n_classes - 1, rank),), float64
        In [0, 1].
    """
    eigenvalues, vectors = np.linalg.eigh(block.correlation)
    kept = eigenvalues > 1e-10 * eigenvalues[-1]
    whitened = means @ (vectors[:, kept] / np.sqrt(eigenvalues[kept]))
    weighted = np.sqrt(counts / counts.sum())[:, None] * whitened
    n_roots = max(1, min(len(counts) - 1, int(kept.sum())))
    return np.clip(np.linalg.svd(weighted, compute_uv=False)[:n_roots] ** 2, 0.0, 1.0)


def box_m_ratio(X: Floats, y: NDArray[np.int64]) -> float:
    """SD ratio: geometric mean ratio of the class standard deviations to the pooled ones, from Box's M.

    Returns
    -------
    float
        1 if the classes have equal covariance matrices; NaN if one of these is singular.
    """
    n_rows, n_columns = X.shape
    counts = np.bincount(y)
    n_classes = len(counts)
    if counts.min() <= n_columns:
        return float("nan")
    covariances = np.array([np.atleast_2d(np.cov(X[y == code], rowvar=False)) for code in range(n_classes)])
    freedom = counts - 1.0
    pooled = np.tensordot(freedom, covariances, axes=1) / (n_rows - n_classes)
    signs, log_determinants = np.linalg.slogdet(np.concatenate([covariances, pooled[None]]))
    if np.any(signs <= 0) or np.any(np.linalg.matrix_rank(covariances, hermitian=True) < n_columns):
        return float("nan")
    gamma = 1.0 - (2.0 * n_columns**2 + 3.0 * n_columns - 1.0) / (
        6.0 * (n_columns + 1.0) * (n_classes - 1.0)
    ) * (np.sum(1.0 / freedom) - 1.0 / (n_rows - n_classes))
    m = gamma * ((n_rows - n_classes) * log_determinants[-1] - freedom @ log_determinants[:-1])
    return _finite(np.exp(m / (n_columns * (n_rows - n_classes))))


def with_numbers(block: NumericBlock, y: Floats) -> dict[str, float]:
    """Correlations of numeric columns with a numeric target."""
    n_rows = block.n_rows
    lengths = np.linalg.norm(block.standardised, axis=0) * np.linalg.norm(y)
    correlations = np.abs(block.standardised.T @ y) / lengths
    values = summaries("target_correlation", correlations) | {
        "correlated_with_target_share": float(np.mean(correlations >= 0.5))
    }
    if n_rows >= block.n_columns + 2:
        fit = np.linalg.lstsq(block.standardised, y, rcond=1e-10)
        residual = np.mean((y - block.standardised @ fit[0]) ** 2)
        values["multiple_correlation"] = float(1.0 - residual * (n_rows - 1) / (n_rows - fit[2] - 1))
    return values


def category_effects(view: TaskView) -> dict[str, float]:
    """Effect sizes (eta squared) of categorical columns on a numeric target."""
    target = view.target_block.standardised[:, 0]
    effects = []
    for levels in view.categories.T:
        counts = np.bincount(levels)
        sums = np.bincount(levels, weights=target)
        effects.append(float(np.sum(sums**2 / counts)) / len(target))
    return summaries("category_effect", np.array(effects), ("mean", "max"))


def target(view: TaskView) -> dict[str, float]:
    """Statistics of the distribution of a numeric target."""
    block = view.target_block
    low, first, median, third, high = block.quartiles[:, 0]
    runs = np.diff(np.flatnonzero(np.r_[True, np.diff(block.sorted[:, 0]) > 0, True]))
    return {
        "target_skewness": block.skewness[0],
        "target_kurtosis": block.kurtosis[0],
        "target_coefficient_of_variation": _decades_of_variation(block)[0],
        "target_outlier_share": _outlier_shares(block)[0],
        "target_normality": _normality(block)[0],
        "target_distinct_share": block.n_distinct[0] / block.n_rows,
        "target_top_share": runs.max() / block.n_rows,
        "target_zero_share": float(np.mean(block.values == 0)),
        "target_negative_share": float(np.mean(block.values < 0)),
        "target_integer": float(np.all(view.y == np.round(view.y))),
        "target_mean_median_gap": (block.mean[0] - median) / block.sd[0],
        "target_iqr_to_range": (third - first) / (high - low),
    }


def _outlier_shares(block: NumericBlock) -> Floats:
    first, third = block.quartiles[1], block.quartiles[3]
    reach = 1.5 * (third - first)
    outside = (block.values < first - reach) | (block.values > third + reach)
    return outside.sum(axis=0) / block.n_present


def _decades_of_variation(block: NumericBlock) -> Floats:
    with np.errstate(divide="ignore"):
        decades = np.log10(block.sd) - np.log10(np.abs(block.mean))
    return np.where(np.abs(block.mean) <= 1e-12 * block.magnitude, np.nan, decades)  # zero up to rounding


def _are_integers(block: NumericBlock) -> NDArray[np.bool_]:
    return ((block.values == np.round(block.values)) | block.missing).all(axis=0)


def _normality(block: NumericBlock) -> Floats:
    """p-value of D'Agostino and Pearson's K² test for each column; NaN for fewer than 20 values."""
    n = block.n_present.astype(np.float64)
    n = np.where(n < 20, np.nan, n)
    y = block.skewness * np.sqrt((n + 1) * (n + 3) / (6.0 * (n - 2)))
    beta = 3.0 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    w = np.sqrt(2.0 * (beta - 1)) - 1.0
    z_skewness = np.arcsinh(y / np.sqrt(2.0 / (w - 1))) / np.sqrt(0.5 * np.log(w))
    expected = 3.0 * (n - 1) / (n + 1)
    variance = 24.0 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    x = (block.kurtosis + 3.0 - expected) / np.sqrt(variance)
    root = (
        6.0
        * (n**2 - 5 * n + 2)
        / ((n + 7) * (n + 9))
        * np.sqrt(6.0 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    )
    a = 6.0 + 8.0 / root * (2.0 / root + np.sqrt(1.0 + 4.0 / root**2))
    z_kurtosis = (
        1.0 - 2.0 / (9.0 * a) - np.cbrt((1.0 - 2.0 / a) / (1.0 + x * np.sqrt(2.0 / (a - 4.0))))
    ) / np.sqrt(2.0 / (9.0 * a))
    return chdtrc(2, z_skewness**2 + z_kurtosis**2)


def _finite(value: float | np.floating) -> float:
    return float(value) if np.isfinite(value) else float("nan")
