"""Importers: past experiments from other tools as runs of the store."""

from automl_meta.importers.optuna_study import StudyImport, StudySpace, import_study

__all__ = ["StudyImport", "StudySpace", "import_study"]
