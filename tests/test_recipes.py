"""The recipes of CONTRIBUTING.md: a toy member of each kind, added to a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from toys import TOYS

ROOT = Path(__file__).parents[1]
HAS_TORCH = find_spec("torch") is not None

Edit = str | Callable[[str], str]  # the content of a new file, or the change of one that is there


def recipes() -> dict[str, list[str]]:
    """The files that each recipe names, by its heading."""
    text = (ROOT / "CONTRIBUTING.md").read_text().split("\n## Recipes\n")[1].split("\n## ")[0]
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
    return {
        kind: re.findall(r"^- `(.+)`$", steps, flags=re.MULTILINE)
        for kind, steps in zip(parts[::2], parts[1::2], strict=True)
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_there_is_a_recipe_for_each_kind_of_member() -> None:
    assert recipes().keys() == TOYS.keys()


@pytest.mark.parametrize("kind", recipes())
def test_a_recipe_has_at_most_three_files_that_are_there(kind: str) -> None:
    files = recipes()[kind]
    assert 1 <= len(files) <= 3
    assert all("NAME" in file or (ROOT / file).is_file() for file in files)


def name_of(edits: dict[str, Edit]) -> str:
    """What the file of a toy member is called."""
    return Path(next(iter(edits))).stem


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is needed of the repository, with all toys in it."""
    copy = tmp_path_factory.mktemp("copy")
    # What the other tests need is left out, to be quick.
    ignore = shutil.ignore_patterns("__pycache__", "assets", "*.db")
    for name in ("automl_meta", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    for name in ("pyproject.toml", "conftest.py", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, copy)
    (copy / "metadata").symlink_to(ROOT / "metadata")
    for kind, edits in TOYS.items():
        before = contents(copy)
        assert sorted(edits) == sorted(file.replace("NAME", name_of(edits)) for file in recipes()[kind]), kind
        for file, edit in edits.items():
            path = copy / file
            assert callable(edit) == path.exists()
            path.write_text(edit(path.read_text()) if callable(edit) else edit)
        after = contents(copy)
        changed = {file for file in after if after[file] != before.get(file)}
        assert changed == set(edits), f"{kind}: every step of the recipe is needed"
    return copy


CONTRACTS = (
    r"metafeatures/test_contract.py::TestMembers::\w+\[.*toy",
    r"algorithms/test_contract.py::TestAlgorithms::\w+\[toy-classification",
    r"recommenders/test_contract.py::TestMembers::\w+\[ToyRecommender\]",
    r"importers/test_toy_table.py::",
)
FEWSHOT_CONTRACTS = (
    r"fewshot/test_contract.py::TestLearners::\w+\[.*toy",
    r"fewshot/test_contract.py::TestBackbones::\w+\[.*toy",
    r"fewshot/test_contract.py::TestSources::\w+\[.*toy",
)


def test_every_toy_keeps_its_contract_and_the_rules(house: Path) -> None:
    rooms = ["metafeatures", "algorithms", "recommenders", *(["fewshot"] if HAS_TORCH else [])]
    places = [f"tests/{room}/test_contract.py" for room in rooms]
    places += ["tests/importers", "tests/test_docstrings.py", "tests/test_layers.py"]
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", "-rA", *places]
    done = subprocess.run(
        [*command, "-k", "toy or every_member or test_layers"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    for contract in (*CONTRACTS, *(FEWSHOT_CONTRACTS if HAS_TORCH else ())):
        assert re.search(rf"^PASSED tests/{contract}", done.stdout, flags=re.MULTILINE), contract
