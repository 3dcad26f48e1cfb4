"""Interruption: defer Ctrl-C to points where nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

__all__ = ["Interruption"]


class Interruption:
    """Records Ctrl-C within the context, and raises it only within `raised`, where nothing is half done.

    A second Ctrl-C, while the first one is deferred, is raised at once. In a thread other than the main one, or if
    the signal already has another handler, nothing changes: a KeyboardInterrupt may then be raised anywhere.

    Attributes
    ----------
    came : bool
        Whether Ctrl-C was pressed.
    """

    def __init__(self) -> None:
        self.came = False
        self._waits = False
        self._is_raised = False
        self._is_installed = False

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._is_installed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Let Ctrl-C, also a deferred one, raise a KeyboardInterrupt in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        try:
            self._is_raised = True
            if self._waits:
                self._waits = False
                raise KeyboardInterrupt
            yield
        finally:
            self._is_raised = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        is_raised, self._is_raised = self._is_raised or self._waits, False
        self.came, self._waits = True, not is_raised
        if is_raised:
            raise KeyboardInterrupt
