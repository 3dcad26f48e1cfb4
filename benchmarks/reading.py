"""How long reading takes beside pandas, and how it grows with columns and rows.

python benchmarks/reading.py
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from automl_meta.task import TabularTask, read_table

SHAPES = ((30, 12_500), (30, 50_000), (50_000, 30), (200_000, 30))
REPEATS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(
            "rows x columns: pandas.read_csv s; times that for read_table, for a task (CPU, median of three)"
        )
        found = {}
        for n_rows, n_columns in SHAPES:
            file = Path(folder) / "table.csv"
            table(n_rows, n_columns).to_csv(file, index=False)
            ways: tuple[Callable[[], object], ...] = (
                lambda file=file: pd.read_csv(file, low_memory=False),
                lambda file=file: read_table(file),
                lambda file=file: TabularTask.from_file(file, "y"),
            )
            seconds = np.median([[timed(way) for way in ways] for _ in range(REPEATS)], axis=0)
            ratios = seconds[1:] / seconds[0]
            print(f"{n_rows} x {n_columns}: {seconds[0]:.2f}; {ratios[0]:.1f}, {ratios[1]:.1f}", flush=True)
            found[f"{n_rows}x{n_columns}"] = {
                "pandas": seconds[0],
                "read_table": ratios[0],
                "task": ratios[1],
            }
    print(json.dumps(found))


def table(n_rows: int, n_columns: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n_rows, n_columns)).round(4)).add_prefix("c")
    return pd.concat([frame, pd.Series(rng.choice(["a", "b"], n_rows), name="y")], axis=1)


def timed(way: Callable[[], object]) -> float:
    started = time.process_time()
    way()
    return time.process_time() - started


if __name__ == "__main__":
    main()
