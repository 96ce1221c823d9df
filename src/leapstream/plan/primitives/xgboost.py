"""What XGBoost does besides walking trees: elements, functions and contributions in single precision.

Numbers of single precision are held as the doubles of the same value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import Tree
from leapstream.plan.graph import Doubles, Expr

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

FloatFunctionName = Literal["single", "logistic", "exp", "softmax", "argmax", "step", "round"]


@dataclass(frozen=True, eq=False, kw_only=True)
class FloatFeatures(Expr):
    """Some elements of the vector ``x`` in single precision, others than numbers in place of those that are missing.

    An element is missing where it is NaN, or not stored, or beyond the vector. Fails where an element is infinite in single
    precision, be it used or not, and where the vector has more than ``size`` elements; always where there is a ``refusal``.

    Attributes:
        elements: int64, which elements; one may come several times.
        missing: float64, what stands in place of each when it is missing.
        whole: bool, whether each is rounded down to an integer.
        size: the most elements that ``x`` may have.
        refusal: why every row fails.
    """

    x: Expr
    elements: Ints = field(repr=False)
    missing: Doubles = field(repr=False)
    whole: npt.NDArray[np.bool_] = field(repr=False)
    size: int
    refusal: str | None = None

    @property
    def needs_stored(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class FloatFunction(Expr):
    """A function of a number or vector of single precision, computed in it.

    Attributes:
        function: element by element ``single``, the nearest number of single precision; ``logistic`` and ``exp``; ``step``, 1
            above 0, else 0; ``round``, the nearest integer as Java's ``Math.round`` gives it for a float. Of a vector:
            ``softmax``; ``argmax``, a vector of one element, the place of the first of the greatest.
    """

    x: Expr
    function: FloatFunctionName


@dataclass(frozen=True, eq=False, kw_only=True)
class FloatLinear(Expr):
    """A linear model over the vector ``x`` of single precision, one element after the other: a vector, one number per group.

    Attributes:
        weights: float32 (elements, groups).
        base: float32 (groups,), where the sums start.
        contributions: give the product for each element, and ``base`` behind them, group after group, and no sums.
    """

    x: Expr
    weights: Floats = field(repr=False)
    base: Floats = field(repr=False)
    contributions: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class TreeContributions(Expr):
    """What each feature contributes to the sums of trees: their SHAP values, in single precision, by the exact algorithm.

    A vector: for each group the contributions of ``num_features`` features, then what the trees give without any.

    Attributes:
        x: what the trees test.
        trees: the trees; a leaf's first value counts.
        cover: float32 per tree and node, how much of the training data came by.
        weights: float32 per tree, by which its contributions are multiplied.
        groups: the group of each tree.
        base: float32 (groups,).
        features: the feature that each element of ``x`` stands for.
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
