"""Functions that the generated functions call. Unusual values raise :class:`UnusualRecordError`; arrays compute such records."""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NAN = math.nan
_LEAST_LONG, _GREATEST_LONG = -(2**63), 2**63 - 1


class UnusualRecordError(ValueError):
    """The vectorized executor has to compute the record; if the record fails, it has the reason."""


def unusual() -> Any:
    """Raise :class:`UnusualRecordError`; usable in an expression."""
    raise UnusualRecordError


# ---- numbers ----------------------------------------------------------------------------------------------------------


def floor(x: float) -> float:
    """As ``Math.floor``, which keeps the sign of 0."""
    return math.copysign(math.floor(x), x) if math.isfinite(x) else x


def ceil(x: float) -> float:
    """As ``Math.ceil``."""
    return math.copysign(math.ceil(x), x) if math.isfinite(x) else x


def great_exp(x: float) -> float:
    """The exponential of a number from 709 on, or of NaN; infinite where it is too great for a double."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def log_of_nothing(x: float) -> float:
    """The logarithm of a number that is not greater than 0, or of NaN."""
    return -math.inf if x == 0.0 else math.nan


def java_round(x: float) -> float:
    """As ``Math.round`` where the result is a double's whole number."""
    whole = math.floor(x)
    if not -(2**53) < whole < 2**53:
        raise UnusualRecordError
    return float(whole + (x - whole >= 0.5))


def least(a: float, b: float) -> float:
    """As ``Math.min``."""
    if a < b:
        return a
    if b < a or b != b:
        return b
    return a if a != a or math.copysign(1.0, a) < 0 else b


def greatest(a: float, b: float) -> float:
    """As ``Math.max``."""
    return -least(-a, -b)


def power(a: float, b: float) -> float:
    """As ``Math.pow`` of ordinary numbers."""
    if not (math.isfinite(a) and math.isfinite(b)):
        raise UnusualRecordError
    return math.pow(a, b)


def clip(x: float, low: float, high: float) -> float:
    """``x`` clipped to [low, high]; NaN stays NaN."""
    return low if x < low else high if x > high else x


def bucket(x: float, splits: Sequence[float]) -> float:
    """Number of the bucket of ``x``; see :class:`leapstream.plan.primitives.Bucketize`."""
    # To Java's binary search -0.0 is less than 0.0.
    if not splits[0] <= x <= splits[-1] or (x == 0.0 and math.copysign(1.0, x) < 0):
        raise UnusualRecordError
    return float(min(bisect_right(splits, x) - 1, len(splits) - 2))


def category(x: float, categories: int, keep: bool) -> int:
    """Position of the 1 in a one-hot vector; ``categories`` for the category of its own."""
    if 0.0 <= x < categories and x == int(x):
        return int(x)
    if not keep or not -(2**31) <= x < 2**31 or x != math.floor(x):
        raise UnusualRecordError
    return categories


def add_up(values: Iterable[float], total: float = 0.0) -> float:
    """``total`` plus the values, added from left to right as Java does; ``sum`` mends the rounding since Python 3.12."""
    if sys.version_info < (3, 12):
        return sum(values, total)
    for value in values:
        total += value
    return total


# ---- vectors ----------------------------------------------------------------------------------------------------------


def listed(elements: Mapping[int, float], size: int) -> list[float]:
    """The list of a vector whose elements that are not 0 are given by place."""
    values = [0.0] * size
    for place, value in elements.items():
        values[place] = value
    return values


def arg_max(values: Sequence[float]) -> int:
    """Spark's ``Vector.argmax``; -1 without elements."""
    best = 0 if values else -1
    for i, value in enumerate(values):
        if value > values[best]:
            best = i
    return best


def arg_max_scaled(values: Sequence[float], thresholds: Sequence[float]) -> int:
    """Like :func:`arg_max`, after dividing by thresholds; a threshold of 0 makes an element infinite."""
    return arg_max([x / t if t != 0.0 else math.inf for x, t in zip(values, thresholds, strict=True)])


def softmax(margins: Sequence[float]) -> list[float]:
    """See :class:`leapstream.plan.primitives.Softmax`."""
    best = arg_max(margins)
    top = margins[best]
    if top == math.inf:
        return [1.0 if i == best else 0.0 for i in range(len(margins))]
    shift = top if top > 0 else 0.0
    powers = [math.exp(x - shift) for x in margins]
    scale = 1.0 / add_up(powers)
    return [x * scale for x in powers]


def exp_normalize(values: Sequence[float], log: bool) -> list[float]:
    """See :class:`leapstream.plan.primitives.ExpNormalize`."""
    top = max(values)
    if not all(map(math.isfinite, values)):
        raise UnusualRecordError
    powers = [math.exp(x - top) for x in values]
    total = add_up(powers)
    if log:
        shift = math.log(total) + top
        return [x - shift for x in values]
    return [x / total for x in powers]


def normalize_sum(values: Sequence[float]) -> list[float]:
    """Divided by the sum, unless that is 0."""
    total = add_up(values)
    return [x / total for x in values] if total != 0 else list(values)


def normalize(values: Sequence[float], p: float) -> list[float]:
    """Divided by the p-norm, unless that is 0."""
    if p == 1.0:
        norm = add_up(map(abs, values))
    elif p == 2.0:
        norm = math.sqrt(add_up([x * x for x in values]))
    elif p == math.inf:
        norm = max(map(abs, values), default=0.0)
        if any(x != x for x in values):
            raise UnusualRecordError
    else:
        norm = add_up([math.pow(abs(x), p) for x in values]) ** (1.0 / p)
    if norm != norm:
        # It matters which elements are stored.
        raise UnusualRecordError
    return [x / norm for x in values] if norm != 0.0 else list(values)
