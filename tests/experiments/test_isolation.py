"""Evaluations and fits mean the same whatever the user has set, and whatever lies in the current folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn

from automl_meta import AutoMLClassifier, extract_metafeatures, recommend
from automl_meta.experiments import Evaluator, Folds, InProcessEvaluator, evaluate, fit_whole
from automl_meta.records import Configuration, Protocol
from automl_meta.testing.algorithms import mixed_task

TASK = mixed_task("classification", n_rows=90)
NAMES = ("lightgbm", "knn", "logistic_regression", "hist_gradient_boosting", "mlp")
PROTOCOL = Protocol(n_folds=2)
SETTINGS = {
    "metadata routing": {"enable_metadata_routing": True},
    "pandas output": {"transform_output": "pandas"},
    "polars output": {"transform_output": "polars"},
}


@pytest.fixture(params=[*SETTINGS, "numpy raises"])
def _own_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    errors = {"all": "raise"} if request.param == "numpy raises" else {}
    with sklearn.config_context(**SETTINGS.get(request.param, {})), np.errstate(**errors):
        yield


@pytest.fixture(scope="module")
def usual() -> dict[str, dict[str, float]]:
    """Scores where nothing was set."""
    return {name: dict(evaluate(Configuration(name), TASK, PROTOCOL).scores) for name in NAMES}


@pytest.mark.usefixtures("_own_settings")
def test_evaluations_do_not_depend_on_global_settings(usual: dict[str, dict[str, float]]) -> None:
    weighted = Folds.of_protocol(TASK, PROTOCOL, np.ones(TASK.n_rows))
    for name in NAMES:
        run = evaluate(Configuration(name), TASK, PROTOCOL)
        assert (run.status, run.reason) == ("ok", ""), name
        assert run.scores == usual[name]
    assert InProcessEvaluator().out_of_fold(Configuration("lightgbm"), TASK, weighted).run.status == "ok"


@pytest.mark.usefixtures("_own_settings")
def test_fits_do_not_depend_on_global_settings() -> None:
    weighted = Folds.of_protocol(TASK, PROTOCOL, np.ones(TASK.n_rows))
    fitted = [fit_whole(Configuration(name), TASK, weighted) for name in ("lightgbm", "logistic_regression")]
    assert [(one.status, one.reason) for one in fitted] == [("ok", "")] * 2


@pytest.mark.usefixtures("_own_settings")
def test_descriptions_and_advice_do_not_depend_on_global_settings() -> None:
    found = recommend(TASK, top=2)
    described = extract_metafeatures(TASK)
    assert [reason for reason in described.reasons.values() if "failed" in reason] == []
    with (
        sklearn.config_context(transform_output="default", enable_metadata_routing=False),
        np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),
    ):
        assert found == recommend(TASK, top=2)
        pd.testing.assert_series_equal(
            pd.Series(described.values), pd.Series(extract_metafeatures(TASK).values)
        )


@pytest.mark.usefixtures("_own_settings")
def test_tuning_does_not_depend_on_global_settings() -> None:
    model = AutoMLClassifier(n_trials=6, cv=2, algorithms=["lda", "knn", "lightgbm"], random_state=0)
    model.fit(TASK.X, TASK.y, sample_weight=None)
    assert model.runs_["status"].tolist() == ["ok"] * 6


def test_workers_have_the_default_settings(usual: dict[str, dict[str, float]]) -> None:
    with sklearn.config_context(transform_output="pandas"), Evaluator() as evaluator:
        assert evaluator.evaluate(Configuration("knn"), TASK, PROTOCOL).scores == usual["knn"]


# The current folder ------------------------------------------------------------------------


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    """A folder with files that are named like modules."""
    for name in ("queue", "lightgbm", "pandas", "random", "struct", "joblib", "automl_meta", "sklearn"):
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('{name}.py of the current folder')\n")
    TASK.X.assign(target=TASK.y.to_numpy()).to_csv(tmp_path / "data.csv", index=False)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["tune", "--trials", "2", "--trial-time-limit", "60", "--algorithms", "lightgbm", "--cv", "2", "--jobs", "2"],
        ["collect", "--only", "lightgbm", "--samples", "1", "--folds", "2"],
        ["collect", "--only", "lightgbm", "--samples", "1", "--folds", "2", "--jobs", "2", "--backend", "loky"],
    ],
    ids=["tune", "collect", "collect with loky"],
)  # fmt: skip
def test_files_named_like_modules_break_no_worker(hostile_folder: Path, command: list[str]) -> None:
    program = [sys.executable, "-P", "-m", "automl_meta.cli"]  # as the installed script, without the folder
    options = ["data.csv", "--target", "target", "--store", "store.db", "--json"]
    done = subprocess.run(
        [*program, *command, *options], cwd=hostile_folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "RuntimeError" not in done.stderr
    assert '"failed_now": 0' in done.stdout or '"status": "ok"' in done.stdout


def test_modules_of_the_current_folder_are_found_last(tmp_path: Path) -> None:
    """Who starts Python in a folder keeps algorithms of their own there, beside files named like modules."""
    (tmp_path / "own_algorithms.py").write_text(
        (Path(__file__).parent / "algorithms_that_fail.py").read_text()
    )
    program = (
        "import queue, lightgbm, joblib\n"  # before the folder counts, as an interactive session has them
        "from automl_meta.experiments import Evaluator\n"
        "from automl_meta.records import Configuration\n"
        "from automl_meta.task import TabularTask\n"
        "import sys; sys.path.insert(0, '')\n"
        "from own_algorithms import failing\n"
        "with Evaluator() as evaluator:\n"
        "    print(evaluator.evaluate(\n"
        "        Configuration('failing'), TabularTask.bundled('iris'), algorithm=failing('talk')).status)\n"
    )
    for name in ("queue", "lightgbm", "pandas"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError\n")
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["ok"]), done.stderr


def test_a_worker_is_of_the_same_package_wherever_it_was_imported_from(tmp_path: Path) -> None:
    import automl_meta

    (tmp_path / "automl_meta").symlink_to(Path(automl_meta.__file__).parent)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from automl_meta.experiments import Evaluator\n"
        "evaluator = Evaluator(); evaluator.wait()\n"
        "import psutil; print([p.cmdline() for p in psutil.Process().children()]); evaluator.close()\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert str(tmp_path / "automl_meta") in done.stdout, done.stderr
