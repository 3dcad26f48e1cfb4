"""TabularSource: tasks from tables with a column of classes."""

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
    """Tasks from one table, or from many that share their columns, each task from one of them.

    Numbers are standardised within their table, missing ones become its mean; words become one column for each
    of the values that all tables have together.

    Parameters
    ----------
    tables : DataFrame, or mapping of names to DataFrame
    target : str
        The column of classes; rows without a class are left out. A class is its table's own.
    device : str or torch.device, default='cpu'

    Raises
    ------
    DataError
        If a table lacks the target, or tables have different columns.

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
            raise DataError("There is no table; give one or more.")
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
                    f"Table {name!r} differs from the first in the columns {', '.join(sorted(differing))}; tables "
                    "of one source share their columns."
                )
            kept[name] = table.dropna(subset=[target])
        features = pd.concat([table[columns] for table in kept.values()], ignore_index=True)
        words = [column for column in columns if not pd.api.types.is_numeric_dtype(features[column].dtype)]
        encoded = pd.get_dummies(features, columns=words, dtype=float).astype(float)
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
        """What an example is: the columns, and of a single table how they are standardised."""
        about = {"kind": "table", "input_shape": list(self.input_shape), "columns": list(self.columns)}
        return about | (self._scale or {})
