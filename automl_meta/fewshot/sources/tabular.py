"""TabularSource: classification tasks from tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from automl_meta.exceptions import DataError
from automl_meta.fewshot.sources.array import ArraySource

__all__ = ["TabularSource"]


class TabularSource(ArraySource):
    """Classification tasks from one table, or from many tables with the same columns.

    Numeric columns are standardised within each table and missing values imputed by its mean; categorical columns are
    one-hot encoded with the categories of all tables. The classes of a task come from one table.

    Parameters
    ----------
    tables : DataFrame or mapping of str to DataFrame
        Table, or tables by name.
    target : str
        Name of the target column; rows without a target are dropped. Equal targets in different tables are different
        classes.
    device : torch.device or str, default='cpu'
        Device that the tasks are sampled on.

    Raises
    ------
    DataError
        If a table has no target column, or the tables have different columns.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> source = TabularSource(load_iris(as_frame=True).frame, target="target")
    >>> source.sample(n_way=3, n_shot=5, n_query=2).support_x.shape
    torch.Size([1, 15, 4])
    """

    def __init__(
        self,
        tables: pd.DataFrame | Mapping[str, pd.DataFrame],
        target: str,
        device: torch.device | str = "cpu",
    ) -> None:
        named = {"": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
        if not named:
            raise DataError("There are no tables; give at least one.")
        columns = [str(column) for column in next(iter(named.values())).columns if column != target]
        kept: dict[str, pd.DataFrame] = {}
        for name, table in named.items():
            if target not in table.columns:
                raise DataError(
                    f"Table {name!r} has no column {target!r}; it has {', '.join(map(str, table))}."
                )
            differing = set(columns) ^ {str(column) for column in table.columns if column != target}
            if differing:
                raise DataError(
                    f"Table {name!r} differs from the first in the columns {', '.join(sorted(differing))}; all tables "
                    "must have the same columns."
                )
            kept[name] = table.dropna(subset=[target])
        features = pd.concat([table[columns] for table in kept.values()], ignore_index=True)
        categorical = [
            column for column in columns if not pd.api.types.is_numeric_dtype(features[column].dtype)
        ]
        encoded = pd.get_dummies(features, columns=categorical, dtype=float).astype(float)
        encoded = encoded.replace([np.inf, -np.inf], np.nan)
        groups = np.repeat(list(kept), [len(table) for table in kept.values()])
        grouped = encoded.groupby(groups)
        spread = grouped.transform("std").replace(0, np.nan)
        standardised = ((encoded - grouped.transform("mean")) / spread).fillna(0.0)
        targets = [f"{name}: {value}" if name else value for name in kept for value in kept[name][target]]
        super().__init__(standardised, targets, groups if len(kept) > 1 else None, device=device)
        self.columns = tuple(encoded.columns)
        self._scale = None
        if len(kept) == 1:
            self._scale = {"mean": encoded.mean().to_list(), "spread": encoded.std().fillna(0.0).to_list()}

    @property
    def description(self) -> dict[str, Any]:
        """The description of the examples: the columns and, for a single table, their standardisation."""
        about = {"kind": "table", "input_shape": list(self.input_shape), "columns": list(self.columns)}
        return about | (self._scale or {})
