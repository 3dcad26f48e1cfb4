"""PrototypicalNetwork: the nearest class mean in a learnt space."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from automl_meta.exceptions import UsageError
from automl_meta.fewshot._base import FewShotLearner, Predictor, per_task_loss
from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.episode import Episode

__all__ = ["PrototypicalNetwork"]


class PrototypicalNetwork(FewShotLearner):
    """Classify by the distance to the mean features of each class's support.

    Nothing is fitted when it adapts, and the number of classes is free: training with more classes than will be
    asked for is harder and gives better features.

    Parameters
    ----------
    backbone : Backbone
        With episode statistics, support and queries of a task are normalised together.
    distance : {'euclidean', 'cosine'}, default='euclidean'
        Squared Euclidean distance, or cosine similarity with a learnt scale.

    Raises
    ------
    UsageError
        If an argument is none of these.

    References
    ----------
    .. [1] J. Snell, K. Swersky, R. Zemel: "Prototypical Networks for Few-shot Learning", NeurIPS 2017,
       https://arxiv.org/abs/1703.05175

    Examples
    --------
    >>> from automl_meta.fewshot import MLP, PrototypicalNetwork
    >>> learner = PrototypicalNetwork(MLP((2,), hidden=(8,)))
    >>> predictor = learner.adapt(torch.randn(4, 3, 2), torch.arange(3).expand(4, 3), n_way=3)
    >>> predictor(torch.randn(4, 7, 2)).shape  # 4 tasks, 7 queries, 3 classes
    torch.Size([4, 7, 3])
    """

    joins_support = True

    def __init__(self, backbone: Backbone, distance: Literal["euclidean", "cosine"] = "euclidean") -> None:
        super().__init__(backbone)
        if distance not in ("euclidean", "cosine"):
            raise UsageError(f"distance is {distance!r}; it must be 'euclidean' or 'cosine'.")
        self.distance = distance
        if distance == "cosine":
            self.scale = nn.Parameter(torch.tensor(10.0))

    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        """Keep the support: its statistics and prototypes are made together with the queries."""
        self.check_support(support_x, support_y, n_way)

        @torch.no_grad()
        def predictor(query_x: Tensor) -> Tensor:
            return self._logits(support_x, support_y, query_x, n_way or 0)

        return predictor

    def task_losses(self, episode: Episode) -> Tensor:
        """Cross-entropy of the queries."""
        if episode.n_way is None:
            raise UsageError("Prototypes are of classes; for regression use MAML or another gradient method.")
        logits = self._logits(episode.support_x, episode.support_y, episode.query_x, episode.n_way)
        return per_task_loss(logits, episode.query_y)

    def _logits(self, support_x: Tensor, support_y: Tensor, query_x: Tensor, n_way: int) -> Tensor:
        features = self.backbone(torch.cat([support_x, query_x], 1))
        support, query = features.split([support_x.shape[1], query_x.shape[1]], 1)
        members = torch.nn.functional.one_hot(support_y, n_way).to(features.dtype)
        prototypes = members.mT @ support / members.sum(1)[..., None]
        if self.distance == "cosine":
            normalise = torch.nn.functional.normalize
            return self.scale * (normalise(query, dim=-1) @ normalise(prototypes, dim=-1).mT)
        # Minus the squared distance, but for the query's own length, which is the same for all classes.
        return 2 * query @ prototypes.mT - (prototypes**2).sum(-1)[:, None]
