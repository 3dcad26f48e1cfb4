"""The docstrings of the public API follow numpydoc."""

import importlib
import inspect
from collections.abc import Iterator

import pytest
from numpydoc.validate import validate

ROOMS = (
    "automl_meta",
    "automl_meta.advice",
    "automl_meta.algorithms",
    "automl_meta.automl",
    "automl_meta.evaluation",
    "automl_meta.exceptions",
    "automl_meta.experiments",
    "automl_meta.fewshot",
    "automl_meta.fewshot.backbones",
    "automl_meta.fewshot.layers",
    "automl_meta.fewshot.sources",
    "automl_meta.importers",
    "automl_meta.metafeatures",
    "automl_meta.metrics",
    "automl_meta.recommenders",
    "automl_meta.records",
    "automl_meta.store",
    "automl_meta.task",
    "automl_meta.transfer",
    "automl_meta.tuning",
)

# Not required: sections that repeat what stands elsewhere, and matters of layout that ruff decides.
IGNORED = {
    "ES01",  # an extended summary, where one sentence says it all
    "EX01",  # an example for every method
    "GL01",  # the summary may start on the line of the quotes
    "GL08",  # ruff's D rules find what has no docstring; overriding methods inherit theirs
    "RT02",  # only the type of an unnamed return value
    "SA01",  # See Also
    "SS05",  # a summary may start with a noun
    "SS06",  # a summary of one line
    "YD01",
}


def public_objects() -> Iterator[str]:
    """Dotted names of the public functions and classes, and of the public methods and properties of these."""
    seen = set()
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)) or value in seen:
                continue
            seen.add(value)
            yield f"{room}.{name}"
            if inspect.isclass(value):
                for member, defined in vars(value).items():
                    is_own = inspect.isfunction(inspect.unwrap(defined)) if callable(defined) else False
                    is_own |= isinstance(defined, property | classmethod | staticmethod)
                    if is_own and not member.startswith("_"):
                        yield f"{room}.{name}.{member}"


@pytest.mark.parametrize("name", list(public_objects()))
def test_a_public_docstring_is_valid(name: str) -> None:
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code not in IGNORED]
    assert errors == []
