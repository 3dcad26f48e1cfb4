import multiprocessing
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from tuning import tuning_workers


def _together(url: str, objective: str, n_trials: int, folder: Path, with_history: bool) -> optuna.Study:
    """Four processes on one study."""
    study = optuna.create_study(study_name="shared", storage=tuning_workers.storage_at(url))
    start = folder / "start"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tuning.tuning_workers"])  # imports once, not once a process
    arguments = (url, objective, n_trials, str(start), with_history)
    processes = [context.Process(target=tuning_workers.work, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    start.touch()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    return study


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return (
        f"sqlite:///{tmp_path / 'study.db'}"
        if request.param == "sqlite"
        else f"journal:{tmp_path / 'study.log'}"
    )


@pytest.mark.parametrize(("objective", "with_history"), [("small", False), ("two_learners", True)])
def test_four_processes_on_one_storage_suggest_nothing_twice(
    tmp_path: Path, url: str, objective: str, with_history: bool
) -> None:
    study = _together(url, objective, 20, tmp_path, with_history)
    trials = study.trials
    assert len(trials) >= 20
    assert all(trial.state == TrialState.COMPLETE for trial in trials)
    assert len({tuple(sorted(trial.params.items())) for trial in trials}) == len(trials)
