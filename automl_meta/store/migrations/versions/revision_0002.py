"""Digests, by which a store detects damage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from automl_meta.store.digests import write_all

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table, and the digests of the existing rows."""
    op.create_table(
        "digests",
        sa.Column("dataset_id", sa.String(255), sa.ForeignKey("datasets.dataset_id"), primary_key=True),
        sa.Column("part", sa.String(255), primary_key=True),
        sa.Column("value", sa.String(16), nullable=False),
        sqlite_with_rowid=False,
    )
    # Reads the tables by the current models. A revision that changes them must give this one its own
    # description of them.
    write_all(op.get_bind())
