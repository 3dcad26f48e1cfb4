import numpy as np
import pytest

from automl_meta.automl.positive import positive_code
from automl_meta.exceptions import UsageError


@pytest.mark.parametrize(
    ("positive", "labels", "code"),
    [
        ("yes", ["no", "yes"], 1),
        ("no", ["no", "yes"], 0),
        (np.str_("no"), ["no", "yes"], 0),
        (0, [0, 1], 0),
        ("0", [0, 1], 0),
        ("1", [0.0, 1.0], 1),
        ("1.0", [0.0, 1.0], 1),
        (1, [0.0, 1.0], 1),
        ("0.5", [0.5, 1.0], 0),
        ("-1", [-1, 1], 0),
        (False, [False, True], 0),
        ("True", [False, True], 1),
        ("true", [False, True], 1),
        (" yes ", ["no", "yes"], 1),
        ("1", ["1", "01"], 0),
    ],
)
def test_a_label_is_named_as_it_is_or_by_its_text(positive: object, labels: list, code: int) -> None:
    assert positive_code(positive, np.array(labels)) == code


@pytest.mark.parametrize(
    ("positive", "labels", "message"),
    [
        ("maybe", ["no", "yes"], "positive is 'maybe', and the labels are 'no' and 'yes'"),
        (2, [0, 1], "positive is 2, and the labels are 0 and 1"),
        ("1", [False, True], "the labels are False and True"),
        ("a", ["a", "b", "c"], "there are 3 classes: 'a', 'b' and 'c'"),
        ("a", [], "has no classes"),
    ],
)
def test_what_is_no_label_of_two_is_refused(positive: object, labels: list, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        positive_code(positive, np.array(labels))


def test_many_labels_are_not_all_listed() -> None:
    with pytest.raises(UsageError, match=r"30 classes: 0, 1, 2, 3, 4, 5, 6, 7, …"):
        positive_code(1, np.arange(30))
