"""Minimal implementations of simple learners, without input validation.

Each function takes training rows, their targets and test rows, and returns predictions for the
test rows. Classes are integer codes; some may be absent from the training rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "balanced_accuracy",
    "gaussian_naive_bayes",
    "linear_discriminant",
    "nearest_centroid",
    "neighbours_predict",
    "predict_stump",
    "r_squared",
    "ridge",
    "stratified_folds",
]

Floats = NDArray[np.float64]


def stratified_folds(y: NDArray, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign each row to the fold in which it is tested, stratified by target.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes (int64), or a numeric target, which is stratified by its order.
    n_folds : int
        Number of folds.
    rng : Generator
        Source of randomness for shuffling.
    """
    shuffled = rng.permutation(len(y))
    folds = np.empty(len(y), dtype=np.int64)
    if y.dtype.kind == "i":
        folds[shuffled[np.argsort(y[shuffled], kind="stable")]] = np.arange(len(y)) % n_folds
        return folds
    # Rows with adjacent targets are assigned to different folds in random order.
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    n_strata = -(-len(y) // n_folds)
    folds[order] = np.argsort(rng.random((n_strata, n_folds)), axis=1).ravel()[: len(y)]
    return folds


def balanced_accuracy(y: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean recall over the classes."""
    counts = np.bincount(y)
    hits = np.bincount(y[predicted == y], minlength=len(counts))
    return float(np.mean(hits[counts > 0] / counts[counts > 0]))


def r_squared(y: Floats, predicted: Floats) -> float:
    """Coefficient of determination, clipped at -1; NaN for a constant target."""
    spread = float(np.sum((y - y.mean()) ** 2))
    if spread == 0:
        return float("nan")
    return max(-1.0, 1.0 - float(np.sum((y - predicted) ** 2)) / spread)


def neighbours_predict(squared_distances: Floats, y: NDArray, n_neighbours: int) -> NDArray:
    """Leave-one-out predictions of k nearest neighbours.

    Parameters
    ----------
    squared_distances : ndarray of shape (n_rows, n_rows), float64
        Squared distances, infinite on the diagonal.
    y : ndarray of shape (n_rows,)
        Class codes, predicted by majority vote with ties broken by the lowest code; or a numeric
        target, which is averaged.
    n_neighbours : int
        Number of neighbours, at most ``n_rows - 1``.
    """
    rows = np.arange(len(y))
    distances = squared_distances.copy() if n_neighbours > 1 else squared_distances
    found: list[NDArray] = []
    for _ in range(min(n_neighbours, len(y) - 1)):  # faster than sorting for few neighbours
        if found:
            distances[rows, found[-1]] = np.inf
        found.append(np.argmin(distances, axis=1))
    nearest = y[np.array(found)]
    if y.dtype.kind != "i":
        return nearest.mean(axis=0)
    votes = np.zeros((len(y), int(y.max()) + 1))
    for classes in nearest:
        votes[rows, classes] += 1
    return votes.argmax(axis=1)


def _class_means(X: Floats, y: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return the classes that are present, their counts and their means."""
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    membership = np.zeros((len(classes), len(y)))
    membership[codes, np.arange(len(y))] = 1.0
    return classes, counts, membership @ X / counts[:, None]


def nearest_centroid(X: Floats, y: NDArray[np.int64], X_test: Floats) -> NDArray[np.int64]:
    """Predict the class with the nearest mean."""
    classes, _, means = _class_means(X, y)
    return classes[np.argmax(X_test @ means.T - 0.5 * np.einsum("ij,ij->i", means, means), axis=1)]


def gaussian_naive_bayes(X: Floats, y: NDArray[np.int64], X_test: Floats) -> NDArray[np.int64]:
    """Predict by Gaussian naive Bayes, with variance smoothing as in scikit-learn."""
    classes, counts, means = _class_means(X, y)
    squares = _class_means(X**2, y)[2]
    # Columns are standardised, so that the difference of squares is numerically stable.
    variances = np.maximum(squares - means**2, 0.0) + 1e-9 * max(X.var(axis=0).max(), 1e-300)
    constants = np.log(counts / counts.sum()) - 0.5 * np.sum(np.log(variances) + means**2 / variances, axis=1)
    likelihoods = X_test @ (means / variances).T - 0.5 * (X_test**2 @ (1.0 / variances).T) + constants
    return classes[np.argmax(likelihoods, axis=1)]


def linear_discriminant(X: Floats, y: NDArray[np.int64], X_test: Floats) -> NDArray[np.int64]:
    """Predict by linear discriminant analysis (Fisher 1936) with a regularised within-class covariance."""
    classes, counts, means = _class_means(X, y)
    deviations = X - means[np.searchsorted(classes, y)]
    within = deviations.T @ deviations / max(len(y) - len(classes), 1)
    within[np.diag_indices_from(within)] += 1e-6 * max(np.trace(within) / len(within), 1e-12)
    weights = np.linalg.solve(within, means.T)
    constants = np.log(counts / counts.sum()) - 0.5 * np.einsum("ij,ji->i", means, weights)
    return classes[np.argmax(X_test @ weights + constants, axis=1)]


def ridge(X: Floats, y: Floats, X_test: Floats, penalty: float = 1.0) -> Floats:
    """Predict by ridge regression; the intercept is not penalised."""
    mean, y_mean = X.mean(axis=0), y.mean()
    centred = X - mean
    gram = centred.T @ centred
    gram[np.diag_indices_from(gram)] += penalty
    weights = np.linalg.solve(gram, centred.T @ (y - y_mean))
    return (X_test - mean) @ weights + y_mean


def predict_stump(x: Floats, y: NDArray, x_test: Floats) -> NDArray:
    """Predict by a decision stump on one feature, split by Gini impurity (class codes) or variance."""
    is_classes = y.dtype.kind == "i"
    outputs = np.eye(int(y.max()) + 1)[y] if is_classes else (y - y.mean())[:, None]
    order = np.argsort(x, kind="stable")
    ascending = x[order]
    sums = np.cumsum(outputs[order], axis=0)
    n_left = np.arange(1, len(y))[:, None]
    gains = np.sum(sums[:-1] ** 2 / n_left + (sums[-1] - sums[:-1]) ** 2 / (len(y) - n_left), axis=1)
    gains[ascending[1:] == ascending[:-1]] = -np.inf  # equal values cannot be separated
    last = int(np.argmax(gains))
    # Without a valid split, all training and test rows lie left of an infinite threshold.
    n = len(y) if np.isneginf(gains[last]) else last + 1
    threshold = np.inf if n == len(y) else 0.5 * (ascending[last] + ascending[last + 1])
    left, right = sums[n - 1], sums[-1] - sums[n - 1]
    goes_left = x_test <= threshold
    if is_classes:
        return np.where(goes_left, left.argmax(), right.argmax())
    return y.mean() + np.where(goes_left, left[0] / n, right[0] / max(len(y) - n, 1))
