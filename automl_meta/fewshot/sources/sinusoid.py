"""SinusoidSource: the sinusoid regression tasks of MAML."""

from __future__ import annotations

import math

import torch
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.sources.task_source import Shots, TaskSource

__all__ = ["SinusoidSource"]


class SinusoidSource(TaskSource):
    """Regression of sine waves with amplitudes from 0.1 to 5 and phases from 0 to pi, sampled between -5 and 5.

    Parameters
    ----------
    device : torch.device or str, default='cpu'
        Device that the tasks are sampled on.

    References
    ----------
    .. [1] C. Finn, P. Abbeel, S. Levine: "Model-Agnostic Meta-Learning for Fast Adaptation of Deep
       Networks", ICML 2017, section 5.1, https://arxiv.org/abs/1703.03400

    Examples
    --------
    >>> SinusoidSource().sample(None, n_shot=5, n_query=10, n_tasks=3).query_y.shape
    torch.Size([3, 10, 1])
    """

    input_shape = (1,)
    n_classes = None

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)

    @override
    def sample(
        self,
        n_way: int | None,
        n_shot: Shots,
        n_query: int,
        n_tasks: int = 1,
        generator: torch.Generator | None = None,
    ) -> Episode:
        if n_way is not None or not isinstance(n_shot, int) or min(n_shot, n_tasks) < 1 or n_query < 0:
            raise UsageError(
                f"n_way is {n_way}, n_shot {n_shot}, n_query {n_query}, n_tasks {n_tasks}; sine waves require "
                "n_way=None and integers of at least 1 (n_query may be 0)."
            )
        drawn = torch.rand(n_tasks, n_shot + n_query + 2, 1, generator=generator, device=self.device)
        amplitude, phase, x = 0.1 + 4.9 * drawn[:, :1], math.pi * drawn[:, 1:2], 10 * drawn[:, 2:] - 5
        y = amplitude * torch.sin(x - phase)
        return Episode(x[:, :n_shot], y[:, :n_shot], x[:, n_shot:], y[:, n_shot:], None)

    @override
    def to(self, device: torch.device | str) -> SinusoidSource:
        return SinusoidSource(device)
