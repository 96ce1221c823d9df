"""The ops, MLeap's and a few of leapstream's own: one class each, in a module per family. :data:`REGISTRY` has them by name."""

from leapstream.ops import (
    bayes,
    clustering,
    ensemble,
    feature,
    linear,
    neural,
    own,
    recommendation,
    regression,
    tensorflow,
    trees,
    xgboost,
)
from leapstream.ops.base import REGISTRY, Op, attribute, register

REGISTRY.register_families(
    bayes,
    clustering,
    ensemble,
    feature,
    linear,
    neural,
    own,
    recommendation,
    regression,
    tensorflow,
    trees,
    xgboost,
)

__all__ = [
    "Op",
    "REGISTRY",
    "attribute",
    "bayes",
    "clustering",
    "ensemble",
    "feature",
    "linear",
    "neural",
    "own",
    "recommendation",
    "register",
    "regression",
    "tensorflow",
    "trees",
    "xgboost",
]
