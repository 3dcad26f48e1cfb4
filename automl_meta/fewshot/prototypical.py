"""PrototypicalNetwork: classification by the nearest class mean in a learnt feature space."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import FewShotLearner, Predictor, per_task_loss

__all__ = ["PrototypicalNetwork"]


class PrototypicalNetwork(FewShotLearner):
    """Classify queries by the distance of their features to the class means of the support, the prototypes.

    Adaptation takes no gradient steps, and the number of classes may differ between training and use: training with
    more classes per task is harder and gives better features.

    Parameters
    ----------
    backbone : Backbone
        Network that maps examples to features. With episode statistics, the support and the queries of a task are
        normalised together.
    distance : {'euclidean', 'cosine'}, default='euclidean'
        Whether logits are negative squared Euclidean distances, or cosine similarities with a learnt scale.
    temperature : float, default=1.0
        Divisor of the logits. Squared distances grow with the number of features, which makes an untrained network
        overconfident: training is then faster with a temperature near the number of features.
    turns : bool, default=False
        Whether, in training, all examples of an episode take turns in the support while the others are queries: with
        few queries per class, this gives many more comparisons from the same features [2]_. All classes of a task
        must then have the same number of examples.

    Raises
    ------
    UsageError
        If a parameter is out of range; or, in training with `turns`, if the classes of a task have different numbers
        of examples.

    References
    ----------
    .. [1] J. Snell, K. Swersky, R. Zemel: "Prototypical Networks for Few-shot Learning", NeurIPS 2017,
       https://arxiv.org/abs/1703.05175
    .. [2] S. Laenen, L. Bertinetto: "On Episodes, Prototypical Networks, and Few-Shot Learning", NeurIPS 2021,
       https://arxiv.org/abs/2012.09831

    Examples
    --------
    >>> from automl_meta.fewshot import MLP, PrototypicalNetwork
    >>> learner = PrototypicalNetwork(MLP((2,), hidden=(8,)))
    >>> predictor = learner.adapt(torch.randn(4, 3, 2), torch.arange(3).expand(4, 3), n_way=3)
    >>> predictor(torch.randn(4, 7, 2)).shape  # 4 tasks, 7 queries, 3 classes
    torch.Size([4, 7, 3])
    """

    joins_support = True

    def __init__(
        self,
        backbone: Backbone,
        distance: Literal["euclidean", "cosine"] = "euclidean",
        temperature: float = 1.0,
        turns: bool = False,
    ) -> None:
        super().__init__(backbone)
        if distance not in ("euclidean", "cosine"):
            raise UsageError(f"distance is {distance!r}; it must be 'euclidean' or 'cosine'.")
        if not (math.isfinite(temperature) and temperature > 0):
            raise UsageError(f"temperature is {temperature}; it must be finite and above 0.")
        self.distance, self.temperature, self.turns = distance, float(temperature), turns
        if distance == "cosine":
            self.scale = nn.Parameter(torch.tensor(10.0))

    @override
    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        # The prototypes are computed with the queries, since these may be normalised together.
        self.check_support(support_x, support_y, n_way)

        @torch.no_grad()
        def predictor(query_x: Tensor) -> Tensor:
            return self._logits(support_x, support_y, query_x, n_way or 0)

        return predictor

    @override
    def loss(self, episode: Episode) -> Tensor:
        if self.turns and not _is_even(episode):
            raise UsageError(
                "turns=True requires the same number of examples in all classes of a task; sample such tasks, "
                "or set turns=False."
            )
        return super().loss(episode)

    @override
    def task_losses(self, episode: Episode) -> Tensor:
        if episode.n_way is None:
            raise UsageError(
                "PrototypicalNetwork is a classifier; for regression, use MAML or another gradient method."
            )
        if self.turns:
            return self._losses_in_turns(episode, episode.n_way)
        logits = self._logits(episode.support_x, episode.support_y, episode.query_x, episode.n_way)
        return per_task_loss(logits, episode.query_y)

    def _losses_in_turns(self, episode: Episode, n_way: int) -> Tensor:
        """Compute the cross-entropy with every cyclic window of n_shot examples per class as support."""
        y = torch.cat([episode.support_y, episode.query_y], 1)
        n, n_shot = y.shape[1] // n_way, episode.support_y.shape[1] // n_way
        features = self.backbone(torch.cat([episode.support_x, episode.query_x], 1))
        order = y.argsort(stable=True, dim=1)[..., None].expand_as(features)
        features = features.gather(1, order).unflatten(1, (n_way, n))
        position = torch.arange(n, device=y.device)
        # Of shape (n turns, n examples of a class).
        in_support = ((position - position[:, None]) % n < n_shot).to(features.dtype)
        prototypes = torch.einsum("tn,bwnf->btwf", in_support / n_shot, features)
        logits = self._compare(features.flatten(1, 2)[:, None], prototypes)
        labels = torch.arange(n_way, device=y.device).repeat_interleave(n).expand(logits.shape[:3])
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 2), labels.flatten(), reduction="none")
        is_query = (1 - in_support).repeat(1, n_way)
        return (losses.view(labels.shape) * is_query).sum((1, 2)) / is_query.sum()

    def _logits(self, support_x: Tensor, support_y: Tensor, query_x: Tensor, n_way: int) -> Tensor:
        features = self.backbone(torch.cat([support_x, query_x], 1))
        support, query = features.split([support_x.shape[1], query_x.shape[1]], 1)
        members = torch.nn.functional.one_hot(support_y, n_way).to(features.dtype)
        return self._compare(query, members.mT @ support / members.sum(1)[..., None])

    def _compare(self, query: Tensor, prototypes: Tensor) -> Tensor:
        if self.distance == "cosine":
            normalise = torch.nn.functional.normalize
            logits = self.scale * (normalise(query, dim=-1) @ normalise(prototypes, dim=-1).mT)
        else:  # negative squared distance, without the squared norm of the query, which is the same for all classes
            logits = 2 * query @ prototypes.mT - (prototypes**2).sum(-1)[..., None, :]
        return logits / self.temperature


def _is_even(episode: Episode) -> bool:
    """Whether all classes of each task have the same number of examples, support and queries together."""
    if episode.is_uneven:
        return all(_has_even_classes(task) for task in episode.single_tasks())
    # Without a mask, sources give even tasks; checking the labels would synchronise a GPU.
    return episode.query_y.device.type != "cpu" or _has_even_classes(episode)


def _has_even_classes(episode: Episode) -> bool:
    n_way, y = episode.n_way or 1, torch.cat([episode.support_y, episode.query_y], 1)
    n, remainder = divmod(y.shape[1], n_way)
    return not remainder and bool((torch.nn.functional.one_hot(y, n_way).sum(1) == n).all())
