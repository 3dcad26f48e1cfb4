"""Data-parallel meta-training: processes started by torchrun share each batch of tasks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch import distributed as dist

__all__ = ["average_gradients", "largest", "process_group", "rank", "rank_of_environment", "world_size"]


def _is_on() -> bool:
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Return the rank of this process; 0 if there is only one."""
    return dist.get_rank() if _is_on() else 0


def rank_of_environment() -> int:
    """Return the rank that torchrun assigned, available before the process group is initialised."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if _is_on() else 1


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Initialise the process group if torchrun started several processes."""
    if _is_on() or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[Tensor], share: float) -> None:
    """Replace each gradient by its mean over the processes, weighted by their share of the tasks."""
    if world_size() == 1:
        return
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = torch.cat([gradient.flatten() for gradient in gradients]) * share
    dist.all_reduce(flat)
    for parameter, part in zip(parameters, flat.split([g.numel() for g in gradients]), strict=True):
        parameter.grad = part.view_as(parameter).clone()


def largest(value: float, device: torch.device) -> float:
    """Return the maximum over the processes, so that all make the same decision."""
    if world_size() == 1:
        return value
    shared = torch.tensor(value, dtype=torch.float64, device=device)
    dist.all_reduce(shared, dist.ReduceOp.MAX)
    return float(shared)
