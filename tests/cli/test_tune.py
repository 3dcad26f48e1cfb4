import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

from automl_meta.automl.model import TabularModel
from automl_meta.store import MetadataStore

QUICK = ["--algorithms", "dummy,decision_tree,lda", "--cv", "3", "--seed", "0"]


@pytest.fixture
def iris_file(tmp_path: Path) -> Path:
    X, y = load_iris(return_X_y=True, as_frame=True)
    file = tmp_path / "iris.csv"
    X.assign(kind=np.array(["a", "b", "c"])[y]).to_csv(file, index=False)
    return file


def test_a_file_becomes_a_model_that_predicts(run, iris_file: Path, tmp_path: Path) -> None:
    model, new, out = tmp_path / "m.skops", tmp_path / "new.csv", tmp_path / "out.csv"
    done = run("tune", iris_file, "--target", "kind", "--trials", 4, "--out", model, *QUICK)
    assert (done.code, done.err) == (0, "")
    assert "in cross-validation" in done.out
    pd.read_csv(iris_file).drop(columns="kind").iloc[:3, ::-1].assign(further=1).to_csv(new, index=False)
    assert run("predict", model, new).out.split() == ["kind", "a", "a", "a"]
    assert run("predict", model, new, "--proba", "--out", out).code == 0
    probabilities = pd.read_csv(out)
    assert list(probabilities.columns) == ["a", "b", "c"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


def test_json_is_one_object_with_every_trial(run, iris_file: Path) -> None:
    found = run("tune", iris_file, "--target", "kind", "--trials", 3, "--json", *QUICK).json
    assert [trial["trial"] for trial in found["trials"]] == [0, 1, 2]
    assert found["best"]["algorithm"] in ("dummy", "decision_tree", "lda")
    assert found["metric"] == "balanced_accuracy"
    assert found["model"] is None


def test_a_study_is_plain_and_resumed(run, iris_file: Path, tmp_path: Path) -> None:
    storage = tmp_path / "study.db"
    base = ["tune", iris_file, "--target", "kind", "--storage", storage, "--study", "s", *QUICK]
    assert run(*base, "--resume", "--trials", 2).code == 2
    assert run(*base, "--trials", 2).code == 0
    assert run(*base, "--resume", "--trials", 5).code == 0
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{storage}")
    assert len(study.trials) == 5
    assert study.trials[0].user_attrs["automl_meta:origin"] == "default"
    assert all("algorithm" in trial.params for trial in study.trials)


def test_a_regression_with_groups_is_tuned(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    file = tmp_path / "r.csv"
    pd.DataFrame({"x": x, "who": np.arange(80) // 4, "y": 3 * x + rng.normal(size=80)}).to_csv(
        file, index=False
    )
    done = run(
        "tune", file, "--target", "y", "--groups", "who", "--trials", 2, "--algorithms", "ridge,dummy", "--json"
    )  # fmt: skip
    assert done.json["metric"] == "r2"
    assert done.json["best"]["algorithm"] == "ridge"


def test_a_positive_label_is_named_by_its_text(run, tmp_path: Path) -> None:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    file = tmp_path / "cancer.csv"
    X.iloc[:, :5].assign(sick=1 - y).to_csv(file, index=False)
    command = ["tune", file, "--target", "sick", "--trials", 2, "--json", "--metric", "recall", *QUICK]
    sick, healthy = (run(*command, "--positive", label).json for label in ("1", "0"))
    assert sick["metric"] == healthy["metric"] == "recall"
    assert sick["best_score"] < healthy["best_score"]
    assert run(*command).json["best_score"] == sick["best_score"], "1 is what scikit-learn takes"


def test_the_nearest_metric_advises_and_the_report_says_so(run) -> None:
    done = run(
        "tune", "sklearn:breast_cancer", "--metric", "f1", "--positive", "malignant", "--trials", 2, *QUICK
    )
    assert done.code == 0
    assert "f1 0." in done.out
    assert "note: No stored run was scored by f1; recommendations are ranked by f1_macro" in " ".join(
        done.out.split()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sklearn:breast_cancer", "--metric", "average_precision"], "--positive malignant"),
        (["sklearn:breast_cancer", "--positive", "sick"], "the labels are 'benign' and 'malignant'"),
        (["sklearn:iris", "--metric", "f1"], "f1 is for two classes"),
        (["sklearn:iris", "--metric", "f1", "--positive", "setosa"], "there are 3 classes"),
        (["sklearn:diabetes", "--positive", "1"], "a regression has no classes"),
        (["sklearn:iris", "--metric", "v_measure_score"], "it compares clusterings"),
        (["nosuch.csv", "--target", "y"], "There is no file nosuch.csv"),
        (["sklearn:iris", "--trials", "0"], "n_trials is 0"),
        (["sklearn:iris", "--time-limit", "-1"], "time_limit is -1"),
        (["sklearn:iris", "--metric", "acuracy"], "There is no metric 'acuracy'"),
        (["sklearn:iris", "--algorithms", "xgboost"], "There is no algorithm 'xgboost'"),
        (["sklearn:iris", "--cv", "1"], "cv is 1"),
        (["sklearn:iris", "--jobs", "0"], "n_jobs is 0"),
        (["sklearn:iris", "--study", "s"], "need --storage"),
        (["sklearn:iris", "--storage", "x.db", "--resume"], "--study NAME"),
        (["sklearn:iris", "--out", "/no/such/folder/m.skops"], "cannot be written"),
        (["sklearn:iris", "--groups", "g"], "--groups is a column of a file"),
        (["sklearn:iris", "--trials", "2", "--storage", "nosuch://x"], "cannot be opened"),
        (["sklearn:iris", "--trials", "2", "--storage", "/no/such/x.db"], "its folder does not exist"),
        (["sklearn:iris", "--trials", "2", "--storage", "/no/such/x.journal"], "its folder does not exist"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run, arguments: list[str], message: str) -> None:
    done = run("tune", *arguments)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_place_that_fills_up_meanwhile_costs_no_model(
    run, iris_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, known = tmp_path / "m.skops", TabularModel.save

    def save(model: TabularModel, file: Path) -> None:
        if file == out:
            raise OSError(errno.ENOSPC, "No space left on device")
        known(model, file)

    monkeypatch.setattr(TabularModel, "save", save)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = run("tune", iris_file, "--target", "kind", "--trials", 2, "--out", out, *QUICK)
    [spare] = tmp_path.glob("automl-meta-*/m.skops")
    assert done.code == 1
    assert f"No space left on device. The model was saved to {spare}." in done.err
    assert TabularModel.load(spare).target == "kind"


@pytest.mark.parametrize("kind", ["pipe", "loop"])
def test_an_output_that_is_no_file_is_refused_and_stays(run, tmp_path: Path, kind: str) -> None:
    out = tmp_path / kind
    os.mkfifo(out) if kind == "pipe" else out.symlink_to(kind)
    before = out.lstat()
    done = run("tune", "sklearn:iris", "--trials", 2, "--out", out)
    assert (done.code, "it is not a regular file" in done.err) == (2, True)
    after = out.lstat()  # following a link may change when it was read
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        before.st_mtime_ns,
    )


INTERRUPTING = """
import os, signal, sys
import automl_meta.automl
class Interrupting(automl_meta.automl.AutoMLClassifier):
    def fit(self, *data, **more):
        shown, done = self.progress, []
        def progress(state):
            shown(state)
            if state.n_trials >= 3 and not done:  # two that end at once are counted together
                done.append(1)
                os.killpg(0, signal.SIGINT)  # as a terminal sends it: to the whole process group
        self.progress = progress
        return super().fit(*data, **more)
automl_meta.automl.AutoMLClassifier = Interrupting
from automl_meta.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "where", [(), ("--trial-time-limit", "60"), ("--jobs", "2")], ids=["in this process", "worker", "workers"]
)
def test_ctrl_c_keeps_the_best_and_the_study(iris_file: Path, tmp_path: Path, where: tuple[str, ...]) -> None:
    """Interrupted as soon as three trials have ended."""
    model, storage = tmp_path / "m.skops", tmp_path / "s.journal"
    files = ["--out", str(model), "--storage", str(storage), "--study", "s"]
    what = ["tune", str(iris_file), "--target", "kind", "--trials", "500"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTING, *what, *files, "--json", *QUICK, *where],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["interrupted"]
    assert model.exists()
    backend = optuna.storages.journal.JournalFileBackend(str(storage))
    study = optuna.load_study(study_name="s", storage=optuna.storages.JournalStorage(backend))
    assert sum(trial.state.is_finished() for trial in study.trials) == len(study.trials)
    assert 3 <= len(study.trials) <= 6


def test_ctrl_c_ends_the_wait_for_a_locked_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    MetadataStore(path, seed=False).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    command = [sys.executable, "-m", "automl_meta.cli", "tune", "sklearn:iris", "--store", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "is locked or does not answer" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    other.close()
    assert (process.returncode, out, err) == (130, "", "automl-meta: Interrupted.\n")
