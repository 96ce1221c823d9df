"""Ensembles of decision trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.bundle.definition import Tree
from leapstream.plan.primitives.base import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Trees(Expr):
    """Decision trees over the vector ``x``; fails where a tree tests an element that ``x`` does not have.

    A continuous split goes left where the element is at most the threshold (NaN goes right).

    Attributes:
        combine: ``leaf``: the vector at the only tree's leaf; ``votes``: the sum over trees of the leaf's vector divided by its
            sum (a leaf whose sum is 0 gives nothing); ``sum``: a double, the sum of ``weights[i]`` times the leaf's first value;
            ``mean``: a double, the sum of the first values divided by the number of trees.
        width: length of the vector that ``leaf`` and ``votes`` give; 1 otherwise.
    """

    x: Expr
    trees: tuple[Tree, ...] = field(repr=False)
    combine: Literal["leaf", "votes", "sum", "mean"]
    width: int
    weights: Doubles | None = None
