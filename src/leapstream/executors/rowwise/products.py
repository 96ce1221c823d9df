"""Products of elements."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p


@implements(p.FactorProduct)
@implements(p.Interaction)
@implements(p.PolynomialExpansion)
@implements(p.PowerProducts)
def _products(writer: Writer, expr: p.FactorProduct | p.Interaction | p.PolynomialExpansion | p.PowerProducts) -> None:
    by_arrays(writer, expr)
