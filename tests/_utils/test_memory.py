import platform
import subprocess
import sys

import pytest

ROUNDS = """
import resource, sys
import numpy as np
from automl_meta._utils.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [np.ones(16 * 2**17) for _ in range(6)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone is told to keep memory")
def test_freed_memory_is_kept_for_the_next_round() -> None:
    given_back, kept = (
        int(subprocess.run([sys.executable, "-c", ROUNDS, how], capture_output=True, check=True).stdout)
        for how in ("as it is", "kept")
    )
    assert kept < 0.1 * given_back, "pages asked for anew"
