"""Regression tests on small tables that were once misread."""

from pathlib import Path

import numpy as np
import pytest

from automl_meta import extract_metafeatures
from automl_meta.task import TabularTask

CASES = Path(__file__).parents[1] / "assets" / "cases"


def case(name: str, target: str, **said: object) -> TabularTask:
    return TabularTask.from_file(CASES / name, target, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "target"), [(("german_dates.csv", "iso_dates.csv"), "Umsatz"), (("floats_de.csv", "floats_us.csv"), "y")]
)  # fmt: skip
def test_the_same_data_in_two_writings_are_the_same_task(names: tuple[str, str], target: str) -> None:
    first, second = (case(name, target) for name in names)
    assert first.column_kinds == second.column_kinds
    assert first.fingerprint == second.fingerprint
    values = [extract_metafeatures(task).values for task in (first, second)]
    np.testing.assert_array_equal(list(values[0].values()), list(values[1].values()))


def test_german_dates_are_read_day_first() -> None:
    dates = case("german_dates.csv", "Umsatz").X["Datum"]
    assert (dates[0].day, dates[0].month) == (3, 8)
    assert dates.notna().all()


def test_thousands_and_decimals_of_a_semicolon_file_are_numbers() -> None:
    task = case("euro_semicolon.csv", "churned")
    assert task.column_kinds == {"betrag": "numeric", "age": "numeric"}
    assert task.X["betrag"][0] == 1243.56


def test_the_table_of_a_company_is_read_as_a_person_would() -> None:
    task = case("company.csv", "churned")
    assert task.column_kinds == {
        "customer_id": "identifier", "signup_date": "datetime", "revenue": "numeric", "discount": "numeric",
        "betrag": "numeric", "is_vip": "boolean", "plan": "categorical", "age": "numeric", "comment": "text",
        "mixed": "numeric", "last_login": "datetime",
    }  # fmt: skip
    np.testing.assert_array_equal(task.X["revenue"], task.X["betrag"])
    assert task.X["last_login"][0].isoformat() == "2021-12-25T12:00:00"
    assert any("column 'plan'" in note and "but only 3 if case is ignored" in note for note in task.notes)
    assert any("column 'plan': whitespace around levels" in note for note in task.notes)


@pytest.mark.parametrize(
    ("name", "target", "first"),
    [("target_currency.csv", "sales", 1243.56), ("target_percent.csv", "rate", 43.0)],
)
def test_amounts_as_targets_are_quantities(name: str, target: str, first: float) -> None:
    task = case(name, target)
    assert (task.task_type, task.y[0]) == ("regression", first)
    assert any("the target: text such as" in note for note in task.notes)
    assert case(name, target, task_type="regression").fingerprint == task.fingerprint


def test_variants_of_a_label_are_noted() -> None:
    task = case("target_variants.csv", "churned")
    assert len(task.classes) == 8
    assert any("' yes' and 'YES ' and 'Yes' and 'yes'" in note for note in task.notes)


def test_decimals_of_parquet_are_numbers() -> None:
    assert case("decimal.parquet", "churned").column_kinds["price"] == "numeric"
