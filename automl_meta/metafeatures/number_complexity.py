"""Measures of the complexity of regression problems (Lorena et al. 2018).

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
_ENOUGH = 0.9  # a rank correlation above which a column alone explains the rows that are left
_NEAR = 0.1  # a residual below which a row is explained


def column_correlation(X: Floats, y: Floats) -> dict[str, float]:
    """C1, C2, C3 and C4: how far single columns explain the target.

    Ranks are taken once, of all rows, where the paper ranks again what is left after each row that
    it takes away.
    """
    ranks, target = rankdata(X, axis=0), rankdata(y)
    correlations = _correlations(ranks, target)
    strength = np.abs(correlations)
    return {
        "c1": float(strength.max()),
        "c2": float(strength.mean()),
        "c3": float(_rows_in_the_way(ranks, target, correlations).min()) / len(y),
        "c4": _unexplained(X, y, np.argsort(-strength, kind="stable")),
    }


def _correlations(ranks: Floats, target: Floats) -> Floats:
    centred, aim = ranks - ranks.mean(axis=0), target - target.mean()
    lengths = np.linalg.norm(centred, axis=0) * np.linalg.norm(aim)
    return np.divide(centred.T @ aim, lengths, out=np.zeros(len(lengths)), where=lengths > 0)


def _rows_in_the_way(ranks: Floats, target: Floats, correlations: Floats) -> NDArray[np.intp]:
    """For each column how many rows must go until it correlates with the target above 0.9."""
    n_rows = len(target)
    aligned = np.where(correlations < 0, n_rows + 1 - ranks, ranks)
    # The rows whose two ranks agree best come first; sums over the first k rows give all correlations.
    order = np.argsort(np.abs(aligned - target[:, None]), axis=0, kind="stable")
    first = np.take_along_axis(aligned, order, axis=0) - (n_rows + 1) / 2
    second = target[order] - (n_rows + 1) / 2
    k = np.arange(1, n_rows + 1)[:, None]
    sums = [np.cumsum(values, axis=0) for values in (first, second, first**2, second**2, first * second)]
    covariance = sums[4] - sums[0] * sums[1] / k
    variances = (sums[2] - sums[0] ** 2 / k) * (sums[3] - sums[1] ** 2 / k)
    enough = covariance > _ENOUGH * np.sqrt(np.maximum(variances, 0.0))
    kept = np.where(enough, k, 0).max(axis=0)
    return n_rows - kept


def _unexplained(X: Floats, y: Floats, order: NDArray[np.intp]) -> float:
    """Share of rows left when each column in turn explains what it can by a straight line."""
    left = np.arange(len(y))
    for column in order:
        x, target = X[left, column], y[left]
        deviation = x - x.mean()
        spread = float(deviation @ deviation)
        slope = float(deviation @ target) / spread if spread > 0 else 0.0
        residuals = target - target.mean() - slope * deviation
        left = left[np.abs(residuals) > _NEAR]
        if left.size == 0:
            break
    return left.size / len(y)


def linearity(X: Floats, y: Floats, rng: np.random.Generator) -> dict[str, float]:
    """L1, L2 and L3: how far least squares fails, on the rows and on points between them."""
    points, values = _interpolate(X, y, rng)
    predicted = ridge(X, y, np.vstack([X, points]), penalty=1e-6)
    residuals = y - predicted[: len(y)]
    return {
        "l1": float(np.mean(np.abs(residuals))),
        "l2": float(np.mean(residuals**2)),
        "l3": float(np.mean((values - predicted[len(y) :]) ** 2)),
    }


def smoothness(block: EncodedBlock, rng: np.random.Generator) -> dict[str, float]:
    """S1, S2, S3 and S4: whether near rows have near targets, and the other way round."""
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
    """A point at random on each line between rows that follow each other in the order of the target."""
    order = np.argsort(y, kind="stable")
    share = rng.random(len(y) - 1)
    low, high = order[:-1], order[1:]
    points = X[low] * share[:, None] + X[high] * (1.0 - share[:, None])
    return points, y[low] * share + y[high] * (1.0 - share)
