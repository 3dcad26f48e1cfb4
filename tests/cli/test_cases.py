"""What commands do with small tables that once went wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl_meta.algorithms import get_algorithm
from automl_meta.cli import main
from automl_meta.cli.generated_code import script
from automl_meta.experiments import evaluate
from automl_meta.metrics import default_metric
from automl_meta.task import TabularTask

CASES = Path(__file__).parents[1] / "assets" / "cases"
TARGETS = {
    "company.csv": "churned", "decimal.parquet": "churned", "eight_rows.csv": "churned", "euro_semicolon.csv": "churned",
    "floats_de.csv": "y", "floats_us.csv": "y", "german_dates.csv": "Umsatz", "iso_dates.csv": "Umsatz",
    "one_rare.csv": "churned", "target_currency.csv": "sales", "target_percent.csv": "rate",
    "target_variants.csv": "churned", "text_dunder.csv": "y",
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert ended.value.code == 0, err
    return out


def scores_of(code: str, folder: Path) -> list[float]:
    """Run a script by itself; nothing but its own line may be printed."""
    (folder / "script.py").write_text(code + "\nprint(list(map(float, scores)))\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "default", "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout.splitlines()[-1].replace("nan", "NaN"))


@pytest.mark.parametrize("name", TARGETS)
def test_the_script_scores_as_the_tool(name: str, tmp_path: Path) -> None:
    task = TabularTask.from_file(CASES / name, TARGETS[name])
    metric = default_metric(task.task_type)
    configuration = get_algorithm("decision_tree", task.task_type).default_configuration
    found = scores_of(script(task, str(CASES / name), configuration, metric), tmp_path)
    expected = evaluate(configuration, task).fold_scores[metric.name]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.shared
@pytest.mark.slow
def test_scripts_of_real_tables_score_as_the_tool(shared_data: Path, tmp_path: Path) -> None:
    index = pd.read_csv(shared_data / "tabular" / "index.csv")
    for row in index[index["n_rows"] <= 6000].sample(20, random_state=0).itertuples():
        file = str(shared_data / "tabular" / row.file)
        task = TabularTask.from_file(file, row.target)
        metric = default_metric(task.task_type)
        configuration = get_algorithm("decision_tree", task.task_type).default_configuration
        found = scores_of(script(task, file, configuration, metric), tmp_path)
        expected = evaluate(configuration, task).fold_scores[metric.name]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=row.name)


def test_the_same_data_in_two_writings_get_the_same_advice(capsys: pytest.CaptureFixture[str]) -> None:
    answers = [
        json.loads(run(capsys, "recommend", CASES / name, "--target", "Umsatz", "--json"))
        for name in ("german_dates.csv", "iso_dates.csv")
    ]
    assert answers[0]["recommendations"] == answers[1]["recommendations"]
    assert answers[0]["task"]["columns"]["Datum"]["date_format"] == "%d.%m.%Y"


def test_a_header_gives_a_header(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = tmp_path / "model.skops"
    run(
        capsys, "tune", CASES / "company.csv", "--target", "churned", "--trials", 1, "--algorithms", "decision_tree",
        "--out", model, "--store", f"sqlite:///{tmp_path / 'store.db'}",
    )  # fmt: skip
    assert run(capsys, "predict", model, CASES / "company_header_only.csv") == "churned\n"
    assert run(capsys, "predict", model, CASES / "company_header_only.csv", "--proba") == "no,yes\n"


def test_a_column_of_text_may_be_named_as_it_likes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, store = CASES / "text_dunder.csv", f"sqlite:///{tmp_path / 'store.db'}"
    common = ("--target", "y", "--store", store)
    model = tmp_path / "model.skops"
    run(
        capsys,
        "tune",
        file,
        *common,
        "--trials",
        2,
        "--algorithms",
        "logistic_regression,extra_trees",
        "--out",
        model,
    )
    assert len(run(capsys, "predict", model, file).splitlines()) == 121
    collected = run(
        capsys,
        "collect",
        file,
        *common,
        "--only",
        "lda,decision_tree",
        "--samples",
        0,
        "--no-shipped",
        "--json",
    )
    assert json.loads(collected)["failed_now"] == 0


def test_what_was_understood_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    file, target = CASES / "company.csv", ("--target", "churned")
    columns = json.loads(run(capsys, "describe", file, *target, "--groups", "simple", "--json"))["task"][
        "columns"
    ]
    assert columns["mixed"] | {"notes": []} == {
        "kind": "numeric", "missing": pytest.approx(73 / 600 + 28 / 600), "distinct": 20, "unfit": 0, "dropped": "",
        "number_format": {"decimal": ".", "units": [""]}, "date_format": None, "notes": [],
    } or columns["mixed"]["kind"] == "numeric"  # fmt: skip
    assert columns["customer_id"]["dropped"] == "every row has a distinct value"
    assert columns["betrag"]["number_format"]["decimal"] == ","
    shown = run(capsys, "describe", file, *target, "--groups", "simple")
    assert "customer_id" in shown
    assert "left out: every row has" in shown


def test_the_user_may_overrule(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    rows = [f"{1000 + i % 9}:03/{1 + i % 12:02d}/2022:1,{i % 9}23:{'xz'[i % 2]}" for i in range(40)]
    file.write_text("\n".join(["zip:day:amount:y", *rows]))
    said = ("--sep", ":", "--date-format", "%d/%m/%Y", "--decimal", ",", "--columns", "zip:categorical")
    for command in ("describe", "recommend"):
        about = json.loads(run(capsys, command, file, "--target", "y", *said, "--json"))["task"]["columns"]
        assert (about["zip"]["kind"], about["day"]["date_format"]) == ("categorical", "%d/%m/%Y")
        assert about["amount"]["number_format"] == {"decimal": ",", "units": [""]}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("--columns", "plan"), "it must be NAME:KIND"),
        (("--columns", "nothing:numeric"), "There is no feature 'nothing'"),
        (("--columns", "plan:numeric"), "contains no number"),
        (("--decimal", "x"), "it must be '.' or ','"),
        (("--date-format", "day"), "such as '%d.%m.%Y'"),
        (("--sep", "ab"), "must be one character"),
    ],
)
def test_a_wrong_overrule_is_one_line(
    said: tuple[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["describe", str(CASES / "company.csv"), "--target", "churned", *said])
    _, err = capsys.readouterr()
    assert ended.value.code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
