"""Reptile: move towards where plain training on each task ends."""

from __future__ import annotations

import torch
from torch import Tensor

from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import per_task_loss
from automl_meta.fewshot.maml import MAML

__all__ = ["Reptile"]


class Reptile(MAML):
    """Train on each task for some steps, then move the initialisation towards the results.

    Parameters are those of `MAML`; `n_steps` should be several. Its meta-gradient is the mean of start minus
    end, divided by the learning rate, so that it is as large as a gradient; it takes no derivative through
    the steps. Support and queries of a training task are all trained on, as the method has no use for queries.

    References
    ----------
    .. [1] A. Nichol, J. Achiam, J. Schulman: "On First-Order Meta-Learning Algorithms", 2018,
       https://arxiv.org/abs/1803.02999
    """

    first_order = True

    def task_losses(self, episode: Episode) -> Tensor:
        """Loss at the end of the steps, with the gradient that Reptile takes."""
        start = self.initial_weights(len(episode), episode.n_way)
        x = torch.cat([episode.support_x, episode.query_x], 1)
        y = torch.cat([episode.support_y, episode.query_y], 1)
        *_, end = self._steps(x, y, start, self.n_steps, create_graph=False)
        direction = sum(
            (value * (value - end[name]).detach() / self.learning_rate).flatten(1).sum(1)
            for name, value in start.items()
        )
        with torch.no_grad():
            reported = per_task_loss(self.outputs(self.inputs(x), end), y)
        return direction + (reported - direction).detach()
