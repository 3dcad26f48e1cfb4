from pathlib import Path

import optuna
from hostile_names import HOSTILE_NAMES

from automl_meta._utils.printable import printable


def test_studies_that_tune_made_are_imported_once(run, tmp_path: Path) -> None:
    storage, store = tmp_path / "study.db", tmp_path / "other.db"
    options = ["--algorithms", "dummy,lda", "--cv", "2", "--seed", "0", "--trials", "2"]
    tuned = run(
        "tune", "sklearn:iris", *options, "--storage", storage, "--study", "s", "--store", tmp_path / "a.db"
    )
    assert tuned.code == 0
    known = run("store", "import", "optuna", storage, "--data", "sklearn:iris", "--store", store)
    assert (known.code, known.out.strip()) == (0, "s: 2 new runs, 0 known")
    again = run("store", "import", "optuna", storage, "--store", store, "--json").json
    assert again == [{"study": "s", "n_new": 0, "n_known": 2, "skipped": {}}]


def test_what_was_left_out_is_told(run, tmp_path: Path) -> None:
    study = optuna.create_study(
        study_name="mine", storage=f"sqlite:///{tmp_path / 's.db'}", direction="maximize"
    )
    study.optimize(lambda trial: trial.suggest_float("eta", 0, 1), n_trials=2)
    done = run(
        "store", "import", "optuna", tmp_path / "s.db", "--data", "sklearn:iris", "--metric", "accuracy"
    )
    assert "mine: 0 new runs, 0 known" in done.out
    assert "2 left out: no parameter 'algorithm'" in done.out


def test_bad_input_is_one_line_and_exit_code_2(run, tmp_path: Path) -> None:
    for arguments in (["optuna"], ["mlflow", "x"], ["optuna", tmp_path / "s.db", "--study", "none"]):
        done = run("store", "import", *arguments)
        assert done.code == 2
        assert len(done.err.strip().splitlines()) == 1


def test_studies_of_any_name_are_imported(run, tmp_path: Path) -> None:
    journal = tmp_path / "{0} [x].journal"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    names = HOSTILE_NAMES[::8]
    for name in names:
        optuna.create_study(study_name=name, storage=storage, direction="maximize")
    options = [journal, "--data", "sklearn:iris", "--metric", "accuracy", "--store", tmp_path / "a.db"]
    done = run("store", "import", "optuna", *options)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [f"{printable(name)}: 0 new runs, 0 known" for name in sorted(names)]
    for name in names:
        one = run("store", "import", "optuna", *options, f"--study={name}", "--json")
        assert [found["study"] for found in one.json] == [name]
