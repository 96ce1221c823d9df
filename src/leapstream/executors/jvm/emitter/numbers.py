"""Arithmetic, and vectors made of vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import ScalarType, TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import count_bytes, double_bytes, double_literal, float_bytes, int_bytes
from leapstream.plan import primitives as p


def _ints(e: Emitter, values: npt.ArrayLike) -> str:
    """An array of ints that the class reads."""
    return e.resource("int[]", "Data.readInts(data)", int_bytes(np.asarray(values, dtype=np.int64)))


# ---- numbers ----------------------------------------------------------------------------------------------------------


@implements(p.Constant)
def _constant(e: Emitter, expr: p.Constant) -> None:
    e.define(expr, double_literal(expr.value))


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
def _binary(e: Emitter, expr: p.Binary) -> None:
    e.define(expr, _BINARY[expr.function].format(a=e.present(expr.a), b=e.present(expr.b)))


@implements(p.Within)
def _within(e: Emitter, expr: p.Within) -> None:
    x = e.present(expr.x)
    e.place(expr)
    e.define(expr, f"Numbers.within({x}, {double_literal(expr.low)}, {double_literal(expr.high)})")


@implements(p.Interpolate)
def _interpolate(e: Emitter, expr: p.Interpolate) -> None:
    x = e.present(expr.x)
    e.define(expr, f"Numbers.interpolate({x}, {e.doubles(expr.boundaries)}, {e.doubles(expr.predictions)})")


@implements(p.FactorProduct)
def _factor_product(e: Emitter, expr: p.FactorProduct) -> None:
    a, b = e.present(expr.a), e.present(expr.b)
    first = _factors(e, expr.a_ids, expr.a_factors)
    second = _factors(e, expr.b_ids, expr.b_factors)
    e.define(expr, f"Factors.product({first}, {a}, {second}, {b})")


def _factors(e: Emitter, ids: npt.NDArray[np.int32], factors: npt.NDArray[np.float32]) -> str:
    data = count_bytes(range(factors.shape[1])) + int_bytes(ids) + float_bytes(factors)
    return e.resource("Factors", "new Factors(data)", data)


# ---- vectors ----------------------------------------------------------------------------------------------------------


@implements(p.CosineTransform)
def _cosine_transform(e: Emitter, expr: p.CosineTransform) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    transform = e.resource("CosineTransform", "new CosineTransform()", b"")
    e.define(expr, f"{transform}.transform({x}, {'true' if expr.inverse else 'false'}, {e.buffer()})")


@implements(p.Interact)
def _interact(e: Emitter, expr: p.Interact) -> None:
    parts = [e.present(x) if isinstance(x.type, ScalarType) else e.vector(x) for x in expr.xs]
    e.place(expr)
    data = count_bytes(expr.categories) + b"".join(int_bytes(np.array(sizes)) for sizes in expr.categories)
    interaction = e.resource("Interaction", "new Interaction(data)", data)
    e.line(f"{interaction}.begin();")
    for i, (x, part) in reversed(list(enumerate(zip(expr.xs, parts, strict=True)))):
        if isinstance(x.type, ScalarType):
            e.line(f"{interaction}.number({i}, {part});")
        else:
            e.line(f"{interaction}.vector({i}, {part}, {e.buffer()});")
    e.define(expr, f"{interaction}.result({e.buffer()})")


@implements(p.Expand)
def _expand(e: Emitter, expr: p.Expand) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    polynomial = e.resource("Polynomial", f"new Polynomial({expr.size}, {expr.degree})", b"")
    e.define(expr, f"{polynomial}.expand({x}, {e.buffer()}, {e.buffer()})")


@implements(p.PowerProducts)
def _power_products(e: Emitter, expr: p.PowerProducts) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    starts = _ints(e, np.cumsum([0, *map(len, expr.terms)]))
    index = _ints(e, [index for term in expr.terms for index, _ in term])
    power = _ints(e, [power for term in expr.terms for _, power in term])
    e.define(expr, f"Numbers.powerProducts({x}, {starts}, {index}, {power}, {e.buffer()}, {e.buffer()})")


@implements(p.Recode)
def _recode(e: Emitter, expr: p.Recode) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    parts = [
        int_bytes(np.array(expr.positions, dtype=np.int64)),
        int_bytes(np.cumsum([0, *(len(keys) for keys, _ in expr.tables)])),
        double_bytes(np.concatenate([np.zeros(0), *(keys for keys, _ in expr.tables)])),
        double_bytes(np.concatenate([np.zeros(0), *(values for _, values in expr.tables)])),
        b"\0" if expr.others is None else b"\1" + double_bytes(np.array(expr.others)),
    ]
    recoding = e.resource("Recoding", "new Recoding(data)", b"".join(parts))
    e.define(expr, f"{recoding}.recode({x}, {expr.size}, {e.buffer()})")


@implements(p.Take)
def _take(e: Emitter, expr: p.Take) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    rising = "true" if expr.picks_rising else "false"
    e.define(expr, f"Numbers.take({x}, {_ints(e, expr.indices)}, {rising}, {e.buffer()}, {e.buffer()})")


@implements(p.MinHash)
def _min_hash(e: Emitter, expr: p.MinHash) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    e.define(expr, f"Numbers.minHash({x}, {_ints(e, expr.a)}, {_ints(e, expr.b)}, {e.buffer()})")


@implements(p.Reshape)
def _reshape(e: Emitter, expr: p.Reshape) -> None:
    assert isinstance(expr.type, TensorType) and expr.type.dimensions is not None
    x = e.present(expr.x)
    e.place(expr)
    dimensions = "null" if len(expr.type.dimensions) == 1 else _ints(e, expr.type.dimensions)
    e.define(expr, f"Numbers.reshape({x}, {dimensions}, {expr.type.size}, {e.buffer()})")
