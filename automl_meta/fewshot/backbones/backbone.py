"""Backbone: base class of the networks that map examples to features, with separate weights per task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot.configured import Configured

__all__ = ["Backbone", "Normalisation", "Weights", "check_normalisation"]

Weights = Mapping[str, Tensor]
"""Parameters by name, each with the tasks as first dimension: (n_tasks, *shape)."""

Normalisation = Literal["episode", "group"]


def check_normalisation(normalisation: str) -> None:
    """Refuse normalisation that leaks statistics between tasks.

    Raises
    ------
    UsageError
        If `normalisation` is neither 'episode' nor 'group'.
    """
    if normalisation in ("episode", "group"):
        return
    remedy = "use 'episode' (statistics of the examples of one task) or 'group' (statistics of each example)"
    if normalisation in ("running", "batch"):
        raise UsageError(
            f"normalisation is {normalisation!r}: running statistics leak between tasks, so that one task "
            f"would change the predictions for another; {remedy}."
        )
    raise UsageError(f"normalisation is {normalisation!r}; {remedy}.")


class Backbone(Configured, ABC):
    """Base class of networks that map examples to features, for many tasks at once.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one example: (channels, height, width) of an image or (n_columns,) of a row.

    Attributes
    ----------
    n_features : int
        Length of the feature vector.
    activation_dtype : torch.dtype or None
        Data type of the activations; None takes that of the parameters.
    """

    n_features: int

    def __init__(self, input_shape: Sequence[int]) -> None:
        super().__init__()
        self.input_shape = tuple(int(length) for length in input_shape)
        self.activation_dtype: torch.dtype | None = None

    @property
    def mixes_examples(self) -> bool:
        """Whether the features of an example depend on the other examples of its batch."""
        return getattr(self, "normalisation", None) == "episode"

    @abstractmethod
    def features(self, prepared: Any, weights: Weights) -> Tensor:
        """Compute features with the weights of each task.

        Parameters
        ----------
        prepared : object
            Return value of `prepare`.
        weights : mapping of str to Tensor of shape (n_tasks, *shape)
            Weights by name, as returned by the method `weights`.

        Returns
        -------
        Tensor of shape (n_tasks, n_examples, n_features)
            Features.
        """

    @abstractmethod
    def bytes_per_example(self) -> int:
        """Estimate the memory of the activations of one example.

        Returns
        -------
        int
            Approximate number of bytes.
        """

    def prepare(self, x: Tensor) -> Any:
        """Compute the part of the network that does not depend on the weights.

        Parameters
        ----------
        x : Tensor of shape (n_tasks, n_examples, *input_shape)
            Examples; uint8 values are divided by 255.

        Returns
        -------
        object
            Argument of `features`.

        Raises
        ------
        DataError
            If the examples do not have the input shape.
        """
        if tuple(x.shape[2:]) != self.input_shape:
            raise DataError(
                f"Examples have shape {tuple(x.shape[2:])}; this {type(self).__name__} was created with "
                f"input_shape={self.input_shape}. Reshape or resize them, or train a backbone for their shape."
            )
        dtype = next(self.parameters()).dtype
        if x.dtype == torch.uint8:
            return x.to(dtype).mul_(1 / 255)
        return x.to(dtype)

    def weights(self, n_tasks: int) -> dict[str, Tensor]:
        """Expand the parameters to many tasks, as views that take no memory.

        Parameters
        ----------
        n_tasks : int
            Number of tasks.

        Returns
        -------
        dict of str to Tensor of shape (n_tasks, *shape)
            Parameters by name.
        """
        return {name: value.expand(n_tasks, *value.shape) for name, value in self.named_parameters()}

    def forward(self, x: Tensor) -> Tensor:
        """Compute features with the parameters of this module.

        Parameters
        ----------
        x : Tensor of shape (n_tasks, n_examples, *input_shape)
            Examples; uint8 values are divided by 255.

        Returns
        -------
        Tensor of shape (n_tasks, n_examples, n_features)
            Features.
        """
        return self.features(self.prepare(x), self.weights(len(x)))
