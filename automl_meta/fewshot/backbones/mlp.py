"""MLP: a multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones.backbone import Backbone, Weights

__all__ = ["MLP"]


class MLP(Backbone):
    """Multilayer perceptron with ReLU activations, for numeric features.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one example, which is flattened.
    hidden : sequence of int, default=(40, 40)
        Number of units per layer; the last is the number of features. The default is that of MAML's regression
        experiments.

    Raises
    ------
    UsageError
        If there is no layer, or a layer has no units.

    Examples
    --------
    >>> MLP((3,), hidden=(16, 8))(torch.zeros(2, 5, 3)).shape  # 2 tasks of 5 rows
    torch.Size([2, 5, 8])
    """

    def __init__(self, input_shape: Sequence[int], hidden: Sequence[int] = (40, 40)) -> None:
        super().__init__(input_shape)
        if not hidden or min(hidden) < 1:
            raise UsageError(
                f"hidden is {tuple(hidden)}; it must contain the number of units of each layer, at least 1."
            )
        self.hidden = tuple(int(width) for width in hidden)
        n_inputs = torch.Size(self.input_shape).numel()
        for i, width in enumerate(self.hidden):
            weight = torch.empty(width, n_inputs)
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
            self.register_parameter(f"weight_{i}", nn.Parameter(weight))
            self.register_parameter(f"bias_{i}", nn.Parameter(torch.zeros(width)))
            n_inputs = width
        self.n_features = n_inputs

    @override
    def bytes_per_example(self) -> int:
        return 8 * sum(self.hidden)

    @override
    def prepare(self, x: Tensor) -> Tensor:
        return super().prepare(x).flatten(2)

    @override
    def features(self, prepared: Tensor, weights: Weights) -> Tensor:
        x = prepared
        for i in range(len(self.hidden)):
            bias = weights[f"bias_{i}"][:, None]
            x = torch.baddbmm(bias, x, weights[f"weight_{i}"].mT).relu()
        return x
