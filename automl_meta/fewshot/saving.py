"""Learners and checkpoints as files: tensors and JSON in one safetensors file, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from automl_meta._utils.replacing import replacing
from automl_meta.exceptions import DataError
from automl_meta.fewshot.anil import ANIL
from automl_meta.fewshot.backbones import BACKBONES, Backbone
from automl_meta.fewshot.finetuning import FineTuning
from automl_meta.fewshot.fomaml import FOMAML
from automl_meta.fewshot.learner import FewShotLearner
from automl_meta.fewshot.maml import MAML
from automl_meta.fewshot.meta_sgd import MetaSGD
from automl_meta.fewshot.prototypical import PrototypicalNetwork
from automl_meta.fewshot.reptile import Reptile

__all__ = ["LEARNERS", "check_shapes", "describe", "load", "read", "save", "write"]

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
_MOST_STEPS = 100_000


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
    try:
        backbone_class = _find(about["backbone"]["class"], backbones)
        learner_class = _find(about["learner"]["class"], learners)
        arguments = about["backbone"]["arguments"], about["learner"]["arguments"]
        with torch.device("meta"):  # which takes no memory, whatever sizes are asked for
            expected = learner_class(backbone_class(**arguments[0]), **arguments[1]).state_dict()
        check_shapes(tensors, expected)
        learner = learner_class(backbone_class(**arguments[0]), **arguments[1])
        learner.load_state_dict(tensors)
        _check_steps(learner)
        learner.description = _checked_description(about.get("description", {}), learner)
    except DataError:
        raise
    except Exception as error:  # what arguments of a damaged file lead to is in nobody's contract
        raise DataError(
            f"{path} holds no learner that this version can make ({_reason(error)}); train or copy it again."
        ) from error
    return learner.to(device)


def check_shapes(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """See that tensors are those that are expected, each of its shape.

    Raises
    ------
    ValueError
        If they are not.
    """
    if differing := sorted(tensors.keys() ^ expected.keys()):
        raise ValueError(f"{differing[0]} is missing, or too much")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)} instead of {tuple(expected[name].shape)}"
            )


def _check_steps(learner: FewShotLearner) -> None:
    """A learner that takes so many steps to adapt would not come to an end."""
    for name in ("n_steps", "n_test_steps"):
        steps = getattr(learner, name, None)
        if steps is not None and (type(steps) is not int or steps > _MOST_STEPS):
            raise ValueError(f"{name} is {steps!r}; it must be a whole number up to {_MOST_STEPS:,}")


def _checked_description(description: Any, learner: FewShotLearner) -> dict[str, Any]:
    if not isinstance(description, dict):
        raise ValueError(f"its description is {description!r:.40}")
    n_columns = torch.Size(learner.backbone.input_shape).numel()
    for name in ("mean", "spread"):
        if (numbers := description.get(name)) is not None:
            values = torch.tensor(numbers, dtype=torch.float64)
            if values.shape != (n_columns,) or not values.isfinite().all():
                raise ValueError(f"{name} of its description is not {n_columns} numbers")
    if (description.get("mean") is None) != (description.get("spread") is None):
        raise ValueError("its description has a mean or a spread alone")
    return description


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
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(content)


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
    except Exception as error:  # what a damaged file raises is in nobody's contract
        raise DataError(
            f"{path} is not a whole safetensors file ({_reason(error)}); train or copy it again."
        ) from error
    if not isinstance(about, dict) or not isinstance(about.get("format"), int):
        raise DataError(f"{path} was not written by automl_meta; it lacks the description.")
    if about["format"] > FORMAT:
        raise DataError(
            f"{path} was written by automl_meta {about.get('version')} in format {about['format']}; this version reads "
            f"up to format {FORMAT}. Update automl_meta."
        )
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise DataError(
                f"{path} holds no numbers in {name} (nan or inf): its training diverged, or it is damaged. Train it again."
            )
    return tensors, about


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _find(name: str, classes: tuple[type[Any], ...]) -> Any:
    for known in classes:
        if known.__name__ == name:
            return known
    raise DataError(
        f"The file holds a {name}; known are {', '.join(known.__name__ for known in classes)}. "
        "Pass your own classes to load."
    )
