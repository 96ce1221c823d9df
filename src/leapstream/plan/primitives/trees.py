"""Ensembles of decision trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.bundle.definition import Tree
from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Trees(Expr):
    """Decision trees over the vector ``x``; fails where a tree tests an element that ``x`` does not have.

    A continuous split goes left where the element is at most the threshold; NaN goes right.

    Attributes:
        combine: the function of the leaves that a row reaches. ``leaf``: the vector at the only tree's leaf. ``votes``: the sum
            over the trees of the leaf's vector divided by the vector's sum; a leaf whose sum is 0 adds nothing. ``sum``: a
            double, the sum of ``weights[i]`` times the leaf's first value. ``mean``: a double, the sum of the leaves' first
            values divided by the number of trees. ``groups``: a vector of single precision, ``base`` plus, for each element,
            the first values of the trees of that group, added one after the other.
        width: number of elements of the result of ``leaf``, ``votes`` and ``groups``; 1 otherwise.
        groups: for each tree, the element of the result that it adds to.
        base: for ``groups``, the initial values of the sums.
    """

    x: Expr
    trees: tuple[Tree, ...] = field(repr=False)
    combine: Literal["leaf", "votes", "sum", "mean", "groups"]
    width: int
    weights: Doubles | None = None
    groups: tuple[int, ...] = field(default=(), repr=False)
    base: Doubles | None = None
