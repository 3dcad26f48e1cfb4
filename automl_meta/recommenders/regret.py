"""Regret that can be compared between data sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["regret_scales"]

_MEDIANS = 3.0  # a score as far below the best as three times the median counts as useless
_SMALLEST = 0.1  # share of the typical scale that a scale has at least


def regret_scales(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Best score of each data set, and how far below it a score counts as useless.

    The scale is the distance from the best score to the worst one, but at most three times that
    to the median, because the worst may be a diverged fit (an R² of -1e6) next to which all
    differences that matter would vanish. It is at least a tenth of the typical scale: where all
    configurations do equally well, their order is noise and must not be blown up.

    Parameters
    ----------
    scores : ndarray of shape (n_datasets, n_configurations)
        Greater is better; NaN where unknown. Every row has at least one number.

    Returns
    -------
    best, scale : ndarray of shape (n_datasets,)
        ``min(1, (best - score) / scale)`` is the normalised regret; `scale` is positive.

    Examples
    --------
    >>> best, scale = regret_scales(np.array([[0.9, 0.8, 0.7], [1.0, 0.8, -900.0]]))
    >>> best.tolist(), scale.round(2).tolist()
    ([0.9, 1.0], [0.2, 0.6])
    """
    best = np.nanmax(scores, axis=1)
    to_median = _MEDIANS * (best - np.nanmedian(scores, axis=1))
    floor = _SMALLEST * float(np.median(to_median))
    scale = np.minimum(best - np.nanmin(scores, axis=1), np.maximum(to_median, floor))
    scale = np.maximum(scale, floor)
    return best, np.where(scale > 0.0, scale, 1.0)
