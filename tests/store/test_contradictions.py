"""What cannot be is refused, and what only just can is not."""

import dataclasses
import math

import pytest
from store.store_workers import configuration, dataset, failed_run, run

from automl_meta.records import Run
from automl_meta.store.contradictions import (
    of_cells,
    of_configurations,
    of_datasets,
    of_runs,
    size_problem,
)
from automl_meta.store.inserts import DATASET_COLUMNS, RUN_COLUMNS, RunRows, rows_of


@pytest.mark.parametrize(
    ("sizes", "is_possible"),
    [
        (("classification", 1, 1, 2), True),
        (("classification", 0, 1, 2), False),
        (("classification", 1, 0, 2), False),
        (("classification", 1, 1, 1), False),
        (("regression", 1, 1, 0), True),
        (("regression", 0, 1, 0), False),
        (("ranking", 1, 1, 2), False),
    ],
)
def test_the_sizes_that_a_task_can_have(sizes: tuple[str, int, int, int], is_possible: bool) -> None:
    assert (size_problem(*sizes) is None) == is_possible


def dataset_row(**changes: object) -> tuple:
    record = dataset(0, "regression", target_scale=1.0)
    return tuple({**{name: getattr(record, name) for name in DATASET_COLUMNS}, **changes}.values())


@pytest.mark.parametrize(
    ("changes", "is_possible"),
    [
        ({}, True),
        ({"target_scale": None}, True),
        ({"target_scale": math.nan}, True),
        ({"target_scale": 0.0}, True),
        ({"target_scale": -1e-9}, False),
        ({"target_scale": math.inf}, False),
        ({"dataset_id": "x" * 255}, True),
        ({"dataset_id": "x" * 256}, False),
        ({"name": None}, False),
        ({"name": 7}, False),
        ({"n_rows": 7.5}, False),
        ({"n_rows": "7"}, False),
    ],
)
def test_the_values_that_a_data_set_can_have(changes: dict[str, object], is_possible: bool) -> None:
    assert [position for position, _ in of_datasets([dataset_row(**changes)])] == ([] if is_possible else [0])


def test_the_second_of_two_data_sets_with_one_id_is_wrong() -> None:
    rows = [dataset_row(), dataset_row(dataset_id="other"), dataset_row()]
    assert [position for position, _ in of_datasets(rows)] == [2]


def test_a_configuration_is_what_its_id_says() -> None:
    known = configuration(1).configuration_id
    good = (known, "knn", '{"depth":1,"rate":0.3333333333333333,"kernel":"rbf","shrink":false,"limit":null}')
    rows = [good, (known, "knn", "{}"), (known, "knn", "no json"), (known, "knn", "[]"), (known, None, "{}")]
    assert [position for position, _ in of_configurations(rows)] == [1, 2, 3, 4]  # type: ignore[arg-type]


def problems(*runs: Run, **changes: object) -> list[tuple[int, str]]:
    """What is wrong with runs of which the last has been changed."""
    rows = rows_of(runs)
    last = dict(zip(RUN_COLUMNS, rows.runs[-1], strict=True))
    rows.runs[-1] = tuple({**last, **changes}.values())
    return list(of_runs(rows))


@pytest.mark.parametrize("cost", ["fit_seconds", "predict_seconds", "seconds", "peak_memory"])
@pytest.mark.parametrize(
    ("value", "is_possible"), [(0.0, True), (None, True), (1e9, True), (-1e-9, False), (math.inf, False)]
)
def test_what_a_run_can_cost(cost: str, value: float | None, is_possible: bool) -> None:
    found = problems(run(dataset(0), 1), run(dataset(0), 2), **{cost: value})
    assert [position for position, _ in found] == ([] if is_possible else [1])


@pytest.mark.parametrize(
    ("metric", "score", "is_possible"),
    [
        ("accuracy", 1.0, True),
        ("accuracy", 1.0 + 5e-7, True),
        ("accuracy", 1.0 + 2e-6, False),
        ("neg_log_loss", 0.0, True),
        ("neg_log_loss", 0.1, False),
        ("neg_log_loss", -1e9, True),
        ("r2", -math.inf, False),
        ("of_ones_own", 1e9, True),
        ("of_ones_own", math.inf, False),
    ],
)
def test_the_scores_that_a_run_can_have(metric: str, score: float, is_possible: bool) -> None:
    found = problems(run(dataset(0), 1), run(dataset(0), 2, scores={metric: score}))
    assert [position for position, _ in found] == ([] if is_possible else [1])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "evil"}, "'evil'"),
        ({"created_at": "2026-01-31 12:00:00"}, "time"),
        ({"protocol": "other"}, "digest"),
        ({"source": "other"}, "digest"),
        ({"dataset_id": "other"}, "digest"),
        ({"reason": None}, "reason"),
        ({"status": "crash"}, "scores"),
        ({"configuration_id": "0" * 12}, "is missing"),
    ],
)
def test_what_a_run_cannot_say_of_itself(changes: dict[str, object], said: str) -> None:
    found = problems(run(dataset(0), 1), run(dataset(0), 2), **changes)
    assert {position for position, _ in found} == {1}
    assert any(said in problem for _, problem in found)


def test_a_good_run_has_a_score_and_a_failed_one_has_none() -> None:
    good, failed = run(dataset(0), 1), failed_run(dataset(0), 2)
    assert problems(good, failed) == []
    assert len(problems(good, dataclasses.replace(good, protocol="other", scores={}))) == 1
    assert len(problems(good, dataclasses.replace(failed, scores={"accuracy": 0.5}))) == 1
    assert list(of_runs(RunRows())) == []


@pytest.mark.parametrize(
    ("values", "lowest", "wrong"),
    [
        ([0.0, 1.0, None], 0.0, []),
        ([0.0, -1e-9, 1.0], 0.0, [1]),
        ([0.0, -1e-9, 1.0], -math.inf, []),
        ([0.0, math.inf, 1.0], 0.0, [1]),
        ([0.0, 1.0, -math.inf], -math.inf, [2]),
        ([0.0, math.nan, 1.0], 0.0, []),
    ],
)
def test_the_numbers_that_are_known_of_data_sets(values: list, lowest: float, wrong: list[int]) -> None:
    found = of_cells(["a", "b", "c"], {"x": values}, {"a", "b", "c"}, lowest)
    assert [position for position, _ in found] == wrong


def test_numbers_of_an_unknown_data_set_or_of_one_twice_are_wrong() -> None:
    assert [position for position, _ in of_cells(["a", "z"], {}, {"a"}, 0.0)] == [1]
    assert [position for position, _ in of_cells(["a", "b", "a"], {}, {"a", "b"}, 0.0)] == [2]
