"""DifficultyModel: how good the best known configuration will be on a task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PENALTIES = 10.0 ** np.arange(0.0, 5.1, 0.5)


class DifficultyModel:
    """Ridge regression from scaled meta-features to one number of each data set.

    Meta-features say little about which configuration wins, but much about the level of all
    scores (the landmarkers above all). The penalty is chosen by leave-one-family-out error, which
    has a closed form.

    Parameters
    ----------
    points : ndarray of shape (n_datasets, n_metafeatures)
        Scaled meta-features without gaps.
    target : ndarray of shape (n_datasets,)
        What to predict.
    families : ndarray of shape (n_datasets,)
        Integer codes.

    Attributes
    ----------
    left_out : ndarray of shape (n_datasets,)
        What is predicted for each known data set from the other families.
    """

    def __init__(
        self, points: NDArray[np.float64], target: NDArray[np.float64], families: NDArray[np.int64]
    ) -> None:
        n_datasets = len(points)
        self._range = float(target.min()), float(target.max())
        self._center, self._mean = points.mean(axis=0), float(target.mean())
        left, singular, right = np.linalg.svd(points - self._center, full_matrices=False)
        projected = left.T @ (target - self._mean)
        smallest, self._coefficients, self.left_out = np.inf, np.zeros(points.shape[1]), target
        for penalty in _PENALTIES * max(n_datasets / 100.0, 1.0):
            shrunk = singular**2 / (singular**2 + penalty)
            hat = (left * shrunk) @ left.T + 1.0 / n_datasets
            residuals = _left_out_residuals(hat, target - self._mean - left @ (shrunk * projected), families)
            error = float(np.mean(residuals**2))
            if error < smallest:
                smallest = error
                self._coefficients = right.T @ (singular / (singular**2 + penalty) * projected)
                self.left_out = np.clip(target - residuals, *self._range)

    def predict(self, point: NDArray[np.float64]) -> float:
        """For a task at `point`, of shape (n_metafeatures,); NaN counts as the median."""
        shift = (np.nan_to_num(point) - self._center) @ self._coefficients
        return float(np.clip(self._mean + shift, *self._range))


def _left_out_residuals(
    hat: NDArray[np.float64], residuals: NDArray[np.float64], families: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Residuals of each family when it is left out: (I - H_FF)⁻¹ r_F."""
    result = residuals / np.maximum(1.0 - np.diag(hat), 1e-9)
    order = np.argsort(families, kind="stable")
    _, starts, counts = np.unique(families[order], return_index=True, return_counts=True)
    for size in np.unique(counts[counts > 1]):  # families of one size are solved together
        members = order[starts[counts == size][:, None] + np.arange(size)]  # (n_families, size)
        blocks = (1.0 + 1e-9) * np.eye(size) - hat[members[:, :, None], members[:, None, :]]
        result[members] = np.linalg.solve(blocks, residuals[members][:, :, None])[:, :, 0]
    return result
