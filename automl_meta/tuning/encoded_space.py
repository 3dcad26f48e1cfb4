"""EncodedSpace: configurations of a search space as rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from automl_meta.exceptions import UsageError

Matrix = NDArray[np.float64]

_BEYOND = 0.5  # past values are clipped at this distance from the range


class EncodedSpace:
    """Encoding of configurations: numbers scaled to [0, 1], categories as their index, inactive as NaN.

    Integers and steps get equal parts of [0, 1]; log distributions are scaled logarithmically.

    Parameters
    ----------
    distributions : mapping of str to BaseDistribution
        Distributions in the order of the columns.

    Attributes
    ----------
    names : list of str
        Names of the columns.
    categories : ndarray of int of shape (n_columns,)
        Number of choices, 0 for numeric columns.

    Examples
    --------
    >>> space = EncodedSpace({"x": FloatDistribution(1e-3, 1e1, log=True)})
    >>> space.encode([{"x": 0.1}]).tolist()
    [[0.5]]
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self.distributions = dict(distributions)
        self.names = list(self.distributions)
        columns = self.distributions.values()
        self.categories = np.array(
            [len(d.choices) if isinstance(d, CategoricalDistribution) else 0 for d in columns], dtype=np.int64
        )
        self._ends = [_ends(distribution) for distribution in columns]
        self._choices = [
            {category_key(choice): index for index, choice in enumerate(d.choices)}
            if isinstance(d, CategoricalDistribution)
            else {}
            for d in columns
        ]

    def __len__(self) -> int:
        return len(self.names)

    def same_as(self, other: EncodedSpace | None) -> bool:
        """Whether the names, in any order, and the distributions are the same."""
        return other is not None and self.distributions == other.distributions

    def encode(self, configurations: Sequence[Mapping[str, Any]]) -> Matrix:
        """Encode as rows of shape (n, n_columns); NaN for a missing parameter, -1 for an unknown category.

        A number outside of its range stays outside, but is clipped at half the range from it.
        """
        encoded = np.full((len(configurations), len(self)), np.nan)
        for column, name in enumerate(self.names):
            values = [configuration.get(name) for configuration in configurations]
            if self.categories[column]:
                known = self._choices[column]
                encoded[:, column] = [
                    np.nan if _missing(v) else known.get(category_key(v), -1) for v in values
                ]
            else:
                encoded[:, column] = self._scaled(column, [_number(value) for value in values])
        return encoded

    def decode(self, row: Matrix) -> dict[str, Any]:
        """Decode one row, with the types that Optuna expects."""
        configuration: dict[str, Any] = {}
        for column, (name, distribution) in enumerate(self.distributions.items()):
            if not np.isnan(row[column]):
                configuration[name] = self._value(column, distribution, float(row[column]))
        return configuration

    def snap(self, rows: Matrix) -> Matrix:
        """Round to the nearest rows on the grid of the space."""
        snapped = rows.copy()
        for column, distribution in enumerate(self.distributions.values()):
            values = np.clip(rows[:, column], 0.0, 1.0)
            if self.categories[column]:
                values = np.clip(np.round(rows[:, column]), 0, self.categories[column] - 1)
            elif distribution.single():
                values = np.where(np.isnan(values), np.nan, 0.5)
            elif (step := _step(distribution)) is not None:
                values = self._on_grid(column, distribution, values, step)
            snapped[:, column] = values
        return snapped

    def sample(self, n: int, rng: np.random.Generator) -> Matrix:
        """Uniformly random rows with all columns active."""
        rows = rng.random((n, len(self)))
        return np.where(self.categories > 0, np.floor(rows * self.categories), rows)

    def embed(self, rows: Matrix) -> Matrix:
        """Embed rows in a Euclidean space, shape (n, n_dimensions).

        Categories are one-hot encoded; an inactive value becomes the middle of its range, so that two
        rows are separated by the parent that decides its activity only.
        """
        parts = []
        for column, n_choices in enumerate(self.categories):
            values = rows[:, column]
            if n_choices:
                parts.append((values[:, None] == np.arange(n_choices)) / math.sqrt(2.0))
            else:
                parts.append(np.where(np.isnan(values), 0.5, values)[:, None])
        return np.hstack(parts) if parts else np.zeros((len(rows), 0))

    @property
    def owners(self) -> NDArray[np.int64]:
        """Column of each dimension of `embed`."""
        return np.repeat(np.arange(len(self)), np.maximum(self.categories, 1))

    def _scaled(self, column: int, values: list[float]) -> Matrix:
        low, high, log = self._ends[column]
        numbers = np.array(values, dtype=np.float64)
        if log:
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.log(numbers)
        # The logarithm of zero is clipped like any value far below the range.
        scaled = (numbers - low) / (high - low) if high > low else np.where(np.isnan(numbers), np.nan, 0.5)
        return np.clip(scaled, -_BEYOND, 1.0 + _BEYOND)

    def _on_grid(self, column: int, distribution: Any, values: Matrix, step: float) -> Matrix:
        low, high, log = self._ends[column]
        numbers = low + values * (high - low)
        numbers = np.exp(numbers) if log else numbers
        numbers = distribution.low + step * np.round((numbers - distribution.low) / step)
        numbers = np.clip(numbers, distribution.low, distribution.high)
        return ((np.log(numbers) if log else numbers) - low) / (high - low)

    def _value(self, column: int, distribution: Any, scaled: float) -> Any:
        if isinstance(distribution, CategoricalDistribution):
            return distribution.choices[int(scaled)]
        low, high, log = self._ends[column]
        number = low + min(max(scaled, 0.0), 1.0) * (high - low)
        return nearest(distribution, math.exp(number) if log else number)


def nearest(distribution: BaseDistribution, number: float) -> int | float:
    """Value of a numeric distribution nearest to a number.

    Examples
    --------
    >>> nearest(IntDistribution(1, 9, step=2), 100.0)
    9
    """
    if isinstance(distribution, IntDistribution):
        steps = round((number - distribution.low) / distribution.step)
        most = (distribution.high - distribution.low) // distribution.step
        return int(distribution.low + distribution.step * min(max(steps, 0), most))
    if not isinstance(distribution, FloatDistribution):
        raise UsageError(f"{distribution} is not a numeric distribution.")
    if distribution.step is not None:
        steps = round((number - distribution.low) / distribution.step)
        number = distribution.low + distribution.step * steps
    return float(min(max(number, distribution.low), distribution.high))


def _ends(distribution: BaseDistribution) -> tuple[float, float, bool]:
    """Lower and upper end of the scale, half a step beyond the values, and whether it is logarithmic."""
    if not isinstance(distribution, (IntDistribution, FloatDistribution)):
        return 0.0, 1.0, False
    half = 0.5 * (_step(distribution) or 0.0)
    low, high = distribution.low - half, distribution.high + half
    return (math.log(low), math.log(high), True) if distribution.log else (low, high, False)


def _step(distribution: BaseDistribution) -> float | None:
    return getattr(distribution, "step", None)


def _number(value: Any) -> float:
    """Convert to a number; NaN if that is impossible."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def category_key(value: Any) -> Any:
    """Key by which categories are compared: 1 and 1.0 are equal, as tables mix them, but True is not 1."""
    if isinstance(value, (bool, np.bool_)):
        return bool, bool(value)
    if isinstance(value, (int, float, np.number)):
        return float, float(value)
    return value if value is None or isinstance(value, str) else repr(value)
