"""Tables of the store, as of the newest migration."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

__all__ = [
    "configurations",
    "datasets",
    "digests",
    "environments",
    "metadata",
    "metafeature_costs",
    "metafeature_values",
    "run_folds",
    "run_scores",
    "runs",
    "sources",
    "store_state",
]

metadata = MetaData()

_ID = String(64)
_NAME = String(255)

sources = Table(
    "sources",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("description", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("citation", Text, nullable=False),
)

environments = Table(
    "environments",
    metadata,
    Column("digest", _ID, primary_key=True),
    Column("python", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("versions", Text, nullable=False),  # JSON object
)

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_id", _NAME, primary_key=True),
    Column("name", Text, nullable=False),
    Column("task_type", String(32), nullable=False),
    Column("family", Text, nullable=False),
    Column("n_rows", Integer, nullable=False),
    Column("n_features", Integer, nullable=False),
    Column("n_classes", Integer, nullable=False),
    Column("target_scale", Float(53)),
    Column("source", _NAME, ForeignKey("sources.name"), nullable=False),
)

metafeature_values = Table(
    "metafeature_values",
    metadata,
    Column("dataset_id", _NAME, ForeignKey("datasets.dataset_id"), primary_key=True),
    Column("name", _NAME, primary_key=True),
    Column("value", Float(53)),
    Column("version", Integer, nullable=False),
)

metafeature_costs = Table(
    "metafeature_costs",
    metadata,
    Column("dataset_id", _NAME, ForeignKey("datasets.dataset_id"), primary_key=True),
    Column("extractor", _NAME, primary_key=True),
    Column("seconds", Float(53)),
)

configurations = Table(
    "configurations",
    metadata,
    Column("configuration_id", _ID, primary_key=True),
    Column("algorithm", _NAME, nullable=False),
    Column("parameters", Text, nullable=False),  # JSON object
)

runs = Table(
    "runs",
    metadata,
    # Assigned under the write lock. Scores refer to it: with eight bytes, the largest table is half as
    # large and twice as fast as with the digest. It is never exported.
    Column("number", Integer, primary_key=True),
    Column("run_id", _ID, nullable=False, unique=True),
    Column("dataset_id", _NAME, ForeignKey("datasets.dataset_id"), nullable=False),
    Column("configuration_id", _ID, ForeignKey("configurations.configuration_id"), nullable=False),
    Column("protocol", _NAME, nullable=False),
    Column("source", _NAME, ForeignKey("sources.name"), nullable=False),
    Column("environment", _ID, ForeignKey("environments.digest")),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("fit_seconds", Float(53)),
    Column("predict_seconds", Float(53)),
    Column("seconds", Float(53)),
    Column("peak_memory", Float(53)),
    Column("created_at", String(20), nullable=False),  # 2026-01-31T12:00:00Z
    Index("runs_by_dataset", "dataset_id", "configuration_id"),
)

run_scores = Table(
    "run_scores",
    metadata,
    # The metric comes first, since recommenders read one metric of all runs.
    Column("metric", _NAME, primary_key=True),
    Column("number", Integer, ForeignKey("runs.number"), primary_key=True),
    Column("score", Float(53), nullable=False),
)

run_folds = Table(
    "run_folds",
    metadata,
    # In a table of its own, since it is long and rarely read.
    Column("number", Integer, ForeignKey("runs.number"), primary_key=True),
    Column("fold_scores", Text, nullable=False),  # JSON object: metric to list of numbers, null for NaN
)

digests = Table(
    "digests",
    metadata,
    Column("dataset_id", _NAME, ForeignKey("datasets.dataset_id"), primary_key=True),
    # Part of the records; see `automl_meta.store.digests`.
    Column("part", _NAME, primary_key=True),
    Column("value", String(16), nullable=False),  # hexadecimal digits
)

store_state = Table(
    "store_state",
    metadata,
    # "revision" counts the writes; "seed" is the checksum of the shipped experience it contains.
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)
