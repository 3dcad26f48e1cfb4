"""Meta-models: from experience to ranked configurations with evidence."""

from __future__ import annotations

from automl_meta.recommenders.average_rank import AverageRank
from automl_meta.recommenders.meta_model import MetaModel
from automl_meta.recommenders.nearest_datasets import NearestDatasets
from automl_meta.recommenders.portfolio import Portfolio
from automl_meta.recommenders.recommendation import Evidence, Neighbor, RankedConfiguration, Recommendation
from automl_meta.recommenders.recommender import Recommender
from automl_meta.recommenders.score_model import ScoreModel
from automl_meta.recommenders.similarity_portfolio import SimilarityPortfolio

__all__ = [
    "DEFAULT_RECOMMENDER",
    "RECOMMENDERS",
    "AverageRank",
    "Evidence",
    "MetaModel",
    "NearestDatasets",
    "Neighbor",
    "Portfolio",
    "RankedConfiguration",
    "Recommendation",
    "Recommender",
    "ScoreModel",
    "SimilarityPortfolio",
]

RECOMMENDERS: tuple[type[Recommender], ...] = (
    AverageRank,
    NearestDatasets,
    Portfolio,
    SimilarityPortfolio,
    ScoreModel,
    MetaModel,
)
"""All recommenders, simple ones first."""

DEFAULT_RECOMMENDER: type[Recommender] = MetaModel
"""Recommender with the best results of ``automl-meta evaluate`` on the shipped experience."""
