"""Start a worker: a separate program, so that the path is set before anything else is imported.

Its arguments are the folders of the parent's path. Those that are not on the path yet are appended:
modules of the user are found there, and cannot shadow the standard library or a package.

If the system can fork, the program becomes two processes: the worker, and one that watches it. The
latter ends the worker, and every process that the worker has started, as soon as the worker or the
parent ends, or on a signal; none of them has to cooperate.
"""

import ctypes
import os
import pickle
import select
import signal
import sys
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from io import FileIO
from pathlib import Path
from typing import NoReturn

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_LOOK_SECONDS = 1.0  # interval of checks whether the parent is alive


def _own_pipes() -> tuple[FileIO, FileIO]:
    """Both ends of the connection, hidden from code that prints, reads or starts programs."""
    pipes = FileIO(os.dup(0), "rb"), FileIO(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.close(nothing)
    return pipes


def _become_two(pipes: tuple[FileIO, FileIO]) -> None:
    """Return in the worker; the watching process stays in here."""
    parent, watching = os.getppid(), os.getpid()
    wakes, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    _tell_kernel(_SET_CHILD_SUBREAPER, 1)  # orphans become children of this process
    worker = os.fork()
    if worker != 0:
        for pipe in pipes:
            pipe.close()
        _watch(worker, parent, wakes)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.close(wakes)
    os.close(wake)
    _tell_kernel(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != watching:
        os._exit(1)


def _tell_kernel(option: int, value: int) -> None:
    """Set an option of Linux; elsewhere, processes that a stuck worker has started may survive."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def _watch(worker: int, parent: int, wakes: int) -> NoReturn:
    status, received = None, b""
    while status is None and os.getppid() == parent and signal.SIGTERM not in received:
        received = os.read(wakes, 512) if select.select([wakes], [], [], _LOOK_SECONDS)[0] else b""
        status = _ended(worker)
    _end_descendants()
    code = 1 if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        _end_by_signal(-code)
    os._exit(code)


def _ended(worker: int) -> int | None:
    """Exit status of the worker if it has ended; also reaps orphans."""
    pid = -1
    while pid not in (0, worker):
        pid, status = os.waitpid(-1, os.WNOHANG)
    return status if pid == worker else None


def _end_descendants() -> None:
    import psutil  # deferred, to keep this process small

    while True:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        try:
            os.waitpid(-1, 0)  # its orphans are reaped here
        except ChildProcessError:
            return


def _end_by_signal(number: int) -> None:
    """End with the signal of the worker, without a second core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _import_package() -> None:
    """Import the package that the parent has imported, even if another one is installed."""
    spec = spec_from_file_location("automl_meta", Path(__file__).parents[1] / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"There is no automl_meta around {__file__}.")
    module = module_from_spec(spec)
    sys.modules["automl_meta"] = module
    spec.loader.exec_module(module)


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles interruptions
    incoming, outgoing = _own_pipes()
    sys.path += [folder for folder in sys.argv[1:] if folder not in sys.path]
    del sys.argv[1:]
    if hasattr(os, "fork"):
        _become_two((incoming, outgoing))
    try:
        _import_package()
        from automl_meta.experiments.worker import main
    except Exception as error:  # noqa: BLE001 - the parent reports it
        content = pickle.dumps(f"{type(error).__name__}: {error}")
        outgoing.write(len(content).to_bytes(8, "little") + content)
        sys.exit(1)
    main(incoming, outgoing)


if __name__ == "__main__":
    _main()
