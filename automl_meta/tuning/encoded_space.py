"""EncodedSpace: the distributions of a search space as columns of numbers."""

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

_BEYOND = 0.5  # how far outside of the range a past value may lie and still say something about it


class EncodedSpace:
    """Configurations as rows: numbers scaled to [0, 1], categories as their index, inactive as NaN.

    Whole numbers and steps own an equal part of [0, 1] each; a logarithm is taken where the
    distribution says so.

    Parameters
    ----------
    distributions : mapping of str to BaseDistribution
        The order of the columns is theirs.

    Attributes
    ----------
    names : list of str
        Of the columns.
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
        """Whether it has the same names, in any order, with the same distributions."""
        return other is not None and self.distributions == other.distributions

    def encode(self, configurations: Sequence[Mapping[str, Any]]) -> Matrix:
        """Rows of shape (n, n_columns); NaN where a parameter is missing, -1 for an unknown category.

        A number that lies outside of its range is left there, but not far outside.
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
        """The configuration of one row, in the types that Optuna expects."""
        configuration: dict[str, Any] = {}
        for column, (name, distribution) in enumerate(self.distributions.items()):
            if not np.isnan(row[column]):
                configuration[name] = self._value(column, distribution, float(row[column]))
        return configuration

    def snap(self, rows: Matrix) -> Matrix:
        """The nearest rows that the space holds, in place of values between its steps."""
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
        """Random rows, all columns active."""
        rows = rng.random((n, len(self)))
        return np.where(self.categories > 0, np.floor(rows * self.categories), rows)

    def embed(self, rows: Matrix) -> Matrix:
        """Points whose Euclidean distance is meaningful, shape (n, n_dimensions).

        Categories become indicators; a value that is not active becomes the middle of its range,
        so that only what decided its activity sets two rows apart.
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
        """Which column each dimension of `embed` comes from."""
        return np.repeat(np.arange(len(self)), np.maximum(self.categories, 1))

    def _scaled(self, column: int, values: list[float]) -> Matrix:
        low, high, log = self._ends[column]
        numbers = np.array(values, dtype=np.float64)
        if log:
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.log(numbers)
        # A logarithm of nothing is as far below as anything may be.
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
    """The value of a numeric distribution that is nearest to a number.

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
        raise UsageError(f"{distribution} is no distribution of numbers.")
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
    """A number, or NaN for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def category_key(value: Any) -> Any:
    """What tells categories apart: a table turns 1 into 1.0, but True is not 1."""
    if isinstance(value, (bool, np.bool_)):
        return bool, bool(value)
    if isinstance(value, (int, float, np.number)):
        return float, float(value)
    return value if value is None or isinstance(value, str) else repr(value)
