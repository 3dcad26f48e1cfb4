"""MetaSGD: MAML that learns a rate for every parameter."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.maml import MAML

__all__ = ["MetaSGD"]


class MetaSGD(MAML):
    """Learn where to start, how far to go and in which direction: a rate for every single parameter.

    Parameters are those of `MAML`; `learning_rate` is where the rates start.

    References
    ----------
    .. [1] Z. Li, F. Zhou, F. Chen, H. Li: "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning",
       2017, https://arxiv.org/abs/1707.09835
    """

    def make_rates(self) -> None:
        """Make a rate for every parameter."""
        if self.per_step_rates:
            raise UsageError("MetaSGD learns a rate for every parameter already; leave per_step_rates out.")
        self.parameter_rates = nn.ParameterDict(
            {
                name: nn.Parameter(torch.full(value.shape[1:], float(self.learning_rate)))
                for name, value in self.initial_weights(1, None).items()
            }
        )

    def rate(self, step: int, position: int, name: str) -> Tensor:
        """Return the learnt rates of one tensor."""
        return self.parameter_rates[name]
