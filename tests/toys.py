"""A toy member of each kind, as the edits that its recipe in CONTRIBUTING.md asks for."""

import re
from collections.abc import Callable

__all__ = ["TOYS"]

Edit = str | Callable[[str], str]


def registered(name: str, module: str, registry: str = "", value: str = "") -> Callable[[str], str]:
    """Import a name, export it if the file exports, and append it (or what is made of it) to a registry."""

    def edit(text: str) -> str:
        text = re.sub(
            r"^from automl_meta", f"from {module} import {name}\nfrom automl_meta", text, count=1, flags=re.M
        )
        text = re.sub(r"^__all__ = \[", f'__all__ = [\n    "{name}",', text, count=1, flags=re.M)
        if registry:  # a tuple on one line or on several
            member = value or name
            text = re.sub(rf"^({registry}: .*)\)$", rf"\1, {member})", text, count=1, flags=re.M)
            text = re.sub(
                rf"^({registry}: .*\(\n(?:    .*\n)*)\)$", rf"\1    {member},\n)", text, count=1, flags=re.M
            )
        return text

    return edit


def under_contract(name: str, made: str, before: str) -> Callable[[str], str]:
    """Add a member to a function of tests/contracts.py, before its last line."""
    lines = f'    from automl_meta.fewshot import {name}\n\n    members["toy"] = {made}\n'
    return lambda text: text.replace(f"    {before}", f"{lines}    {before}", 1)


EXTRACTOR = '''"""ToyFeatures: one meta-feature."""

import numpy as np

from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor
from automl_meta.metafeatures.task_view import TaskView

__all__ = ["ToyFeatures"]


class ToyFeatures(MetaFeatureExtractor):
    """The logarithm of the number of rows."""

    name = "toy"
    stochastic = False
    features = (MetaFeature("toy_log_rows", "Natural logarithm of the number of rows.", "nobody"),)

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        return {"toy_log_rows": float(np.log(view.task.n_rows))}
'''

ALGORITHM = '''"""A toy: the nearest class mean."""

from optuna.distributions import FloatDistribution
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.preprocessing import scaled_numbers
from automl_meta.algorithms.search_space import SearchSpace

TOY_ALGORITHM = Algorithm(
    name="toy",
    task_type="classification",
    description="Linear discriminant analysis with another shrinkage.",
    space=SearchSpace({"shrinkage": FloatDistribution(0.01, 1.0)}),
    defaults={"shrinkage": 0.5},
    estimator=lambda parameters, task, seed: LinearDiscriminantAnalysis(solver="lsqr", **parameters),
    preprocessing=scaled_numbers,
)
'''

RECOMMENDER = '''"""ToyRecommender: what did best everywhere, by the mean score."""

import numpy as np

from automl_meta.recommenders.experience_matrix import ExperienceMatrix
from automl_meta.recommenders.recommender import Choice, Recommender

__all__ = ["ToyRecommender"]


class ToyRecommender(Recommender):
    """Order configurations by their mean normalised score."""

    def _learn(self, experience: ExperienceMatrix) -> None:
        self._means = np.round(experience.scores.mean(axis=0), 9)

    def _order(self, choice: Choice) -> list[int]:
        order = choice.candidates[np.argsort(-self._means[choice.candidates], kind="stable")]
        return [int(column) for column in order[: choice.n]]
'''

METHOD = '''"""ToyMethod: prototypes at another temperature."""

from automl_meta.fewshot.backbones import Backbone
from automl_meta.fewshot.prototypical import PrototypicalNetwork

__all__ = ["ToyMethod"]


class ToyMethod(PrototypicalNetwork):
    """Prototypical network with softer answers.

    Parameters
    ----------
    backbone : Backbone
        Network from examples to features.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__(backbone, temperature=2.0)
'''

BACKBONE = '''"""ToyBackbone: one layer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from automl_meta.fewshot.backbones.backbone import Backbone, Weights

__all__ = ["ToyBackbone"]


class ToyBackbone(Backbone):
    """One fully connected layer.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one example; it is flattened.
    """

    def __init__(self, input_shape: Sequence[int]) -> None:
        super().__init__(input_shape)
        self.n_features = 4
        self.weight = nn.Parameter(torch.randn(4, torch.Size(self.input_shape).numel()))

    def bytes_per_example(self) -> int:
        """Estimate the memory of the activations of one example.

        Returns
        -------
        int
            In bytes.
        """
        return 4 * self.n_features

    def features(self, prepared: Tensor, weights: Weights) -> Tensor:
        """Compute the features.

        Parameters
        ----------
        prepared : Tensor of shape (n_tasks, n_examples, *input_shape)
            Examples.
        weights : mapping of str to Tensor
            Weights of each task.

        Returns
        -------
        Tensor of shape (n_tasks, n_examples, n_features)
            Features.
        """
        return torch.tanh(prepared.flatten(2) @ weights["weight"].mT)
'''

