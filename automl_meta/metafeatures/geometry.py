"""Measures of points and their distances that classification and regression share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automl_meta.metafeatures.numeric import NumericBlock

__all__ = ["minimum_spanning_tree", "n_principal_components", "without_diagonal"]

Floats = NDArray[np.float64]


def without_diagonal(distances: Floats) -> Floats:
    """The same distances, infinite from a row to itself."""
    result = distances.copy()
    np.fill_diagonal(result, np.inf)
    return result


def minimum_spanning_tree(distances: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Ends of the edges of the tree of least total length that joins all points (Prim 1957).

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_rows), float64
        Symmetric. In a full matrix Prim's method beats those that sort all edges.

    Returns
    -------
    starts, ends : ndarray of shape (n_rows - 1,), intp
    """
    n_rows = len(distances)
    starts = np.empty(n_rows - 1, dtype=np.intp)
    ends = np.empty(n_rows - 1, dtype=np.intp)
    nearest = np.zeros(n_rows, dtype=np.intp)  # in the tree, of each point outside it
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
    """How many principal components of standardised columns hold a share of their variance."""
    varying = np.ptp(X, axis=0) > 0
    variances = NumericBlock(X[:, varying]).correlation_eigenvalues[::-1]
    return int(np.searchsorted(np.cumsum(variances) / variances.sum(), share - 1e-12)) + 1
