"""Tests use the public face: no test calls, imports or patches a private name of automl_meta."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import automl_meta

TESTS = Path(__file__).parent
PACKAGE = Path(automl_meta.__file__).parent
# Private names of other libraries that have no public counterpart, and that automl_meta happens to use, too.
FOREIGN = {"_exit", "_storage", "_study_id", "_trial_id", "_contains", "_score_func", "_SCORERS"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names_of_the_package() -> set[str]:
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return {name for name in names if is_private(name)} - FOREIGN


def names_used(source: str) -> Iterator[tuple[int, str]]:
    """Attributes of anything but a test's own object, names imported from automl_meta, and what is patched."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id == "self"
        ):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("automl_meta"):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "attr" in node.func.attr:
            patched = (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
            yield from ((node.lineno, text.rpartition(".")[2]) for text in patched)


@pytest.mark.parametrize(
    "call", ["model._fit()", "setattr(model, '_fit', f)", "from automl_meta.task import _fit"]
)
def test_a_private_name_is_found(call: str) -> None:
    source = call.replace("setattr", "monkeypatch.setattr")
    assert "_fit" in [name for _, name in names_used(source)]


def test_no_test_uses_a_private_name() -> None:
    private = private_names_of_the_package()
    found = [
        f"{path.relative_to(TESTS)}:{line} {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for line, name in names_used(path.read_text())
        if name in private and name != "_utils"
    ]
    assert found == []
