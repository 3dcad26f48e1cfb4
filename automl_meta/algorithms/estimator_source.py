"""Python source code of estimators, which runs without automl_meta."""

from __future__ import annotations

import importlib
import inspect
import math
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import BaseEstimator

__all__ = ["EstimatorSource", "estimator_source"]


@dataclass(frozen=True)
class EstimatorSource:
    """Source code of an estimator.

    Parameters
    ----------
    imports : tuple of str
        Import statements, sorted.
    functions : tuple of str
        Definitions of the functions that the estimator uses.
    expression : str
        Expression that creates the unfitted estimator.
    """

    imports: tuple[str, ...]
    functions: tuple[str, ...]
    expression: str


def estimator_source(estimator: BaseEstimator) -> EstimatorSource:
    """Generate the source code of an unfitted estimator.

    Parameters
    ----------
    estimator : BaseEstimator
        Any composition of scikit-learn estimators; parameters with their default value are
        omitted.

    Returns
    -------
    EstimatorSource
        Imports, functions and expression.

    Raises
    ------
    TypeError
        If the type of a parameter cannot be written as source code.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> source = estimator_source(make_pipeline(StandardScaler(), SVC(C=10.0)))
    >>> print(source.expression)
    Pipeline(steps=[
        ("standardscaler", StandardScaler()),
        ("svc", SVC(C=10.0)),
    ])
    >>> source.imports[0]
    'from sklearn.pipeline import Pipeline'
    """
    writer = _Writer()
    expression = writer.write(estimator)
    by_module: dict[str, set[str]] = {}
    for module, name in writer.names:
        by_module.setdefault(module, set()).add(name)
    imports = [
        f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(by_module.items())
    ]
    return EstimatorSource(tuple(imports), tuple(sorted(writer.functions)), expression)


@dataclass
class _Writer:
    names: set[tuple[str, str]] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)

    def write(self, value: Any, depth: int = 0) -> str:
        """Write a value as source code, with one step of a composition per line."""
        if isinstance(value, list) and any(isinstance(item, tuple) for item in value):
            indent = "    " * depth
            steps = [f"{indent}    {self.write(item, depth + 1)},\n" for item in value]
            return f"[\n{''.join(steps)}{indent}]"
        if isinstance(value, (list, tuple)):
            items = ", ".join(self.write(item, depth) for item in value)
            if isinstance(value, tuple):
                return f"({items},)" if len(value) == 1 else f"({items})"
            return f"[{items}]"
        if hasattr(value, "get_params") and not isinstance(value, type):
            arguments = [f"{name}={self.write(v, depth)}" for name, v in _changed_parameters(value)]
            return f"{self._imported(type(value))}({', '.join(arguments)})"
        if inspect.isfunction(value):
            self.functions.add(inspect.getsource(value))
            return value.__name__
        if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return f"float('{value}')"
        if isinstance(value, str) and value.isprintable() and not set(value) & {'"', "\\"}:
            return f'"{value}"'
        if value is None or isinstance(value, (bool, int, float, str)):
            return repr(value)
        raise TypeError(f"A value of type {type(value).__name__} cannot be written as source code.")

    def _imported(self, kind: type) -> str:
        """Record the public module of a class, and return the name of the class."""
        parts = kind.__module__.split(".")
        public = next((i for i, part in enumerate(parts) if part.startswith("_")), len(parts))
        module = ".".join(parts[:public])
        while "." in module and hasattr(importlib.import_module(module.rsplit(".", 1)[0]), kind.__name__):
            module = module.rsplit(".", 1)[0]
        self.names.add((module, kind.__name__))
        return kind.__name__


def _changed_parameters(estimator: Any) -> list[tuple[str, Any]]:
    signature = inspect.signature(type(estimator).__init__).parameters
    changed = []
    for name, value in estimator.get_params(deep=False).items():
        default = signature[name].default if name in signature else inspect.Parameter.empty
        both_nan = (
            isinstance(value, float) and isinstance(default, float) and value != value and default != default
        )
        if not both_nan and (type(value) is not type(default) or value != default):
            changed.append((name, value))
    # Signature order is more readable than the alphabetical order of get_params.
    order = {name: position for position, name in enumerate(signature)}
    return sorted(changed, key=lambda pair: order.get(pair[0], len(order)))
