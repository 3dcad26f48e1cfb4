"""Schema migrations of the store."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

__all__ = ["REVISIONS", "VERSION_TABLE", "current_revision", "upgrade"]

REVISIONS = ("0001", "0002")
"""Names of all revisions, oldest first. Listed here so that opening a current store imports neither
Alembic nor the migrations."""

VERSION_TABLE = "automl_meta_version"
"""Not Alembic's default name, since a shared database may contain tables of another program that uses it."""


def current_revision(connection: Connection) -> str | None:
    """Return the schema of a database; None if it contains no store."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def upgrade(connection: Connection) -> None:
    """Migrate a database to the newest schema, within the connection's transaction.

    The caller holds a lock against other migrations.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent))
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = current_revision(connection)
    with Operations.context(context):
        for script in reversed(list(scripts.iterate_revisions("head", current or "base"))):
            script.module.upgrade()
            context.stamp(scripts, script.revision)
