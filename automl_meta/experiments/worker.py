"""The process in which an `Evaluator` evaluates; started as a module, speaks over its standard streams."""

from __future__ import annotations

import os
import queue
import sys
import threading
from dataclasses import replace
from typing import IO, Any

from automl_meta.experiments.evaluate import evaluate
from automl_meta.experiments.evaluator import _memory, _send, receive


def main() -> None:
    """Answer one evaluation after another until the other side closes the pipe."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever an estimator prints goes nowhere: the pipe carries answers only.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    questions: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read_questions, args=(sys.stdin.buffer, questions), daemon=True).start()
    _send(answers, "ready")
    task: Any = None  # the first question brings one
    while True:
        configuration, new_task, protocol, algorithm = questions.get()
        task = new_task if new_task is not None else task
        baseline = _memory(os.getpid())
        run = evaluate(configuration, task, protocol, algorithm=algorithm)
        _send(answers, replace(run, peak_memory=float(max(_memory(os.getpid()) - baseline, 0))))


def _read_questions(stream: IO[bytes], questions: queue.SimpleQueue[Any]) -> None:
    """In a thread, so that the process ends with its parent also in the middle of an evaluation."""
    while True:
        try:
            questions.put(receive(stream))
        except EOFError:
            os._exit(0)


if __name__ == "__main__":
    main()
