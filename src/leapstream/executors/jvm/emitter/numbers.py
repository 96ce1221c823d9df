"""Arithmetic, and vectors made of vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import ScalarType, TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import count_bytes, double_bytes, double_literal, float_bytes, int_bytes
from leapstream.plan import primitives as p


def _ints(emitter: Emitter, values: npt.ArrayLike) -> str:
    """An array of ints that the class reads."""
    return emitter.resource("int[]", "Data.readInts(data)", int_bytes(np.asarray(values, dtype=np.int64)))


# ---- numbers ----------------------------------------------------------------------------------------------------------


@implements(p.Constant)
def _constant(emitter: Emitter, expr: p.Constant) -> None:
    emitter.define(expr, double_literal(expr.value))


_BINARY: dict[str, str] = {
    "add": "{a} + {b}",
    "sub": "{a} - {b}",
    "mul": "{a} * {b}",
    "div": "{a} / {b}",
    "rem": "{a} % {b}",
    "log_n": "Math.log({a}) / Math.log({b})",
    "pow": "Math.pow({a}, {b})",
    "min": "Math.min({a}, {b})",
    "max": "Math.max({a}, {b})",
}


@implements(p.Binary)
def _binary(emitter: Emitter, expr: p.Binary) -> None:
    emitter.define(expr, _BINARY[expr.function].format(a=emitter.present(expr.a), b=emitter.present(expr.b)))


@implements(p.RequireWithin)
def _within(emitter: Emitter, expr: p.RequireWithin) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Numbers.within({x}, {double_literal(expr.low)}, {double_literal(expr.high)})")


@implements(p.Interpolate)
def _interpolate(emitter: Emitter, expr: p.Interpolate) -> None:
    x = emitter.present(expr.x)
    emitter.define(
        expr, f"Numbers.interpolate({x}, {emitter.doubles(expr.boundaries)}, {emitter.doubles(expr.predictions)})"
    )


@implements(p.FactorProduct)
def _factor_product(emitter: Emitter, expr: p.FactorProduct) -> None:
    a, b = emitter.present(expr.a), emitter.present(expr.b)
    first = _factors(emitter, expr.a_ids, expr.a_factors)
    second = _factors(emitter, expr.b_ids, expr.b_factors)
    emitter.define(expr, f"Factors.product({first}, {a}, {second}, {b})")


def _factors(emitter: Emitter, ids: npt.NDArray[np.int32], factors: npt.NDArray[np.float32]) -> str:
    data = count_bytes(range(factors.shape[1])) + int_bytes(ids) + float_bytes(factors)
    return emitter.resource("Factors", "new Factors(data)", data)


# ---- vectors ----------------------------------------------------------------------------------------------------------


@implements(p.CosineTransform)
def _cosine_transform(emitter: Emitter, expr: p.CosineTransform) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    transform = emitter.resource("CosineTransform", "new CosineTransform()", b"")
    emitter.define(expr, f"{transform}.transform({x}, {'true' if expr.inverse else 'false'}, {emitter.buffer()})")


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
    starts = _ints(emitter, np.cumsum([0, *map(len, expr.terms)]))
    index = _ints(emitter, [index for term in expr.terms for index, _ in term])
    power = _ints(emitter, [power for term in expr.terms for _, power in term])
    emitter.define(
        expr, f"Numbers.powerProducts({x}, {starts}, {index}, {power}, {emitter.buffer()}, {emitter.buffer()})"
    )


@implements(p.Recode)
def _recode(emitter: Emitter, expr: p.Recode) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    parts = [
        int_bytes(np.array(expr.positions, dtype=np.int64)),
        int_bytes(np.cumsum([0, *(len(keys) for keys, _ in expr.tables)])),
        double_bytes(np.concatenate([np.zeros(0), *(keys for keys, _ in expr.tables)])),
        double_bytes(np.concatenate([np.zeros(0), *(values for _, values in expr.tables)])),
        b"\0" if expr.others is None else b"\1" + double_bytes(np.array(expr.others)),
    ]
    recoding = emitter.resource("Recoding", "new Recoding(data)", b"".join(parts))
    emitter.define(expr, f"{recoding}.recode({x}, {expr.size}, {emitter.buffer()})")


@implements(p.Take)
def _take(emitter: Emitter, expr: p.Take) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    rising = "true" if expr.picks_rising else "false"
    emitter.define(
        expr, f"Numbers.take({x}, {_ints(emitter, expr.indices)}, {rising}, {emitter.buffer()}, {emitter.buffer()})"
    )


@implements(p.MinHash)
def _min_hash(emitter: Emitter, expr: p.MinHash) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    emitter.define(
        expr, f"Numbers.minHash({x}, {_ints(emitter, expr.a)}, {_ints(emitter, expr.b)}, {emitter.buffer()})"
    )


@implements(p.Reshape)
def _reshape(emitter: Emitter, expr: p.Reshape) -> None:
    assert isinstance(expr.type, TensorType) and expr.type.dimensions is not None
    x = emitter.present(expr.x)
    emitter.place(expr)
    dimensions = "null" if len(expr.type.dimensions) == 1 else _ints(emitter, expr.type.dimensions)
    emitter.define(expr, f"Numbers.reshape({x}, {dimensions}, {expr.type.size}, {emitter.buffer()})")
