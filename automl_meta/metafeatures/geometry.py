"""Geometric computations shared by the complexity measures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl_meta.metafeatures.numeric import NumericBlock

__all__ = ["minimum_spanning_tree", "n_principal_components", "without_diagonal"]

Floats = NDArray[np.float64]


def without_diagonal(distances: Floats) -> Floats:
    """Return a copy of a distance matrix with an infinite diagonal."""
    result = distances.copy()
    np.fill_diagonal(result, np.inf)
    return result


def minimum_spanning_tree(distances: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Compute the edges of the minimum spanning tree by Prim's (1957) algorithm.

    Prim's algorithm is faster on a dense matrix than algorithms that sort all edges.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_rows), float64
        Symmetric distance matrix.

    Returns
    -------
    starts, ends : ndarray of shape (n_rows - 1,), intp
        Row indices of the two ends of each edge.
    """
    n_rows = len(distances)
    starts = np.empty(n_rows - 1, dtype=np.intp)
    ends = np.empty(n_rows - 1, dtype=np.intp)
    nearest = np.zeros(n_rows, dtype=np.intp)  # closest point in the tree to each point outside it
    reach = distances[0].copy()
    reach[0] = np.inf
    joined = np.zeros(n_rows, dtype=bool)
    joined[0] = True
    for edge in range(n_rows - 1):
        new = int(np.argmin(reach))
        starts[edge], ends[edge] = nearest[new], new
        joined[new] = True
        reach[new] = np.inf
        closer = (distances[new] < reach) & ~joined
        reach[closer] = distances[new, closer]
        nearest[closer] = new
    return starts, ends


def n_principal_components(X: Floats, share: float = 0.95) -> int:
    """Number of principal components of the standardised columns that explain a share of the variance."""
    varying = np.ptp(X, axis=0) > 0
    variances = NumericBlock(X[:, varying]).correlation_eigenvalues[::-1]
    return int(np.searchsorted(np.cumsum(variances) / variances.sum(), share - 1e-12)) + 1
