"""Complexity measures for classification and regression."""

from __future__ import annotations

import numpy as np

from automl_meta.metafeatures import class_complexity, number_complexity
from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor
from automl_meta.metafeatures.references import LORENA_2018, LORENA_2019, RIVOLLI_2022
from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType

__all__ = ["Complexity"]

_COLUMN = "a non-constant numeric, categorical, boolean or datetime column"
_CLASSES: tuple[TaskType, ...] = ("classification",)
_NUMBERS: tuple[TaskType, ...] = ("regression",)


def _of_classes(name: str, description: str, needs: str = _COLUMN, source: str = LORENA_2019) -> MetaFeature:
    return MetaFeature(f"complexity_{name}", description, source, needs, _CLASSES)


def _of_numbers(name: str, description: str, needs: str = _COLUMN) -> MetaFeature:
    return MetaFeature(f"complexity_{name}_regression", description, LORENA_2018, needs, _NUMBERS)


class Complexity(MetaFeatureExtractor):
    """Complexity measures of Lorena et al., computed on the encoded columns.

    Measures that compare pairs of classes are restricted to the twelve largest classes. Larger
    values mean a more complex task unless the description says otherwise.
    """

    name = "complexity"
    features = (
        _of_classes("c1", "Entropy of class proportions (C1), normalised to 1 for balanced classes.", ""),
        _of_classes("c2", "Imbalance ratio (C2): 1 - 1 / r, r the multi-class imbalance ratio.", ""),
        _of_classes(
            "f1", "Maximum Fisher's discriminant ratio (F1): 1 / (1 + r), r the largest ratio of a feature."
        ),
        _of_classes("f1_mean", "Mean over the features of 1 / (1 + Fisher's discriminant ratio)."),
        _of_classes(
            "f1v",
            "Directional-vector maximum Fisher's discriminant ratio (F1v): 1 / (1 + r), r the ratio along the "
            "most discriminative direction; mean over pairs of classes.",
        ),
        _of_classes(
            "f2",
            "Volume of the overlapping region (F2): product over the features of the overlap of the value "
            "ranges of two classes divided by their union; mean over pairs of classes.",
        ),
        _of_classes(
            "f3",
            "Maximum individual feature efficiency (F3): lowest share of rows in the overlapping region of a "
            "single feature; mean over pairs of classes.",
        ),
        _of_classes(
            "f4",
            "Collective feature efficiency (F4): share of rows in the overlapping region of every feature, "
            "features being applied successively; mean over pairs of classes.",
        ),
        _of_classes(
            "l1",
            "Sum of the error distance (L1): d / (1 + d), d the summed distance of misclassified rows to the "
            "decision boundary of a linear support vector machine (squared hinge loss), divided by the number "
            "of rows; mean over pairs of classes.",
        ),
        _of_classes(
            "l2",
            "Error rate of the linear classifier (L2), on its training rows; mean over pairs of classes.",
        ),
        _of_classes(
            "l3",
            "Non-linearity of the linear classifier (L3): error rate on points interpolated within classes; "
            "mean over pairs of classes.",
        ),
        _of_classes(
            "n1",
            "Fraction of borderline points (N1): share of rows that the minimum spanning tree connects to a "
            "row of another class.",
        ),
        _of_classes(
            "n2",
            "Ratio of intra-class to extra-class nearest-neighbour distance (N2): r / (1 + r), r the ratio of "
            "the sums over all rows.",
            f"{_COLUMN}, and a class with two rows",
        ),
        _of_classes(
            "n2_mean",
            "Mean over the rows of r / (1 + r), r the ratio of intra-class to extra-class nearest-neighbour "
            "distance.",
            f"{_COLUMN}, and a class with two rows",
        ),
        _of_classes("n3", "Leave-one-out error rate of the nearest-neighbour classifier (N3)."),
        _of_classes(
            "n4",
            "Non-linearity of the nearest-neighbour classifier (N4): error rate on points interpolated within "
            "classes.",
        ),
        _of_classes(
            "t1",
            "Fraction of hyperspheres covering the data (T1): hyperspheres left after absorbing those inside "
            "larger ones, divided by rows.",
        ),
        _of_classes(
            "lsc",
            "Local set average cardinality (LSC): 1 - mean share of rows that are closer than the nearest "
            "enemy.",
        ),
        _of_classes("density", "1 - density of the graph that connects neighbouring rows of one class."),
        _of_classes("clustering", "1 - clustering coefficient (transitivity) of that graph."),
        _of_classes("hubs", "1 - mean hub score of that graph."),
        _of_classes(
            "silhouette",
            "Mean silhouette coefficient of the classes; larger is simpler.",
            source=RIVOLLI_2022,
        ),
        _of_classes(
            "davies_bouldin",
            "Davies-Bouldin index of the classes.",
            f"{_COLUMN}, and classes with distinct means",
            RIVOLLI_2022,
        ),
        _of_classes(
            "calinski_harabasz",
            "Calinski-Harabasz index of the classes; larger is simpler.",
            f"{_COLUMN}, more rows than classes, and distinct rows within a class",
            RIVOLLI_2022,
        ),
        _of_numbers(
            "c1",
            "Maximum feature correlation to the output (C1): largest absolute Spearman correlation of a "
            "feature with the target; larger is simpler.",
        ),
        _of_numbers(
            "c2",
            "Average feature correlation to the output (C2): mean absolute Spearman correlation of the "
            "features with the target; larger is simpler.",
        ),
        _of_numbers(
            "c3",
            "Individual feature efficiency (C3): lowest share of rows to remove until a feature has a Spearman "
            "correlation above 0.9 with the target.",
        ),
        _of_numbers(
            "c4",
            "Collective feature efficiency (C4): share of rows whose residual stays above 0.1 of the target's "
            "range after successive linear fits on single features.",
        ),
        _of_numbers("l1", "Mean absolute error of a linear regressor (L1); target scaled to [0, 1]."),
        _of_numbers("l2", "Residual variance of a linear regressor (L2); target scaled to [0, 1]."),
        _of_numbers(
            "l3",
            "Non-linearity of a linear regressor (L3): mean squared error on points interpolated between rows "
            "with adjacent targets.",
        ),
        _of_numbers(
            "s1",
            "Output distribution (S1): mean absolute target difference over the edges of the minimum spanning "
            "tree.",
        ),
        _of_numbers("s2", "Input distribution (S2): mean distance between rows with adjacent targets."),
        _of_numbers("s3", "Leave-one-out mean squared error of a nearest-neighbour regressor (S3)."),
        _of_numbers(
            "s4",
            "Non-linearity of a nearest-neighbour regressor (S4): mean squared error on points interpolated "
            "between rows with adjacent targets.",
        ),
        *(
            MetaFeature(f"complexity_{name}", description, LORENA_2019, _COLUMN)
            for name, description in (
                ("t2", "Number of encoded features divided by rows (T2)."),
                ("t3", "Principal components that explain 95 % of the variance, divided by rows (T3)."),
                (
                    "t4",
                    "Ratio of the PCA dimension to the original dimension (T4): principal components that "
                    "explain 95 % of the variance, divided by encoded features.",
                ),
            )
        ),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the measures; `rng` draws the interpolated points."""
        values = dict.fromkeys(self.names(view.task_type), float("nan"))
        measure = _classes if view.is_classification else _numbers
        suffix = "" if view.is_classification else "_regression"
        values |= {f"complexity_{name}{suffix}": value for name, value in measure(view, rng).items()}
        if view.encoded.n_columns:
            dimensions = class_complexity.dimensionality(view.encoded.X)
            values |= {f"complexity_{name}": value for name, value in dimensions.items()}
        return values


def _classes(view: TaskView, rng: np.random.Generator) -> dict[str, float]:
    values = class_complexity.class_balance(view.class_counts)
    block, points = view.encoded, view.points
    if block.n_columns and block.n_classes > 1:
        values |= class_complexity.feature_overlap(block.X, block.y)
        values |= class_complexity.linearity(block.X, block.y, rng)
        if points.n_classes > 1:
            values |= class_complexity.neighbourhood(points, rng)
            values |= class_complexity.network(points)
            values |= class_complexity.separation(points.X, points.y, points.gower)
    return values


def _numbers(view: TaskView, rng: np.random.Generator) -> dict[str, float]:
    block, points = view.encoded, view.points
    if block.n_columns == 0:
        return {}
    values = number_complexity.column_correlation(block.X, block.y)
    values |= number_complexity.linearity(block.X, block.y, rng)
    return values | number_complexity.smoothness(points, rng)
