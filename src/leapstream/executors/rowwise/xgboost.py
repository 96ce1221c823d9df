"""Computations of XGBoost besides tree traversal: features, functions and contributions in single precision."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.runtime import NAN, UnusualRecordError, add_up, floor
from leapstream.executors.rowwise.stored import listed_conditions, stored_elements
from leapstream.executors.rowwise.writer import ArraysOnlyError, Unpicked, Writer
from leapstream.plan import primitives as p

_FLOAT = struct.Struct("f")


@implements(p.FloatFeatures)
def _float_features(writer: Writer, expr: p.FloatFeatures) -> None:
    if expr.failure is not None:
        raise ArraysOnlyError("FloatFeatures of a booster that fails every row")
    if writer.sparse(expr.x) is not None:
        raise ArraysOnlyError("FloatFeatures of a long vector with few elements")
    vector = _stored_or_nan(writer, expr)
    if _may_be_late(writer, expr):
        writer.unpicked[id(expr)] = Unpicked(expr, vector)
        return
    listed = vector if isinstance(vector, str) else f"[{', '.join(vector)}]"
    steps = list(zip(expr.elements.tolist(), expr.missing.tolist(), expr.whole.tolist(), strict=True))
    writer.define(expr, writer.call(float_features, listed, writer.constant(steps)))


def _stored_or_nan(writer: Writer, expr: p.FloatFeatures) -> list[str] | str:
    """The elements of the vector, or the variable of a list of them, with NaN in place of those that are not stored."""
    elements = writer.elements(expr.x)
    if elements is not None and len(elements) > expr.size:
        raise ArraysOnlyError("FloatFeatures of a vector that is too long")
    stored = stored_elements(writer, expr.x)
    if elements is not None:
        if stored is None:
            return elements
        return [f"{x} if {there} else {writer.constant(NAN)}" for x, there in zip(elements, stored, strict=True)]
    x = writer.listed(expr.x)
    writer.line(f"if len({x}) > {expr.size}: unusual()")
    if stored is None:
        return x
    name = writer.variable()
    writer.line(f"{name} = {writer.call(nan_unless_stored, x, listed_conditions(stored))}")
    return name


def _may_be_late(writer: Writer, expr: p.FloatFeatures) -> bool:
    """True if only trees read the features, and no row is dropped before they do: the features may fail the record."""
    if not writer.only_trees_read(expr):
        return False
    order = writer.plan.order
    last = writer.readers[id(expr)][-1]
    return not any(other.drops for other in order[order.index(expr) : order.index(last)])


def nan_unless_stored(values: Sequence[float], stored: Sequence[bool]) -> list[float]:
    """The elements that are stored, and NaN in place of the others."""
    return [value if there else NAN for value, there in zip(values, stored, strict=True)]


def float_features(values: Sequence[float], steps: Sequence[tuple[int, float, bool]]) -> list[float]:
    """:class:`leapstream.plan.primitives.FloatFeatures` of a list; a step has an element, its replacement and ``whole``."""
    floats = list(map(single, values))
    if math.inf in floats or -math.inf in floats:
        raise UnusualRecordError
    result = []
    for element, missing, whole in steps:
        value = floats[element] if element < len(floats) else NAN
        result.append(missing if value != value else floor(value) if whole else value)
    return result


def single(x: float) -> float:
    """The nearest number of single precision."""
    try:
        value: float = _FLOAT.unpack(_FLOAT.pack(x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)
    return value


_MOST = float(np.float32(88.7))


def float_exp(x: float) -> float:
    """``exp`` in single precision."""
    try:
        return single(math.exp(single(x)))
    except OverflowError:
        return math.inf


def float_logistic(x: float) -> float:
    """The logistic function in single precision."""
    margin = -single(x)
    return single(1.0 / single(single(math.exp(_MOST if margin > _MOST else margin)) + 1.0))


def float_step(x: float) -> float:
    """1 above 0, else 0."""
    return 1.0 if single(x) > 0 else 0.0


def float_round(x: float) -> float:
    """As ``Math.round`` of a float."""
    value = single(x)
    if value != value:
        return 0.0
    return min(max(float(np.floor(value + 0.5)), -(2.0**31)), 2.0**31 - 1)


FUNCTIONS: dict[p.FunctionName, Callable[[float], float]] = {
    "single": single,
    "exp": float_exp,
    "logistic": float_logistic,
    "step": float_step,
    "round": float_round,
}
"""The functions of single precision."""


@implements(p.FloatFunction)
def _float_function(writer: Writer, expr: p.FloatFunction) -> None:
    function = FUNCTIONS[expr.function]
    if isinstance(expr.x.type, ScalarType):
        writer.define(expr, writer.call(function, writer.present(expr.x)))
    else:
        writer.define_each(expr, expr.x, lambda x: writer.call(function, x))


@implements(p.FloatSoftmax)
def _float_softmax(writer: Writer, expr: p.FloatSoftmax) -> None:
    writer.define(expr, writer.call(float_softmax, writer.listed(expr.x)))


def float_softmax(values: Sequence[float]) -> list[float]:
    """:class:`leapstream.plan.primitives.FloatSoftmax`."""
    floats = list(map(single, values))
    top = max((x for x in floats if x == x), default=NAN)
    if not math.isfinite(top):
        raise UnusualRecordError
    powers = [float_exp(x - top) for x in floats]
    total = single(add_up(powers))
    return [single(x / total) for x in powers]


@implements(p.FloatLinear)
@implements(p.TreeContributions)
def _by_arrays(writer: Writer, expr: p.FloatLinear | p.TreeContributions) -> None:
    by_arrays(writer, expr)
