"""FewShotLearner: what all methods share."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.episode import Episode

__all__ = ["FewShotLearner", "Predictor", "per_task_loss"]

Predictor = Callable[[Tensor], Tensor]
"""Queries (n_tasks, n_query, *features) to logits (n_tasks, n_query, n_way), or numbers in regression."""

CPU_CHUNK_BYTES = 48 * 2**20  # of activations; the largest tensor among them is then about 16 MB
CUDA_SHARE = 0.5  # of the free memory that activations may be planned with


def per_task_loss(outputs: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of logits, or mean squared error of numbers, for each task.

    Parameters
    ----------
    outputs : Tensor of shape (n_tasks, n_examples, n_way or n_outputs)
    y : Tensor of shape (n_tasks, n_examples) of classes, or (n_tasks, n_examples, n_outputs) of numbers

    Returns
    -------
    Tensor of shape (n_tasks,)
    """
    if y.is_floating_point():
        return ((outputs - y) ** 2).mean((1, 2))
    losses = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none")
    return losses.view(y.shape).mean(1)


class FewShotLearner(nn.Module, ABC):
    """A method of few-shot learning: it adapts to tasks from their support, many tasks at once.

    A method writes `adapt` and `task_losses`; keeps each argument of its constructor under its own name; and
    changes nothing in itself when it adapts.

    Parameters
    ----------
    backbone : Backbone
        The network from examples to features.

    Attributes
    ----------
    progress : float
        How much of meta-training is done, from 0 to 1, for what changes on the way.
    description : dict
        What it was trained on, kept when it is saved.
    """

    is_regressor = False  # whether the answers are numbers
    joins_support = False  # whether queries are normalised together with the support

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        if not isinstance(backbone, Backbone):
            raise UsageError(
                f"backbone is {backbone!r}; give a Backbone such as Conv4() or MLP((n_columns,))."
            )
        self.backbone = backbone
        self.progress = 0.0
        self.description: dict[str, Any] = {}

    @abstractmethod
    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        """Learn each task from its support.

        Parameters
        ----------
        support_x : Tensor of shape (n_tasks, n_support, *features)
        support_y : Tensor of shape (n_tasks, n_support)
            Classes from 0 to ``n_way - 1``, in any order and in uneven numbers; or, in regression, numbers of
            shape (n_tasks, n_support, n_outputs).
        n_way : int or None
            Number of classes; None in regression.

        Returns
        -------
        Predictor
            Takes queries of shape (n_tasks, n_query, *features), gives outputs of shape (n_tasks, n_query,
            n_way), without gradients for the learner's parameters.

        Raises
        ------
        DataError
            If the examples have another shape than the backbone's, or are not finite.
        """

    @abstractmethod
    def task_losses(self, episode: Episode) -> Tensor:
        """Compute what meta-training minimises, for each task of an even episode: shape (n_tasks,)."""

    def loss(self, episode: Episode) -> Tensor:
        """Compute what meta-training minimises, averaged over the tasks.

        Parameters
        ----------
        episode : Episode
            Tasks with uneven numbers of rows are computed one by one.

        Returns
        -------
        Tensor of shape ()
        """
        if episode.is_uneven:
            return torch.stack([self.task_losses(task).mean() for task in episode.single_tasks()]).mean()
        return self.task_losses(episode).mean()

    def forward(self, episode: Episode) -> Tensor:
        """Return the loss."""
        return self.loss(episode)

    def tasks_per_chunk(self, episode: Episode) -> int:
        """Return how many of the tasks fit into memory together, or into the caches of a CPU."""
        n_examples = episode.support_x.shape[1] + episode.query_x.shape[1]
        needed = self.backbone.bytes_per_example() * n_examples
        device = episode.support_x.device
        if device.type == "cuda":
            free = torch.cuda.mem_get_info(device)[0]
            return max(1, min(len(episode), int(CUDA_SHARE * free / needed)))
        if device.type == "cpu":
            return max(1, min(len(episode), CPU_CHUNK_BYTES // needed))
        return len(episode)

    @property
    def config(self) -> dict[str, Any]:
        """The arguments of the constructor but the backbone."""
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names if name != "backbone"}

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def check_support(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> None:
        """Refuse a support that cannot be learnt from.

        Raises
        ------
        DataError
            If there are no examples, a value is not finite, or a class has no example.
        UsageError
            If classes are asked of a regressor, or numbers of a classifier.
        """
        if (n_way is None) != self.is_regressor:
            kind = "numbers (regression)" if self.is_regressor else "classes"
            raise UsageError(f"n_way is {n_way}; this {type(self).__name__} was made for {kind}.")
        if support_x.shape[1] == 0:
            raise DataError("The support is empty; give at least one example of each class.")
        if support_x.is_floating_point() and not bool(torch.isfinite(support_x).all()):
            raise DataError("The support holds NaN or infinite values; fill them in or leave those rows out.")
        if n_way is None:
            return
        present = torch.nn.functional.one_hot(support_y, max(n_way, int(support_y.max()) + 1)).amax(1)
        if present.shape[-1] > n_way or not bool(present.all()):
            raise DataError(
                f"The support of some task does not hold exactly the classes 0 to {n_way - 1}; "
                "give at least one example of each of the n_way classes."
            )

    def extra_repr(self) -> str:
        """Show the arguments."""
        return ", ".join(f"{name}={value!r}" for name, value in self.config.items())
