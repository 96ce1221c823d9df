"""An op that MLeap does not have: it clips numbers to a range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from leapstream.bundle.types import DataType
from leapstream.ops.base import Op, attribute, doubles, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


@dataclass(frozen=True, eq=False)
class Clipper(Op):
    """Each element of a vector clipped to [low, high]; NaN stays NaN.

    Attributes:
        size: number of elements.
        low: least value.
        high: greatest value.
    """

    op: ClassVar[str] = "acme_clipper"
    size: int = attribute("int")
    low: float = attribute("double")
    high: float = attribute("double", default=1.0)

    def __post_init__(self) -> None:
        require(self.low <= self.high, "low is greater than high")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.Clip(x=inputs[0], low=self.low, high=self.high, type=doubles(self.size)))}
