from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import create_trial

from automl_meta.algorithms import joint_parameters
from automl_meta.importers import import_study
from automl_meta.records import Configuration
from automl_meta.store import MetadataStore
from automl_meta.testing.importers import RECORD, ImporterContract


class TestStudy(ImporterContract):
    """Optuna studies."""

    def load(
        self,
        store: MetadataStore,
        experience: Sequence[tuple[Configuration, float]],
        *,
        minimised: bool,
        folder: Path,
    ) -> tuple[int, Mapping[str, int]]:
        study = optuna.create_study(
            study_name="past",
            storage=f"sqlite:///{folder}/study.db",
            direction="minimize" if minimised else "maximize",
            load_if_exists=True,
        )
        if not study.trials:
            trials = [(joint_parameters(configuration), score) for configuration, score in experience]
            names = {name for parameters, _ in trials for name in parameters}
            values = {name: {parameters.get(name) for parameters, _ in trials} - {None} for name in names}
            for parameters, score in trials:
                distributions = {name: CategoricalDistribution(sorted(values[name])) for name in parameters}
                value = -score if minimised else score
                study.add_trial(create_trial(value=value, params=parameters, distributions=distributions))
        found = import_study(store, study, dataset=RECORD, metric="accuracy")
        return found.n_new, found.skipped
