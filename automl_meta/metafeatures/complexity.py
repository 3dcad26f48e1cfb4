"""Complexity: how classes overlap, or how rough the way from columns to a numeric target is."""

from __future__ import annotations

import numpy as np

from automl_meta.metafeatures import class_complexity, number_complexity
from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor
from automl_meta.metafeatures.references import LORENA_2018, LORENA_2019, RIVOLLI_2022
from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType

__all__ = ["Complexity"]

_COLUMN = "a numeric, categorical, boolean or date column that varies"
_CLASSES: tuple[TaskType, ...] = ("classification",)
_NUMBERS: tuple[TaskType, ...] = ("regression",)


def _of_classes(name: str, description: str, needs: str = _COLUMN, source: str = LORENA_2019) -> MetaFeature:
    return MetaFeature(f"complexity_{name}", description, source, needs, _CLASSES)


def _of_numbers(name: str, description: str, needs: str = _COLUMN) -> MetaFeature:
    return MetaFeature(f"complexity_{name}_regression", description, LORENA_2018, needs, _NUMBERS)


class Complexity(MetaFeatureExtractor):
    """Measures of Lorena et al., on the encoded columns.

    Those that compare pairs of classes take the twelve largest. Unless it says otherwise,
    a larger value is a more complex task.
    """

    name = "complexity"
    features = (
        _of_classes(
            "c1", "Entropy of the classes divided by that of equal ones: 1 for balanced classes.", ""
        ),
        _of_classes("c2", "1 - 1 / imbalance ratio, the ratio in its form for many classes.", ""),
        _of_classes("f1", "1 / (1 + r), r the largest Fisher's discriminant ratio of a column."),
        _of_classes("f1_mean", "Mean over the columns of 1 / (1 + Fisher's discriminant ratio)."),
        _of_classes(
            "f1v", "1 / (1 + r), r Fisher's ratio along the best direction; mean over pairs of classes."
        ),
        _of_classes(
            "f2",
            "Product over the columns of the overlap of the ranges of two classes divided by their union; "
            "mean over pairs.",
        ),
        _of_classes(
            "f3", "Least share of rows in the overlap of two classes in a column; mean over pairs of classes."
        ),
        _of_classes(
            "f4", "Share of rows in the overlap in every column, taken one after the other; mean over pairs."
        ),
        _of_classes(
            "l1",
            "d / (1 + d), d the distance of misclassified rows to the border of a linear support vector "
            "machine (squared hinge), over all rows of two classes; mean over pairs.",
        ),
        _of_classes("l2", "Error of that machine on its own rows; mean over pairs of classes."),
        _of_classes("l3", "Error of that machine on points between rows of one class; mean over pairs."),
        _of_classes("n1", "Share of rows that the minimum spanning tree joins with a row of another class."),
        _of_classes(
            "n2",
            "r / (1 + r), r the sum of distances to the nearest row of the same class divided by that to "
            "another class.",
            f"{_COLUMN}, and a class with two rows",
        ),
        _of_classes(
            "n2_mean",
            "The same with r of each row, averaged.",
            f"{_COLUMN}, and a class with two rows",
        ),
        _of_classes("n3", "Error of the nearest neighbour, leaving one row out."),
        _of_classes("n4", "Error of the nearest neighbour on points between rows of one class."),
        _of_classes(
            "t1", "Share of the rows whose sphere remains when spheres inside larger ones are absorbed."
        ),
        _of_classes("lsc", "1 - mean share of rows nearer than the nearest row of another class."),
        _of_classes("density", "1 - density of the network that joins near rows of one class."),
        _of_classes("clustering", "1 - transitivity of that network."),
        _of_classes("hubs", "1 - mean hub score in that network."),
        _of_classes(
            "silhouette", "Mean silhouette width of the classes; large is simple.", source=RIVOLLI_2022
        ),
        _of_classes(
            "davies_bouldin",
            "Davies and Bouldin's index of the classes.",
            f"{_COLUMN}, and classes with different means",
            RIVOLLI_2022,
        ),
        _of_classes(
            "calinski_harabasz",
            "Calinski and Harabasz's index of the classes; large is simple.",
            f"{_COLUMN}, more rows than classes, and rows that differ within a class",
            RIVOLLI_2022,
        ),
        _of_numbers("c1", "Largest absolute rank correlation of a column with the target; large is simple."),
        _of_numbers("c2", "Mean absolute rank correlation of the columns with the target; large is simple."),
        _of_numbers("c3", "Least share of rows to take away until a column's rank correlation is above 0.9."),
        _of_numbers(
            "c4",
            "Share of rows that straight lines on one column after the other leave more than 0.1 of the "
            "target's range away.",
        ),
        _of_numbers("l1", "Mean absolute residual of least squares, in ranges of the target."),
        _of_numbers("l2", "Mean squared residual of least squares, in squared ranges of the target."),
        _of_numbers("l3", "The same on points between rows with neighbouring targets."),
        _of_numbers("s1", "Mean difference of the targets that the minimum spanning tree joins."),
        _of_numbers("s2", "Mean distance of rows with neighbouring targets."),
        _of_numbers("s3", "Mean squared error of the nearest neighbour, leaving one row out."),
        _of_numbers("s4", "The same on points between rows with neighbouring targets."),
        *(
            MetaFeature(f"complexity_{name}", description, LORENA_2019, _COLUMN)
            for name, description in (
                ("t2", "Encoded columns divided by rows."),
                ("t3", "Principal components that hold 95 % of the variance, divided by rows."),
                ("t4", "Principal components that hold 95 % of the variance, divided by encoded columns."),
            )
        ),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        """Compute the measures; `rng` draws the points between rows."""
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
