"""Functions of numbers, and of vectors element by element or as classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
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


def argmax(values: Doubles) -> npt.NDArray[np.intp]:
    """Spark's ``Vector.argmax`` of each row: the first of the greatest; a NaN in front wins, others lose."""
    nan = np.isnan(values)
    best = np.argmax(np.where(nan, -np.inf, values), axis=1)
    return np.where(nan[:, 0], 0, best)


@implements(p.Softmax)
def _softmax(run: Run, expr: p.Softmax, x: Column) -> Column:
    values = x.values
    best = argmax(values)
    greatest = values[np.arange(run.rows), best][:, None]
    powers = np.exp(values - np.where(greatest > 0, greatest, 0.0))
    result = powers * (1.0 / powers.sum(axis=1, keepdims=True))
    return Column(np.where(greatest == np.inf, np.eye(values.shape[1])[best], result))


@implements(p.NormalizeSum)
def _normalize_sum(run: Run, expr: p.NormalizeSum, x: Column) -> Column:
    total = x.values.sum(axis=1, keepdims=True)
    return Column(np.where(total != 0, x.values / np.where(total != 0, total, 1.0), x.values))


@implements(p.ArgMax)
def _arg_max(run: Run, expr: p.ArgMax, x: Column) -> Column:
    values = x.values
    if expr.thresholds is not None:
        values = np.where(expr.thresholds == 0.0, np.inf, values / expr.thresholds)
    return Column(argmax(values).astype(np.float64))
