"""FineTuning: pre-train on all classes, then fit a new output layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import FewShotLearner, Predictor, per_task_loss

__all__ = ["FineTuning"]


class FineTuning(FewShotLearner):
    """Transfer-learning baseline: train one classifier on all classes, then fit a new output layer per task.

    Parameters
    ----------
    backbone : Backbone
        Network that maps examples to features.
    n_classes : int
        Number of classes of the training source.
    n_steps : int, default=100
        Number of gradient steps that fit the new output layer, a cosine classifier.
    learning_rate : float, default=1.0
        Learning rate of these steps.

    Raises
    ------
    UsageError
        If a parameter is out of range.

    References
    ----------
    .. [1] W.-Y. Chen, Y.-C. Liu, Z. Kira, Y.-C. F. Wang, J.-B. Huang: "A Closer Look at Few-shot
       Classification", ICLR 2019, Baseline++, https://arxiv.org/abs/1904.04232
    """

    joins_support = True
    temperature = 10.0  # factor from cosine similarities to logits

    def __init__(
        self, backbone: Backbone, n_classes: int, n_steps: int = 100, learning_rate: float = 1.0
    ) -> None:
        super().__init__(backbone)
        if n_classes < 1 or n_steps < 1 or not learning_rate > 0:
            raise UsageError(
                f"n_classes is {n_classes}, n_steps {n_steps}, learning_rate {learning_rate}; "
                "n_classes and n_steps must be at least 1, learning_rate above 0."
            )
        self.n_classes, self.n_steps, self.learning_rate = n_classes, n_steps, learning_rate
        self.class_weight = nn.Parameter(torch.randn(n_classes, backbone.n_features))

    @override
    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        self.check_support(support_x, support_y, n_way)
        with torch.no_grad():
            support = _unit(self.backbone(support_x))
            members = torch.nn.functional.one_hot(support_y, n_way or 0).to(support.dtype)
            weight = _unit(members.mT @ support)
        with torch.enable_grad():
            for _ in range(self.n_steps):
                weight.requires_grad_()
                loss = per_task_loss(self.temperature * support @ _unit(weight).mT, support_y).sum()
                weight = (weight - self.learning_rate * torch.autograd.grad(loss, weight)[0]).detach()

        @torch.no_grad()
        def predictor(query_x: Tensor) -> Tensor:
            features = self.backbone(torch.cat([support_x, query_x], 1))[:, support_x.shape[1] :]
            return self.temperature * _unit(features) @ _unit(weight).mT

        return predictor

    @override
    def task_losses(self, episode: Episode) -> Tensor:
        if episode.class_ids is None:
            raise UsageError(
                "FineTuning trains on all classes at once; the episodes of the source must have class_ids."
            )
        x = torch.cat([episode.support_x, episode.query_x], 1)
        y = episode.class_ids.gather(1, torch.cat([episode.support_y, episode.query_y], 1))
        if int(y.max()) >= self.n_classes:
            raise UsageError(
                f"The source has class index {int(y.max())}; this FineTuning was created with "
                f"n_classes={self.n_classes}."
            )
        return per_task_loss(self.temperature * _unit(self.backbone(x)) @ _unit(self.class_weight).mT, y)


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x, dim=-1)
