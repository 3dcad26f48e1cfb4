"""Saving of learners and checkpoints: tensors and JSON metadata in a safetensors file, never a pickle."""

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
from automl_meta.fewshot.backbones import BACKBONES, Backbone
from automl_meta.fewshot.learner import FewShotLearner
from automl_meta.fewshot.methods import LEARNERS

__all__ = ["check_shapes", "describe", "load", "read", "save", "write"]

FORMAT = 1
_MOST_STEPS = 100_000


def save(learner: FewShotLearner, path: str | Path) -> None:
    """Save a learner: its parameters, its constructor arguments and the description of its training data.

    Parameters
    ----------
    learner : FewShotLearner
        Learner to save.
    path : str or Path
        File to write; an existing one is replaced atomically.

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
    """Load a learner from a file written by `save`.

    Parameters
    ----------
    path : str or Path
        File to read.
    device : torch.device or str, default='cpu'
        Device to load the learner to.
    learners : tuple of FewShotLearner subclasses
        Classes among which the learner's class is looked up by name; add your own to the default.
    backbones : tuple of Backbone subclasses
        Classes among which the backbone's class is looked up by name; add your own to the default.

    Returns
    -------
    FewShotLearner
        The learner, on the device.

    Raises
    ------
    DataError
        If the file does not hold a learner, is damaged, or was written by a newer version.
    """
    tensors, about = read(path)
    if about.get("kind") != "learner":
        raise DataError(
            f"{path} holds a {about.get('kind')}, not a learner. To resume from a checkpoint, pass it to meta_fit."
        )
    try:
        backbone_class = _find(about["backbone"]["class"], backbones)
        learner_class = _find(about["learner"]["class"], learners)
        arguments = about["backbone"]["arguments"], about["learner"]["arguments"]
        with torch.device("meta"):  # takes no memory, whatever the sizes in the file
            expected = learner_class(backbone_class(**arguments[0]), **arguments[1]).state_dict()
        check_shapes(tensors, expected)
        learner = learner_class(backbone_class(**arguments[0]), **arguments[1])
        learner.load_state_dict(tensors)
        _check_steps(learner)
        learner.description = _checked_description(about.get("description", {}), learner)
    except DataError:
        raise
    except Exception as error:  # damaged arguments may raise anything
        raise DataError(
            f"{path} does not hold a learner that this version can load ({_reason(error)}); train it or copy it again."
        ) from error
    return learner.to(device)


def check_shapes(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Check the names and shapes of tensors.

    Raises
    ------
    ValueError
        If they are not the expected ones.
    """
    if differing := sorted(tensors.keys() ^ expected.keys()):
        raise ValueError(f"{differing[0]} is missing or unexpected")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)} instead of {tuple(expected[name].shape)}"
            )


def _check_steps(learner: FewShotLearner) -> None:
    """Check that adaptation takes a reasonable number of steps."""
    for name in ("n_steps", "n_test_steps"):
        steps = getattr(learner, name, None)
        if steps is not None and (type(steps) is not int or steps > _MOST_STEPS):
            raise ValueError(f"{name} is {steps!r}; it must be an integer up to {_MOST_STEPS:,}")


def _checked_description(description: Any, learner: FewShotLearner) -> dict[str, Any]:
    if not isinstance(description, dict):
        raise ValueError(f"its description is {description!r:.40}, not a dict")
    n_columns = torch.Size(learner.backbone.input_shape).numel()
    for name in ("mean", "spread"):
        if (numbers := description.get(name)) is not None:
            values = torch.tensor(numbers, dtype=torch.float64)
            if values.shape != (n_columns,) or not values.isfinite().all():
                raise ValueError(f"{name} of its description is not a list of {n_columns} finite numbers")
    if (description.get("mean") is None) != (description.get("spread") is None):
        raise ValueError("its description has only one of mean and spread")
    return description


def describe(learner: FewShotLearner) -> dict[str, Any]:
    """Return class names and arguments of a learner as JSON-serialisable metadata."""
    return {
        "learner": {"class": type(learner).__name__, "arguments": learner.config},
        "backbone": {"class": type(learner.backbone).__name__, "arguments": learner.backbone.config},
        "description": learner.description,
    }


def write(path: str | Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and JSON metadata to one file atomically."""
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
    """Read tensors and metadata from a file written by `write`.

    Raises
    ------
    DataError
        If the file is missing, damaged, of another kind, or was written by a newer version.
    """
    if not Path(path).is_file():
        raise DataError(f"There is no file {path}.")
    try:
        with safe_open(str(path), framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("automl_meta", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # damaged files may raise anything
        raise DataError(
            f"{path} is not a complete safetensors file ({_reason(error)}); train the learner or copy the file again."
        ) from error
    if not isinstance(about, dict) or not isinstance(about.get("format"), int):
        raise DataError(f"{path} was not written by automl_meta: its metadata are missing.")
    if about["format"] > FORMAT:
        raise DataError(
            f"{path} was written by automl_meta {about.get('version')} in format {about['format']}; this version reads "
            f"up to format {FORMAT}. Update automl_meta."
        )
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise DataError(
                f"{path} contains NaN or infinite values in {name}: its training diverged, or the file is damaged. Train "
                "the learner again."
            )
    return tensors, about


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _find(name: str, classes: tuple[type[Any], ...]) -> Any:
    for known in classes:
        if known.__name__ == name:
            return known
    raise DataError(
        f"The file holds a {name}; known classes are {', '.join(known.__name__ for known in classes)}. "
        "Pass your own classes to load()."
    )
