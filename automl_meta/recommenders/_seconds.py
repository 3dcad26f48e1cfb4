"""SecondsModel: how long a fit will take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PENALTY = 3.0  # pulls each configuration's line to the line of all, as so many runs would
_SHORTEST = 1e-4  # seconds; below that clocks measure themselves


class SecondsModel:
    """For each configuration, log seconds linear in log rows and log columns.

    One line for all configurations, then for each the ridge-penalised departure from it, so that
    one that was tried once or never still gets a sensible guess.

    Parameters
    ----------
    n_rows, n_features : ndarray of shape (n_datasets,)
        Sizes of the known data sets.
    seconds : ndarray of shape (n_datasets, n_configurations)
        Of one fit; NaN where unknown.
    """

    def __init__(
        self, n_rows: NDArray[np.float64], n_features: NDArray[np.float64], seconds: NDArray[np.float64]
    ) -> None:
        sizes = np.log(np.column_stack([np.maximum(n_rows, 1.0), np.maximum(n_features, 1.0)]))
        self._usual = sizes.mean(axis=0)
        design = np.column_stack([np.ones(len(sizes)), sizes - self._usual])  # (n_datasets, 3)
        present = np.isfinite(seconds)
        self.has_times = bool(present.any())
        logs = np.log(np.maximum(np.where(present, seconds, 1.0), _SHORTEST))  # unknown: 1 s, weight 0
        weights = present.astype(np.float64)
        ridge = np.diag([1e-6, 1e-2, 1e-2])
        pooled = np.linalg.solve(
            design.T @ (design * weights.sum(axis=1)[:, None]) + ridge,
            design.T @ (weights * logs).sum(axis=1),
        )
        rest = weights * (logs - (design @ pooled)[:, None])
        outer = (design[:, :, None] * design[:, None, :]).reshape(-1, 9)
        grams = (weights.T @ outer).reshape(-1, 3, 3) + _PENALTY * np.eye(3)
        departures = np.linalg.solve(grams, (design.T @ rest).T[:, :, None])[:, :, 0]
        self._coefficients = pooled + departures  # (n_configurations, 3)
        self._log_range = (
            (logs[present].min() - 2.0, logs[present].max() + 5.0) if self.has_times else (0.0, 0.0)
        )

    def predict(self, n_rows: float, n_features: float) -> NDArray[np.float64]:
        """Seconds of one fit, shape (n_configurations,), never NaN; an unknown size counts as usual."""
        sizes = np.log(np.maximum(np.array([n_rows, n_features], dtype=np.float64), 1.0))
        sizes = np.where(np.isfinite(sizes), sizes - self._usual, 0.0)
        return np.exp(np.clip(self._coefficients @ np.array([1.0, *sizes]), *self._log_range))
