"""FewShotLearner: base class of all few-shot methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.configured import Configured
from automl_meta.fewshot.episode import Episode

__all__ = ["FewShotLearner", "Predictor", "per_task_loss"]

Predictor = Callable[[Tensor], Tensor]
"""Maps queries (n_tasks, n_query, *features) to logits (n_tasks, n_query, n_way) or regression outputs."""

CPU_CHUNK_BYTES = 48 * 2**20  # size of the activations; their largest tensor is then about 16 MB
CUDA_SHARE = 0.5  # share of the free memory for activations


def per_task_loss(outputs: Tensor, y: Tensor) -> Tensor:
    """Compute the mean cross-entropy, or the mean squared error in regression, per task.

    Parameters
    ----------
    outputs : Tensor of shape (n_tasks, n_examples, n_way or n_outputs)
        Logits or regression outputs.
    y : Tensor of shape (n_tasks, n_examples) or (n_tasks, n_examples, n_outputs)
        Class labels or regression targets.

    Returns
    -------
    Tensor of shape (n_tasks,)
        Mean loss of each task.
    """
    if y.is_floating_point():
        return ((outputs - y) ** 2).mean((1, 2))
    losses = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none")
    return losses.view(y.shape).mean(1)


class FewShotLearner(Configured, ABC):
    """Base class of few-shot methods, which adapt to many tasks at once.

    A subclass implements `adapt` and `task_losses`, stores each constructor parameter under its own name, and
    does not modify itself in `adapt`.

    Parameters
    ----------
    backbone : Backbone
        Network that maps examples to features.

    Attributes
    ----------
    progress : float
        Completed fraction of meta-training, from 0 to 1, for what changes during training.
    description : dict
        Description of the training data, saved with the learner.
    """

    is_regressor = False  # whether the targets are continuous
    joins_support = False  # whether queries are normalised with the support

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
        """Adapt to each task from its support.

        Parameters
        ----------
        support_x : Tensor of shape (n_tasks, n_support, *features)
            Support examples.
        support_y : Tensor of shape (n_tasks, n_support)
            Class labels from 0 to ``n_way - 1``, in any order and any number per class; in regression, targets
            of shape (n_tasks, n_support, n_outputs).
        n_way : int or None
            Number of classes; None in regression.

        Returns
        -------
        Predictor
            Maps queries of shape (n_tasks, n_query, *features) to outputs of shape (n_tasks, n_query, n_way),
            without gradients for the parameters of the learner.

        Raises
        ------
        DataError
            If the examples do not have the input shape of the backbone, or are not finite.
        """

    @abstractmethod
    def task_losses(self, episode: Episode) -> Tensor:
        """Compute the meta-training loss of each task.

        Parameters
        ----------
        episode : Episode
            Tasks without padding.

        Returns
        -------
        Tensor of shape (n_tasks,)
            Loss of each task.
        """

    def loss(self, episode: Episode) -> Tensor:
        """Compute the meta-training loss, averaged over the tasks.

        Parameters
        ----------
        episode : Episode
            Tasks; those with padding are computed one at a time.

        Returns
        -------
        Tensor of shape ()
            Mean loss.
        """
        if episode.is_uneven:
            return torch.stack([self.task_losses(task).mean() for task in episode.single_tasks()]).mean()
        return self.task_losses(episode).mean()

    def forward(self, episode: Episode) -> Tensor:
        """Compute the meta-training loss.

        Parameters
        ----------
        episode : Episode
            Tasks, as in `loss`.

        Returns
        -------
        Tensor of shape ()
            Mean loss.
        """
        return self.loss(episode)

    def tasks_per_chunk(self, episode: Episode) -> int:
        """Return how many tasks are computed together: as many as fit GPU memory or CPU caches.

        Parameters
        ----------
        episode : Episode
            Tasks to split into chunks.

        Returns
        -------
        int
            Number of tasks per chunk, at least 1.
        """
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
    def device(self) -> torch.device:
        """The device of the parameters."""
        return next(self.parameters()).device

    def check_support(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> None:
        """Validate the support.

        Parameters
        ----------
        support_x : Tensor of shape (n_tasks, n_support, *features)
            Support examples.
        support_y : Tensor of shape (n_tasks, n_support)
            Class labels, or regression targets of shape (n_tasks, n_support, n_outputs).
        n_way : int or None
            Number of classes; None in regression.

        Raises
        ------
        DataError
            If there are no examples, a value is not finite, or a class has no example.
        UsageError
            If `n_way` is given to a regressor, or is None for a classifier.
        """
        if (n_way is None) != self.is_regressor:
            kind = "regression (n_way=None)" if self.is_regressor else "classification (n_way=2 or more)"
            raise UsageError(f"n_way is {n_way}; this {type(self).__name__} was created for {kind}.")
        if support_x.shape[1] == 0:
            raise DataError("The support is empty; give at least one example per class.")
        if support_x.is_floating_point() and not bool(torch.isfinite(support_x).all()):
            raise DataError(
                "The support contains NaN or infinite values; impute them or remove those examples."
            )
        if n_way is None:
            return
        present = torch.nn.functional.one_hot(support_y, max(n_way, int(support_y.max()) + 1)).amax(1)
        if present.shape[-1] > n_way or not bool(present.all()):
            raise DataError(
                f"The labels of a task's support are not exactly the classes 0 to {n_way - 1}; "
                "give at least one example of each of the n_way classes."
            )
