"""MLeap's operators: one class each, declared once, by family; :data:`REGISTRY` has them by name."""

from leapstream.ops import clustering, feature, linear, recommendation, regression, trees
from leapstream.ops.base import REGISTRY, Op, attribute, register

__all__ = [
    "Op",
    "REGISTRY",
    "attribute",
    "clustering",
    "feature",
    "linear",
    "recommendation",
    "register",
    "regression",
    "trees",
]
