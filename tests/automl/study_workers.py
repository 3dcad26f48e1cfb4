"""What other processes do with a study that they share."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from automl_meta import AutoMLClassifier, TabularTask
from automl_meta.automl.turn import Turn
from automl_meta.store import MetadataStore

TASK = TabularTask.bundled("iris")


def classifier(**changes: Any) -> AutoMLClassifier:
    chosen = {
        "algorithms": ["dummy", "decision_tree", "lda", "knn"],
        "cv": 2,
        "random_state": 0,
        "store": False,
    }
    return AutoMLClassifier(**{**chosen, **changes})


def take_part(worker: int, storage: str, store: str, n_trials: int) -> int:
    """Tune a study that others tune too; how many trials were made here."""
    made: list[str] = []
    with MetadataStore(store, seed=False) as opened:
        model = classifier(
            n_trials=n_trials,
            storage=storage,
            study_name="shared",
            store=opened,
            progress=lambda state: made.append(state.last),
        )
        with contextlib.suppress(KeyboardInterrupt):
            model.fit(TASK)
    return len(made)


def tune_until_killed(storage: str, store: str, n_before: int) -> None:
    """Be killed in the middle of the trial after `n_before`."""
    calls = 0

    def killing(estimator: Any, X: Any, y: Any) -> float:
        nonlocal calls
        calls += 1
        if calls > 2 * (1 + n_before):  # once for each of two folds; and for the dummy predictions before
            os.kill(os.getpid(), signal.SIGKILL)
        return estimator_score(estimator, X, y)

    killing.__name__ = "accuracy of ours"
    with MetadataStore(store, seed=False) as opened:
        classifier(n_trials=99, metric=killing, storage=storage, study_name="shared", store=opened).fit(TASK)


def estimator_score(estimator: Any, X: Any, y: Any) -> float:
    return float((estimator.predict(X) == y).mean())


def write_in_turn(worker: int, place: str, log: str) -> None:
    """Write two words in a row, five times; nobody comes between them who takes turns."""
    turn = Turn(Path(place), "test")
    for number in range(5):
        with turn:
            for _ in range(2):
                with open(log, "a") as stream:
                    stream.write(f"{worker}-{number}\n")
                time.sleep(0.001)
