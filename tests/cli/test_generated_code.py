"""Scripts of ``recommend --code``: names that users give stay literals."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hostile_names import HOSTILE_FILE_NAMES, HOSTILE_NAMES

from automl_meta.algorithms import get_algorithm
from automl_meta.cli.generated_code import script
from automl_meta.experiments import evaluate
from automl_meta.metrics import default_metric
from automl_meta.task import TabularTask

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "first": RNG.normal(size=40),  # what stands first in a file may be the mark of its encoding
        "number": RNG.normal(size=40),
        "amount": [f"{i * 7 % 40},5 €" for i in range(40)],
        "day": pd.date_range("2022-01-01", periods=40).strftime("%d.%m.%Y"),
        "level": RNG.choice(["a ", "b", "c"], 40),
        "y": RNG.choice(["p", "q"], 40),
    }
)


def code_of(file: Path, target: str) -> str:
    task = TabularTask.from_file(file, target)
    configuration = get_algorithm("decision_tree", task.task_type).default_configuration
    return script(task, str(file), configuration, default_metric(task.task_type))


def structure(code: str) -> str:
    """The syntax tree without what literals hold."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def comment_of(code: str) -> list[str]:
    return [line for line in code.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("place", ["file", "target", "columns"])
def test_a_name_is_a_literal_wherever_it_stands(tmp_path: Path, place: str) -> None:
    TABLE.to_csv(tmp_path / "plain.csv", index=False)
    expected = structure(code_of(tmp_path / "plain.csv", "y"))
    names = [
        name for name in HOSTILE_NAMES if name.strip() and "\r" not in name
    ]  # others are no names in a header
    for number, name in enumerate(HOSTILE_FILE_NAMES if place == "file" else names):
        others = {column: names[(number + i) % len(names)] for i, column in enumerate(TABLE.columns[1:-1])}
        renamed = TABLE.rename(columns={"file": {}, "target": {"y": name}, "columns": others}[place])
        file = tmp_path / (f"{name}.csv" if place == "file" else f"{number}.csv")
        renamed.to_csv(file, index=False)
        code = code_of(file, name if place == "target" else "y")
        assert structure(code) == expected, name
        assert len(comment_of(code)) == 1


def test_a_table_of_hostile_names_and_levels_scores_as_the_tool(tmp_path: Path) -> None:
    names = [name for name in HOSTILE_NAMES if name.strip() and "\r" not in name]
    levels = [name for name in names if "\n" not in name]
    columns = {
        name: RNG.choice(levels[i % 90 : i % 90 + 3], 60) if i % 3 else RNG.normal(size=60)
        for i, name in enumerate(names)
    }
    frame = pd.DataFrame(columns).assign(**{"la\"b'el": np.where(RNG.random(60) < 0.5, '"""', "'); x(")})
    frame.to_csv(tmp_path / 'it"s.csv', index=False)
    task = TabularTask.from_file(tmp_path / 'it"s.csv', "la\"b'el")
    assert_scores_as_the_tool(task, str(tmp_path / 'it"s.csv'))


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "linnerud"])
def test_a_script_on_a_bundled_table_scores_as_the_tool(name: str) -> None:
    assert_scores_as_the_tool(TabularTask.bundled(name), f"sklearn:{name}")


def assert_scores_as_the_tool(task: TabularTask, file: str) -> None:
    metric = default_metric(task.task_type)
    configuration = get_algorithm("decision_tree", task.task_type).default_configuration
    code = script(task, file, configuration, metric)
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code + "\nprint(list(map(float, scores)))"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    expected = evaluate(configuration, task).fold_scores[metric.name]
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), expected, rtol=0, atol=1e-9)
