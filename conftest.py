import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# One thread each: the tests run beside each other, and results do not depend on it.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


# What a shell starts in the background ignores Ctrl-C, and so does all that it starts; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Without the extra, what needs torch is left out.
collect_ignore = (
    [] if find_spec("torch") else ["automl_meta/fewshot", "automl_meta/testing/fewshot.py", "tests/fewshot"]
)


@pytest.fixture(scope="session", autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is read from or written to the store of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOML_META_STORE", str(tmp_path_factory.mktemp("store") / "store.db"))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The larger real data sets beside a developer's checkout."""
    folder = Path(__file__).resolve().parents[1] / "shared" / "data"
    if not folder.exists():
        pytest.skip("the shared data sets are not here")
    return folder