SOURCE = '''"""ToySource: points around four corners."""

import numpy as np
import torch

from automl_meta.fewshot.sources.array import ArraySource

__all__ = ["ToySource"]


class ToySource(ArraySource):
    """Noisy points around the corners of a square, one class each.

    Parameters
    ----------
    device : torch.device or str, default='cpu'
        Device that the tasks are sampled on.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        y = np.repeat(np.arange(4), 10)
        noise = np.random.default_rng(0).normal(size=(40, 2))
        super().__init__(np.stack([y % 2, y // 2], 1) + noise, y, device=device)
'''

IMPORTER = '''"""Results of a table as experience."""

from collections import Counter

import pandas as pd

from automl_meta.algorithms import get_algorithm
from automl_meta.exceptions import UsageError
from automl_meta.records import Configuration, DatasetRecord, Run, Source
from automl_meta.store import MetadataStore

__all__ = ["import_toy_table"]


def import_toy_table(store: MetadataStore, table: pd.DataFrame, dataset: DatasetRecord) -> tuple[int, Counter[str]]:
    """Add the rows of a table as runs of one data set.

    Parameters
    ----------
    store : MetadataStore
        Store to add to.
    table : DataFrame
        Columns ``algorithm`` and ``accuracy``; each row is a run of the default configuration.
    dataset : DatasetRecord
        Data set of the runs.

    Returns
    -------
    tuple of int and Counter
        Number of new runs, and of rows that were left out, by reason.
    """
    runs, skipped = [], Counter[str]()
    for row in table.itertuples():
        try:
            configuration = get_algorithm(row.algorithm, dataset.task_type).default_configuration
        except UsageError:
            skipped["unknown algorithm"] += 1
            continue
        chosen = Configuration(configuration.algorithm, configuration.parameters)
        scores = {"accuracy": float(row.accuracy)}
        runs.append(Run(dataset.dataset_id, chosen, "ok", scores, protocol="toy", source="toy"))
    store.add_source(Source("toy"))
    store.add_dataset(dataset)
    return store.add_runs(runs), skipped
'''

IMPORTER_TEST = """import pandas as pd

from automl_meta.experiments import describe_dataset
from automl_meta.importers import import_toy_table
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

TABLE = pd.DataFrame({"algorithm": ["lda", "qda", "magic"], "accuracy": [0.9, 0.8, 1.0]})


def test_a_second_import_adds_nothing_and_what_is_unknown_is_counted() -> None:
    record = describe_dataset(TabularTask.bundled("iris")).record
    with MetadataStore("sqlite://", seed=False) as store:
        assert import_toy_table(store, TABLE, record) == (2, {"unknown algorithm": 1})
        assert import_toy_table(store, TABLE, record) == (0, {"unknown algorithm": 1})
        assert store.check() == []
"""

TOYS: dict[str, dict[str, Edit]] = {
    "Meta-feature extractor": {
        "automl_meta/metafeatures/toy_features.py": EXTRACTOR,
        "automl_meta/metafeatures/extraction.py": registered(
            "ToyFeatures", "automl_meta.metafeatures.toy_features", "EXTRACTORS", "ToyFeatures()"
        ),
    },
    "Algorithm": {
        "automl_meta/algorithms/toy_algorithm.py": ALGORITHM,
        "automl_meta/algorithms/__init__.py": registered(
            "TOY_ALGORITHM", "automl_meta.algorithms.toy_algorithm", "ALGORITHMS"
        ),
    },
    "Recommender": {
        "automl_meta/recommenders/toy_recommender.py": RECOMMENDER,
        "automl_meta/recommenders/__init__.py": registered(
            "ToyRecommender", "automl_meta.recommenders.toy_recommender", "RECOMMENDERS"
        ),
    },
    "Few-shot method": {
        "automl_meta/fewshot/toy_method.py": METHOD,
        "automl_meta/fewshot/methods.py": registered(
            "ToyMethod", "automl_meta.fewshot.toy_method", "LEARNERS"
        ),
        "tests/contracts.py": under_contract(
            "ToyMethod", "ToyMethod(pooled)", "return {name: learner.double()"
        ),
    },
    "Few-shot backbone": {
        "automl_meta/fewshot/backbones/toy_backbone.py": BACKBONE,
        "automl_meta/fewshot/backbones/__init__.py": registered(
            "ToyBackbone", "automl_meta.fewshot.backbones.toy_backbone", "BACKBONES"
        ),
        "tests/contracts.py": under_contract(
            "ToyBackbone", "ToyBackbone((2, 3))", "return {name: backbone.double()"
        ),
    },
    "Few-shot task source": {
        "automl_meta/fewshot/sources/toy_source.py": SOURCE,
        "automl_meta/fewshot/sources/__init__.py": registered(
            "ToySource", "automl_meta.fewshot.sources.toy_source"
        ),
        "tests/contracts.py": lambda text: text.replace(
            '        "digits": lambda folder: DigitsSource(),\n',
            '        "digits": lambda folder: DigitsSource(),\n'
            '        "toy": lambda folder: __import__("automl_meta.fewshot").fewshot.ToySource(),\n',
        ),
    },
    "Importer": {
        "automl_meta/importers/toy_table.py": IMPORTER,
        "automl_meta/importers/__init__.py": registered(
            "import_toy_table", "automl_meta.importers.toy_table"
        ),
        "tests/importers/test_toy_table.py": IMPORTER_TEST,
    },
}
