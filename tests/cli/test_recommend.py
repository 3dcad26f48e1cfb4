import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl_meta.algorithms import algorithms_for


def table(path: Path, n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "a": signal + rng.normal(size=n),
            "c": rng.choice(["red", "green", None], n),
            "town": [f"town {i}" for i in rng.integers(0, 50, n)],
            "flag": rng.choice([True, False], n),
            "day": pd.date_range("2020-01-01", periods=n, freq="17D").astype(str),
            "price": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(size=n)),
            "y": np.where(signal > 0.6, "high", np.where(signal < -0.3, "low", "mid")),
            "z": 3 * signal + rng.normal(size=n),
        }
    )
    frame.to_csv(path, index=False, sep=";")
    return frame


def test_json_has_the_promised_form(run) -> None:
    content = run("recommend", "sklearn:wine", "--json", "--top", "4").json
    assert content["metric"] == "balanced_accuracy"
    assert content["task"]["n_rows"] == 178
    assert content["far_from_experience"] in (True, False)
    assert [entry["rank"] for entry in content["recommendations"]] == [1, 2, 3, 4]
    for entry in content["recommendations"]:
        low, high = entry["interval"]
        assert low <= entry["expected_score"] <= high
        assert entry["expected_seconds"] > 0
        assert 0 <= entry["chance_of_best"] <= 1
        assert {"dataset", "score", "run_id"} <= set(entry["evidence"][0])
        assert isinstance(entry["configuration"], dict)


def test_evidence_names_runs_that_are_in_the_store(run) -> None:
    from automl_meta import MetadataStore

    content = run("recommend", "sklearn:diabetes", "--json").json
    with MetadataStore() as store:
        known = store.run_ids()
    assert {e["run_id"] for entry in content["recommendations"] for e in entry["evidence"]} <= known


def test_a_person_reads_what_and_why(run) -> None:
    done = run("recommend", "sklearn:iris", "--metric", "neg_log_loss")
    assert done.code == 0
    for words in ("150 rows", "neg_log_loss", "Evidence: the most similar data sets", "--code"):
        assert words in done.out


def test_advice_for_a_scorer_that_no_run_has_is_that_of_the_nearest_and_says_so(run) -> None:
    note = "No stored run was scored by f1; recommendations are ranked by f1_macro"
    done = run("recommend", "sklearn:breast_cancer", "--metric", "f1", "--positive", "malignant")
    assert done.code == 0
    assert "Expected f1_macro (greater is better)" in done.out
    assert note in " ".join(done.out.split())
    content = run("recommend", "sklearn:breast_cancer", "--metric", "f1", "--json").json
    assert content["metric"] == "f1_macro"
    assert any(note in told for told in content["notes"])
    script = run("recommend", "sklearn:breast_cancer", "--metric", "f1", "--code")
    assert "scoring='f1_macro'" in script.out
    assert note in script.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sklearn:breast_cancer", "--positive", "sick"], "the labels are 'benign' and 'malignant'"),
        (["sklearn:iris", "--positive", "setosa"], "there are 3 classes"),
        (["sklearn:diabetes", "--positive", "1"], "has no classes"),
        (["sklearn:iris", "--metric", "rand_score"], "it compares clusterings"),
        (["sklearn:diabetes", "--metric", "f1"], "it applies to classification"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(run, arguments: list[str], message: str) -> None:
    done = run("recommend", *arguments)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_only_and_exclude_are_heeded(run) -> None:
    only = run("recommend", "sklearn:iris", "--only", "knn,lda", "--json").json
    assert {entry["algorithm"] for entry in only["recommendations"]} <= {"knn", "lda"}
    names = ",".join(a.name for a in algorithms_for("classification") if a.name != "mlp")
    rest = run("recommend", "sklearn:iris", "--exclude", names, "--json").json
    assert {entry["algorithm"] for entry in rest["recommendations"]} == {"mlp"}


def test_a_time_limit_of_fits_leaves_out_what_is_slow(run) -> None:
    content = run("recommend", "sklearn:digits", "--fit-time-limit", "0.05", "--json").json
    assert all(entry["expected_seconds"] <= 0.05 for entry in content["recommendations"])


def test_errors_are_expected_in_the_unit_of_the_target(run) -> None:
    content = run("recommend", "sklearn:diabetes", "--metric", "rmse", "--json").json
    scores = [entry["expected_score"] for entry in content["recommendations"]]
    assert all(-80 < score < -30 for score in scores), "the standard deviation of the target is 77"


@pytest.mark.parametrize("target", ["y", "z"])
@pytest.mark.parametrize("algorithm", ["lightgbm", "random_forest", "rbf_svm", "linear_svm", "mlp"])
def test_the_script_runs_as_it_stands(run, tmp_path: Path, target: str, algorithm: str) -> None:
    table(tmp_path / "data.csv")
    done = run("recommend", tmp_path / "data.csv", "--target", target, "--only", algorithm, "--code")
    assert "automl_meta" not in done.out.split('"""', 2)[2]
    (tmp_path / "model.py").write_text(done.out)
    ran = subprocess.run(
        [sys.executable, "model.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "over 5 folds" in ran.stdout


@pytest.mark.parametrize("name", ["iris", "linnerud"])
def test_the_script_for_bundled_data_runs(run, tmp_path: Path, name: str) -> None:
    (tmp_path / "model.py").write_text(run("recommend", f"sklearn:{name}", "--code").out)
    ran = subprocess.run(
        [sys.executable, "model.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_the_script_reads_parquet_and_arff(run, tmp_path: Path) -> None:
    table(tmp_path / "data.csv").to_parquet(tmp_path / "data.parquet")
    (tmp_path / "data.arff").write_text(
        "@relation r\n@attribute a numeric\n@attribute k {1,2}\n@attribute y {p,q}\n@data\n"
        + "".join(f"{i * 7 % 31 + 0.5},{1 + i % 2},{'pq'[i % 3 == 0]}\n" for i in range(60))
    )
    for file in ("data.parquet", "data.arff"):
        (tmp_path / "model.py").write_text(
            run("recommend", tmp_path / file, "--target", "y", "--only", "lda", "--code").out
        )
        ran = subprocess.run(
            [sys.executable, "model.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr


def test_a_data_set_does_not_advise_itself(run, tmp_path: Path) -> None:
    store = tmp_path / "own.db"
    collected = run(
        "collect", "sklearn:iris", "sklearn:wine", "--only", "lda,knn", "--store", store, "--no-shipped"
    )
    assert collected.code == 0
    content = run("recommend", "sklearn:iris", "--store", store, "--json").json
    known = {e["dataset"] for entry in content["recommendations"] for e in entry["evidence"]}
    assert known == {"wine"}


def test_a_store_without_experience_says_what_to_do(run, tmp_path: Path) -> None:
    store = tmp_path / "own.db"
    run("collect", "sklearn:iris", "--only", "lda", "--samples", "0", "--store", store, "--no-shipped")
    done = run("recommend", "sklearn:iris", "--store", store)
    assert done.code == 1
    assert "automl-meta collect" in done.err


def test_the_time_limit_is_that_of_the_whole_command_and_what_it_meant_before_is_said(run) -> None:
    done = run("recommend", "sklearn:wine", "--time-limit", "0.001", "--json")
    assert "note: --time-limit is now seconds for the whole command; --fit-time-limit" in done.err
    assert len(done.json["recommendations"]) == 5
    assert any(text.startswith("The time limit left out ") for text in done.json["notes"])
