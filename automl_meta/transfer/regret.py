"""Normalised regret, which can be compared between tasks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["compress_tail", "regret_scales"]

_USELESS_MEDIANS = 3.0  # a score three median regrets below the best counts as useless
_SMALLEST_SHARE = 0.1  # of the typical scale: the least that a scale may be
_LARGEST_COMPRESSED = 3.0  # compressed regret of a diverged run


def regret_scales(
    scores: NDArray[np.float64],
    *,
    n_medians: float = _USELESS_MEDIANS,
    smallest_share: float = _SMALLEST_SHARE,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Best score of each task, and the regret that is normalised to one.

    The scale is the range of a task's scores, limited to `n_medians` times its median regret,
    because the worst score may be a diverged fit (an R² of -1e6) beside which all differences that
    matter would vanish. It is at least `smallest_share` of the typical scale: where all candidates
    do equally well, their order is noise and must not be amplified.

    Parameters
    ----------
    scores : ndarray of shape (n_tasks, n_candidates)
        Greater is better; NaN where unknown. Every row has at least one number.
    n_medians : float, default=3.0
        Upper limit of the scale, in median regrets.
    smallest_share : float, default=0.1
        Lower limit of the scale, as a share of the median of all upper limits. Zero where the tasks
        may have different units.

    Returns
    -------
    best, scale : ndarray of shape (n_tasks,)
        ``(best - score) / scale`` is the normalised regret; `scale` is positive.

    Examples
    --------
    >>> best, scale = regret_scales(np.array([[0.9, 0.8, 0.7], [1.0, 0.8, -900.0]]))
    >>> best.tolist(), scale.round(2).tolist()
    ([0.9, 1.0], [0.2, 0.6])
    """
    best = np.nanmax(scores, axis=1)
    median = np.nanmedian if np.isnan(scores).any() else np.median  # which is ten times as fast
    to_median = n_medians * (best - median(scores, axis=1))
    to_worst = best - np.nanmin(scores, axis=1)
    floor = smallest_share * float(np.median(to_median))
    scale = np.maximum(np.minimum(to_worst, np.maximum(to_median, floor)), floor)
    scale = np.where(scale > 0.0, scale, to_worst)  # half of the candidates reached the best
    return best, np.where(scale > 0.0, scale, 1.0)


def compress_tail(regrets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make regrets above 1 grow with the logarithm, up to 3, so that a diverged run bends a model little.

    Parameters
    ----------
    regrets : ndarray
        Normalised regrets.

    Returns
    -------
    ndarray
        Of the same shape.

    Examples
    --------
    >>> compress_tail(np.array([0.5, 1.0, 4.0, 1e9])).round(1).tolist()
    [0.5, 1.0, 2.4, 3.0]
    """
    compressed = np.minimum(1.0 + np.log(np.maximum(regrets, 1.0)), _LARGEST_COMPRESSED)
    return np.where(regrets > 1.0, compressed, regrets)
