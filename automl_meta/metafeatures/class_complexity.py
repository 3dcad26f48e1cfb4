"""Complexity measures for classification (Lorena et al. 2019).

Where the survey leaves a choice open, its reference implementation ECoL is followed: Gower's
distance, and a graph that connects each row to those among its nearest 15 % that share its class.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, eigsh
from scipy.spatial.distance import cdist

from automl_meta.metafeatures.encoded import EncodedBlock
from automl_meta.metafeatures.geometry import minimum_spanning_tree, n_principal_components, without_diagonal

__all__ = [
    "class_balance",
    "class_pairs",
    "dimensionality",
    "feature_overlap",
    "hub_scores",
    "interpolate",
    "linearity",
    "neighbourhood",
    "network",
    "separation",
    "squared_hinge_machine",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
_MAX_CLASSES_IN_PAIRS = 12
_NEIGHBOUR_SHARE = 0.15


def class_pairs(n_classes: int) -> list[tuple[int, int]]:
    """List all pairs of the largest classes; class codes are sorted by descending size."""
    return list(itertools.combinations(range(min(n_classes, _MAX_CLASSES_IN_PAIRS)), 2))


def class_balance(counts: Codes) -> dict[str, float]:
    """Class imbalance measures C1 (entropy of class proportions) and C2 (imbalance ratio)."""
    shares = counts / counts.sum()
    n_classes = len(counts)
    ratio = (n_classes - 1) / n_classes * np.sum(shares / (1.0 - shares))
    return {
        "c1": float(-np.sum(shares * np.log(shares)) / np.log(n_classes)),
        "c2": float(1.0 - 1.0 / ratio),
    }


def feature_overlap(X: Floats, y: Codes) -> dict[str, float]:
    """Feature-based measures F1, F1v, F2, F3 and F4: discriminative power of single features."""
    n_classes = int(y.max()) + 1
    by_class = [X[y == code] for code in range(n_classes)]
    counts = np.array([len(rows) for rows in by_class])
    means = np.array([rows.mean(axis=0) for rows in by_class])
    between = counts @ (means - X.mean(axis=0)) ** 2
    within = np.sum((X - means[y]) ** 2, axis=0)
    overlap = within / np.maximum(
        within + between, 1e-300
    )  # 1 / (1 + between / within), defined for within = 0
    low = np.array([rows.min(axis=0) for rows in by_class])
    high = np.array([rows.max(axis=0) for rows in by_class])
    scatter = [
        np.cov(rows, rowvar=False) if len(rows) > 1 else np.zeros((X.shape[1],) * 2) for rows in by_class
    ]
    f1v, f2, f3, f4 = [], [], [], []
    for a, b in class_pairs(n_classes):
        inside_low, inside_high = np.maximum(low[a], low[b]), np.minimum(high[a], high[b])
        width = np.maximum(high[a], high[b]) - np.minimum(low[a], low[b])
        shared = np.maximum(inside_high - inside_low, 0.0)
        f2.append(float(np.prod(np.divide(shared, width, out=np.ones_like(width), where=width > 0))))
        rows = np.vstack([by_class[a], by_class[b]])
        is_shared = (rows >= inside_low) & (rows <= inside_high)
        f3.append(float(is_shared.mean(axis=0).min()))
        f4.append(_collective_overlap(rows, np.arange(len(rows)) < counts[a], is_shared))
        weighted = (counts[a] * np.atleast_2d(scatter[a]) + counts[b] * np.atleast_2d(scatter[b])) / len(rows)
        f1v.append(_directional_overlap(means[a] - means[b], weighted))
    return {
        "f1": float(overlap.min()),
        "f1_mean": float(overlap.mean()),
        "f1v": float(np.mean(f1v)),
        "f2": float(np.mean(f2)),
        "f3": float(np.mean(f3)),
        "f4": float(np.mean(f4)),
    }


def _directional_overlap(difference: Floats, scatter: Floats) -> float:
    """F1v of two classes: 1 / (1 + Fisher's ratio) along the most discriminative direction."""
    damped = scatter.copy()
    damped[np.diag_indices_from(damped)] += 1e-10 * max(np.trace(scatter) / len(scatter), 1e-300)
    ratio = float(difference @ np.linalg.solve(damped, difference))
    return 1.0 / (1.0 + max(ratio, 0.0))


def _collective_overlap(X: Floats, is_first: NDArray[np.bool_], is_shared: NDArray[np.bool_]) -> float:
    """F4 of two classes: share of rows that no feature separates, features being chosen greedily."""
    n_rows = len(X)
    columns = np.arange(X.shape[1])
    while True:
        best = int(np.argmin(is_shared.sum(axis=0)))
        keep = is_shared[:, best]
        if keep.all():
            return len(X) / n_rows  # no feature separates any further row
        X, is_first = X[keep], is_first[keep]
        columns = np.delete(columns, best)
        if is_first.all() or not is_first.any():
            return 0.0
        if columns.size == 0:
            return len(X) / n_rows
        first, second = X[is_first][:, columns], X[~is_first][:, columns]
        low = np.maximum(first.min(axis=0), second.min(axis=0))
        high = np.minimum(first.max(axis=0), second.max(axis=0))
        is_shared = (X[:, columns] >= low) & (X[:, columns] <= high)


def linearity(X: Floats, y: Codes, rng: np.random.Generator) -> dict[str, float]:
    """Linearity measures L1, L2 and L3, by a linear support vector machine on each pair of classes."""
    l1, l2, l3 = [], [], []
    for a, b in class_pairs(int(y.max()) + 1):
        kept = (y == a) | (y == b)
        rows, signs = X[kept], np.where(y[kept] == a, 1.0, -1.0)
        weights = squared_hinge_machine(rows, signs)
        decision = rows @ weights[:-1] + weights[-1]
        wrong = signs * decision <= 0
        distance = float(np.sum(np.abs(decision[wrong]))) / len(rows)
        l1.append(distance / (1.0 + distance))
        l2.append(float(wrong.mean()))
        between, codes = interpolate(rows, (signs < 0).astype(np.int64), rng)
        decision = between @ weights[:-1] + weights[-1]
        l3.append(float(np.mean(np.where(codes == 0, decision, -decision) <= 0)))
    return {"l1": float(np.mean(l1)), "l2": float(np.mean(l2)), "l3": float(np.mean(l3))}


def squared_hinge_machine(X: Floats, signs: Floats, cost: float = 1.0, max_iterations: int = 30) -> Floats:
    """Fit a linear support vector machine with squared hinge loss by Newton's method (Chapelle 2007).

    Minimises ``0.5 |w|² + cost * sum(max(0, 1 - sign * (x w + b))²)``.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), float64
        Training rows.
    signs : ndarray of shape (n_rows,), float64
        Class labels, 1 or -1.
    cost : float
        Weight of the loss relative to the penalty.
    max_iterations : int
        Maximum number of Newton steps.

    Returns
    -------
    ndarray of shape (n_columns + 1,), float64
        Weights, followed by the intercept, which is not penalised.
    """
    design = np.column_stack([X, np.ones(len(X))])
    penalty = np.r_[np.ones(X.shape[1]), 1e-10]
    weights = np.zeros(design.shape[1])
    slack = np.ones(len(X))
    loss = cost * float(slack @ slack)
    for _ in range(max_iterations):
        active = slack > 0
        rows = design[active]
        gradient = penalty * weights - 2.0 * cost * (rows.T @ (signs[active] * slack[active]))
        hessian = 2.0 * cost * (rows.T @ rows)
        hessian[np.diag_indices_from(hessian)] += penalty
        step = np.linalg.solve(hessian, gradient)
        if float(gradient @ step) < 1e-9 * max(loss, 1e-12):
            break
        size = 1.0
        while True:
            candidate = weights - size * step
            slack = np.maximum(1.0 - signs * (design @ candidate), 0.0)
            new_loss = 0.5 * float(penalty @ candidate**2) + cost * float(slack @ slack)
            if new_loss <= loss or size < 1e-4:
                break
            size /= 2.0
        weights, loss = candidate, new_loss
    return weights


def interpolate(X: Floats, y: Codes, rng: np.random.Generator) -> tuple[Floats, Codes]:
    """Sample as many points as rows, each interpolated between two random rows of one class."""
    first, second = np.empty(len(y), dtype=np.intp), np.empty(len(y), dtype=np.intp)
    codes = np.sort(y)
    order = np.argsort(y, kind="stable")
    start = 0
    for count in np.bincount(y):
        members = order[start : start + count]
        first[start : start + count] = rng.choice(members, count) if count else members
        second[start : start + count] = rng.choice(members, count) if count else members
        start += count
    share = rng.random((len(y), 1))
    return X[first] * share + X[second] * (1.0 - share), codes


def neighbourhood(block: EncodedBlock, rng: np.random.Generator) -> dict[str, float]:
    """Neighbourhood measures N1, N2, N3, N4, T1 and LSC."""
    y, n_rows = block.y, block.n_rows
    distances = block.gower
    others = without_diagonal(distances)
    same = y[:, None] == y
    starts, ends = minimum_spanning_tree(distances)
    border = y[starts] != y[ends]
    intra = np.where(same, others, np.inf).min(axis=1)
    to_enemies = np.where(same, np.inf, others)
    enemy = to_enemies.argmin(axis=1)
    extra = to_enemies[np.arange(n_rows), enemy]
    paired = np.isfinite(intra)  # a class with a single row has no intra-class distance
    points, codes = interpolate(block.unit, y, rng)
    nearest = cdist(points, block.unit, "cityblock").argmin(axis=1)
    result = {
        "n1": len(np.union1d(starts[border], ends[border])) / n_rows,
        "n3": float(np.mean(y[others.argmin(axis=1)] != y)),
        "n4": float(np.mean(y[nearest] != codes)),
        "t1": _covering_spheres(distances, enemy, extra),
        "lsc": 1.0 - float(np.sum(distances < extra[:, None])) / n_rows**2,
    }
    if paired.any():
        total = intra[paired].sum() + extra[paired].sum()
        result["n2"] = float(intra[paired].sum() / total) if total > 0 else 0.5
        sums = intra[paired] + extra[paired]
        ratios = np.divide(intra[paired], sums, out=np.full_like(sums, 0.5), where=sums > 0)
        result["n2_mean"] = float(ratios.mean())
    return result


def _covering_spheres(distances: Floats, enemy: NDArray[np.intp], extra: Floats) -> float:
    """T1: number of hyperspheres that cover the data, divided by the number of rows.

    The hypersphere of a row grows until it touches that of its nearest enemy; mutual nearest
    enemies divide the distance between them equally. Hyperspheres inside larger ones are absorbed.
    """
    n_rows = len(enemy)
    radius = np.full(n_rows, -1.0)
    for row in range(n_rows):
        chain = []
        while radius[row] < 0 and row not in chain:
            chain.append(row)
            row = int(enemy[row])
        if radius[row] < 0:  # the chain ends at two mutual nearest enemies
            radius[row] = 0.5 * extra[row]
        for member in reversed(chain):
            if radius[member] < 0:
                mutual = enemy[enemy[member]] == member
                radius[member] = 0.5 * extra[member] if mutual else abs(extra[member] - radius[enemy[member]])
    inside = distances <= radius  # row within the hypersphere of each column
    alive = np.ones(n_rows, dtype=bool)
    for row in np.argsort(-inside.sum(axis=0), kind="stable"):
        if alive[row]:
            alive[inside[:, row]] = False
            alive[row] = True
    return float(alive.mean())


def network(block: EncodedBlock) -> dict[str, float]:
    """Network measures: density, clustering coefficient and hub score."""
    n_rows = block.n_rows
    others = without_diagonal(block.gower)
    n_neighbours = min(max(1, round(_NEIGHBOUR_SHARE * n_rows)), n_rows - 1)
    nearest = np.argpartition(others, n_neighbours - 1, axis=1)[:, :n_neighbours]
    joined = np.zeros((n_rows, n_rows), dtype=bool)
    joined[np.arange(n_rows)[:, None], nearest] = True
    joined = (joined | joined.T) & (block.y[:, None] == block.y)
    degrees = joined.sum(axis=1).astype(np.float64)
    n_wedges = float(np.sum(degrees * (degrees - 1.0)))
    adjacency = joined.astype(np.float32)
    triangles = float(np.sum((adjacency @ adjacency) * adjacency, dtype=np.float64))
    return {
        "density": 1.0 - float(degrees.sum()) / (n_rows * (n_rows - 1)),
        "clustering": 1.0 - (triangles / n_wedges if n_wedges else 0.0),
        "hubs": 1.0 - float(hub_scores(adjacency.astype(np.float64)).mean()),
    }


def hub_scores(adjacency: Floats) -> Floats:
    """Hub scores (Kleinberg 1999): the leading eigenvector, scaled to a maximum of 1."""
    if not adjacency.any():
        return np.ones(len(adjacency))
    try:
        vector = eigsh(adjacency, k=1, which="LA", v0=np.ones(len(adjacency)), tol=1e-6)[1][:, 0]
    except (ArpackError, TypeError, ValueError):  # not converged, or too few rows
        vector = np.linalg.eigh(adjacency)[1][:, -1]
    scores = np.abs(vector)
    return scores / scores.max()


def dimensionality(X: Floats) -> dict[str, float]:
    """Dimensionality measures T2, T3 and T4."""
    n_rows, n_columns = X.shape
    n_components = n_principal_components(X)
    return {"t2": n_columns / n_rows, "t3": n_components / n_rows, "t4": n_components / n_columns}


def separation(X: Floats, y: Codes, distances: Floats) -> dict[str, float]:
    """Cluster validity indices, with the classes as clusters."""
    n_rows, n_classes = len(y), int(y.max()) + 1
    membership = np.zeros((n_rows, n_classes))
    membership[np.arange(n_rows), y] = 1.0
    counts = membership.sum(axis=0)
    sums = distances @ membership
    own = counts[y] - 1.0
    a = np.divide(sums[np.arange(n_rows), y], own, out=np.zeros(n_rows), where=own > 0)
    others = np.where(membership > 0, np.inf, sums / counts)
    b = others.min(axis=1)
    widest = np.maximum(a, b)
    silhouettes = np.divide(b - a, widest, out=np.zeros(n_rows), where=(widest > 0) & (own > 0))
    means = membership.T @ X / counts[:, None]
    radii = np.bincount(y, weights=np.linalg.norm(X - means[y], axis=1)) / counts
    gaps = cdist(means, means)
    np.fill_diagonal(gaps, np.inf)
    within = float(np.sum((X - means[y]) ** 2))
    between = float(counts @ np.sum((means - X.mean(axis=0)) ** 2, axis=1))
    result = {"silhouette": float(silhouettes.mean())}
    if gaps.min() > 0:
        result["davies_bouldin"] = float(np.mean(np.max((radii[:, None] + radii) / gaps, axis=1)))
    if within > 0 and n_rows > n_classes:
        result["calinski_harabasz"] = between / within * (n_rows - n_classes) / (n_classes - 1)
    return result
