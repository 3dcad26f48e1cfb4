import numpy  # noqa: F401 - brings a BLAS into the process
from threadpoolctl import threadpool_info

from automl_meta._utils.threads import single_threaded


def _blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_blas_has_one_thread_within_and_as_many_as_before_after() -> None:
    before = _blas_threads()
    with single_threaded():
        assert set(_blas_threads()) <= {1}
    assert _blas_threads() == before
