"""An estimator for scikit-learn's pipelines, and its converter for leapstream."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin

from acme_ops import Clipper
from leapstream.exporters.graph import Features
from leapstream.exporters.step import Step


class ClipTransformer(TransformerMixin, BaseEstimator):
    """Clips all features to a range."""

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self.low = low
        self.high = high

    def fit(self, x: Any, y: Any = None) -> ClipTransformer:
        self.n_features_in_ = x.shape[1]
        return self

    def transform(self, x: Any) -> Any:
        return x.clip(self.low, self.high)


def convert(step: Step, features: Features) -> Features:
    """Add a node that computes ``transform``; return its column."""
    estimator, block = step.estimator, step.graph.vector(features)
    op = Clipper(block.size, float(estimator.low), float(estimator.high))
    return (step.graph.apply(op, block, step.suffix, block.size),)
