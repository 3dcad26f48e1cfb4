import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from automl_meta.exceptions import UsageError, WorkerError
from automl_meta.experiments import Evaluator, Folds, Limits, evaluate
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

HERE = Path(__file__).parent
TASK = TabularTask.bundled("iris")
KNN = Configuration("knn")


@pytest.fixture(scope="module")
def processes_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where algorithms write whom they have started; workers find the module they are of."""
    file = tmp_path_factory.mktemp("processes") / "processes"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROCESSES_FILE", str(file))
        patch.syspath_prepend(str(HERE))
        yield file


@pytest.fixture
def started(processes_file: Path) -> Callable[[], list[psutil.Process]]:
    """The processes that algorithms have started in this test and that are still there."""
    processes_file.write_text("")

    def still_there() -> list[psutil.Process]:
        pids = map(int, processes_file.read_text().split())
        return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]

    return still_there


@pytest.fixture(scope="module")
def evaluator(processes_file: Path) -> Iterator[Evaluator]:
    """One for all tests that bring it into trouble and use it again."""
    with Evaluator() as made:
        yield made


def has_ended(process: psutil.Process) -> bool:
    """What has ended may wait for init to bury it."""
    psutil.wait_procs([process], timeout=60)
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


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
        ("stop", Limits(), "timeout", "ended at its limit of 0.3 s"),
        ("interrupt", Limits(), "ok", ""),
        ("end the parent", Limits(), "crash", "the process was ended by SIGKILL"),
        ("close all files", Limits(), "crash", "the process ended with exit code 1"),
        ("hang with children", Limits(), "timeout", "ended at its limit of 0.3 s"),
        ("leave children", Limits(), "ok", ""),
        ("return twice", Limits(), "ok", ""),
        ("share", Limits(seconds=60, memory=250 << 20), "ok", ""),
        ("child eats", Limits(seconds=60, memory=200 << 20), "memout", "ended at its limit of 200 MiB"),
    ],
)
def test_how_it_ends_is_a_result_and_the_next_evaluation_is_well(
    how: str,
    limits: Limits,
    status: str,
    reason: str,
    evaluator: Evaluator,
    started: Callable[[], list[psutil.Process]],
) -> None:
    evaluator.limits = limits
    seconds = 0.3 if status == "timeout" else None  # the others may take their time on a busy machine
    run = evaluator.evaluate(Configuration("failing"), TASK, algorithm=failing(how), seconds=seconds)
    assert (run.status, run.reason.split(";")[0].rstrip(": ")) == (status, reason)
    assert run.run_id == evaluate(Configuration("failing"), TASK, algorithm=failing("talk")).run_id
    assert evaluator.evaluate(KNN, TASK).status == "ok"
    if started():
        evaluator.close()
    assert all(map(has_ended, started()))


def test_it_scores_as_in_this_process(evaluator: Evaluator) -> None:
    run = evaluator.evaluate(KNN, TASK)
    here = evaluate(KNN, TASK)
    assert run.scores == here.scores
    assert run.configuration == here.configuration
    assert run.peak_memory >= 0


def test_one_process_serves_many_tasks(evaluator: Evaluator) -> None:
    other = TabularTask.bundled("wine")
    ids = [evaluator.evaluate(KNN, task).dataset_id for task in (TASK, other, TASK, TASK)]
    assert ids == [TASK.fingerprint, other.fingerprint, TASK.fingerprint, TASK.fingerprint]


def test_closing_leaves_no_process() -> None:
    before = {child.pid for child in psutil.Process().children()}
    with Evaluator() as evaluator:
        evaluator.evaluate(KNN, TASK)
        assert {child.pid for child in psutil.Process().children()} > before
    assert {child.pid for child in psutil.Process().children()} <= before


def test_workers_and_what_they_started_end_with_the_process_that_started_them(
    started: Callable[[], list[psutil.Process]],
) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from algorithms_that_fail import failing\n"
        "from automl_meta.experiments import Evaluator, Limits\n"
        "from automl_meta.records import Configuration\n"
        "from automl_meta.task import TabularTask\n"
        "evaluator, task = Evaluator(Limits(seconds=300)), TabularTask.bundled('iris')\n"
        "evaluator.evaluate(Configuration('failing'), task, algorithm=failing('leave children'))\n"
        "print('begun', flush=True)\n"
        "evaluator.evaluate(Configuration('failing'), task, algorithm=failing('hang'))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(HERE)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"begun\n"
        below = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert len(below) > len(started()) > 0
    assert all(map(has_ended, below))


@pytest.mark.parametrize("limits", [{"seconds": 0}, {"memory": -1}])
def test_a_limit_of_nothing_is_refused(limits: dict) -> None:
    with pytest.raises(UsageError, match="more than 0"):
        Limits(**limits)


def test_a_result_that_cannot_be_sent_back_is_a_crash_with_the_reason(evaluator: Evaluator) -> None:
    folds, nameless = Folds.of_protocol(TASK, Protocol()), failing("cannot be sent")
    found = evaluator.fit(Configuration("failing"), TASK, folds, algorithm=nameless)
    assert (found.pipeline, found.status) == (None, "crash")
    assert "cannot be sent back" in found.reason
    assert evaluator.evaluate(KNN, TASK).status == "ok"


def test_an_algorithm_of_main_is_a_crash_at_once_that_says_what_to_do() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from dataclasses import replace\n"
        "from algorithms_that_fail import Failing, failing\n"
        "from automl_meta.experiments import Evaluator, Limits\n"
        "from automl_meta.records import Configuration\n"
        "from automl_meta.task import TabularTask\n"
        "def make(parameters, task, seed): return Failing('talk')\n"
        "with Evaluator(Limits(None, None)) as evaluator:\n"
        "    for made in (make, lambda *_: Failing('talk')):\n"
        "        algorithm = replace(failing('talk'), estimator=made)\n"
        "        task = TabularTask.bundled('iris')\n"
        "        print(evaluator.evaluate(Configuration('failing'), task, algorithm=algorithm).reason)\n"
        "    print(evaluator.evaluate(Configuration('knn'), task).status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(HERE)], capture_output=True, text=True, check=True
    )
    unknown, nameless, known = done.stdout.splitlines()
    assert "Can't get attribute 'make'" in unknown
    assert "has to lie in a module, not in __main__" in unknown
    assert "cannot be sent to a process" in nameless
    assert known == "ok"


def test_a_question_that_nobody_reads_is_ended_at_its_limit(evaluator: Evaluator) -> None:
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(1000, 100)))  # more than a pipe takes at once
    task = TabularTask.from_frame(wide.assign(y=np.arange(1000) % 2), "y", task_type="classification")
    evaluator.close()
    before = _children()
    evaluator.wait()
    (watching,) = _children() - before
    (worker,) = watching.children()
    worker.suspend()
    assert evaluator.evaluate(KNN, task, seconds=0.3).status == "timeout"
    assert evaluator.evaluate(KNN, TASK).status == "ok"


def test_an_interrupted_question_leaves_no_answer_to_the_next_one(evaluator: Evaluator) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    evaluator.wait()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            evaluator.evaluate(Configuration("failing"), TASK, algorithm=failing("hang"))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert evaluator.fit(KNN, TASK, Folds.of_protocol(TASK, Protocol())).pipeline is not None


def test_a_worker_that_is_killed_while_it_starts_is_started_again(evaluator: Evaluator) -> None:
    evaluator.close()
    before = _children()
    evaluator.start()
    (watching,) = _children() - before
    watching.kill()
    assert evaluator.evaluate(KNN, TASK).status == "ok"


def test_workers_that_never_start_are_one_error_after_some_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl_meta.experiments.evaluator.PAUSES", (0.0, 0.0))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Evaluator() as evaluator, pytest.raises(WorkerError, match="the process ended with exit code 1"):
        evaluator.evaluate(KNN, TASK)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with Evaluator() as evaluator, pytest.raises(WorkerError, match="No such file or directory"):
        evaluator.evaluate(KNN, TASK)


def test_another_thread_can_close_it_in_the_middle_of_an_evaluation() -> None:
    before = _children()
    evaluator = Evaluator()
    evaluator.wait()
    timer = threading.Timer(0.3, evaluator.close)
    timer.start()
    run = evaluator.evaluate(Configuration("failing"), TASK, algorithm=failing("hang"))
    timer.join()
    assert run.status == "crash"
    assert _children() <= before


def _children() -> set[psutil.Process]:
    """Processes that this one has started."""
    return set(psutil.Process().children())
