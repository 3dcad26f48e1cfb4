"""The history of the schema.

``assets/`` keeps a database of every released schema, filled by ``store_workers.fill(store, 2, 4)``
of the release that brought it. A new revision adds its own and leaves the others as they are.
"""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from store.store_workers import connected

import automl_meta.store.migrations as migrations
from automl_meta.store import MetadataStore
from automl_meta.store.models import metadata

ASSETS = Path(__file__).parent / "assets"


def test_the_listed_revisions_are_those_that_there_are() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(migrations.REVISIONS))


def test_the_migrations_make_the_tables_that_the_code_uses(shared_url: str) -> None:
    MetadataStore(shared_url, seed=False).close()
    with connected(shared_url) as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrations.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []


def test_a_database_of_each_released_schema_is_kept() -> None:
    assert sorted(path.stem for path in ASSETS.glob("*.db")) == [
        f"schema_{name}" for name in migrations.REVISIONS
    ]


@pytest.mark.parametrize("asset", sorted(ASSETS.glob("*.db")), ids=lambda path: path.stem)
def test_a_store_of_each_released_schema_is_brought_up_to_date(asset: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(asset, tmp_path / "store.db"))
    with MetadataStore(path, seed=False) as store:
        assert store.info()["schema"] == migrations.REVISIONS[-1]
        assert store.check() == []
        assert len(store.datasets()) == 4
        assert len(list(store.runs())) == 16
        meta = store.meta_dataset("rmse", "regression")
        assert meta.scores.shape == (2, 4)
        assert meta.scores.iloc[0].dropna().round(6).tolist() == [-0.25, -0.315217, -0.402174]


def test_opening_a_store_that_is_up_to_date_does_without_alembic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MetadataStore(tmp_path / "store.db", seed=False).close()
    monkeypatch.setattr("automl_meta.store.engine.upgrade", None)
    MetadataStore(tmp_path / "store.db", seed=False).close()


def test_a_migration_that_fails_leaves_nothing_behind(
    shared_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(connection: object) -> None:
        migrations.upgrade(connection)
        raise RuntimeError("the power went off")

    monkeypatch.setattr("automl_meta.store.engine.upgrade", half)
    with pytest.raises(RuntimeError):
        MetadataStore(shared_url, seed=False)
    monkeypatch.undo()
    with MetadataStore(shared_url, seed=False) as store:
        assert store.check() == []


def test_the_long_tables_lie_in_the_order_of_their_key(tmp_path: Path) -> None:
    MetadataStore(tmp_path / "store.db", seed=False).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'"
        ).fetchall()
    assert {name for (name,) in tables} == {"digests", "metafeature_values", "run_scores"}


def test_a_server_gives_out_no_numbers_of_its_own(postgres_url: str) -> None:
    MetadataStore(postgres_url, seed=False).close()
    columns = inspect(create_engine(postgres_url)).get_columns
    for table in ("runs", "run_scores", "run_folds"):
        (number,) = [column for column in columns(table) if column["name"] == "number"]
        assert number["default"] is None
