import datetime

import numpy as np
import pandas as pd
import pytest

from automl_meta.task.columns import Column
from automl_meta.task.inference import infer_columns
from automl_meta.task.options import ReadingOptions

N = 40


def inferred(values: object, **said: object) -> tuple[pd.Series, Column]:
    found, columns = infer_columns(pd.DataFrame({"c": values}), ReadingOptions(**said))  # type: ignore[arg-type]
    return found["c"], columns["c"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.linspace(0, 1, N), "numeric"),
        (np.arange(N) % 7, "numeric"),
        (np.arange(N), "identifier"),
        (np.arange(N)[::-1] + 1, "identifier"),
        ([f"u{i}" for i in range(N)], "identifier"),
        ([3.0] * N, "constant"),
        ([np.nan] * N, "constant"),
        ([None] * N, "constant"),
        (["x"] * N, "constant"),
        ([1.0, np.nan] * (N // 2), "numeric"),
        (["x", None] * (N // 2), "categorical"),
        (["red", "blue"] * (N // 2), "categorical"),
        (["yes", "No"] * (N // 2), "boolean"),
        ([True, False] * (N // 2), "boolean"),
        ([True, None] * (N // 2), "boolean"),
        (pd.Categorical([1, 2, 3, 4] * (N // 4)), "categorical"),
        (pd.date_range("2020", periods=N), "datetime"),
        (pd.date_range("2020", periods=N, tz="Europe/Oslo"), "datetime"),
        ([f"2021-03-{1 + i % 28:02d}" for i in range(N)], "datetime"),
        ([f"{1 + i % 12}/{1 + i % 28}/2021 10:30" for i in range(N)], "datetime"),
        ([datetime.date(2020, 1, 1 + i % 28) for i in range(N)], "datetime"),
        (pd.to_timedelta(np.arange(N) % 9, unit="h"), "numeric"),
        ([f"a long remark with many words {i}" for i in range(N)], "text"),
        ([1, "one", 2.5, "two"] * (N // 4), "categorical"),
        (pd.array([1, None] * (N // 2), dtype="Int64"), "numeric"),
        (pd.array(["a", None, "b", "a"] * (N // 4), dtype="string"), "categorical"),
        (np.array([1 + 2j, 3j] * (N // 2)), "categorical"),
    ],
)
def test_the_kind_of_a_column_is_what_a_person_would_say(values: object, kind: str) -> None:
    column = pd.Series(values, name="c")
    before = column.copy()
    assert inferred(column)[1].kind == kind
    pd.testing.assert_series_equal(column, before)


def test_infinities_become_missing_and_are_told() -> None:
    values, column = inferred([1.0, np.inf, -np.inf, 2.0])
    assert (column.kind, column.notes) == ("numeric", ("2 infinite values taken as missing",))
    assert values.isna().tolist() == [False, True, True, False]


def test_mixed_types_are_told() -> None:
    assert "mixes types" in inferred([1, "one"] * 20)[1].notes[0]


def test_numbers_as_text_in_a_mixed_column_keep_their_values() -> None:
    values, _ = inferred([1, "one", None, " "] * 10)
    assert values.dropna().unique().tolist() == ["1", "one"]
