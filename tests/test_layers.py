"""The house stands: imports point down, without circles, and the heavy ones wait until they are needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import automl_meta

PACKAGE = Path(automl_meta.__file__).parent

LAYERS = {
    "exceptions": 0,
    "_utils": 0,
    "task": 1,
    "metrics": 1,
    "records": 1,
    "transfer": 1,
    "metafeatures": 2,
    "algorithms": 2,
    "store": 2,
    "recommenders": 2,
    "fewshot": 2,
    "experiments": 3,
    "evaluation": 3,
    "importers": 3,
    "tuning": 4,
    "advice": 5,
    "automl": 5,
    "testing": 6,  # the contracts see everything they test
    "cli": 6,
    "__init__": 6,
}

# Arrows inside a layer. Each is a decision.
SAME_LAYER = {
    ("_utils", "exceptions"),  # what is wrong with a seed or a budget
    ("task", "metrics"),  # the names of the task types
    ("records", "metrics"),  # a MetaDataset is of one metric
    ("store", "importers"),  # store.import_study is where people look for it; loaded when called
    ("importers", "experiments"),  # a task that comes with a study is described as a campaign does
    ("automl", "advice"),  # the first trials follow it
}


def arrows() -> set[tuple[str, str, str]]:
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("automl_meta."):
                found.add((room, node.module.split(".")[1], str(relative)))
            elif isinstance(node, ast.ImportFrom) and node.module == "automl_meta":
                found.update((room, name.name, str(relative)) for name in node.names)
            elif isinstance(node, ast.Import):
                for name in node.names:
                    if name.name.startswith("automl_meta."):
                        found.add((room, name.name.split(".")[1], str(relative)))
    return {arrow for arrow in found if arrow[0] != arrow[1]}


def test_every_import_points_down_the_layers() -> None:
    wrong = [
        f"{file}: {room} imports {other}"
        for room, other, file in arrows()
        if LAYERS[other] >= LAYERS[room] and (room, other) not in SAME_LAYER
    ]
    assert wrong == []


def test_every_room_has_a_layer() -> None:
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert rooms - {"py.typed", "_metadata"} <= set(LAYERS)


@pytest.mark.parametrize("module", ["automl_meta", "automl_meta.advice", "automl_meta.cli"])
def test_importing_does_not_load_torch_or_openml(module: str) -> None:
    program = f"import sys, {module}; print([m for m in ('torch', 'openml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_sorted_and_exist() -> None:
    assert list(automl_meta.__all__) == sorted(automl_meta.__all__)
    assert set(automl_meta.__all__) <= set(dir(automl_meta))
    for name in automl_meta.__all__:
        assert getattr(automl_meta, name) is not None


def test_opening_a_store_does_not_load_the_algorithms() -> None:
    program = (
        "import sys; from automl_meta import MetadataStore;"
        "print([m for m in ('sklearn', 'lightgbm', 'optuna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Store'"):
        automl_meta.Store  # noqa: B018
