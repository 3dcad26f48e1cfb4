"""Learners and checkpoints as files: tensors and JSON in one safetensors file, never a pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot._base import FewShotLearner
from automl_meta.fewshot.anil import ANIL
from automl_meta.fewshot.backbones import BACKBONES, Backbone
from automl_meta.fewshot.finetuning import FineTuning
from automl_meta.fewshot.fomaml import FOMAML
from automl_meta.fewshot.maml import MAML
from automl_meta.fewshot.meta_sgd import MetaSGD
from automl_meta.fewshot.prototypical import PrototypicalNetwork
from automl_meta.fewshot.reptile import Reptile

__all__ = ["LEARNERS", "describe", "load", "read", "save", "write"]

LEARNERS: tuple[type[FewShotLearner], ...] = (
    PrototypicalNetwork,
    MAML,
    FOMAML,
    ANIL,
    Reptile,
    MetaSGD,
    FineTuning,
)
FORMAT = 1


def save(learner: FewShotLearner, path: str | Path) -> None:
    """Write a learner to a file: its parameters, and as JSON what it is and what it was trained on.

    Parameters
    ----------
    learner : FewShotLearner
    path : str or Path
        Replaced as a whole, or left as it was if writing fails.

    Examples
    --------
    >>> import tempfile
    >>> from automl_meta.fewshot import MLP, PrototypicalNetwork, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(PrototypicalNetwork(MLP((4,))), f"{folder}/learner.safetensors")
    ...     learner = load(f"{folder}/learner.safetensors")
    >>> type(learner).__name__, learner.backbone.input_shape
    ('PrototypicalNetwork', (4,))
    """
    write(path, dict(learner.state_dict()), {"kind": "learner"} | describe(learner))


def load(
    path: str | Path,
    device: torch.device | str = "cpu",
    learners: tuple[type[FewShotLearner], ...] = LEARNERS,
    backbones: tuple[type[Backbone], ...] = BACKBONES,
) -> FewShotLearner:
    """Read a learner from a file that `save` has written.

    Parameters
    ----------
    path : str or Path
    device : str or torch.device, default='cpu'
    learners, backbones : tuple of classes
        Among which those of the file are looked up by name; add your own to these.

    Raises
    ------
    DataError
        If the file is none of a learner, broken, or of a newer version.
    """
    tensors, about = read(path)
    if about.get("kind") != "learner":
        raise DataError(f"{path} holds a {about.get('kind')}, not a learner; meta_fit resumes from it.")
    backbone_class = _find(about["backbone"]["class"], backbones)
    learner_class = _find(about["learner"]["class"], learners)
    try:
        backbone = backbone_class(**about["backbone"]["arguments"])
        learner = learner_class(backbone, **about["learner"]["arguments"])
        learner.load_state_dict(tensors)
    except (TypeError, RuntimeError, UsageError) as error:
        raise DataError(f"{path} does not fit this version's {about['learner']['class']}: {error}") from None
    learner.description = about.get("description", {})
    return learner.to(device)


def describe(learner: FewShotLearner) -> dict[str, Any]:
    """Say as JSON what a learner is."""
    return {
        "learner": {"class": type(learner).__name__, "arguments": learner.config},
        "backbone": {"class": type(learner.backbone).__name__, "arguments": learner.backbone.config},
        "description": learner.description,
    }


def write(path: str | Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and JSON to one file, whole or not at all."""
    path = Path(path)
    stamped = {"format": FORMAT, "version": version("automl_meta"), **about}
    content = to_bytes(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        metadata={"automl_meta": json.dumps(stamped)},
    )
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write` has written.

    Raises
    ------
    DataError
        If it is no such file, broken, or of a newer version.
    """
    if not Path(path).is_file():
        raise DataError(f"There is no file {path}.")
    try:
        with safe_open(str(path), framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("automl_meta", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise DataError(
            f"{path} is not a whole safetensors file ({error}); train or copy it again."
        ) from None
    if not isinstance(about, dict) or "format" not in about:
        raise DataError(f"{path} was not written by automl_meta; it lacks the description.")
    if about["format"] > FORMAT:
        raise DataError(
            f"{path} was written by automl_meta {about['version']} in format {about['format']}; this version reads "
            f"up to format {FORMAT}. Update automl_meta."
        )
    return tensors, about


def _find(name: str, classes: tuple[type[Any], ...]) -> Any:
    for known in classes:
        if known.__name__ == name:
            return known
    raise DataError(
        f"The file holds a {name}; known are {', '.join(known.__name__ for known in classes)}. "
        "Pass your own classes to load."
    )
