"""Journals that a full disk or a death has cut in the middle of a line."""

import os
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage

from automl_meta.automl.journal import Journal
from automl_meta.automl.study_storage import open_storage
from automl_meta.exceptions import DataError, UsageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "study.journal"
    study = optuna.create_study(study_name="s", storage=JournalStorage(Journal(file)), direction="maximize")
    for value in (1.0, 2.0):
        study.tell(study.ask(), value)
    return file


def values(file: Path) -> list[float | None]:
    study = optuna.load_study(study_name="s", storage=JournalStorage(Journal(file)))
    return [trial.value for trial in study.trials]


@pytest.mark.parametrize("rest", [b'{"op_code": 4, "worker', b"\x00" * 200_000, b"{"])
def test_what_was_not_written_to_its_end_is_cut_off(file: Path, rest: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(rest)
    assert values(file) == [1.0, 2.0]
    study = optuna.load_study(study_name="s", storage=JournalStorage(Journal(file)))
    study.tell(study.ask(), 3.0)
    assert values(file) == [1.0, 2.0, 3.0]
    assert rest not in file.read_bytes() or rest == b"{"


def test_a_record_that_does_not_fit_on_the_disk_is_taken_back(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            Journal(file).append_logs([{"op_code": 4}])
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*.lock"))


def test_a_line_in_the_middle_that_is_no_record_is_one_clear_error(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], b"what?\n", *lines[1:]]))
    with pytest.raises((DataError, UsageError), match=r"study\.journal"):
        open_storage(file)
