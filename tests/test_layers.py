"""The house stands: imports point down, without circles, and the heavy ones wait until they are needed."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import automl_meta

PACKAGE = Path(automl_meta.__file__).parent

LAYERS = {
    "exceptions": 0,
    "_utils": 0,
    "fewshot": 0,
    "task": 1,
    "metrics": 1,
    "records": 1,
    "transfer": 1,
    "metafeatures": 2,
    "algorithms": 2,
    "store": 2,
    "recommenders": 2,
    "experiments": 3,
    "evaluation": 3,
    "tuning": 4,
    "importers": 4,
    "advice": 5,
    "automl": 5,
    "report": 6,
    "plots": 6,
    "testing": 7,  # the contracts see everything they test
    "cli": 7,
    "__main__": 8,
    "__init__": 7,
}

# Arrows inside a layer. Each is a decision.
SAME_LAYER = {
    ("_utils", "exceptions"),  # what is wrong with a seed or a budget
    ("fewshot", "_utils"),  # the torch wing stands on the ground, beside the tabular one
    ("fewshot", "exceptions"),
    ("task", "metrics"),  # the names of the task types
    ("records", "metrics"),  # a MetaDataset is of one metric
    ("automl", "advice"),  # the first trials follow it
}

Graph = Mapping[str, set[str]]


def modules(package: Path) -> dict[str, Path]:
    """Files of a package by the names under which they are imported."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imported(source: str) -> Iterator[str]:
    """All that a file imports, wherever the import stands: deferred ones and those for type checkers too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def file_graph(package: Path) -> dict[str, set[str]]:
    """Each module with those that it imports; importing one executes the packages around it, too."""
    known = modules(package)
    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        needed: set[str] = set()
        for name in imported(path.read_text()):
            steps = name.split(".")
            around = {".".join(steps[:end]) for end in range(1, len(steps) + 1)} & known.keys()
            target = max(around, key=len, default="")
            # A package that a module lies in is being executed already, unless it is what is asked for.
            needed |= {one for one in around if one == target or not f"{module}.".startswith(f"{one}.")}
        graph[module] = needed - {module}
    return graph


def room_graph(files: Graph) -> dict[str, set[str]]:
    """Each room with those that its files import from."""
    graph: dict[str, set[str]] = {}
    for module, needed in files.items():
        room = room_of(module)
        graph.setdefault(room, set()).update({room_of(name) for name in needed} - {room})
    return graph


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def circle(graph: Graph) -> list[str]:
    """The members of a circle, the first one twice; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def files() -> dict[str, set[str]]:
    return file_graph(PACKAGE)


def test_no_files_import_each_other_in_a_circle(files: Graph) -> None:
    assert circle(files) == []


def test_no_rooms_import_each_other_in_a_circle(files: Graph) -> None:
    assert circle(room_graph(files)) == []


@pytest.mark.parametrize(
    "back",
    [
        "from toy.one import a\n",
        "def later():\n    from toy.one import a\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import toy.one\n",
        "from toy import one\n",
    ],
    ids=["plain", "deferred", "for type checkers", "of a package"],
)
def test_a_circle_is_found_whatever_way_it_is_imported(tmp_path: Path, back: str) -> None:
    package = tmp_path / "toy"
    (package / "room").mkdir(parents=True)
    for name, source in {
        "__init__": "",
        "one": "from toy.room import b\n",
        "room/__init__": "from toy.room.two import b\n",
        "room/two": back,
    }.items():
        (package / f"{name}.py").write_text(source)
    assert set(circle(file_graph(package))) == {"toy.one", "toy.room", "toy.room.two"}
    assert set(circle(room_graph(file_graph(package)))) == {"one", "room"}


def test_every_import_points_down_the_layers(files: Graph) -> None:
    wrong = [
        f"{module} imports {other}"
        for module, needed in files.items()
        for other in needed
        if (arrow := (room_of(module), room_of(other)))[0] != arrow[1]
        and LAYERS[arrow[1]] >= LAYERS[arrow[0]]
        and arrow not in SAME_LAYER
    ]
    assert wrong == []


def test_every_arrow_that_was_decided_is_there(files: Graph) -> None:
    arrows = {(room, other) for room, others in room_graph(files).items() for other in others}
    assert SAME_LAYER - arrows == set()


def test_every_room_has_a_layer() -> None:
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert rooms - {"py.typed", "_metadata"} <= set(LAYERS)


def test_no_two_modules_share_a_name() -> None:
    # A command is named after what the user types, which may be what a room does.
    stems = (
        path.stem
        for path in PACKAGE.rglob("*.py")
        if path.stem != "__init__" and path.parent != PACKAGE / "cli"
    )
    assert repeated(stems) == []


def test_no_two_public_classes_share_a_name() -> None:
    classes = (
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert repeated(classes) == []


def repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


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
