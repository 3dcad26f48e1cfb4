"""Studies that others wrote, or that were damaged: one line, or the right answer."""

import base64
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import optuna
import pytest
from damage import damaged
from fuzzing import Child, fuzz
from importers import damaged_studies
from importers.damaged_studies import array_text

from automl_meta.automl.study_storage import open_storage, predictions_of
from automl_meta.exceptions import UsageError
from automl_meta.importers import import_study
from automl_meta.store import MetadataStore
from automl_meta.tuning.history import as_history

SEEDS = range(40)


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child(seconds=60.0) as process:
        yield process


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("study.db", damaged),
        ("study.journal", damaged),
        ("study.journal", damaged_studies.changed_records),
    ],
    ids=["database", "journal", "records"],
)
def test_a_damaged_study_gives_one_line_or_what_it_holds(
    child: Child, tmp_path: Path, name: str, damage: Callable
) -> None:
    intact = damaged_studies.make(tmp_path / name)
    (tmp_path / "damaged").mkdir()
    tally = fuzz(child, damaged_studies.import_all, intact, tmp_path / "damaged", SEEDS, damage)
    assert tally.bad == [], tally.line


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("run", "fast"),
        ("run", {"seconds": "long", "scores": [1]}),
        ("run", {"seconds": -5, "fit_seconds": float("inf"), "scores": {"accuracy": 7, "evil": 1}}),
        ("run", {"scores": {"f1_macro": None, "accuracy": "good"}}),
        ("status", {"a": 1}),
    ],
)
def test_odd_attributes_of_trials_are_left_aside(tmp_path: Path, attribute: str, value: object) -> None:
    study = optuna.load_study(
        study_name="m", storage=open_storage(damaged_studies.make(tmp_path / "s.journal"))
    )
    study.enqueue_trial({"algorithm": "lda"})
    trial = study.ask({"algorithm": optuna.distributions.CategoricalDistribution(["knn", "lda"])})
    trial.set_user_attr(attribute, value)
    study.tell(trial, 0.75)
    with MetadataStore("sqlite://", seed=False) as store:
        store.add_dataset(damaged_studies.RECORD)
        import_study(store, study)
        assert store.check() == []
        assert 0.75 in [run.scores.get("accuracy") for run in store.runs()]


@pytest.mark.parametrize("about", ["mine", {"dataset": ["mine"]}, {"dataset": "\ud800", "metric": 3}, 7])
def test_odd_attributes_of_a_study_are_one_line(about: object) -> None:
    study = optuna.create_study(direction="maximize")
    study.set_user_attr("automl_meta", about)
    with (
        MetadataStore("sqlite://", seed=False) as store,
        pytest.raises(UsageError, match="does not name its data set"),
    ):
        import_study(store, study)


def test_a_storage_that_is_not_there_is_not_made(tmp_path: Path, postgres_url: str) -> None:
    MetadataStore(tmp_path / "store.db", seed=False).close()
    names = [
        str(tmp_path / "typo.db"),
        f"sqlite:///{tmp_path}/typo.db",
        str(tmp_path / "store.db"),
        postgres_url,
    ]
    for read in (lambda name: open_storage(name, create=False), as_history):
        for name in names:
            with pytest.raises(UsageError, match="There are no studies at"):
                read(name)
    with pytest.raises(UsageError, match="There are no studies at"):
        open_storage(tmp_path / "typo.journal", create=False)
    assert not list(tmp_path.glob("typo*"))


@pytest.mark.parametrize("name", ["a?b.db", "50%41.db", "{0}.db", "a#b.db", "sp ace.db"])
def test_a_storage_is_the_file_of_its_name(tmp_path: Path, name: str) -> None:
    optuna.create_study(study_name="s", storage=open_storage(tmp_path / name))
    assert (tmp_path / name).is_file()
    assert {path.name for path in tmp_path.iterdir()} <= {name, f"{name}.turn"}


def kept(text: object) -> dict:
    return predictions_of(SimpleNamespace(system_attrs={"automl_meta:predictions": text}))


def test_predictions_come_back() -> None:
    probabilities = np.array([[0.25, 0.75], [1.0, 0.0]], dtype=np.float16)
    assert kept(array_text(probabilities))["predict_proba"].tolist() == probabilities.tolist()
    assert kept(array_text(np.array([3, 1], dtype=np.int32)))["predict"].tolist() == [3, 1]


def header_of(shape: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 2), dtype=np.float16))
    return buffer.getvalue().replace(b"(2, 2), }" + b" " * (len(shape) - 6), f"{shape}, }}".encode())


@pytest.mark.parametrize(
    "text",
    [
        7,
        "no base64!",
        base64.b64encode(b"not packed").decode(),
        base64.b64encode(zlib.compress(b"no array")).decode(),
        base64.b64encode(zlib.compress(bytes(400 << 20), 1)).decode()[: 1 << 20],
        base64.b64encode(zlib.compress(header_of("(999999999, 99)"))).decode(),
        array_text(np.array(["text"])),
        array_text(np.full((2, 2), np.nan, dtype=np.float16)),
        array_text(np.zeros((2, 2, 2), dtype=np.float16)),
        array_text(np.zeros((0, 2), dtype=np.float16)),
    ],
    ids=["number", "base64", "zlib", "array", "bomb", "header", "strings", "nan", "cube", "empty"],
)
def test_what_are_no_predictions_are_none(text: object) -> None:
    assert kept(text) == {}
