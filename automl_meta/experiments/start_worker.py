"""Start a worker: a program of its own, so that the path is right before anything else is imported.

Called with the folders of the parent's path. Those that are not on the path come last: modules of
the user are found there, and none of them stands for one of the standard library or of a package.

Where the system can fork, the program becomes two processes: the worker, and one that watches. The
latter ends the worker, and every process that the worker has started, as soon as the worker ends, the
parent does, or it is told to; none of them needs to be in a state to do anything for that.
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
_LOOK_SECONDS = 1.0  # between two looks whether the parent is there


def _own_pipes() -> tuple[FileIO, FileIO]:
    """Both ends of the connection, out of reach of what prints, reads or is executed from here on."""
    pipes = FileIO(os.dup(0), "rb"), FileIO(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.close(nothing)
    return pipes


def _become_two(pipes: tuple[FileIO, FileIO]) -> None:
    """Return in the worker; the process that watches stays in here."""
    parent, watching = os.getppid(), os.getpid()
    wakes, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    _tell_kernel(_SET_CHILD_SUBREAPER, 1)  # orphans come here
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
    """Ask Linux for what others do not have; there, a worker that is stuck can outlive what it has started."""
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
    """The status of the worker if it has ended; orphans that have are buried on the way."""
    pid = -1
    while pid not in (0, worker):
        pid, status = os.waitpid(-1, os.WNOHANG)
    return status if pid == worker else None


def _end_descendants() -> None:
    import psutil  # late: most workers live long, and this process is to be small

    while True:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        try:
            os.waitpid(-1, 0)  # its children come here, if it had any
        except ChildProcessError:
            return


def _end_by_signal(number: int) -> None:
    """End as the worker did, without a second core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _import_package() -> None:
    """Import the very package that the parent has imported, wherever another may be installed."""
    spec = spec_from_file_location("automl_meta", Path(__file__).parents[1] / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"There is no automl_meta around {__file__}.")
    module = module_from_spec(spec)
    sys.modules["automl_meta"] = module
    spec.loader.exec_module(module)


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    incoming, outgoing = _own_pipes()
    sys.path += [folder for folder in sys.argv[1:] if folder not in sys.path]
    del sys.argv[1:]
    if hasattr(os, "fork"):
        _become_two((incoming, outgoing))
    try:
        _import_package()
        from automl_meta.experiments.worker import main
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side says it
        content = pickle.dumps(f"{type(error).__name__}: {error}")
        outgoing.write(len(content).to_bytes(8, "little") + content)
        sys.exit(1)
    main(incoming, outgoing)


if __name__ == "__main__":
    _main()
