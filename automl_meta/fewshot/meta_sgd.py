"""MetaSGD: MAML that learns an inner-loop learning rate for every weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.docstrings import with_parameters_of
from automl_meta.fewshot.maml import MAML

__all__ = ["MetaSGD"]


@with_parameters_of(MAML)
class MetaSGD(MAML):
    """Meta-learn the initial weights together with an inner-loop learning rate for every single weight.

    All learning rates start from `learning_rate`; they may become negative, which reverses a weight's update
    direction.

    {parameters}

    Raises
    ------
    UsageError
        If a parameter is out of range, or `per_step_rates` is set.

    References
    ----------
    .. [1] Z. Li, F. Zhou, F. Chen, H. Li: "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning",
       2017, https://arxiv.org/abs/1707.09835
    """

    @override
    def make_rates(self) -> None:
        if self.per_step_rates:
            raise UsageError("MetaSGD already learns a learning rate for every weight; omit per_step_rates.")
        self.parameter_rates = nn.ParameterDict(
            {
                name: nn.Parameter(torch.full(value.shape[1:], float(self.learning_rate)))
                for name, value in self.initial_weights(1, None).items()
            }
        )

    @override
    def rate(self, step: int, position: int, name: str) -> Tensor:
        return self.parameter_rates[name]
