"""Computations of XGBoost besides tree traversal: features, functions and contributions in single precision.

A number of single precision is represented by the double of equal value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import Tree
from leapstream.plan.functions import FLOAT_FUNCTIONS, FunctionName, check_function
from leapstream.plan.graph import Doubles, Expr

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class FloatFeatures(Expr):
    """Selected elements of the vector ``x`` in single precision, with missing elements replaced.

    An element is missing if it is NaN, not stored, or beyond the vector. Fails where any element of ``x``, selected or not, is
    infinite in single precision, where ``x`` has more than ``size`` elements, and always if there is a ``failure``.

    Attributes:
        elements: int64, the indexes of the selected elements; an index may repeat.
        missing: float64, for each selected element the number that replaces it when it is missing.
        whole: bool, for each selected element, true if it is rounded down to an integer.
        size: the greatest number of elements that ``x`` may have.
        failure: the reason for which every row fails, if it is not ``None``.
    """

    x: Expr
    elements: Ints = field(repr=False)
    missing: Doubles = field(repr=False)
    whole: npt.NDArray[np.bool_] = field(repr=False)
    size: int
    failure: str | None = None

    @property
    def needs_stored(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class FloatFunction(Expr):
    """``function`` of a number of single precision ``x``, or of each element of such a vector.

    The functions are those in :data:`leapstream.plan.functions.FLOAT_FUNCTIONS`.
    """

    x: Expr
    function: FunctionName

    def __post_init__(self) -> None:
        check_function(self.function, 1, FLOAT_FUNCTIONS)


@dataclass(frozen=True, eq=False, kw_only=True)
class FloatSoftmax(Expr):
    """Probabilities of the margins ``x``: ``exp(x - m) / sum`` with ``m`` the greatest margin, in single precision."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class FloatLinear(Expr):
    """A linear model over the vector ``x`` in single precision: a vector with a sum for each group, added element by element.

    Attributes:
        weights: float32 (elements, groups).
        base: float32 (groups,), the initial values of the sums.
        contributions: if true, the result has, for each group, the product for each element and then ``base``, instead of sums.
    """

    x: Expr
    weights: Floats = field(repr=False)
    base: Floats = field(repr=False)
    contributions: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class TreeContributions(Expr):
    """The contribution of each feature to the sums of trees: SHAP values, in single precision, by the exact algorithm.

    A vector with, for each group, the contributions of ``num_features`` features and then the expected value of the trees.

    Attributes:
        x: the vector that the trees test.
        trees: the trees; the first value of a leaf is used.
        cover: float32 per tree and node, the weight of the training data that reached the node.
        weights: float32 per tree, the factor of its contributions.
        groups: the group of each tree.
        base: float32 (groups,), added to the expected values.
        features: the feature that each element of ``x`` belongs to.
        num_features: number of features.
    """

    x: Expr
    trees: tuple[Tree, ...] = field(repr=False)
    cover: tuple[Floats, ...] = field(repr=False)
    weights: Floats = field(repr=False)
    groups: tuple[int, ...] = field(repr=False)
    base: Floats = field(repr=False)
    features: Ints = field(repr=False)
    num_features: int
