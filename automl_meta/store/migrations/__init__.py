"""The history of the store's schema, and how an older store is brought up to date."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

__all__ = ["REVISIONS", "VERSION_TABLE", "current_revision", "upgrade"]

REVISIONS = ("0001", "0002")
"""Names of all revisions, oldest first. Written out, so that opening a store that is up to date
needs neither Alembic nor a look at the file system."""

VERSION_TABLE = "automl_meta_version"
"""Not Alembic's own name: a team's database may also hold the tables of another of its users."""


def current_revision(connection: Connection) -> str | None:
    """Read which schema a database has; None if it holds no store."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def upgrade(connection: Connection) -> None:
    """Bring a database to the newest schema, within the connection's transaction.

    The caller holds a lock that keeps other processes from doing the same.
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
