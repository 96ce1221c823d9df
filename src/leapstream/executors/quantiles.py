"""Quantiles of the normal distribution, by M. J. Wichura's algorithm AS 241, for the executors in Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from leapstream.plan.graph import Doubles

_PARTS = (
    (
        (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457),
        (13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080),
        (5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867),
        (5394.1960214247511077, 687.18700749205790830, 42.313330701600911252, 1.0),
    ),
    (
        (7.74545014278341407640e-4, 0.0227238449892691845833, 0.241780725177450611770, 1.27045825245236838258),
        (3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734),
        (1.05075007164441684324e-9, 5.47593808499534494600e-4, 0.0151986665636164571966, 0.148103976427480074590),
        (0.689767334985100004550, 1.67638483018380384940, 2.05319162663775882187, 1.0),
    ),
    (
        (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 0.0265321895265761230930),
        (0.296560571828504891230, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720),
        (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4),
        (0.0148753612908506148525, 0.136929880922735805310, 0.599832206555887937690, 1.0),
    ),
)
"""For the middle, the sides and the tails: the coefficients of the numerator, and of the denominator, highest powers first."""

RATIOS = tuple(((*part[0], *part[1]), (*part[2], *part[3])) for part in _PARTS)


def _ratio(number: int, r: Any) -> Any:
    above, below = RATIOS[number]
    numerator, denominator = above[0], below[0]
    for a, b in zip(above[1:], below[1:], strict=True):
        numerator, denominator = numerator * r + a, denominator * r + b
    return numerator / denominator


def normal_quantile(p: float) -> float:
    """The number below which a standard normal variable is with a probability; NaN for no probability."""
    if not 0.0 < p < 1.0:
        return -math.inf if p == 0.0 else math.inf if p == 1.0 else math.nan
    q = p - 0.5
    if abs(q) <= 0.425:
        return float(q * _ratio(0, 0.180625 - q * q))
    r = math.sqrt(-math.log(p if q < 0.0 else 1.0 - p))
    x = float(_ratio(1, r - 1.6) if r <= 5.0 else _ratio(2, r - 5.0))
    return -x if q < 0.0 else x


def normal_quantiles(p: Doubles) -> Doubles:
    """:func:`normal_quantile` of each element."""
    q = p - 0.5
    r = np.sqrt(-np.log(np.where(q < 0.0, p, 1.0 - p)))
    outer = np.where(r <= 5.0, _ratio(1, r - 1.6), _ratio(2, r - 5.0))
    inner = np.abs(q) <= 0.425
    x = np.where(inner, q * _ratio(0, 0.180625 - q * q), np.where(q < 0.0, -outer, outer))
    edge = np.where(p == 0.0, -np.inf, np.where(p == 1.0, np.inf, np.nan))
    return np.where((p > 0.0) & (p < 1.0), x, edge)
