"""Selections of features (``sklearn.feature_selection``)."""

from __future__ import annotations

from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Features
from leapstream.exporters.step import Step


def selector(step: Step, features: Features) -> Features:
    """The selected features."""
    positions = step.estimator.get_support(indices=True)
    step.require(len(positions) > 0, "no feature is selected")
    return step.graph.take(features, [int(position) for position in positions])


TRANSFORMERS: dict[str, Transformer] = dict.fromkeys(
    (
        *("GenericUnivariateSelect", "RFE", "RFECV", "SelectFdr", "SelectFpr", "SelectFromModel", "SelectFwe"),
        *("SelectKBest", "SelectPercentile", "SequentialFeatureSelector", "VarianceThreshold"),
    ),
    selector,
)
