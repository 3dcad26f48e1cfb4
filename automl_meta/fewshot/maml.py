"""MAML: an initialisation from which a few steps of gradient descent learn a task."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones import Backbone, Weights
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import FewShotLearner, Predictor, per_task_loss

__all__ = ["MAML"]


class MAML(FewShotLearner):
    """Learn weights such that a few gradient steps on a task's support answer its queries.

    Each task takes its own steps from the same weights, all tasks at once, and the gradient for those weights
    goes through the steps, second derivatives included.

    Parameters
    ----------
    backbone : Backbone
        With episode statistics, support and queries are each normalised on their own, as in the paper.
    n_outputs : int, optional
        Rows of the last layer: the number of classes of every task, or of numbers to predict. None is a row that
        all classes start from, so that any number of classes can be asked for and no order of them matters
        [2]_; with one step, only the last layer then learns from the support.
    n_steps : int, default=1
        Gradient steps in training.
    n_test_steps : int, optional
        Gradient steps in `adapt`; those of training by default.
    learning_rate : float, default=0.4
        Of the steps.
    regression : bool, default=False
        Whether numbers are predicted instead of classes; `n_outputs` is then 1 by default.
    multi_step_loss : {'last', 'uniform', 'annealed'}, default='last'
        After which steps the queries are judged: the last; all alike; or all alike at first and more and more
        the last alone, over the first half of training (MAML++ [3]_).
    per_step_rates : bool, default=False
        Whether to learn a rate for each step and each parameter tensor, starting from `learning_rate` (MAML++).

    Raises
    ------
    UsageError
        If an argument is out of range.

    References
    ----------
    .. [1] C. Finn, P. Abbeel, S. Levine: "Model-Agnostic Meta-Learning for Fast Adaptation of Deep
       Networks", ICML 2017, https://arxiv.org/abs/1703.03400
    .. [2] H.-J. Ye, W.-L. Chao: "How to Train Your MAML to Excel in Few-Shot Classification", ICLR 2022,
       https://arxiv.org/abs/2106.16245
    .. [3] A. Antoniou, H. Edwards, A. Storkey: "How to train your MAML", ICLR 2019,
       https://arxiv.org/abs/1810.09502

    Examples
    --------
    >>> from automl_meta.fewshot import MAML, MLP
    >>> learner = MAML(MLP((2,), hidden=(8,)), n_steps=5)
    >>> predictor = learner.adapt(torch.randn(4, 3, 2), torch.arange(3).expand(4, 3), n_way=3)
    >>> predictor(torch.randn(4, 7, 2)).shape  # 4 tasks, 7 queries, 3 classes
    torch.Size([4, 7, 3])
    """

    first_order = False  # whether the steps count as constants

    def __init__(
        self,
        backbone: Backbone,
        n_outputs: int | None = None,
        n_steps: int = 1,
        n_test_steps: int | None = None,
        learning_rate: float = 0.4,
        regression: bool = False,
        multi_step_loss: Literal["last", "uniform", "annealed"] = "last",
        per_step_rates: bool = False,
    ) -> None:
        super().__init__(backbone)
        if n_steps < 1 or (n_test_steps is not None and n_test_steps < 1):
            raise UsageError(
                f"n_steps is {n_steps}, n_test_steps {n_test_steps}; there must be one step or more."
            )
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise UsageError(f"learning_rate is {learning_rate}; it must be above 0.")
        if n_outputs is not None and n_outputs < 1:
            raise UsageError(f"n_outputs is {n_outputs}; it must be 1 or more, or None.")
        if multi_step_loss not in ("last", "uniform", "annealed"):
            raise UsageError(f"multi_step_loss is {multi_step_loss!r}; use 'last', 'uniform' or 'annealed'.")
        self.n_outputs, self.regression, self.is_regressor = n_outputs, regression, regression
        self.n_steps, self.n_test_steps, self.learning_rate = n_steps, n_test_steps, float(learning_rate)
        self.multi_step_loss, self.per_step_rates = multi_step_loss, per_step_rates
        self.head_weight = nn.Parameter(torch.empty(n_outputs or 1, backbone.n_features))
        nn.init.normal_(self.head_weight, std=backbone.n_features**-0.5)
        self.head_bias = nn.Parameter(torch.zeros(n_outputs or 1))
        self.make_rates()

    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        """Take the steps on the support of each task."""
        self.check_support(support_x, support_y, n_way)
        with torch.no_grad():
            weights = self.initial_weights(len(support_x), n_way)
            *_, adapted = self._steps(support_x, support_y, weights, self.n_test_steps or self.n_steps, False)

        @torch.no_grad()
        def predictor(query_x: Tensor) -> Tensor:
            return self.outputs(self.inputs(query_x), adapted)

        return predictor

    def task_losses(self, episode: Episode) -> Tensor:
        """Loss of the queries after the steps."""
        weights = self.initial_weights(len(episode), episode.n_way)
        create_graph = not self.first_order and torch.is_grad_enabled()
        steps = self._steps(episode.support_x, episode.support_y, weights, self.n_steps, create_graph)
        query = self.inputs(episode.query_x)
        total = torch.zeros((), device=self.device)
        for importance, adapted in zip(self._importance(), steps, strict=True):
            if importance:
                total = total + importance * per_task_loss(self.outputs(query, adapted), episode.query_y)
        return total

    def inputs(self, x: Tensor) -> Any:
        """Compute once what does not depend on the weights that are adapted."""
        return self.backbone.prepare(x)

    def initial_weights(self, n_tasks: int, n_way: int | None) -> dict[str, Tensor]:
        """Return what is adapted, repeated for each task."""
        return self.backbone.weights(n_tasks) | self.initial_head(n_tasks, n_way)

    def initial_head(self, n_tasks: int, n_way: int | None) -> dict[str, Tensor]:
        """Return the last layer, repeated for each task."""
        rows = self.n_outputs or 1 if n_way is None else n_way
        if self.n_outputs not in (None, rows):
            raise UsageError(
                f"The tasks have {rows} classes; this {type(self).__name__} was made with a last layer for "
                f"{self.n_outputs}. Ask for {self.n_outputs}, or train one with n_outputs=None, which takes any "
                "number."
            )
        n_features = self.backbone.n_features
        return {
            "head_weight": self.head_weight.expand(n_tasks, rows, n_features),
            "head_bias": self.head_bias.expand(n_tasks, rows),
        }

    def outputs(self, inputs: Any, weights: Weights) -> Tensor:
        """Compute logits, or numbers, with the weights of each task."""
        features = self.backbone.features(inputs, weights)
        return torch.baddbmm(weights["head_bias"][:, None], features, weights["head_weight"].mT)

    def make_rates(self) -> None:
        """Make the parameters that `rate` reads, if rates are learnt."""
        if self.per_step_rates:
            n_tensors = len(self.initial_weights(1, None))
            self.rates = nn.Parameter(torch.full((self.n_steps, n_tensors), float(self.learning_rate)))

    def rate(self, step: int, position: int, name: str) -> float | Tensor:
        """Return the learning rate of a step for one of the adapted tensors."""
        return (
            self.rates[min(step, self.n_steps - 1), position] if self.per_step_rates else self.learning_rate
        )

    def _steps(
        self,
        support_x: Tensor,
        support_y: Tensor,
        weights: dict[str, Tensor],
        n_steps: int,
        create_graph: bool,
    ) -> Iterator[dict[str, Tensor]]:
        """Yield the weights after each step."""
        inputs = self.inputs(support_x)
        for step in range(n_steps):
            if not torch.is_grad_enabled():  # the step needs a graph, what comes after it does not
                weights = {name: value.detach().requires_grad_() for name, value in weights.items()}
            with torch.enable_grad():
                loss = per_task_loss(self.outputs(inputs, weights), support_y).sum()
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=create_graph)
            weights = {
                name: _descend(value, gradient, self.rate(step, position, name))
                for position, ((name, value), gradient) in enumerate(
                    zip(weights.items(), gradients, strict=True)
                )
            }
            yield weights

    def _importance(self) -> list[float]:
        """Weights of the query loss after each step; they sum to one."""
        spread = {"last": 0.0, "uniform": 1.0, "annealed": max(0.0, 1 - 2 * self.progress)}[
            self.multi_step_loss
        ]
        importance = [spread / self.n_steps] * self.n_steps
        importance[-1] += 1 - spread
        return importance


def _descend(value: Tensor, gradient: Tensor, rate: float | Tensor) -> Tensor:
    return torch.add(value, gradient, alpha=-rate) if isinstance(rate, float) else value - rate * gradient
