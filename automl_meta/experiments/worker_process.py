"""WorkerProcess: the worker process of an `Evaluator`, with all processes that it starts.

Neither pebble (5.2) nor loky (3.7) can replace it. pebble ends a task at its time limit, but leaves the
processes that the task has started, and has no memory limit; in loky, a segmentation fault fails all pending
tasks, and there is no time limit for a task.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

import psutil

from automl_meta.experiments.messages import receive, send

__all__ = ["Gone", "WorkerProcess", "resident"]

_START_WORKER = str(Path(__file__).with_name("start_worker.py"))
_END_SECONDS = 5.0  # for the watching process to end the others; after that they are killed from here
_LOOK_SECONDS = 0.2  # interval of scans for processes that the worker has started
_LOOK_SHARE = 0.05  # maximum share of time for these scans of all processes


class Gone:
    """Returned instead of an answer if the worker has ended or cannot answer any more."""


class WorkerProcess:
    """A worker, started at once; its processes are described in `start_worker`.

    They have a session of their own, so that signals of a terminal (Ctrl-C, hang-up) do not reach
    them. They end with this process, however it ends.

    Raises
    ------
    OSError
        If the system cannot start another process or thread.
    """

    def __init__(self) -> None:
        # One thread each: times are comparable, and parallel evaluations do not compete.
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            # -P: neither the current folder nor that of the script precedes the standard library.
            [sys.executable, "-P", "-W", "ignore", _START_WORKER, *map(os.path.abspath, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # a thread that waits in a buffered stream blocks its closing
            env={**os.environ, **single},
            start_new_session=True,
        )
        self._questions: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._worker: psutil.Process | None = None
        self._family: set[psutil.Process] = set()  # as last seen
        self._family_memory = 0
        self._next_look = 0.0
        self._started = time.perf_counter()
        self.start_seconds = float("nan")  # wall seconds until it was ready
        # In threads: waiting for a queue can time out, waiting for a pipe cannot.
        self._reader = threading.Thread(target=self._read_answers, daemon=True)
        try:
            self._reader.start()
            threading.Thread(target=self._write_questions, daemon=True).start()
        except RuntimeError as error:
            self.end()
            raise OSError(str(error)) from error

    def not_ready(self, seconds: float) -> str:
        """Wait until the worker is ready, and return the reason if it is not; empty if it is."""
        if self._worker is not None:
            return ""
        first = self.answer(seconds)
        if isinstance(first, Gone):
            return self.death()
        if not isinstance(first, int):
            return f"not ready after {seconds:.0f} s" if first is None else str(first)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._worker = psutil.Process(first)
        return "" if self._worker is not None else self.death()

    def ask(self, question: bytes) -> None:
        """Send a pickled question, without waiting until the worker reads it."""
        self._questions.put(question)

    def _write_questions(self) -> None:
        stream = cast(io.RawIOBase, self._process.stdin)
        with contextlib.suppress(OSError, ValueError):  # it has ended; the answer will tell
            while question := self._questions.get():
                send(stream, question)
                del question  # which can be as large as a table

    def answer(self, seconds: float) -> Any:
        """Next answer, `Gone`, or None after a timeout."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            pass
        if self.is_alive:
            return None
        # Processes that it started may keep the pipe open, so that there is no end of file.
        self._reader.join(seconds)
        try:
            return self._answers.get_nowait()
        except queue.Empty:
            return Gone()

    def _read_answers(self) -> None:
        stream = cast(io.RawIOBase, self._process.stdout)
        # Foreign bytes in the pipe would be read as enormous lengths.
        with contextlib.suppress(EOFError, OSError, ValueError, MemoryError, OverflowError):
            first = receive(stream)
            self.start_seconds = time.perf_counter() - self._started
            self._answers.put(first)
            while True:
                self._answers.put(receive(stream))
        self._answers.put(Gone())

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def death(self) -> str:
        """Describe how the worker ended, after `Gone`."""
        try:
            code = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return "the process closed its connection"
        if code >= 0:
            return f"the process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"the process was ended by {name}{hint}"

    def memory(self) -> int:
        """Bytes of memory of the worker and of the processes that it has started.

        They share pages, so proportional set sizes are summed, in which each page counts once.
        Reading these is expensive, so it is done at intervals, and only if there are such processes.
        """
        if self._worker is None:
            return 0
        start = time.monotonic()
        if start >= self._next_look:
            with contextlib.suppress(psutil.Error):
                below = psutil.Process(self._process.pid).children(recursive=True)
                self._family = {self._worker, *below}
                self._family_memory = sum(map(_proportional, self._family)) if len(self._family) > 1 else 0
            took = time.monotonic() - start
            self._next_look = start + max(_LOOK_SECONDS, took / _LOOK_SHARE)
        return max(resident(self._worker.pid), self._family_memory)

    def end(self) -> None:
        """End the worker and all processes that it has started, whatever they are doing."""
        if self.is_alive:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
        # An evaluation may have killed or stopped the watching process.
        for process in self._family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._questions.put(b"")  # no more
        if self._reader.is_alive():
            self._reader.join(1)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def resident(pid: int) -> int:
    """Resident memory of a process in bytes; 0 if it does not exist."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:  # ended, or of another user: an algorithm may have changed its user
        return resident(process.pid)
    return int(getattr(memory, "pss", memory.uss))
