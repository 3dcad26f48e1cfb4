"""What is done with studies that were damaged, in a process that may die of it."""

import base64
import io
import json
import zlib
from pathlib import Path

import numpy as np
import optuna
from damage import damaged_json
from optuna.storages.journal import JournalFileBackend

from automl_meta._utils.optuna_studies import readable, trials_of
from automl_meta.automl.study_storage import open_storage, predictions_of, storage_names
from automl_meta.importers import import_study
from automl_meta.records import DatasetRecord
from automl_meta.store import MetadataStore
from automl_meta.tuning.history import as_history

__all__ = ["array_text", "changed_records", "import_all", "make"]

RECORD = DatasetRecord("mine", "Mine", "classification", 30, 4, 2)


def array_text(array: np.ndarray) -> str:
    """An array as trials keep their predictions."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return base64.b64encode(zlib.compress(buffer.getvalue())).decode()


def make(path: Path) -> Path:
    """A study as `tune` leaves it: a journal or a database, by the name of the file."""
    is_journal = path.suffix == ".journal"
    storage = (
        open_storage(path)
        if not is_journal
        else optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    )
    study = optuna.create_study(study_name="m", storage=storage, direction="maximize")
    about = {"dataset": "mine", "metric": "accuracy", "folds": "cv5", "seed": 0, "algorithms": ["knn", "lda"]}
    study.set_user_attr("automl_meta", about)
    for number in range(5):
        study.enqueue_trial({"algorithm": "knn", "knn.n_neighbors": number + 1})
        trial = study.ask(
            {
                "algorithm": optuna.distributions.CategoricalDistribution(["knn", "lda"]),
                "knn.n_neighbors": optuna.distributions.IntDistribution(1, 50, log=True),
            }
        )
        measured = {"scores": {"accuracy": 0.5, "f1_macro": 0.4}, "seconds": 1.5, "fit_seconds": 0.1}
        trial.set_user_attr("run", measured)
        text = array_text(np.full((30, 2), 0.5, dtype=np.float16))
        study._storage.set_trial_system_attr(trial._trial_id, "automl_meta:predictions", text)
        if number == 4:
            trial.set_user_attr("status", "timeout")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, 0.5 + number / 10)
    return path


def changed_records(content: bytes, rng: np.random.Generator) -> bytes:
    """A journal in which one record says something else."""
    lines = content.split(b"\n")
    place = int(rng.integers(len(lines) - 1))
    lines[place] = json.dumps(damaged_json(json.loads(lines[place]), rng)).encode()
    return b"\n".join(lines)


def import_all(path: Path) -> str:
    """Read whatever studies there are, in all ways, and see that the store stays without a fault."""
    storage = open_storage(path, create=False)
    history = as_history(storage)
    for task in history.tasks:
        assert np.isfinite(task.values).any()
    with MetadataStore("sqlite://", seed=False) as store:
        store.add_dataset(RECORD)
        found = []
        with readable("The storage"):
            names = sorted(storage_names(storage))
        for name in names:
            with readable("The study"):
                study = optuna.load_study(study_name=name, storage=storage)
            found.append(import_study(store, study))
            for trial in trials_of(study):
                predictions_of(trial)
        assert store.check() == []
    return repr(found)
