"""Recommendation models (MLeap's ``core.recommendation``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import BasicType, DataType, ScalarType
from leapstream.ops.base import Op, attribute, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import INT, Expr

Floats = npt.NDArray[np.float32]
FLOAT = ScalarType(BasicType.FLOAT, nullable=False)


@dataclass(frozen=True, eq=False)
class ALS(Op):
    """The dot product of a user's and an item's factors, in single precision; NaN where one is unknown (MLeap ``ALSModel``).

    Attributes:
        rank: number of factors that are used.
        users: ids of users; for an id that repeats, the last factors are used.
        user_factors: float32 (rank,) for each user.
        items: ids of items.
        item_factors: float32 (rank,) for each item.
    """

    op: ClassVar[str] = "als"
    rank: int = attribute("int")
    users: tuple[int, ...] = attribute("list<int>")
    user_factors: tuple[Floats, ...] = attribute("list<float vector>")
    items: tuple[int, ...] = attribute("list<int>")
    item_factors: tuple[Floats, ...] = attribute("list<float vector>")

    def __post_init__(self) -> None:
        require(self.rank >= 0, "rank may not be negative")
        for name, ids, factors in self._sides():
            require(len(ids) == len(factors), f"there are {len(ids)} {name}s, and factors of {len(factors)}")
            require(all(len(f) >= self.rank for f in factors), f"a {name} has fewer factors than rank")

    def _sides(self) -> tuple[tuple[str, tuple[int, ...], tuple[Floats, ...]], ...]:
        return ("user", self.users, self.user_factors), ("item", self.items, self.item_factors)

    def inputs(self) -> dict[str, DataType]:
        return {"user": INT, "item": INT}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": FLOAT}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        user, item = inputs
        # Without users or items every prediction is NaN, and there are no factors to use.
        rank = self.rank if self.users and self.items else 0
        (user_ids, user_factors), (item_ids, item_factors) = (
            _table(ids, factors, rank) for _, ids, factors in self._sides()
        )
        product = p.FactorProduct(
            a=user,
            b=item,
            a_ids=user_ids,
            a_factors=user_factors,
            b_ids=item_ids,
            b_factors=item_factors,
            type=FLOAT,
        )
        return {"prediction": lowering.add(product)}


def _table(ids: tuple[int, ...], factors: tuple[Floats, ...], rank: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """The distinct ids in ascending order, and a row of factors for each."""
    last = {number: i for i, number in enumerate(ids)}
    order = sorted(last)
    rows = np.zeros((len(order), rank), dtype=np.float32)
    for row, number in zip(rows, order, strict=True):
        row[:] = factors[last[number]][:rank]
    return np.array(order, dtype=np.int32), rows
