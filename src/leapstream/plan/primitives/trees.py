"""Ensembles of decision trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.bundle.definition import Tree
from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Trees(Expr):
    """Decision trees over the vector ``x``; fails where a tree tests an element that ``x`` does not have.

    A continuous split goes left where the element is at most the threshold (NaN goes right).

    Attributes:
        combine: ``leaf``: the vector at the only tree's leaf; ``votes``: the sum over trees of the leaf's vector divided by its
            sum (a leaf whose sum is 0 gives nothing); ``sum``: a double, the sum of ``weights[i]`` times the leaf's first value;
            ``mean``: a double, the sum of the first values divided by the number of trees; ``groups``: a vector of single
            precision, ``base`` and to each element the first values of the trees of that group, one after the other.
        width: length of the vector that ``leaf``, ``votes`` and ``groups`` give; 1 otherwise.
        groups: the element of the result that each tree adds to.
        base: what the sums of ``groups`` start with.
    """

    x: Expr
    trees: tuple[Tree, ...] = field(repr=False)
    combine: Literal["leaf", "votes", "sum", "mean", "groups"]
    width: int
    weights: Doubles | None = None
    groups: tuple[int, ...] = field(default=(), repr=False)
    base: Doubles | None = None
