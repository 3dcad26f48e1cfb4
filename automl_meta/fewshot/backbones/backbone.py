"""Backbone: a network that turns examples into features, with weights of their own for every task."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from automl_meta.exceptions import DataError, UsageError

__all__ = ["Backbone", "Normalisation", "Weights", "check_normalisation"]

Weights = Mapping[str, Tensor]
"""Named parameters with a leading dimension of tasks: (n_tasks, *shape)."""

Normalisation = Literal["episode", "group"]


def check_normalisation(normalisation: str) -> None:
    """Refuse what would carry statistics from one task into another.

    Raises
    ------
    UsageError
        If it is neither 'episode' nor 'group'.
    """
    if normalisation in ("episode", "group"):
        return
    remedy = "use 'episode' (statistics of the examples of the task alone) or 'group' (of each example alone)"
    if normalisation in ("running", "batch"):
        raise UsageError(
            f"normalisation is {normalisation!r}: running statistics mix tasks, so that what one task showed "
            f"would change the answers to another; {remedy}."
        )
    raise UsageError(f"normalisation is {normalisation!r}; {remedy}.")


class Backbone(nn.Module, ABC):
    """A network from examples to features, computed for many tasks at once.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one example: (channels, height, width) of an image, (n_columns,) of a row.

    Attributes
    ----------
    n_features : int
        Length of the feature vector.
    activation_dtype : torch.dtype or None
        In which the activations are computed; None is that of the parameters.
    """

    n_features: int

    def __init__(self, input_shape: Sequence[int]) -> None:
        super().__init__()
        self.input_shape = tuple(int(length) for length in input_shape)
        self.activation_dtype: torch.dtype | None = None

    @property
    def mixes_examples(self) -> bool:
        """Whether the features of an example depend on those it is computed with."""
        return getattr(self, "normalisation", None) == "episode"

    @property
    def config(self) -> dict[str, Any]:
        """The arguments of the constructor, each kept under its own name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @abstractmethod
    def features(self, prepared: Any, weights: Weights) -> Tensor:
        """Compute features of shape (n_tasks, n_examples, n_features)."""

    @abstractmethod
    def bytes_per_example(self) -> int:
        """Return the memory that the activations of one example take, in bytes, roughly."""

    def prepare(self, x: Tensor) -> Any:
        """Do once what does not depend on the weights.

        Parameters
        ----------
        x : Tensor of shape (n_tasks, n_examples, *input_shape)
            uint8 is taken as brightness from 0 to 255.

        Returns
        -------
        object
            What `features` takes.

        Raises
        ------
        DataError
            If examples have another shape.
        """
        if tuple(x.shape[2:]) != self.input_shape:
            raise DataError(
                f"Examples have shape {tuple(x.shape[2:])}; this {type(self).__name__} was made for "
                f"{self.input_shape}. Bring them into that shape, or train a backbone for theirs."
            )
        dtype = next(self.parameters()).dtype
        if x.dtype == torch.uint8:
            return x.to(dtype).mul_(1 / 255)
        return x.to(dtype)

    def weights(self, n_tasks: int) -> dict[str, Tensor]:
        """Return the parameters, repeated for each task (as views that take no memory)."""
        return {name: value.expand(n_tasks, *value.shape) for name, value in self.named_parameters()}

    def forward(self, x: Tensor) -> Tensor:
        """Compute features of shape (n_tasks, n_examples, n_features) with the parameters as they are."""
        return self.features(self.prepare(x), self.weights(len(x)))

    def extra_repr(self) -> str:
        """Show the arguments."""
        return ", ".join(f"{name}={value!r}" for name, value in self.config.items())
