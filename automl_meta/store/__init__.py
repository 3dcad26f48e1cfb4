"""Store of experience: experiment results in a database, exchanged as folders of CSV files."""

from automl_meta.store.location import default_store_path
from automl_meta.store.metadata_store import MetadataStore
from automl_meta.store.seed import seed_folder
from automl_meta.store.spool import how_to_add, spool

__all__ = ["MetadataStore", "default_store_path", "how_to_add", "seed_folder", "spool"]
