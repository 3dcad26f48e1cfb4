"""FineTuning: pre-train on all classes, then fit a new last layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import FewShotLearner, Predictor, per_task_loss

__all__ = ["FineTuning"]


class FineTuning(FewShotLearner):
    """Transfer learning, to compare with: one classifier of all training classes, then a new last layer.

    Parameters
    ----------
    backbone : Backbone
    n_classes : int
        Number of classes of the source it is trained on.
    n_steps : int, default=100
        Gradient steps for the new last layer, a cosine classifier.
    learning_rate : float, default=1.0
        Of those steps.

    Raises
    ------
    UsageError
        If an argument is below 1, or not above 0.

    References
    ----------
    .. [1] W.-Y. Chen, Y.-C. Liu, Z. Kira, Y.-C. F. Wang, J.-B. Huang: "A Closer Look at Few-shot
       Classification", ICLR 2019, Baseline++, https://arxiv.org/abs/1904.04232
    """

    joins_support = True
    temperature = 10.0  # cosines times this are logits

    def __init__(
        self, backbone: Backbone, n_classes: int, n_steps: int = 100, learning_rate: float = 1.0
    ) -> None:
        super().__init__(backbone)
        if n_classes < 1 or n_steps < 1 or not learning_rate > 0:
            raise UsageError(
                f"n_classes is {n_classes}, n_steps {n_steps}, learning_rate {learning_rate}; "
                "numbers must be 1 or more, the rate above 0."
            )
        self.n_classes, self.n_steps, self.learning_rate = n_classes, n_steps, learning_rate
        self.class_weight = nn.Parameter(torch.randn(n_classes, backbone.n_features))

    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        """Fit a last layer on the features of the support, from the class means."""
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

    def task_losses(self, episode: Episode) -> Tensor:
        """Cross-entropy among all classes of the source, of support and queries alike."""
        if episode.class_ids is None:
            raise UsageError("FineTuning trains on all classes at once; the source must give class_ids.")
        x = torch.cat([episode.support_x, episode.query_x], 1)
        y = episode.class_ids.gather(1, torch.cat([episode.support_y, episode.query_y], 1))
        if int(y.max()) >= self.n_classes:
            raise UsageError(
                f"The source has a class {int(y.max())}; this FineTuning was made for {self.n_classes} classes."
            )
        return per_task_loss(self.temperature * _unit(self.backbone(x)) @ _unit(self.class_weight).mT, y)


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x, dim=-1)
