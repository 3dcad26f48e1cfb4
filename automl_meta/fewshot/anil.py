"""ANIL: MAML that adapts only the output layer in the inner loop."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from automl_meta.fewshot.backbones import Weights
from automl_meta.fewshot.docstrings import with_parameters_of
from automl_meta.fewshot.maml import MAML

__all__ = ["ANIL"]


@with_parameters_of(MAML)
class ANIL(MAML):
    """Almost no inner loop: MAML whose inner loop updates only the output layer.

    The features do not change during adaptation, so they are computed once and the inner steps are cheap.

    {parameters}

    References
    ----------
    .. [1] A. Raghu, M. Raghu, S. Bengio, O. Vinyals: "Rapid Learning or Feature Reuse? Towards
       Understanding the Effectiveness of MAML", ICLR 2020, https://arxiv.org/abs/1909.09157
    """

    @override
    def inputs(self, x: Tensor) -> Tensor:
        return self.backbone(x)

    @override
    def initial_weights(self, n_tasks: int, n_way: int | None) -> dict[str, Tensor]:
        return self.initial_head(n_tasks, n_way)

    @override
    def outputs(self, inputs: Any, weights: Weights) -> Tensor:
        return torch.baddbmm(weights["head_bias"][:, None], inputs, weights["head_weight"].mT)
