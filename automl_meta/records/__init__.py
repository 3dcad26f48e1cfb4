"""The records of experience: data sets, configurations, runs, and the frames made of them."""

from automl_meta.records.dataset_record import DatasetRecord
from automl_meta.records.identity import LONGEST_NAME
from automl_meta.records.meta_dataset import MetaDataset
from automl_meta.records.provenance import LOCAL, Environment, Source
from automl_meta.records.run import Configuration, Protocol, Run, RunStatus, run_digest

__all__ = [
    "LOCAL",
    "LONGEST_NAME",
    "Configuration",
    "DatasetRecord",
    "Environment",
    "MetaDataset",
    "Protocol",
    "Run",
    "RunStatus",
    "Source",
    "run_digest",
]
