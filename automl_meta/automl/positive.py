"""The positive one of two labels, for metrics such as f1 that do not treat both alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl_meta.exceptions import UsageError

__all__ = ["listed_labels", "plain", "positive_code"]

_SHOWN = 8


def positive_code(positive: Any, labels: NDArray[Any]) -> int:
    """Return the code of the positive label.

    Parameters
    ----------
    positive : label or str
        Label as it is, or as text, as it comes from a command line.
    labels : ndarray of shape (n_classes,)
        Labels in the order of their codes; empty for regression.

    Returns
    -------
    int
        0 or 1.

    Raises
    ------
    UsageError
        If it is none of the labels, or there are not two of them.

    Examples
    --------
    >>> positive_code("1", np.array([0, 1]))
    1
    """
    if len(labels) == 0:
        raise UsageError(f"positive is {positive!r}, but a regression has no classes: leave it out.")
    if len(labels) != 2:
        raise UsageError(
            f"positive is {positive!r}, but there are {len(labels)} classes: {listed_labels(labels)}. "
            "It needs two: leave it out, and choose an averaged metric, such as f1_macro."
        )
    known = [plain(label) for label in labels]
    as_given = [code for code, label in enumerate(known) if _is_same(plain(positive), label)]
    by_text = [code for code, label in enumerate(known) if str(positive).strip() in _texts(label)]
    for codes in (as_given, by_text):
        if len(codes) == 1:
            return codes[0]
    raise UsageError(
        f"positive is {positive!r}, and the labels are {listed_labels(labels)}: give one of these."
    )


def listed_labels(labels: Sequence[Any] | NDArray[Any]) -> str:
    """Labels as text; only the first ones of many."""
    shown = [repr(plain(label)) for label in labels[:_SHOWN]]
    if len(labels) > _SHOWN:
        return ", ".join([*shown, "…"])
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def plain(label: Any) -> Any:
    """Label as a Python object, whose repr lacks the type name."""
    return label.item() if isinstance(label, np.generic) else label


def _is_same(positive: Any, label: Any) -> bool:
    try:
        return bool(positive == label)
    except (TypeError, ValueError):  # an array, say
        return False


def _texts(label: Any) -> set[str]:
    """Text forms of a label on a command line."""
    texts = {str(label).strip()}
    if isinstance(label, bool):
        texts.add(str(label).lower())
    elif isinstance(label, float) and label.is_integer():
        texts.add(str(int(label)))
    elif isinstance(label, int):
        texts.add(str(float(label)))
    return texts
