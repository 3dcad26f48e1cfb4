import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_diabetes, load_iris

from automl_meta import AutoMLClassifier, AutoMLRegressor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("model") / "m.skops"
    chosen = AutoMLRegressor(n_trials=1, algorithms=["ridge"], cv=2, store=False, random_state=0)
    chosen.fit(*load_diabetes(return_X_y=True, as_frame=True)).save(file)
    return file


@pytest.fixture
def new(tmp_path: Path) -> Path:
    load_diabetes(return_X_y=True, as_frame=True)[0].head(3).to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def test_numbers_are_predicted_under_the_name_of_the_target(run, model: Path, new: Path) -> None:
    lines = run("predict", model, new).out.split()
    assert lines[0] == "target"
    assert all(50 < float(line) < 350 for line in lines[1:])


def test_predictions_and_probabilities_as_json(run, model: Path, new: Path, tmp_path: Path) -> None:
    numbers = [float(line) for line in run("predict", model, new).out.split()[1:]]
    content = run("predict", model, new, "--json", "--out", tmp_path / "p.csv").json
    assert content == {"target": "target", "out": str(tmp_path / "p.csv"), "predictions": numbers}
    assert (tmp_path / "p.csv").exists()
    X, y = load_iris(return_X_y=True, as_frame=True)
    chosen = AutoMLClassifier(n_trials=1, algorithms=["lda"], cv=2, store=False, random_state=0).fit(X, y)
    chosen.save(tmp_path / "c.skops")
    X.head(2).to_csv(tmp_path / "iris.csv", index=False)
    content = run("predict", tmp_path / "c.skops", tmp_path / "iris.csv", "--proba", "--json").json
    assert content["labels"] == [0, 1, 2]
    assert [row[0] for row in content["probabilities"]] == pytest.approx([1, 1], abs=1e-3)


def test_probabilities_of_a_regression_are_refused(run, model: Path, new: Path) -> None:
    done = run("predict", model, new, "--proba")
    assert (done.code, "no probabilities" in done.err) == (2, True)


def test_missing_columns_are_named(run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("age,sex\n1,2\n")
    done = run("predict", model, tmp_path / "bad.csv")
    assert (done.code, "lacks columns" in done.err and "'bmi'" in done.err) == (2, True)


def test_a_file_that_is_no_model_is_refused(run, new: Path) -> None:
    done = run("predict", new, new)
    assert (done.code, "is not a model" in done.err) == (2, True)
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["no-such-folder/out.csv", f"{'x' * 300}.csv", "."])
def test_an_output_that_cannot_be_written_is_one_line(
    run, model: Path, new: Path, tmp_path: Path, name: str
) -> None:
    done = run("predict", model, new, "--out", tmp_path / name)
    assert (done.code, "cannot be written" in done.err) == (2, True)
    assert len(done.err.strip().splitlines()) == 1


_LITTLE_SPACE = """
import resource, sys
from automl_meta.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
main(sys.argv[1:])
"""


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_disk_that_gets_full_leaves_the_earlier_file_whole(model: Path, tmp_path: Path, name: str) -> None:
    load_diabetes(return_X_y=True, as_frame=True)[0].to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / name).write_bytes(b"earlier")
    command = [
        sys.executable,
        "-c",
        _LITTLE_SPACE,
        "predict",
        model,
        tmp_path / "new.csv",
        "--out",
        tmp_path / name,
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert (done.returncode, "The disk is full" in done.stderr) == (1, True)
    assert len(done.stderr.strip().splitlines()) == 1
    assert (tmp_path / name).read_bytes() == b"earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["new.csv", name])
