"""Functions of one number and of two."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.quantiles import normal_quantiles
from leapstream.executors.vectorized.run import Run, require_size
from leapstream.plan import primitives as p
from leapstream.plan.functions import evaluate
from leapstream.plan.primitives import Doubles


def _round(x: Doubles) -> Doubles:
    """As Java's ``Math.round``."""
    whole = np.floor(x)
    # Adding 0 turns -0.0 into 0.0.
    rounded = np.where(x - whole >= 0.5, whole + 1.0, whole) + 0.0
    return np.clip(np.where(np.isnan(x), 0.0, np.where(np.isinf(x), x, rounded)), -(2.0**63), 2.0**63)


def _erf(x: Doubles) -> Doubles:
    """The error function, of SciPy."""
    from scipy import special

    values: Doubles = special.erf(x)
    return values


def _pow(a: Doubles, b: Doubles) -> Doubles:
    """As Java's ``Math.pow``: C's ``pow`` gives 1 for some powers of 1 and -1 where Java gives NaN."""
    return np.where(np.isnan(b) | (np.isinf(b) & (np.abs(a) == 1.0)), np.nan, np.power(a, b))


SPELLING: dict[str, Callable[..., npt.NDArray[np.float64]]] = {
    "negate": np.negative,
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
    "erf": _erf,
    "normal_quantile": normal_quantiles,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "rem": np.fmod,
    "pow": _pow,
    "min": lambda a, b: np.where(a == b, np.where(np.signbit(a), a, b), np.minimum(a, b)),
    "max": lambda a, b: np.where(a == b, np.where(np.signbit(a), b, a), np.maximum(a, b)),
}
"""The simple functions of arrays."""


def _values(function: p.FunctionName, *arguments: Doubles) -> Doubles:
    return evaluate(function, arguments, lambda simple, given: SPELLING[simple](*given), np.asarray)


@implements(p.Unary)
def _unary(run: Run, expr: p.Unary, x: Column) -> Column:
    return Column(_values(expr.function, x.values))


@implements(p.Binary)
def _binary(run: Run, expr: p.Binary, a: Column, b: Column) -> Column:
    x, y = a.values, b.values
    if x.ndim == y.ndim == 2 and not require_size(run, b, x.shape[1]):
        return Column(np.full(x.shape, np.nan))
    if x.ndim != y.ndim:
        x, y = (values[:, None] if values.ndim == 1 else values for values in (x, y))
    return Column(_values(expr.function, x, y))
