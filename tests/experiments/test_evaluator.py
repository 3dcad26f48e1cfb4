import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from automl_meta.exceptions import UsageError
from automl_meta.experiments import Evaluator, Limits, evaluate
from automl_meta.records import Configuration
from automl_meta.task import TabularTask

HERE = Path(__file__).parent
TASK = TabularTask.bundled("iris")
KNN = Configuration("knn")


@pytest.fixture(autouse=True)
def _workers_find_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.syspath_prepend(str(HERE))


def failing(how: str):
    from algorithms_that_fail import failing as made

    return made(how)


@pytest.mark.parametrize(
    ("how", "limits", "status", "reason"),
    [
        ("hang", Limits(), "timeout", "ended at its limit of 0.3 s"),
        ("eat", Limits(seconds=60, memory=200 << 20), "memout", "ended at its limit of 200 MiB"),
        ("die", Limits(), "crash", "the process was ended by SIGSEGV"),
        ("exit", Limits(), "crash", "the process ended with exit code 7"),
        ("memory_error", Limits(), "memout", "MemoryError"),
        ("talk", Limits(), "ok", ""),
    ],
)
def test_how_it_ends_is_a_result_and_the_next_evaluation_is_well(
    how: str, limits: Limits, status: str, reason: str
) -> None:
    with Evaluator(limits) as evaluator:
        seconds = 0.3 if how == "hang" else None  # the others may take their time on a busy machine
        run = evaluator.evaluate(Configuration("failing"), TASK, algorithm=failing(how), seconds=seconds)
        assert (run.status, run.reason.rstrip(": ")) == (status, reason)
        assert run.run_id == evaluate(Configuration("failing"), TASK, algorithm=failing("talk")).run_id
        assert evaluator.evaluate(KNN, TASK).status == "ok"


def test_it_scores_as_in_this_process() -> None:
    with Evaluator() as evaluator:
        run = evaluator.evaluate(KNN, TASK)
    here = evaluate(KNN, TASK)
    assert run.scores == here.scores
    assert run.configuration == here.configuration
    assert run.peak_memory >= 0


def test_one_process_serves_many_tasks() -> None:
    other = TabularTask.bundled("wine")
    with Evaluator() as evaluator:
        ids = [evaluator.evaluate(KNN, task).dataset_id for task in (TASK, other, TASK, TASK)]
    assert ids == [TASK.fingerprint, other.fingerprint, TASK.fingerprint, TASK.fingerprint]


def test_closing_leaves_no_process() -> None:
    before = {child.pid for child in psutil.Process().children()}
    with Evaluator() as evaluator:
        evaluator.evaluate(KNN, TASK)
        assert {child.pid for child in psutil.Process().children()} > before
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from algorithms_that_fail import failing\n"
        "from automl_meta.experiments import Evaluator, Limits\n"
        "from automl_meta.records import Configuration\n"
        "from automl_meta.task import TabularTask\n"
        "evaluator = Evaluator(Limits(seconds=300))\n"
        "evaluator.evaluate(Configuration('knn'), TabularTask.bundled('iris'))\n"
        "print(evaluator._process.pid, flush=True)\n"
        "evaluator.evaluate(Configuration('failing'), TabularTask.bundled('iris'), algorithm=failing('hang'))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(HERE)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    psutil.wait_procs([worker], timeout=30)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_a_shorter_limit_can_be_given_for_one_evaluation() -> None:
    with Evaluator(Limits(seconds=600)) as evaluator:
        run = evaluator.evaluate(Configuration("failing"), TASK, algorithm=failing("hang"), seconds=0.2)
    assert run.status == "timeout"


@pytest.mark.parametrize("limits", [{"seconds": 0}, {"memory": -1}])
def test_a_limit_of_nothing_is_refused(limits: dict) -> None:
    with pytest.raises(UsageError, match="more than 0"):
        Limits(**limits)
