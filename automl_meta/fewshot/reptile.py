"""Reptile: move the initial weights towards those that plain training on each task ends at."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from automl_meta.fewshot.docstrings import with_parameters_of
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import per_task_loss
from automl_meta.fewshot.maml import MAML

__all__ = ["Reptile"]


@with_parameters_of(MAML)
class Reptile(MAML):
    """Train on each task for a few steps, then move the initial weights towards the trained ones.

    The meta-gradient is the mean of the initial minus the trained weights, divided by `learning_rate`, which
    gives it the scale of a gradient; nothing is differentiated through the steps. The method has no use for
    queries, so that it trains on the support and the queries of a task together. Set `n_steps` to several.

    {parameters}

    References
    ----------
    .. [1] A. Nichol, J. Achiam, J. Schulman: "On First-Order Meta-Learning Algorithms", 2018,
       https://arxiv.org/abs/1803.02999
    """

    first_order = True

    @override
    def task_losses(self, episode: Episode) -> Tensor:
        start = self.initial_weights(len(episode), episode.n_way)
        x = torch.cat([episode.support_x, episode.query_x], 1)
        y = torch.cat([episode.support_y, episode.query_y], 1)
        *_, end = self._steps(x, y, start, self.n_steps)
        direction = sum(
            (value * (value - end[name]).detach() / self.learning_rate).flatten(1).sum(1)
            for name, value in start.items()
        )
        with torch.no_grad():
            reported = per_task_loss(self.outputs(self.inputs(x), end), y)
        # Its value is the loss after the last step, its gradient the meta-gradient.
        return direction + (reported - direction).detach()
