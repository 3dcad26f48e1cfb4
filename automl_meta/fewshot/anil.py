"""ANIL: MAML that adapts the last layer alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from automl_meta.fewshot.backbones import Weights
from automl_meta.fewshot.maml import MAML

__all__ = ["ANIL"]


class ANIL(MAML):
    """MAML whose features are the same for all tasks: "almost no inner loop".

    Parameters are those of `MAML`. The features are computed once, so that steps cost next to nothing.

    References
    ----------
    .. [1] A. Raghu, M. Raghu, S. Bengio, O. Vinyals: "Rapid Learning or Feature Reuse? Towards
       Understanding the Effectiveness of MAML", ICLR 2020, https://arxiv.org/abs/1909.09157
    """

    def inputs(self, x: Tensor) -> Tensor:
        """Compute the features."""
        return self.backbone(x)

    def initial_weights(self, n_tasks: int, n_way: int | None) -> dict[str, Tensor]:
        """Return the last layer, repeated for each task."""
        return self.initial_head(n_tasks, n_way)

    def outputs(self, inputs: Any, weights: Weights) -> Tensor:
        """Compute logits, or numbers, from features."""
        return torch.baddbmm(weights["head_bias"][:, None], inputs, weights["head_weight"].mT)
