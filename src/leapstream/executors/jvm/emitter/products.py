"""Products of elements."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    count_bytes,
    float_bytes,
    int_bytes,
)
from leapstream.plan import primitives as p


@implements(p.FactorProduct)
def _factor_product(emitter: Emitter, expr: p.FactorProduct) -> None:
    a, b = emitter.present(expr.a), emitter.present(expr.b)
    first = _factors(emitter, expr.a_ids, expr.a_factors)
    second = _factors(emitter, expr.b_ids, expr.b_factors)
    emitter.define(expr, f"Factors.product({first}, {a}, {second}, {b})")


def _factors(emitter: Emitter, ids: npt.NDArray[np.int32], factors: npt.NDArray[np.float32]) -> str:
    data = count_bytes(range(factors.shape[1])) + int_bytes(ids) + float_bytes(factors)
    return emitter.resource("Factors", "new Factors(data)", data)


@implements(p.Interaction)
def _interact(emitter: Emitter, expr: p.Interaction) -> None:
    parts = [emitter.present(x) if isinstance(x.type, ScalarType) else emitter.vector(x) for x in expr.xs]
    emitter.place(expr)
    data = count_bytes(expr.categories) + b"".join(int_bytes(np.array(sizes)) for sizes in expr.categories)
    interaction = emitter.resource("Interaction", "new Interaction(data)", data)
    emitter.line(f"{interaction}.begin();")
    for i, (x, part) in reversed(list(enumerate(zip(expr.xs, parts, strict=True)))):
        if isinstance(x.type, ScalarType):
            emitter.line(f"{interaction}.number({i}, {part});")
        else:
            emitter.line(f"{interaction}.vector({i}, {part}, {emitter.buffer()});")
    emitter.define(expr, f"{interaction}.result({emitter.buffer()})")


@implements(p.PolynomialExpansion)
def _expand(emitter: Emitter, expr: p.PolynomialExpansion) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    polynomial = emitter.resource("Polynomial", f"new Polynomial({expr.size}, {expr.degree})", b"")
    emitter.define(expr, f"{polynomial}.expand({x}, {emitter.buffer()}, {emitter.buffer()})")


@implements(p.PowerProducts)
def _power_products(emitter: Emitter, expr: p.PowerProducts) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    starts = emitter.ints(np.cumsum([0, *map(len, expr.terms)]))
    index = emitter.ints([index for term in expr.terms for index, _ in term])
    power = emitter.ints([power for term in expr.terms for _, power in term])
    emitter.define(
        expr, f"Products.powerProducts({x}, {starts}, {index}, {power}, {emitter.buffer()}, {emitter.buffer()})"
    )
