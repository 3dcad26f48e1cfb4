"""What released versions have written is read, and means the same. `assets/README.md` says how it was made."""

import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from automl_meta.automl.model import TabularModel
from automl_meta.automl.study_storage import open_storage
from automl_meta.cli import main
from automl_meta.importers import import_study
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

ASSETS = Path(__file__).parent / "assets" / "v0_1_0"
EXPECTED = json.loads((ASSETS / "expected.json").read_text(encoding="utf-8"))
TABLE = pd.read_csv(ASSETS / "table.csv")
TUNE = ["--target", "label", "--algorithms", "dummy,lda,decision_tree", "--cv", "3", "--study", "churn"]


@pytest.fixture
def output_of(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Call a command that must succeed."""

    def call(*arguments: object) -> str:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert ended.value.code in (0, None), captured.err
        return captured.out

    return call


def copied(name: str, folder: Path) -> Path:
    return Path(shutil.copy(ASSETS / name, folder / name))


def test_a_classifier_predicts_a_frame_as_before() -> None:
    model, expected = TabularModel.load(ASSETS / "classifier.skops"), EXPECTED["frame"]
    assert model.predict(TABLE).tolist() == expected["labels"]
    assert model.labels.tolist() == list(expected["probabilities"])
    found = model.predict_proba(TABLE.drop(columns=["amount", "label"]))
    np.testing.assert_allclose(found.T, list(expected["probabilities"].values()), rtol=1e-8)


def test_a_classifier_predicts_a_file_as_before(output_of) -> None:
    command, expected = ["predict", ASSETS / "classifier.skops", ASSETS / "table.csv"], EXPECTED["file"]
    assert pd.read_csv(StringIO(output_of(*command)))["label"].tolist() == expected["labels"]
    found = pd.read_csv(StringIO(output_of(*command, "--proba")))
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected["probabilities"]), rtol=1e-8)


def test_a_regressor_predicts_as_before(output_of) -> None:
    model = TabularModel.load(ASSETS / "regressor.skops")
    np.testing.assert_allclose(model.predict(TABLE), EXPECTED["frame"]["numbers"], rtol=1e-8)
    found = pd.read_csv(StringIO(output_of("predict", ASSETS / "regressor.skops", ASSETS / "table.csv")))
    np.testing.assert_allclose(found["amount"], EXPECTED["file"]["numbers"], rtol=1e-8)


def test_a_model_predicts_one_row_as_among_others() -> None:
    model = TabularModel.load(ASSETS / "classifier.skops")
    found = np.vstack([model.predict_proba(TABLE.iloc[[row]]) for row in (0, 117, 118, 119)])
    expected = np.array(list(EXPECTED["frame"]["probabilities"].values())).T[[0, 117, 118, 119]]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_a_few_shot_learner_answers_as_before(output_of) -> None:
    pytest.importorskip("torch", reason="the extra fewshot is not installed")
    from automl_meta.fewshot import FewShotClassifier, load

    expected = json.loads((ASSETS / "expected_fewshot.json").read_text())["learner"]
    with np.load(ASSETS / "episode.npz") as episode:
        classifier = FewShotClassifier(load(ASSETS / "learner.safetensors"))
        classifier.fit(episode["support_x"], episode["support_y"])
        found = classifier.predict_proba(episode["query_x"])
        assert classifier.predict(episode["query_x"]).tolist() == expected["labels"]
    np.testing.assert_allclose(found, expected["probabilities"], rtol=1e-4, atol=1e-6)  # of single precision
    about = json.loads(output_of("fewshot", "info", ASSETS / "learner.safetensors", "--json"))
    assert (about["version"], about["learner"]["class"]) == ("0.1.0", "PrototypicalNetwork")


def test_an_interrupted_meta_training_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra fewshot is not installed")
    from automl_meta.fewshot import MAML, MLP, DigitsSource, meta_fit

    expected = json.loads((ASSETS / "expected_fewshot.json").read_text())["checkpoint"]
    torch.manual_seed(5)  # the parameters are those of the checkpoint
    learner = MAML(MLP((1, 16, 16), hidden=(8,)), n_steps=1, learning_rate=0.4)
    result = meta_fit(
        learner,
        DigitsSource(),
        valid_source=DigitsSource("test"),
        checkpoint=copied("checkpoint", tmp_path),
        n_valid_episodes=10,
        n_episodes=40,
        n_query=5,
        n_tasks=4,
        random_state=3,
        learning_rate=0.01,
        valid_every=20,
        device="cpu",
    )
    assert result.episodes == 40
    assert [row["episodes"] for row in result.history] == [row["episodes"] for row in expected["history"]]
    assert result.best_score == pytest.approx(expected["best_score"], abs=1e-3)
    for name, parameter in learner.named_parameters():
        sums = parameter.detach().double().sum(), parameter.detach().double().square().sum()
        assert [float(value) for value in sums] == pytest.approx(expected["parameters"][name], rel=1e-3), name


@pytest.mark.parametrize("name", ["study.db", "study.journal"])
def test_a_study_is_resumed(output_of, tmp_path: Path, name: str) -> None:
    options = [
        "--storage",
        copied(name, tmp_path),
        "--resume",
        "--trials",
        5,
        "--store",
        "sqlite://",
        "--json",
    ]
    found = json.loads(output_of("tune", ASSETS / "table.csv", *TUNE, *options))
    assert [trial["trial"] for trial in found["trials"]] == [0, 1, 2, 3, 4]
    assert len({trial["configuration_id"] for trial in found["trials"]}) == 5


@pytest.mark.parametrize("name", ["study.db", "study.journal"])
def test_the_runs_of_a_study_are_imported(tmp_path: Path, name: str) -> None:
    study = optuna.load_study(study_name="churn", storage=open_storage(copied(name, tmp_path)))
    task = TabularTask.from_file(ASSETS / "table.csv", "label")
    with MetadataStore("sqlite://", seed=False) as store:
        found = import_study(store, study, dataset=task)
        assert (found.n_new, found.skipped) == (4, {})
        assert import_study(store, study).n_known == 4
        assert [run.status for run in store.runs()] == ["ok"] * 4


def test_a_store_is_opened_read_and_asked(output_of, tmp_path: Path) -> None:
    path = copied("store.db", tmp_path)
    with MetadataStore(path, seed=False) as store:
        assert store.check() == []
        assert store.datasets()[["name", "n_runs"]].to_numpy().tolist() == [["wine", 7]]
        assert store.meta_dataset("accuracy", "classification").scores.shape == (1, 7)
        assert {run.protocol for run in store.runs()} == {"cv3-rows5000-seed0"}
    advice = json.loads(output_of("recommend", "sklearn:iris", "--store", path, "--top", 3, "--json"))
    assert len(advice["recommendations"]) == 3
    assert [neighbour["dataset"] for neighbour in advice["nearest"]] == ["wine"]
