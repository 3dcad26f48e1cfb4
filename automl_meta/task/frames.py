"""Conversion of tables and columns of any library to pandas, with exact values."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from automl_meta.exceptions import DataError

__all__ = ["as_frame", "as_series", "exact_array", "frame_of_arrow", "is_table", "native", "split_target"]


def as_frame(X: Any) -> pd.DataFrame:
    """Convert a table of pandas, Polars, PyArrow or another library, or a 2-D array, to a DataFrame.

    Parameters
    ----------
    X : DataFrame of a library supported by Narwhals, pyarrow.Table, or array-like of shape (n_rows, n_features)
        Table to convert.

    Returns
    -------
    DataFrame
        Column names are of type `str`; columns of arrays are named ``x0``, ``x1``, …

    Raises
    ------
    DataError
        If `X` is not a table, is sparse, or has duplicate column names.
    """
    if sparse.issparse(X):
        raise DataError(
            "Sparse input is not supported: X is a sparse matrix. Pass a dense table: X.toarray()."
        )
    if not isinstance(X, pd.DataFrame):
        X = _foreign_frame(X) if _is_foreign(X) else _frame_of_array(np.asarray(X))
    if not all(isinstance(name, str) for name in X.columns):
        X = X.set_axis([str(name) for name in X.columns], axis=1)
    if not X.columns.is_unique:
        doubled = sorted(name for name, count in Counter(X.columns).items() if count > 1)
        raise DataError(
            f"More than one column is named {', '.join(map(repr, doubled))}. "
            "Column names must be unique: rename them."
        )
    return X


def as_series(y: Any) -> pd.Series:
    """Convert a column of pandas, Polars or PyArrow, or an array, to a Series.

    Raises
    ------
    DataError
        If `y` has more than one column.
    """
    if isinstance(y, pd.DataFrame) or (_is_foreign(y) and hasattr(y, "columns")):
        frame = as_frame(y)
        if frame.shape[1] != 1:
            raise DataError(f"The target has {frame.shape[1]} columns; pass a single column.")
        return frame.iloc[:, 0]
    if isinstance(y, pd.Series):
        return native(y)
    if _is_foreign(y):
        import narwhals as nw

        column = nw.from_native(y, series_only=True, allow_series=True)
        return frame_of_arrow(column.to_frame().to_arrow()).iloc[:, 0].rename(column.name or "target")
    values = np.asarray(y)
    return pd.Series(_native(values.ravel()), name="target")


def is_table(X: Any) -> bool:
    """Whether an object is a dataframe of any library, as opposed to an array."""
    return isinstance(X, pd.DataFrame) or _is_foreign(X)


def exact_array(y: Any) -> NDArray[Any]:
    """Convert a column to an array of a NumPy dtype with exact values: integers are never cast to float.

    Raises
    ------
    DataError
        If `y` has more than one column.
    """
    if isinstance(y, np.ndarray):
        return _native(y)
    column = as_series(y)
    if column.hasnans:
        return column.astype(object).to_numpy()
    if pd.api.types.is_extension_array_dtype(column.dtype):
        return column.astype(object).infer_objects().to_numpy()
    return column.to_numpy()


def split_target(X: Any, target: str) -> tuple[pd.DataFrame, pd.Series]:
    """Separate the target column from a table.

    Raises
    ------
    DataError
        If the table has no column of this name.
    """
    frame = as_frame(X)
    if target not in frame.columns:
        raise DataError(_no_target(target, list(frame.columns)))
    return frame.drop(columns=target), frame[target]


def frame_of_arrow(table: Any) -> pd.DataFrame:
    """Convert a pyarrow.Table to a DataFrame, with nullable dtypes for integers and booleans with missing values."""
    import pyarrow.types as types

    integers = {
        "int8": pd.Int8Dtype(), "int16": pd.Int16Dtype(), "int32": pd.Int32Dtype(), "int64": pd.Int64Dtype(),
        "uint8": pd.UInt8Dtype(), "uint16": pd.UInt16Dtype(), "uint32": pd.UInt32Dtype(), "uint64": pd.UInt64Dtype(),
    }  # fmt: skip
    holed = (
        {field.type for field in table.schema if table.column(field.name).null_count}
        if _unique(table)
        else set()
    )

    def exact(dtype: Any) -> Any:
        if dtype in holed and types.is_integer(dtype):
            return integers[str(dtype)]
        return pd.BooleanDtype() if dtype in holed and types.is_boolean(dtype) else None

    return table.to_pandas(types_mapper=exact, date_as_object=False)


def _no_target(name: str, columns: list[str]) -> str:
    import difflib

    folded = {column.strip().casefold(): column for column in columns}
    same = folded.get(name.strip().casefold())
    close = [same] if same is not None else difflib.get_close_matches(name, columns, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(columns[:12]) + (", …" if len(columns) > 12 else "")
    return f"There is no target column {name!r}.{hint} The columns are: {shown}."


def _unique(table: Any) -> bool:
    return len(set(table.column_names)) == len(table.column_names)


def _is_foreign(X: Any) -> bool:
    """Whether an object belongs to a dataframe library other than pandas."""
    module = type(X).__module__.partition(".")[0]
    return module not in ("numpy", "builtins", "pandas", "scipy", "torch") and any(
        hasattr(X, name)
        for name in ("__arrow_c_stream__", "__narwhals_dataframe__", "collect_schema", "__dataframe__")
    )


def _foreign_frame(X: Any) -> pd.DataFrame:
    import narwhals as nw

    try:
        frame = nw.from_native(X)
    except TypeError as error:
        if hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__"):
            import pyarrow as pa

            return frame_of_arrow(pa.table(X))
        raise DataError(
            f"X is a {type(X).__name__}, which is not a supported table. Pass a DataFrame."
        ) from error
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, nw.DataFrame):
        raise DataError(f"X is a {type(X).__name__}, not a table. Pass a DataFrame.")
    try:
        return frame_of_arrow(frame.to_arrow())
    except Exception:  # noqa: BLE001 - a type without an Arrow equivalent, such as 128-bit integers
        return pd.DataFrame({name: pd.Series(frame[name].to_list(), dtype=object) for name in frame.columns})


def _frame_of_array(values: NDArray[Any]) -> pd.DataFrame:
    if values.ndim != 2:
        raise DataError(f"X must have shape (n_rows, n_features), but has shape {values.shape}.")
    frame = pd.DataFrame(_native(values), columns=[f"x{i}" for i in range(values.shape[1])])
    return frame.infer_objects() if values.dtype == object else frame


def native(column: pd.Series) -> pd.Series:
    """Convert a column to native byte order."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.byteorder not in "<>":
        return column
    return pd.Series(_native(column.to_numpy()), index=column.index, name=column.name)


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """Convert an array to native byte order, as required by pandas."""
    return values.astype(values.dtype.newbyteorder("=")) if values.dtype.byteorder in (">", "<") else values
