"""Runs a plan over rows on any executor, and says for each row what came out."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leapstream import Tensor
from leapstream.bundle.types import BasicType
from leapstream.executors.columns import column_of, leap_values
from leapstream.executors.contract import Outcome, PreparedPlan
from leapstream.frames.contract import grouped
from leapstream.plan.graph import Origin

Row = Sequence[Any]


class Dropped:
    """A row that was dropped."""

    def __repr__(self) -> str:
        return "DROPPED"


DROPPED = Dropped()


@dataclass(frozen=True)
class Failed:
    """A row that failed: why, and where."""

    reason: str
    origin: Origin | None = None


def run(prepared: PreparedPlan, rows: Sequence[Row]) -> list[Any]:
    """The outputs of each row as a dict, :data:`DROPPED` or a :class:`Failed`; rows whose tensors are alike share a batch."""
    results: list[Any] = [None] * len(rows)
    for group in grouped([tuple(map(_size, row)) for row in rows]):
        for place, result in zip(group, _run_batch(prepared, [rows[i] for i in group]), strict=True):
            results[place] = result
    return results


def run_alone(prepared: PreparedPlan, rows: Sequence[Row]) -> list[Any]:
    """Like :func:`run`, each row in a batch of its own."""
    return [result for row in rows for result in _run_batch(prepared, [row])]


def _size(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.dimensions
    return len(value) if isinstance(value, list) else None


def _run_batch(prepared: PreparedPlan, rows: Sequence[Row]) -> list[Any]:
    plan = prepared.plan
    columns = {f.name: column_of([row[i] for row in rows], f.type) for i, f in enumerate(plan.inputs)}
    return results_of(prepared.run(columns, len(rows)), {name: expr.type for name, expr in plan.outputs})


def results_of(outcome: Outcome[Any], types: Mapping[str, Any]) -> list[Any]:
    """The result of each row in an outcome."""
    values = {name: leap_values(column, types[name]) for name, column in outcome.columns.items()}
    return [_result(outcome, values, row) for row in range(len(outcome.states))]


def _result(outcome: Outcome[Any], values: Mapping[str, list[Any]], row: int) -> Any:
    if outcome.dropped[row]:
        return DROPPED
    if outcome.failed[row]:
        origin, reason = outcome.failures[outcome.states[row]]
        return Failed(reason(row), origin)
    return {name: column[row] for name, column in values.items()}


# ---- equality ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tolerance:
    """The greatest distance of numbers that count as equal.

    Attributes:
        ulps: steps between neighbouring doubles.
        ones: steps between doubles at 1.0, for numbers that are the rest of a 1.
        greatest: steps between doubles at the greatest element, for vectors whose elements are sums of all elements.
    """

    ulps: int = 0
    ones: int = 0
    greatest: int = 0


EXACT = Tolerance()


def same(a: Any, b: Any, tolerance: Tolerance = EXACT) -> bool:
    """True if two results, or values in them, are equal: in their types, and in the bits of numbers up to a tolerance.

    NaN equals NaN. A sparse tensor may equal a dense one.
    """
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if (a.base, a.dimensions) != (b.base, b.dimensions):
            return False
        return _same_elements(_elements(a), _elements(b), tolerance)
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return _same_number(a, b, tolerance)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key], tolerance) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _same_elements(a: dict[int, Any], b: dict[int, Any], tolerance: Tolerance) -> bool:
    if tolerance == EXACT:
        return same(a, b)
    finite = [abs(v) for v in b.values() if isinstance(v, float) and math.isfinite(v)]
    apart = tolerance.greatest * math.ulp(max(finite, default=0.0))
    return all(
        same(a.get(place, 0.0), b.get(place, 0.0), tolerance) or abs(a.get(place, 0.0) - b.get(place, 0.0)) <= apart
        for place in {*a, *b}
    )


def _elements(x: Tensor) -> dict[int, Any]:
    """The elements of a tensor by position, without those that are 0 or missing as one that is not stored is."""
    if x.indices is not None:
        places = [sum(i * n for i, n in zip(at, _strides(x.dimensions), strict=True)) for at in x.indices.tolist()]
        values = x.values.tolist()
    elif x.values.dtype.kind == "f":
        there = np.flatnonzero((x.values != 0) | np.signbit(x.values))
        places, values = there.tolist(), x.values[there].tolist()
    else:
        places, values = list(range(len(x.values))), x.values.tolist()
    # Of a place that repeats the last counts.
    elements = dict(zip(places, values, strict=True))
    return {place: v for place, v in elements.items() if v is not None and (v != 0 or math.copysign(1.0, v) < 0)}


def _strides(dimensions: Sequence[int]) -> list[int]:
    return [math.prod(dimensions[i + 1 :]) for i in range(len(dimensions))]


def _same_number(a: float, b: float, tolerance: Tolerance) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if struct.pack(">d", a) == struct.pack(">d", b):
        return True
    if tolerance == EXACT or math.isinf(a) or math.isinf(b):
        return False
    return abs(_steps(a) - _steps(b)) <= tolerance.ulps or abs(a - b) <= tolerance.ones * math.ulp(1.0)


def _steps(number: float) -> int:
    """The number of the double in the order of all doubles."""
    (bits,) = struct.unpack(">q", struct.pack(">d", number))
    return int(bits) if bits >= 0 else -(int(bits) & (2**63 - 1))


def dense(*values: float, base: BasicType = BasicType.DOUBLE) -> Tensor:
    """A dense vector."""
    return Tensor.dense(list(values), base)


def sparse(size: int, stored: Mapping[int, float]) -> Tensor:
    """A sparse vector of doubles, which stores its elements in the order given."""
    return Tensor.sparse(size, list(stored), np.array(list(stored.values()), dtype=np.float64))
