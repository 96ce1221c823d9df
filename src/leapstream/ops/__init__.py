"""MLeap's operators: one class each, declared once, by family; :data:`REGISTRY` has them by name."""

from leapstream.ops import clustering, feature, linear, trees
from leapstream.ops.base import REGISTRY, Op, attribute, register

__all__ = ["REGISTRY", "Op", "attribute", "clustering", "feature", "linear", "register", "trees"]
