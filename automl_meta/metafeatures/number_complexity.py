"""Complexity measures for regression (Lorena et al. 2018).

The target is scaled to [0, 1]. Distances are Gower's, as for classification.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from automl_meta.metafeatures.encoded import EncodedBlock
from automl_meta.metafeatures.geometry import minimum_spanning_tree, without_diagonal
from automl_meta.metafeatures.learners import ridge

__all__ = ["column_correlation", "linearity", "smoothness"]

Floats = NDArray[np.float64]
_MIN_CORRELATION = 0.9  # rank correlation above which a feature explains the remaining rows (C3)
_MAX_RESIDUAL = 0.1  # absolute residual up to which a row is explained (C4)


def column_correlation(X: Floats, y: Floats) -> dict[str, float]:
    """Feature correlation measures C1, C2, C3 and C4.

    Ranks are computed once, over all rows, whereas the paper recomputes them after each removed
    row.
    """
    ranks, target = rankdata(X, axis=0), rankdata(y)
    correlations = _correlations(ranks, target)
    strength = np.abs(correlations)
    return {
        "c1": float(strength.max()),
        "c2": float(strength.mean()),
        "c3": float(_n_removed(ranks, target, correlations).min()) / len(y),
        "c4": _unexplained_share(X, y, np.argsort(-strength, kind="stable")),
    }


def _correlations(ranks: Floats, target: Floats) -> Floats:
    centred, aim = ranks - ranks.mean(axis=0), target - target.mean()
    lengths = np.linalg.norm(centred, axis=0) * np.linalg.norm(aim)
    return np.divide(centred.T @ aim, lengths, out=np.zeros(len(lengths)), where=lengths > 0)


def _n_removed(ranks: Floats, target: Floats, correlations: Floats) -> NDArray[np.intp]:
    """For each feature, the number of rows to remove until its rank correlation exceeds 0.9."""
    n_rows = len(target)
    aligned = np.where(correlations < 0, n_rows + 1 - ranks, ranks)
    # Rows are sorted by agreement of the two ranks; cumulative sums give the correlation of the first k.
    order = np.argsort(np.abs(aligned - target[:, None]), axis=0, kind="stable")
    first = np.take_along_axis(aligned, order, axis=0) - (n_rows + 1) / 2
    second = target[order] - (n_rows + 1) / 2
    k = np.arange(1, n_rows + 1)[:, None]
    sums = [np.cumsum(values, axis=0) for values in (first, second, first**2, second**2, first * second)]
    covariance = sums[4] - sums[0] * sums[1] / k
    variances = (sums[2] - sums[0] ** 2 / k) * (sums[3] - sums[1] ** 2 / k)
    enough = covariance > _MIN_CORRELATION * np.sqrt(np.maximum(variances, 0.0))
    kept = np.where(enough, k, 0).max(axis=0)
    return n_rows - kept


def _unexplained_share(X: Floats, y: Floats, order: NDArray[np.intp]) -> float:
    """Share of rows left unexplained by successive linear fits on single features."""
    left = np.arange(len(y))
    for column in order:
        x, target = X[left, column], y[left]
        deviation = x - x.mean()
        spread = float(deviation @ deviation)
        slope = float(deviation @ target) / spread if spread > 0 else 0.0
        residuals = target - target.mean() - slope * deviation
        left = left[np.abs(residuals) > _MAX_RESIDUAL]
        if left.size == 0:
            break
    return left.size / len(y)


def linearity(X: Floats, y: Floats, rng: np.random.Generator) -> dict[str, float]:
    """Linearity measures L1, L2 and L3, by least squares on the rows and on interpolated points."""
    points, values = _interpolate(X, y, rng)
    predicted = ridge(X, y, np.vstack([X, points]), penalty=1e-6)
    residuals = y - predicted[: len(y)]
    return {
        "l1": float(np.mean(np.abs(residuals))),
        "l2": float(np.mean(residuals**2)),
        "l3": float(np.mean((values - predicted[len(y) :]) ** 2)),
    }


def smoothness(block: EncodedBlock, rng: np.random.Generator) -> dict[str, float]:
    """Smoothness measures S1, S2, S3 and S4."""
    y = block.y
    starts, ends = minimum_spanning_tree(block.gower)
    by_target = np.argsort(y, kind="stable")
    nearest = without_diagonal(block.gower).argmin(axis=1)
    points, values = _interpolate(block.unit, y, rng)
    reached = cdist(points, block.unit, "cityblock").argmin(axis=1)
    return {
        "s1": float(np.mean(np.abs(y[starts] - y[ends]))),
        "s2": float(np.mean(block.gower[by_target[1:], by_target[:-1]])),
        "s3": float(np.mean((y - y[nearest]) ** 2)),
        "s4": float(np.mean((values - y[reached]) ** 2)),
    }


def _interpolate(X: Floats, y: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Sample one random point on each line between two rows with adjacent targets."""
    order = np.argsort(y, kind="stable")
    share = rng.random(len(y) - 1)
    low, high = order[:-1], order[1:]
    points = X[low] * share[:, None] + X[high] * (1.0 - share[:, None])
    return points, y[low] * share + y[high] * (1.0 - share)
