"""SecondsModel: how long a fit will take."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_PENALTY = 1.0  # pulls each configuration's line to the line of all, as much as one run would
_SHORTEST = 1e-4  # seconds; below that clocks measure themselves
_MANY_ROWS = 1000.0  # from here on times grow with another power of the rows: fixed costs count no more


def sizes_of(metafeatures: Mapping[str, float], fit_rows: float | None = None) -> NDArray[np.float64]:
    """What the time of a fit depends on, NaN where unknown.

    Parameters
    ----------
    metafeatures : mapping of str to float
        Of the task.
    fit_rows : float, optional
        Rows of the fit; all of the task's by default.

    Returns
    -------
    ndarray of shape (4,)
        Rows of the fit, columns, columns once categories are one-hot encoded, classes.
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
    """For each configuration, log seconds as a line in the logs of what it works on.

    The power of the rows may differ between few and many of them, and may depend on the columns.
    One line for all configurations, then for each the ridge-penalised departure from it, so that
    one that was tried once or never still gets a sensible guess.

    Parameters
    ----------
    sizes : ndarray of shape (n_datasets, 4)
        `sizes_of` the known data sets; only the encoded columns may be unknown.
    seconds : ndarray of shape (n_datasets, n_configurations)
        Of one fit; NaN where unknown.
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
        """Seconds of one fit, shape (n_configurations,), never NaN.

        Parameters
        ----------
        sizes : ndarray of shape (4,)
            `sizes_of` the task; an unknown one counts as usual.
        """
        terms = self._terms(_logs(sizes[None, :]))[0]
        return np.exp(np.clip(self._coefficients @ terms, *self._log_range))

    def _terms(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the lines are linear in, shape (n_datasets, n_terms)."""
        centered = np.where(np.isfinite(logs), logs - self._usual, 0.0)
        rows, columns = centered[:, 0], centered[:, 1]
        many = np.maximum(rows + self._usual[0] - np.log(_MANY_ROWS), 0.0)
        return np.column_stack([np.ones(len(logs)), centered, many, rows * columns])


def _logs(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms; without encoding there are as many columns as before."""
    encoded = np.where(np.isfinite(sizes[:, 2]), sizes[:, 2], sizes[:, 1])
    return np.log(np.maximum(np.column_stack([sizes[:, :2], encoded, sizes[:, 3]]), 1.0))
