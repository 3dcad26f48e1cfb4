"""DifficultyModel: the best score to be expected on a task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_PENALTIES = tuple(10.0 ** np.arange(0.0, 5.1, 0.5))


class DifficultyModel:
    """Ridge regression from scaled meta-features to a few numbers of each data set.

    Meta-features, above all landmarkers, predict the level of all scores much better than which
    configuration wins. The penalty of each target minimises its leave-one-family-out error, which
    has a closed form.

    Parameters
    ----------
    points : ndarray of shape (n_datasets, n_metafeatures)
        Scaled meta-features without missing values.
    targets : ndarray of shape (n_datasets, n_targets)
        Target values.
    families : ndarray of shape (n_datasets,)
        Integer codes of the families.
    penalties : sequence of float
        Candidate ridge penalties.

    Attributes
    ----------
    left_out : ndarray of shape (n_datasets, n_targets)
        Prediction for each known data set from the other families.
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        targets: NDArray[np.float64],
        families: NDArray[np.int64],
        penalties: Sequence[float] = _PENALTIES,
    ) -> None:
        self._low, self._high = targets.min(axis=0), targets.max(axis=0)
        self._center, self._mean = points.mean(axis=0), targets.mean(axis=0)
        left, singular, right = np.linalg.svd(points - self._center, full_matrices=False)
        projected = left.T @ (targets - self._mean)
        groups = _groups_of_equal_size(families)
        smallest = np.full(targets.shape[1], np.inf)
        self._coefficients = np.zeros((points.shape[1], targets.shape[1]))
        self.left_out = targets.copy()
        for penalty in penalties:
            shrunk = singular**2 / (singular**2 + penalty)
            residuals = targets - self._mean - left @ (shrunk[:, None] * projected)
            residuals = _left_out_residuals(left * np.sqrt(shrunk), residuals, groups)
            errors = (residuals**2).mean(axis=0)
            better = errors < smallest
            smallest = np.where(better, errors, smallest)
            coefficients = right.T @ ((singular / (singular**2 + penalty))[:, None] * projected)
            self._coefficients[:, better] = coefficients[:, better]
            self.left_out[:, better] = (targets - residuals)[:, better]
        self.left_out = np.clip(self.left_out, self._low, self._high)

    def predict(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict the targets, shape (n_targets,), of a task at `point`, shape (n_metafeatures,); NaN is the median."""
        shift = (np.nan_to_num(point) - self._center) @ self._coefficients
        return np.clip(self._mean + shift, self._low, self._high)


def _groups_of_equal_size(families: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Members of the families of each size, one array of shape (n_families, size) for each size."""
    order = np.argsort(families, kind="stable")
    _, starts, counts = np.unique(families[order], return_index=True, return_counts=True)
    return [order[starts[counts == size][:, None] + np.arange(size)] for size in np.unique(counts)]


def _left_out_residuals(
    half_hat: NDArray[np.float64], residuals: NDArray[np.float64], groups: list[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Residuals of each family when it is left out: (I - H_FF)⁻¹ r_F, where H = half_hat half_hatᵀ + 1/n."""
    result = np.empty_like(residuals)
    for members in groups:
        parts = half_hat[members]  # (n_families, size, rank)
        hat = parts @ parts.transpose(0, 2, 1) + 1.0 / len(residuals)
        blocks = (1.0 + 1e-9) * np.eye(members.shape[1]) - hat
        result[members] = np.linalg.solve(blocks, residuals[members])
    return result
