"""Checkpoints of meta-training, from which it resumes with bit-identical results."""

from __future__ import annotations

import json
import math
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot.learner import FewShotLearner
from automl_meta.fewshot.saving import check_shapes, describe, read, write

__all__ = ["load_checkpoint", "save_checkpoint"]

# A resumed run may have other limits: this is how a finished training is extended.
_MAY_DIFFER = ("time_limit", "cpu_limit", "n_episodes", "patience")


def save_checkpoint(
    path: Path,
    learner: FewShotLearner,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    best: dict[str, Tensor] | None,
    about: dict[str, Any],
) -> None:
    """Write the training state to one file atomically."""
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
    """Restore the training state; return the rest of the checkpoint's metadata and the best parameters.

    Raises
    ------
    DataError
        If the file is not a checkpoint, or is damaged.
    UsageError
        If the checkpoint belongs to another learner or to other options.
    """
    tensors, known = read(path)
    if known.get("kind") != "checkpoint":
        raise DataError(f"{path} holds a {known.get('kind')}, not a checkpoint; give another file.")
    expected = json.loads(json.dumps(describe(learner) | about))
    try:
        _check_known(known, expected)
        _check_same(path, known, expected)
        best = _part(tensors, "best/")
        states = _optimizer_states(_part(tensors, "optimizer/"), learner, optimizer)
        for kept in (_part(tensors, "learner/"), best):
            if kept or kept is not best:
                check_shapes(kept, learner.state_dict())
        generator.set_state(tensors["generator"])
        learner.load_state_dict(_part(tensors, "learner/"))
        optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    except UsageError:
        raise
    except Exception as error:  # damaged content may raise anything
        raise DataError(
            f"The checkpoint {path} is damaged ({error!r:.200}); remove it to start again."
        ) from error
    return known, best or None


def _check_known(known: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check that the metadata of a training are complete and of the right types."""
    result = known["result"]
    if set(result) != set(expected["result"]) or not isinstance(result["stopped_by"], str):
        raise ValueError("the result is incomplete")
    rows = [(row["episodes"], row["loss"]) for row in result["history"]]
    scores = [row["score"] for row in result["history"]] + [result["best_score"]]
    counted = [result["seconds"], result["cpu_seconds"], known["next_valid"], *known["losses"]]
    for number in (result["episodes"], *chain(*rows), *counted, *(s for s in scores if s is not None)):
        if type(number) not in (int, float) or not math.isfinite(number):
            raise ValueError(f"{number!r:.40} is not a finite number")
    if result["best_score"] not in (None, *scores[:-1]):
        raise ValueError("the best score is not in the history")


def _check_same(path: Path, known: dict[str, Any], expected: dict[str, Any]) -> None:
    for part in ("learner", "backbone", "options", "seed"):
        was, now = ({**c[part]} if isinstance(c[part], dict) else {part: c[part]} for c in (known, expected))
        differing = [name for name in now if was.get(name) != now[name] and name not in _MAY_DIFFER]
        if differing:
            raise UsageError(
                f"The checkpoint {path} was written with {differing[0]}={was.get(differing[0])!r:.200}; this run has "
                f"{differing[0]}={now[differing[0]]!r}. Use the same value, or another checkpoint file."
            )


def _optimizer_states(
    tensors: dict[str, Tensor], learner: FewShotLearner, optimizer: torch.optim.Optimizer
) -> dict[int, dict[str, Tensor]]:
    """Collect the optimiser state by parameter index; the optimiser itself does not check shapes."""
    parameters = list(learner.parameters())
    names = set() if isinstance(optimizer, torch.optim.SGD) else {"step", "exp_avg", "exp_avg_sq"}
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, key = name.split("/")
        parameter = parameters[int(number)]
        if (
            value.shape != (torch.Size([]) if key == "step" else parameter.shape)
            or value.dtype != parameter.dtype
        ):
            raise ValueError(f"{name} has shape {tuple(value.shape)}")
        if key in ("step", "exp_avg_sq") and bool((value < 0).any()):
            raise ValueError(f"{name} is negative")
        states.setdefault(int(number), {})[key] = value
    if any(set(state) != names for state in states.values()):
        raise ValueError("the optimiser state is incomplete")
    return states


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
