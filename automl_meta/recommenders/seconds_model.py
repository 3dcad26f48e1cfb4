"""SecondsModel: predicted duration of a fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_PENALTY = 1.0  # ridge penalty of a configuration's deviation from the common line: the weight of one run
_SHORTEST = 1e-4  # seconds; shorter durations are beyond the precision of the clock
_MANY_ROWS = 1000.0  # more rows have another power: fixed costs do not matter any more


def sizes_of(metafeatures: Mapping[str, float], fit_rows: float | None = None) -> NDArray[np.float64]:
    """Predictors of the duration of a fit, NaN where unknown.

    Parameters
    ----------
    metafeatures : mapping of str to float
        Meta-features of the task.
    fit_rows : float, optional
        Number of training rows; all rows of the task by default.

    Returns
    -------
    ndarray of shape (4,)
        Number of training rows, of columns, of columns after one-hot encoding, and of classes.
    """
    return np.array(
        [
            metafeatures.get("n_rows", np.nan) if fit_rows is None else fit_rows,
            metafeatures.get("n_features", np.nan),
            metafeatures.get("n_numeric", np.nan) + metafeatures.get("n_levels_sum", np.nan),
            metafeatures.get("n_classes", np.nan),
        ],
        dtype=np.float64,
    )


class SecondsModel:
    """Linear model of log seconds in the logs of the sizes, for each configuration.

    The power of the rows may differ between few and many rows, and may depend on the number of
    columns. A pooled model of all configurations, plus a ridge-penalised deviation of each, so that
    a configuration that was tried once or never still gets a sensible prediction.

    Parameters
    ----------
    sizes : ndarray of shape (n_datasets, 4)
        `sizes_of` the known data sets; only the number of encoded columns may be unknown.
    seconds : ndarray of shape (n_datasets, n_configurations)
        Seconds of one fit; NaN where unknown.
    """

    def __init__(self, sizes: NDArray[np.float64], seconds: NDArray[np.float64]) -> None:
        logs = _logs(sizes)
        self._usual = logs.mean(axis=0)
        design = self._terms(logs)
        n_terms = design.shape[1]
        present = np.isfinite(seconds)
        self.has_times = bool(present.any())
        times = np.log(np.maximum(np.where(present, seconds, 1.0), _SHORTEST))  # unknown: 1 s, weight 0
        weights = present.astype(np.float64)
        ridge = np.diag([1e-6] + [1e-2] * (n_terms - 1))
        pooled = np.linalg.solve(
            design.T @ (design * weights.sum(axis=1)[:, None]) + ridge,
            design.T @ (weights * times).sum(axis=1),
        )
        rest = weights * (times - (design @ pooled)[:, None])
        outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
        grams = (weights.T @ outer).reshape(-1, n_terms, n_terms) + _PENALTY * np.eye(n_terms)
        departures = np.linalg.solve(grams, (design.T @ rest).T[:, :, None])[:, :, 0]
        self._coefficients = pooled + departures  # (n_configurations, n_terms)
        self._log_range = (
            (times[present].min() - 2.0, times[present].max() + 5.0) if self.has_times else (0.0, 0.0)
        )

    def predict(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict the seconds of one fit, shape (n_configurations,), without NaN.

        Parameters
        ----------
        sizes : ndarray of shape (4,)
            `sizes_of` the task; unknown ones are replaced by the mean.
        """
        terms = self._terms(_logs(sizes[None, :]))[0]
        return np.exp(np.clip(self._coefficients @ terms, *self._log_range))

    def _terms(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Design matrix, shape (n_datasets, n_terms)."""
        centered = np.where(np.isfinite(logs), logs - self._usual, 0.0)
        rows, columns = centered[:, 0], centered[:, 1]
        many = np.maximum(rows + self._usual[0] - np.log(_MANY_ROWS), 0.0)
        return np.column_stack([np.ones(len(logs)), centered, many, rows * columns])


def _logs(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms; an unknown number of encoded columns is the number of columns."""
    encoded = np.where(np.isfinite(sizes[:, 2]), sizes[:, 2], sizes[:, 1])
    return np.log(np.maximum(np.column_stack([sizes[:, :2], encoded, sizes[:, 3]]), 1.0))
