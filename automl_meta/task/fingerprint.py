"""Hashes of values that are independent of dtypes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["hash_values", "mixed"]


def hash_values(column: pd.Series) -> NDArray[np.uint64]:
    """Compute a 64-bit hash of each value; equal numbers have equal hashes, whatever their dtype."""
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        codes, distinct = pd.factorize(column)  # each distinct string is parsed once
        numbers = pd.to_numeric(pd.Series(distinct), errors="coerce")
        if numbers.notna().all():
            column = numbers.reindex(codes)  # missing values have code -1, which is not in the index
        else:
            hashes = pd.util.hash_array(np.array([*map(str, distinct), "\x00missing"], dtype=object))
            return hashes[codes]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = column.astype("datetime64[us]").astype("int64")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    finite = np.isfinite(values) & (values != 0)
    magnitude = 10.0 ** (11 - np.floor(np.log10(np.abs(values[finite]))))
    usable = np.isfinite(magnitude)
    rounded = values[finite]
    rounded[usable] = np.round(rounded[usable] * magnitude[usable]) / magnitude[usable]
    values[finite] = rounded
    values[np.isnan(values)] = np.nan
    return pd.util.hash_array(values + 0.0)


def mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits, so that sums of hashes do not cancel (splitmix64 finaliser, Steele et al. 2014)."""
    z = hashes ^ (hashes >> np.uint64(30))
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z
