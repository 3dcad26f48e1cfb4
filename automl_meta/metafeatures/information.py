"""Information-theoretic meta-features: entropy, mutual information and concentration."""

from __future__ import annotations

import numpy as np

from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor, summaries, summarised
from automl_meta.metafeatures.references import (
    CASTIELLO_2005,
    KALOUSIS_2001,
    RIVOLLI_2022,
    STATLOG,
    THEIL_1970,
)
from automl_meta.metafeatures.task_view import TaskView

__all__ = ["Information"]

_COLUMNS = "a non-constant numeric, categorical or boolean column"
_MAX_PAIRED_COLUMNS = 12


class Information(MetaFeatureExtractor):
    """Information-theoretic meta-features; entropies are in bits.

    Numeric columns and targets are discretised into equal-frequency bins. The number of bins is
    the cube root of the number of rows, as in pymfe. Missing values form an additional level.
    """

    name = "information"
    features = (
        MetaFeature(
            "class_entropy", "Shannon entropy of the class attribute.", STATLOG, "", ("classification",)
        ),
        MetaFeature(
            "class_entropy_normalised",
            "Shannon entropy of the class attribute divided by that of the uniform distribution.",
            CASTIELLO_2005,
            "",
            ("classification",),
        ),
        MetaFeature(
            "target_entropy",
            "Shannon entropy of the target in equal-frequency bins; low if many rows share a value.",
            RIVOLLI_2022,
            "",
            ("regression",),
        ),
        *summarised("column_entropy", "the Shannon entropy of each column", STATLOG, _COLUMNS),
        *summarised(
            "column_entropy_normalised",
            "the Shannon entropy of each column divided by that of the uniform distribution over its levels",
            CASTIELLO_2005,
            _COLUMNS,
        ),
        *summarised("joint_entropy", "the joint entropy of each column and the target", STATLOG, _COLUMNS),
        *summarised(
            "mutual_information", "the mutual information of each column and the target", STATLOG, _COLUMNS
        ),
        *summarised(
            "uncertainty",
            "the uncertainty coefficient (Theil's U) of the target given each column",
            THEIL_1970,
            _COLUMNS,
        ),
        MetaFeature(
            "equivalent_number_of_features",
            "Equivalent number of attributes: target entropy divided by the mean mutual information.",
            STATLOG,
            "a column with positive mutual information with the target",
        ),
        MetaFeature(
            "noise_to_signal",
            "Noise-signal ratio: (mean column entropy - mean mutual information) / mean mutual information.",
            STATLOG,
            "a column with positive mutual information with the target",
        ),
        MetaFeature(
            "informative_share",
            "Share of the columns with an uncertainty coefficient (Theil's U) of at least 0.01.",
            THEIL_1970,
            _COLUMNS,
        ),
        *summarised(
            "target_concentration",
            "the concentration coefficient (Goodman and Kruskal's tau) of each column given the target",
            KALOUSIS_2001,
            _COLUMNS,
        ),
        *summarised(
            "predictive_concentration",
            "the concentration coefficient (Goodman and Kruskal's tau) of the target given each column",
            KALOUSIS_2001,
            _COLUMNS,
        ),
        *summarised(
            "column_concentration",
            "the concentration coefficient (Goodman and Kruskal's tau) of each ordered pair of columns, "
            "among at most twelve columns drawn at random",
            KALOUSIS_2001,
            "two non-constant numeric, categorical or boolean columns",
        ),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the values; `rng` draws the columns for `column_concentration`."""
        block = view.contingency
        values = _target(view)
        if block.n_columns == 0:
            return {name: values.get(name, float("nan")) for name in self.names(view.task_type)}
        information, entropies = block.mutual_information, block.entropies
        total = information.sum()
        uncertainty = (
            information / block.target_entropy
            if block.target_entropy > 0
            else np.full_like(entropies, np.nan)
        )
        varies = block.n_levels > 1
        values |= summaries("column_entropy", entropies)
        values |= summaries("column_entropy_normalised", entropies[varies] / np.log2(block.n_levels[varies]))
        values |= summaries("joint_entropy", block.joint_entropies)
        values |= summaries("mutual_information", information)
        values |= summaries("uncertainty", uncertainty)
        is_informative = total > 1e-12
        values["equivalent_number_of_features"] = (
            float(block.n_columns * block.target_entropy / total) if is_informative else float("nan")
        )
        values["noise_to_signal"] = (
            float((entropies.sum() - total) / total) if is_informative else float("nan")
        )
        values["informative_share"] = float(np.mean(uncertainty >= 0.01))
        values |= summaries("target_concentration", block.column_given_target)
        values |= summaries("predictive_concentration", block.target_given_column)
        n_paired = min(_MAX_PAIRED_COLUMNS, block.n_columns)
        paired = np.sort(rng.choice(block.n_columns, n_paired, replace=False))
        return values | summaries("column_concentration", block.concentration_between(paired))


def _target(view: TaskView) -> dict[str, float]:
    if not view.is_classification:
        return {"target_entropy": view.contingency.target_entropy}
    shares = view.class_counts / view.class_counts.sum()
    entropy = float(-np.sum(shares * np.log2(shares)))
    return {"class_entropy": entropy, "class_entropy_normalised": entropy / float(np.log2(len(shares)))}
