"""Functions of one number and of two."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Run
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles

_LEAST = np.finfo(np.float64).max


def _round(x: Doubles) -> Doubles:
    """As Java's ``Math.round``."""
    whole = np.floor(x)
    # Adding 0 turns -0.0 into 0.0.
    rounded = np.where(x - whole >= 0.5, whole + 1.0, whole) + 0.0
    return np.clip(np.where(np.isnan(x), 0.0, np.where(np.isinf(x), x, rounded)), -(2.0**63), 2.0**63)


_UNARY: dict[str, Callable[[Doubles], Doubles]] = {
    "negate": np.negative,
    "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "one_minus": lambda x: 1.0 - x,
    "double": lambda x: 2.0 * x,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": _round,
    "logit": lambda x: np.log(x / (1.0 - x)),
    "reciprocal": lambda x: 1.0 / x,
    "square": np.square,
    "normal_cdf": lambda x: 0.5 * (1.0 + special.erf(x / np.sqrt(2.0))),
    "complementary_log_log": lambda x: 1.0 - np.exp(-np.exp(x)),
    "finite": lambda x: np.clip(x, -_LEAST, _LEAST),
    "open_unit": lambda x: np.clip(x, 1e-16, 1.0 - 1e-16),
    "positive": lambda x: np.clip(x, 1e-16, _LEAST),
}


@implements(p.Unary)
def _unary(run: Run, expr: p.Unary, x: Column) -> Column:
    return Column(_UNARY[expr.function](x.values))


def _pow(a: Doubles, b: Doubles) -> Doubles:
    """C gives 1 for powers of 1 and -1 that Java has no number for."""
    return np.where(np.isnan(b) | (np.isinf(b) & (np.abs(a) == 1.0)), np.nan, np.power(a, b))


_BINARY: dict[str, Callable[[Doubles, Doubles], Doubles]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "rem": np.fmod,
    "log_n": lambda a, b: np.log(a) / np.log(b),
    "pow": _pow,
    "min": lambda a, b: np.where(a == b, np.where(np.signbit(a), a, b), np.minimum(a, b)),
    "max": lambda a, b: np.where(a == b, np.where(np.signbit(a), b, a), np.maximum(a, b)),
}


@implements(p.Binary)
def _binary(run: Run, expr: p.Binary, a: Column, b: Column) -> Column:
    return Column(_BINARY[expr.function](a.values, b.values))
