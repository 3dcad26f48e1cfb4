"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.String(64)
_NAME = sa.String(255)


def upgrade() -> None:
    """Create the tables."""
    _make_descriptions()
    _make_runs()
    op.create_table(
        "store_state",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.execute("INSERT INTO store_state (key, value) VALUES ('revision', '0')")


def _make_descriptions() -> None:
    op.create_table(
        "sources",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("citation", sa.Text, nullable=False),
    )
    op.create_table(
        "environments",
        sa.Column("digest", _ID, primary_key=True),
        sa.Column("python", sa.Text, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
    )
    op.create_table(
        "datasets",
        sa.Column("dataset_id", _NAME, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("task_type", sa.String(32), nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("n_rows", sa.Integer, nullable=False),
        sa.Column("n_features", sa.Integer, nullable=False),
        sa.Column("n_classes", sa.Integer, nullable=False),
        sa.Column("target_scale", sa.Float(53)),
        sa.Column("source", _NAME, sa.ForeignKey("sources.name"), nullable=False),
    )
    op.create_table(
        "metafeature_values",
        sa.Column("dataset_id", _NAME, sa.ForeignKey("datasets.dataset_id"), primary_key=True),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("value", sa.Float(53)),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "metafeature_costs",
        sa.Column("dataset_id", _NAME, sa.ForeignKey("datasets.dataset_id"), primary_key=True),
        sa.Column("extractor", _NAME, primary_key=True),
        sa.Column("seconds", sa.Float(53)),
    )
    op.create_table(
        "configurations",
        sa.Column("configuration_id", _ID, primary_key=True),
        sa.Column("algorithm", _NAME, nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
    )


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", _ID, nullable=False, unique=True),
        sa.Column("dataset_id", _NAME, sa.ForeignKey("datasets.dataset_id"), nullable=False),
        sa.Column("configuration_id", _ID, sa.ForeignKey("configurations.configuration_id"), nullable=False),
        sa.Column("protocol", _NAME, nullable=False),
        sa.Column("source", _NAME, sa.ForeignKey("sources.name"), nullable=False),
        sa.Column("environment", _ID, sa.ForeignKey("environments.digest")),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("fit_seconds", sa.Float(53)),
        sa.Column("predict_seconds", sa.Float(53)),
        sa.Column("seconds", sa.Float(53)),
        sa.Column("peak_memory", sa.Float(53)),
        sa.Column("created_at", sa.String(20), nullable=False),
    )
    op.create_index("runs_by_dataset", "runs", ["dataset_id", "configuration_id"])
    op.create_table(
        "run_scores",
        sa.Column("metric", _NAME, primary_key=True),
        sa.Column("number", sa.Integer, sa.ForeignKey("runs.number"), primary_key=True, autoincrement=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_folds",
        sa.Column("number", sa.Integer, sa.ForeignKey("runs.number"), primary_key=True, autoincrement=False),
        sa.Column("fold_scores", sa.Text, nullable=False),
    )
