"""Checkpoints of meta-training: all that is needed to go on to the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot._base import FewShotLearner
from automl_meta.fewshot.saving import describe, read, write

__all__ = ["load_checkpoint", "save_checkpoint"]

# Limits may differ between the runs of one training: it is how a finished one is carried on.
_MAY_DIFFER = ("time_limit", "cpu_limit", "n_episodes", "patience")


def save_checkpoint(
    path: Path,
    learner: FewShotLearner,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    best: dict[str, Tensor] | None,
    about: dict[str, Any],
) -> None:
    """Write the state of a training to one file, whole or not at all."""
    tensors = {f"learner/{name}": value for name, value in learner.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in (best or {}).items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{name}": value for name, value in state.items() if value is not None}
    tensors["generator"] = generator.get_state()
    write(path, tensors, {"kind": "checkpoint"} | describe(learner) | about)


def load_checkpoint(
    path: Path,
    learner: FewShotLearner,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    about: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, Tensor] | None]:
    """Put the state of a training back, and return what else is known of it and its best parameters.

    Raises
    ------
    DataError
        If the file is no checkpoint, or broken.
    UsageError
        If it is of another learner, or of other options.
    """
    tensors, known = read(path)
    if known.get("kind") != "checkpoint":
        raise DataError(f"{path} holds a {known.get('kind')}, not a checkpoint; name another file.")
    expected = json.loads(json.dumps(describe(learner) | about))
    for part in ("learner", "backbone", "options", "seed"):
        was, now = ({**c[part]} if isinstance(c[part], dict) else {part: c[part]} for c in (known, expected))
        differing = [name for name in now if was.get(name) != now[name] and name not in _MAY_DIFFER]
        if differing:
            raise UsageError(
                f"The checkpoint {path} was made with {differing[0]} {was.get(differing[0])!r}; now it is "
                f"{now[differing[0]]!r}. Give the same again, or another file."
            )
    learner.load_state_dict(_part(tensors, "learner/"))
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "optimizer/").items():
        number, key = name.split("/")
        states.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    generator.set_state(tensors["generator"])
    return known, _part(tensors, "best/") or None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
