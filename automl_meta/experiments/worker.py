"""The process in which an `Evaluator` evaluates; started by `start_worker`, speaks over its standard streams."""

from __future__ import annotations

import os
import queue
import sys
import threading
from dataclasses import replace
from typing import IO, Any

from automl_meta.experiments.evaluate import evaluate_out_of_fold
from automl_meta.experiments.evaluator import Question, _memory, _send, receive
from automl_meta.experiments.fitting import fit_whole


def main() -> None:
    """Answer one evaluation after another until the other side closes the pipe."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever an estimator prints goes nowhere: the pipe carries answers only.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    questions: queue.SimpleQueue[Question] = queue.SimpleQueue()
    threading.Thread(target=_read_questions, args=(sys.stdin.buffer, questions), daemon=True).start()
    _send(answers, "ready")
    task: Any = None  # the first question brings these
    protocol: Any = None
    while True:
        question = questions.get()
        task = task if question.task is None else question.task
        protocol = protocol if question.protocol is None else question.protocol
        if question.kind == "fit":
            _send(answers, fit_whole(question.configuration, task, protocol, algorithm=question.algorithm))
            continue
        baseline = _memory(os.getpid())
        found = evaluate_out_of_fold(question.configuration, task, protocol, algorithm=question.algorithm)
        memory = float(max(_memory(os.getpid()) - baseline, 0))
        _send(answers, replace(found, run=replace(found.run, peak_memory=memory)))


def _read_questions(stream: IO[bytes], questions: queue.SimpleQueue[Question]) -> None:
    """In a thread, so that the process ends with its parent also in the middle of an evaluation."""
    while True:
        try:
            questions.put(receive(stream))
        except EOFError:
            os._exit(0)
