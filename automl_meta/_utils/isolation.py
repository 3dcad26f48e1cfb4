"""Isolation from global library settings that users change for their own code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import sklearn

__all__ = ["default_settings"]

_SKLEARN: Mapping[str, Any] = MappingProxyType(
    {
        "assume_finite": False,
        "working_memory": 1024,
        "pairwise_dist_chunk_size": 256,
        "enable_cython_pairwise_dist": True,
        "array_api_dispatch": False,
        "transform_output": "default",
        "enable_metadata_routing": False,
        "skip_parameter_validation": False,
        "sparse_interface": "spmatrix",
    }
)
# future.infer_string is left out: reading it is deprecated, and nothing here depends on it.
_PANDAS: Mapping[str, Any] = MappingProxyType(
    {
        "compute.use_bottleneck": True,
        "compute.use_numba": False,
        "compute.use_numexpr": True,
        "future.distinguish_nan_and_na": False,
        "future.python_scalars": False,
        "mode.string_storage": "auto",
    }
)


@contextmanager
def default_settings() -> Iterator[None]:
    """Context manager or decorator that applies the default settings of scikit-learn, NumPy and pandas.

    Results computed inside do not depend on ``sklearn.set_config`` (metadata routing, output
    containers of transformers), ``numpy.seterr`` or pandas options, in this process or in a worker.
    Pandas options are shared by all threads; those of scikit-learn and NumPy are thread-local.

    Examples
    --------
    >>> with sklearn.config_context(transform_output="pandas"), default_settings():
    ...     sklearn.get_config()["transform_output"]
    'default'
    """
    known = sklearn.get_config()
    ours = {name: value for name, value in _SKLEARN.items() if name in known}
    numbers = np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")
    with _pandas_options(), sklearn.config_context(**ours), numbers:
        yield


@contextmanager
def _pandas_options() -> Iterator[None]:
    """Change and restore only the options that differ, to minimise interference between threads."""
    current = {name: pd.get_option(name) for name in _PANDAS}
    changed = {name: value for name, value in current.items() if value != _PANDAS[name]}
    for name in changed:
        pd.set_option(name, _PANDAS[name])
    try:
        yield
    finally:
        for name, value in changed.items():
            pd.set_option(name, value)
