"""TaskSource: where tasks come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch

from automl_meta.fewshot.episode import Episode

__all__ = ["Shots", "TaskSource"]

Shots = int | tuple[int, int]
"""Examples of each class in the support: a number, or a range from which each class draws its own."""


class TaskSource(ABC):
    """Draws batches of tasks, on the device where its data lies.

    Attributes
    ----------
    device : torch.device
    input_shape : tuple of int
        Shape of one example.
    n_classes : int or None
        Number of classes; None where the answers are numbers.
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
        """Draw tasks.

        Parameters
        ----------
        n_way : int or None
            Classes of each task; None in regression.
        n_shot : int or (int, int)
            Examples of each class in the support, or the smallest and largest number, drawn for each class.
        n_query : int
            Queries of each class.
        n_tasks : int, default=1
        generator : torch.Generator, optional
            On the source's device; it decides everything. PyTorch's own by default.

        Returns
        -------
        Episode

        Raises
        ------
        DataError
            If there are not enough classes, or a class has not enough examples.
        """

    @abstractmethod
    def to(self, device: torch.device | str) -> TaskSource:
        """Return the source with its data on another device."""

    @property
    def description(self) -> dict[str, Any]:
        """What an example is, kept with what was trained on it."""
        return {"kind": "array", "input_shape": list(self.input_shape)}
