"""Greedy ensemble selection among the evaluated configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from automl_meta._utils.budget import Budget

__all__ = ["averaged", "greedy_weights"]

Responses = Mapping[str, NDArray]

_ROUNDS = 25
_PATIENCE = 5  # number of rounds without a better score


def greedy_weights(
    candidates: Sequence[Responses],
    score: Callable[[Responses], float],
    n_classes: int,
    *,
    budget: Budget | None = None,
) -> NDArray[np.float64]:
    """Select ensemble weights greedily: repeatedly add the candidate that improves the score most.

    Candidates are selected with replacement. The best prefix of the selection is returned, so that
    the ensemble never scores less than the best single candidate.

    Parameters
    ----------
    candidates : sequence of mapping
        Responses of each candidate to the same rows, as in `OutOfFold`; the best one comes first.
    score : callable
        Scores responses, greater is better; NaN is worse than any number.
    n_classes : int
        Number of classes; 0 for regression.
    budget : Budget, optional
        Wall-clock time; once it is exhausted, the selection so far is returned.

    Returns
    -------
    ndarray of shape (n_candidates,), float64
        Weights, which sum to one.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew & Ksikes (2004), Ensemble selection from libraries of models, ICML.
    """
    parts = [_summable(candidate, n_classes) for candidate in candidates]
    chosen: list[int] = []
    total = np.zeros_like(parts[0])
    best_score, best_size = -np.inf, 0
    while len(chosen) < _ROUNDS and len(chosen) - best_size < _PATIENCE:
        if budget is not None and budget.exhausted and chosen:
            break
        scores = [score(_responses((total + part) / (len(chosen) + 1), n_classes)) for part in parts]
        pick = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
        chosen.append(pick)
        total = total + parts[pick]
        if scores[pick] > best_score:
            best_score, best_size = scores[pick], len(chosen)
    kept = chosen[: max(best_size, 1)]
    return np.bincount(kept, minlength=len(parts)) / len(kept)


def averaged(candidates: Sequence[Responses], weights: NDArray[np.float64], n_classes: int) -> Responses:
    """Weighted mean of responses: of probabilities (votes where there are none), or of numbers."""
    total = sum(
        weight * _summable(candidate, n_classes)
        for candidate, weight in zip(candidates, weights, strict=True)
        if weight > 0
    )
    return _responses(np.asarray(total), n_classes)


def _summable(responses: Responses, n_classes: int) -> NDArray[np.float64]:
    if n_classes == 0:
        return np.asarray(responses["predict"], dtype=np.float64)
    if "predict_proba" in responses:
        return responses["predict_proba"]
    return np.eye(n_classes)[responses["predict"]]


def _responses(mean: NDArray[np.float64], n_classes: int) -> Responses:
    if n_classes == 0:
        return {"predict": mean}
    return {"predict": mean.argmax(axis=1), "predict_proba": mean}
