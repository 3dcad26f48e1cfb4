"""No damage to a table does more than one line: no traceback, crash or hang."""

import gzip
import io
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
from fuzzing import Child
from fuzzing_files import TABLES, bad_outcomes

from automl_meta.exceptions import DataError
from automl_meta.task import read_table

DAMAGED = Path(__file__).parents[1] / "assets" / "cases" / "damaged"


@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_table_is_read_or_refused_in_one_line(child: Child, name: str, tmp_path: Path) -> None:
    assert bad_outcomes(child, TABLES, name, tmp_path) == []


@pytest.mark.parametrize("name", ["32byte_b2.csv.gz", "15byte_b6.arff.gz", "96byte_b4.parquet"])
def test_tables_that_were_damaged_once_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=rf"{name} cannot be read") as refused:
        read_table(DAMAGED / name)
    assert "\n" not in str(refused.value)


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=0))


def bombs() -> dict[str, bytes]:
    """Small files that unpack to 65 MiB or more."""
    zeros = b"a,b\n" + b"0,0\n" * (65 << 18)
    archive, workbook, parquet, feather = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("table.csv", zeros)
    pd.DataFrame({"a": [1], "b": [2]}).to_excel(workbook, index=False)
    moved = io.BytesIO()
    with zipfile.ZipFile(workbook) as before, zipfile.ZipFile(moved, "w") as after:
        for name in before.namelist():
            after.writestr(
                name, before.read(name).replace(b'"B2"', b'"XFD2"').replace(b'r="2"', b'r="1048576"')
            )
    column = pd.DataFrame({"a": 0, "b": 0}, index=range(65 << 16))
    column.to_parquet(parquet, index=False)
    column.to_feather(feather, compression="zstd")
    return {
        "table.csv.gz": gzip.compress(zeros, 1),
        "table.zip": archive.getvalue(),
        "table.xlsx": moved.getvalue(),
        "table.parquet": parquet.getvalue(),
        "table.feather": feather.getvalue(),
    }


def test_a_small_file_that_unpacks_to_more_than_the_memory_is_refused(
    little_memory: None, tmp_path: Path
) -> None:
    for name, content in bombs().items():
        (tmp_path / name).write_bytes(content)
        assert len(content) < 1 << 20
        with pytest.raises(DataError, match=r"expands to at least .* GiB; .* Use fewer rows or columns"):
            read_table(tmp_path / name)


def test_names_in_an_archive_do_not_break_the_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "table.zip", "w") as archive:
        archive.writestr("a\nb.csv", "x")
        archive.writestr("c.csv", "x")
    with pytest.raises(DataError, match=r"2 files \(a\\nb\.csv, c\.csv\)"):
        read_table(tmp_path / "table.zip")
