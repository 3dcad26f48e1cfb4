"""PrototypicalNetwork: the nearest class mean in a learnt space."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import FewShotLearner, Predictor, per_task_loss

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
    temperature : float, default=1.0
        Logits are divided by it. Where features are many, squared distances are large and training starts out too
        sure of itself: it is then faster with a temperature near the number of features.
    turns : bool, default=False
        Whether in training every example takes its turn in the support, all others of the task being queries:
        with few queries of each class, many more comparisons from the same features [2]_. Episodes must then have
        as many examples of each class.

    Raises
    ------
    UsageError
        If an argument is none of these.

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
            raise UsageError(f"temperature is {temperature}; it must be above 0.")
        self.distance, self.temperature, self.turns = distance, float(temperature), turns
        if distance == "cosine":
            self.scale = nn.Parameter(torch.tensor(10.0))

    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        """Keep the support: its statistics and prototypes are made together with the queries."""
        self.check_support(support_x, support_y, n_way)

        @torch.no_grad()
        def predictor(query_x: Tensor) -> Tensor:
            return self._logits(support_x, support_y, query_x, n_way or 0)

        return predictor

    def loss(self, episode: Episode) -> Tensor:
        """Compute what meta-training minimises, averaged over the tasks; with turns, of even tasks alone.

        Raises
        ------
        UsageError
            If turns are to be taken by classes of different sizes.
        """
        if self.turns and not _is_even(episode):
            raise UsageError(
                "turns=True needs as many examples of each class; draw even tasks, or use turns=False."
            )
        return super().loss(episode)

    def task_losses(self, episode: Episode) -> Tensor:
        """Cross-entropy of the queries."""
        if episode.n_way is None:
            raise UsageError("Prototypes are of classes; for regression use MAML or another gradient method.")
        if self.turns:
            return self._losses_in_turns(episode, episode.n_way)
        logits = self._logits(episode.support_x, episode.support_y, episode.query_x, episode.n_way)
        return per_task_loss(logits, episode.query_y)

    def _losses_in_turns(self, episode: Episode, n_way: int) -> Tensor:
        """Cross-entropy with n_shot neighbours of each class as support, from every place around the circle."""
        y = torch.cat([episode.support_y, episode.query_y], 1)
        n, n_shot = y.shape[1] // n_way, episode.support_y.shape[1] // n_way
        features = self.backbone(torch.cat([episode.support_x, episode.query_x], 1))
        order = y.argsort(stable=True, dim=1)[..., None].expand_as(features)
        features = features.gather(1, order).unflatten(1, (n_way, n))
        place = torch.arange(n, device=y.device)
        # Of shape (n turns, n examples of a class).
        in_support = ((place - place[:, None]) % n < n_shot).to(features.dtype)
        prototypes = torch.einsum("tn,bwnf->btwf", in_support / n_shot, features)
        logits = self._compare(features.flatten(1, 2)[:, None], prototypes)
        answers = torch.arange(n_way, device=y.device).repeat_interleave(n).expand(logits.shape[:3])
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 2), answers.flatten(), reduction="none")
        asked = (1 - in_support).repeat(1, n_way)
        return (losses.view(answers.shape) * asked).sum((1, 2)) / asked.sum()

    def _logits(self, support_x: Tensor, support_y: Tensor, query_x: Tensor, n_way: int) -> Tensor:
        features = self.backbone(torch.cat([support_x, query_x], 1))
        support, query = features.split([support_x.shape[1], query_x.shape[1]], 1)
        members = torch.nn.functional.one_hot(support_y, n_way).to(features.dtype)
        return self._compare(query, members.mT @ support / members.sum(1)[..., None])

    def _compare(self, query: Tensor, prototypes: Tensor) -> Tensor:
        if self.distance == "cosine":
            normalise = torch.nn.functional.normalize
            logits = self.scale * (normalise(query, dim=-1) @ normalise(prototypes, dim=-1).mT)
        else:  # minus the squared distance, but for the query's own length, which is the same for all classes
            logits = 2 * query @ prototypes.mT - (prototypes**2).sum(-1)[..., None, :]
        return logits / self.temperature


def _is_even(episode: Episode) -> bool:
    """Say whether all classes of a task have as many examples, support and queries together."""
    if episode.is_uneven:
        return all(_has_even_classes(task) for task in episode.single_tasks())
    # Sources give even tasks where nothing is masked; a look at the labels would wait for a GPU.
    return episode.query_y.device.type != "cpu" or _has_even_classes(episode)


def _has_even_classes(episode: Episode) -> bool:
    n_way, y = episode.n_way or 1, torch.cat([episode.support_y, episode.query_y], 1)
    n, remainder = divmod(y.shape[1], n_way)
    return not remainder and bool((torch.nn.functional.one_hot(y, n_way).sum(1) == n).all())
