"""MAML: initial weights from which a few gradient steps learn a new task."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones import Backbone, Weights
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import FewShotLearner, Predictor, per_task_loss

__all__ = ["MAML"]


class MAML(FewShotLearner):
    """Model-agnostic meta-learning: meta-learn initial weights that adapt to a task in a few gradient steps.

    All tasks of a batch take their inner-loop steps in parallel from the same initial weights. The meta-gradient
    is backpropagated through the steps, second derivatives included.

    Parameters
    ----------
    backbone : Backbone
        Network that maps examples to features. With episode statistics, the support and the queries are
        normalised separately, as in the paper.
    n_outputs : int, optional
        Number of output units: the number of classes of every task, or of regression targets. None initialises
        the output units of all classes from one shared weight vector, which allows any number of classes and
        makes their order irrelevant [2]_; with a single step, only the output layer then depends on the support.
    n_steps : int, default=1
        Number of inner-loop steps in training.
    n_test_steps : int, optional
        Number of inner-loop steps in `adapt`; None takes `n_steps`.
    learning_rate : float, default=0.4
        Inner-loop learning rate.
    regression : bool, default=False
        Whether the targets are continuous; `n_outputs` is then 1 by default.
    multi_step_loss : {'last', 'uniform', 'annealed'}, default='last'
        Which steps the query loss is computed after: the last; all, with equal weights; or all, with weights that
        are annealed from equal to only the last over the first half of training (MAML++ [3]_).
    per_step_rates : bool, default=False
        Whether to learn a learning rate per step and parameter tensor, starting from `learning_rate` (MAML++).

    Raises
    ------
    UsageError
        If a parameter is out of range.

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

    first_order = False  # whether derivatives through the inner steps are dropped

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
                f"n_steps is {n_steps}, n_test_steps is {n_test_steps}; both must be at least 1."
            )
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise UsageError(f"learning_rate is {learning_rate}; it must be finite and above 0.")
        if n_outputs is not None and n_outputs < 1:
            raise UsageError(f"n_outputs is {n_outputs}; it must be at least 1, or None.")
        if multi_step_loss not in ("last", "uniform", "annealed"):
            raise UsageError(f"multi_step_loss is {multi_step_loss!r}; use 'last', 'uniform' or 'annealed'.")
        self.n_outputs, self.regression, self.is_regressor = n_outputs, regression, regression
        self.n_steps, self.n_test_steps, self.learning_rate = n_steps, n_test_steps, float(learning_rate)
        self.multi_step_loss, self.per_step_rates = multi_step_loss, per_step_rates
        self.head_weight = nn.Parameter(torch.empty(n_outputs or 1, backbone.n_features))
        nn.init.normal_(self.head_weight, std=backbone.n_features**-0.5)
        self.head_bias = nn.Parameter(torch.zeros(n_outputs or 1))
        self.make_rates()

    @override
    def adapt(self, support_x: Tensor, support_y: Tensor, n_way: int | None) -> Predictor:
        self.check_support(support_x, support_y, n_way)
        with torch.no_grad():
            weights = self.initial_weights(len(support_x), n_way)
            *_, adapted = self._steps(support_x, support_y, weights, self.n_test_steps or self.n_steps)

        @torch.no_grad()
        def predictor(query_x: Tensor) -> Tensor:
            return self.outputs(self.inputs(query_x), adapted)

        return predictor

    @override
    def task_losses(self, episode: Episode) -> Tensor:
        weights = self.initial_weights(len(episode), episode.n_way)
        steps = self._steps(episode.support_x, episode.support_y, weights, self.n_steps)
        query = self.inputs(episode.query_x)
        total = torch.zeros((), device=self.device)
        for importance, adapted in zip(self._importance(), steps, strict=True):
            if importance:
                total = total + importance * per_task_loss(self.outputs(query, adapted), episode.query_y)
        return total

    def inputs(self, x: Tensor) -> Any:
        """Compute the part of the network that does not depend on the adapted weights.

        Parameters
        ----------
        x : Tensor of shape (n_tasks, n_examples, *features)
            Examples.

        Returns
        -------
        object
            Argument of `outputs`.
        """
        return self.backbone.prepare(x)

    def initial_weights(self, n_tasks: int, n_way: int | None) -> dict[str, Tensor]:
        """Return the weights that the inner loop starts from.

        Parameters
        ----------
        n_tasks : int
            Number of tasks, each of which has its own copy.
        n_way : int or None
            Number of classes; None in regression.

        Returns
        -------
        dict of str to Tensor of shape (n_tasks, *shape)
            Weights by name.
        """
        return self.backbone.weights(n_tasks) | self.initial_head(n_tasks, n_way)

    def initial_head(self, n_tasks: int, n_way: int | None) -> dict[str, Tensor]:
        """Return the output layer that the inner loop starts from.

        Parameters
        ----------
        n_tasks : int
            Number of tasks, each of which has its own copy.
        n_way : int or None
            Number of classes; None in regression.

        Returns
        -------
        dict of str to Tensor of shape (n_tasks, *shape)
            Weight and bias by name.

        Raises
        ------
        UsageError
            If `n_way` is not the fixed number of output units.
        """
        rows = self.n_outputs or 1 if n_way is None else n_way
        if self.n_outputs not in (None, rows):
            raise UsageError(
                f"The tasks have {rows} classes; this {type(self).__name__} was created with "
                f"n_outputs={self.n_outputs}. Use {self.n_outputs} classes, or train with n_outputs=None, which "
                "allows any number."
            )
        n_features = self.backbone.n_features
        return {
            "head_weight": self.head_weight.expand(n_tasks, rows, n_features),
            "head_bias": self.head_bias.expand(n_tasks, rows),
        }

    def outputs(self, inputs: Any, weights: Weights) -> Tensor:
        """Compute logits or regression outputs with the weights of each task.

        Parameters
        ----------
        inputs : object
            Return value of the method `inputs`.
        weights : mapping of str to Tensor of shape (n_tasks, *shape)
            Weights by name.

        Returns
        -------
        Tensor of shape (n_tasks, n_examples, n_way or n_outputs)
            Logits or regression outputs.
        """
        features = self.backbone.features(inputs, weights)
        return torch.baddbmm(weights["head_bias"][:, None], features, weights["head_weight"].mT)

    def make_rates(self) -> None:
        """Create the parameters of learnt learning rates, which `rate` returns."""
        if self.per_step_rates:
            n_tensors = len(self.initial_weights(1, None))
            self.rates = nn.Parameter(torch.full((self.n_steps, n_tensors), float(self.learning_rate)))

    def rate(self, step: int, position: int, name: str) -> float | Tensor:
        """Return the inner-loop learning rate of a weight tensor.

        Parameters
        ----------
        step : int
            Index of the inner-loop step; steps beyond those of training use the last learnt rates.
        position : int
            Index of the weight tensor among the adapted ones.
        name : str
            Name of the weight tensor.

        Returns
        -------
        float or Tensor
            Learning rate, or learning rates that broadcast with the weights.
        """
        return (
            self.rates[min(step, self.n_steps - 1), position] if self.per_step_rates else self.learning_rate
        )

    def _steps(
        self,
        support_x: Tensor,
        support_y: Tensor,
        weights: dict[str, Tensor],
        n_steps: int,
    ) -> Iterator[dict[str, Tensor]]:
        """Yield the adapted weights after each inner-loop step."""
        inputs = self.inputs(support_x)
        create_graph = not self.first_order and torch.is_grad_enabled()
        for step in range(n_steps):
            if not torch.is_grad_enabled():  # detach: only the step itself needs a graph
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
        """Return the weight of the query loss after each step; they sum to 1."""
        spread = {"last": 0.0, "uniform": 1.0, "annealed": max(0.0, 1 - 2 * self.progress)}[
            self.multi_step_loss
        ]
        importance = [spread / self.n_steps] * self.n_steps
        importance[-1] += 1 - spread
        return importance


def _descend(value: Tensor, gradient: Tensor, rate: float | Tensor) -> Tensor:
    return torch.add(value, gradient, alpha=-rate) if isinstance(rate, float) else value - rate * gradient
