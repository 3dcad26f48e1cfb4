"""Main loop of the worker process of an `Evaluator`; `start_worker` starts it with its pipes."""

from __future__ import annotations

import io
import os
import pickle
import queue
import threading
from dataclasses import replace
from typing import Any

from automl_meta.experiments.evaluate import evaluate_out_of_fold
from automl_meta.experiments.fitting import fit_whole
from automl_meta.experiments.messages import Question, Unreadable, packed, receive, send
from automl_meta.experiments.worker_process import resident

__all__ = ["main"]


def main(incoming: io.RawIOBase, outgoing: io.RawIOBase) -> None:
    """Answer questions until the other end closes the pipe."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=outgoing.close)  # a fork of this process must not answer
    questions: queue.SimpleQueue[Question | Unreadable] = queue.SimpleQueue()
    threading.Thread(target=_read_questions, args=(incoming, questions), daemon=True).start()
    _answer(outgoing, os.getpid())
    task: Any = None  # the first question brings these
    protocol: Any = None
    while True:
        question = questions.get()
        if isinstance(question, Unreadable):
            _answer(outgoing, question)
            continue
        task = task if question.task is None else question.task
        protocol = protocol if question.protocol is None else question.protocol
        if question.kind == "fit":
            _answer(outgoing, fit_whole(question.configuration, task, protocol, algorithm=question.algorithm))
            continue
        baseline = resident(os.getpid())
        found = evaluate_out_of_fold(question.configuration, task, protocol, algorithm=question.algorithm)
        memory = float(max(resident(os.getpid()) - baseline, 0))
        _answer(outgoing, replace(found, run=replace(found.run, peak_memory=memory)))


def _answer(outgoing: io.RawIOBase, answer: Any) -> None:
    content = packed(answer)
    if isinstance(content, Unreadable):  # such as a pipeline with a lambda
        content = pickle.dumps(Unreadable(f"its result cannot be sent back: {content.reason}"))
    send(outgoing, content)


def _read_questions(incoming: io.RawIOBase, questions: queue.SimpleQueue[Question | Unreadable]) -> None:
    """Read in a thread, so that the process ends with its parent even during an evaluation."""
    try:
        while True:
            questions.put(receive(incoming))
    finally:
        os._exit(0)  # even if a module imported for the question raises SystemExit
