"""How many operations an iteration starts: what counts on a GPU, and does not depend on the load of a machine."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from automl_meta.fewshot import MAML, Conv4, Episode


class Counter(TorchDispatchMode):
    """Count what computes; views only say how memory is read."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not function.is_view
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("n_way", "n_query", "n_tasks", "n_steps", "most"), [(5, 15, 32, 1, 500), (20, 1, 16, 5, 2000)]
)
def test_a_meta_iteration_stays_within_its_operations(
    n_way: int, n_query: int, n_tasks: int, n_steps: int, most: int
) -> None:
    learner = MAML(Conv4(pooling="stride"), n_outputs=n_way, n_steps=n_steps).to("meta")
    labels = torch.arange(n_way, device="meta").expand(n_tasks, n_way)
    x = torch.zeros(n_tasks, n_way * (1 + n_query), 1, 28, 28, device="meta")
    query_y = labels.repeat_interleave(n_query, 1)
    episode = Episode(x[:, :n_way], labels, x[:, n_way:], query_y, n_way)
    with Counter() as counter:
        learner.loss(episode).backward()
    assert counter.count <= most
