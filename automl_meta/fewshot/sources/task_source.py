"""TaskSource: base class of the sources of few-shot tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch

from automl_meta.fewshot.episode import Episode

__all__ = ["Shots", "TaskSource"]

Shots = int | tuple[int, int]
"""Support examples per class: a number, or the range that each class draws its number from."""


class TaskSource(ABC):
    """Base class of the sources that sample batches of tasks.

    Attributes
    ----------
    device : torch.device
        Device that the tasks are sampled on.
    input_shape : tuple of int
        Shape of one example.
    n_classes : int or None
        Number of classes; None in regression.
    """

    device: torch.device
    input_shape: tuple[int, ...]
    n_classes: int | None

    @abstractmethod
    def sample(
        self,
        n_way: int | None,
        n_shot: Shots,
        n_query: int,
        n_tasks: int = 1,
        generator: torch.Generator | None = None,
    ) -> Episode:
        """Sample tasks.

        Parameters
        ----------
        n_way : int or None
            Number of classes per task; None in regression.
        n_shot : int or (int, int)
            Number of support examples per class (per task in regression), or the range that each class draws its
            number from.
        n_query : int
            Number of query examples per class (per task in regression).
        n_tasks : int, default=1
            Number of tasks.
        generator : torch.Generator, optional
            Source of randomness, on the device of this source; None takes the global generator of PyTorch.

        Returns
        -------
        Episode
            The sampled tasks.

        Raises
        ------
        DataError
            If there are too few classes, or a class has too few examples.
        UsageError
            If a parameter is out of range.
        """

    @abstractmethod
    def to(self, device: torch.device | str) -> TaskSource:
        """Return this source on another device.

        Parameters
        ----------
        device : torch.device or str
            Target device.

        Returns
        -------
        TaskSource
            A source of the same tasks on that device.
        """

    @property
    def description(self) -> dict[str, Any]:
        """The description of the examples, saved with learners trained on them."""
        return {"kind": "array", "input_shape": list(self.input_shape)}
