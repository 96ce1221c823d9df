"""The tolerances for differences between executors, with their reasons: functions of a platform's library."""

from __future__ import annotations

from leapstream.plan import primitives as p
from leapstream.plan.graph import Expr, Plan
from tests.primitives.running import EXACT, Tolerance

LIBRARY = "Java, NumPy and C have functions of their own, which are off by up to an ulp each"
SUM_OF_POWERS = f"{LIBRARY}; the terms of a sum are such numbers"

TOLERANCES: dict[tuple[type[Expr], str | None], tuple[Tolerance, str]] = {
    **{(p.Unary, name): (Tolerance(2), LIBRARY) for name in ("exp", "log", "sin", "cos", "tan", "erf")},
    (p.Unary, "logistic"): (Tolerance(4), f"{LIBRARY}; one is added, and it divides"),
    (p.Unary, "logit"): (Tolerance(2, ones=2), LIBRARY),
    (p.Unary, "complementary_log_log"): (Tolerance(2, ones=2), f"{LIBRARY}; what is left of 1 may be few digits"),
    (p.Unary, "normal_quantile"): (Tolerance(8), f"{LIBRARY}; of a logarithm the root is taken"),
    (p.Unary, "normal_cdf"): (
        Tolerance(64, ones=2),
        "SciPy's erf and that of W. J. Cody; what is left of 1 may be few digits",
    ),
    (p.Unary, "tanh"): (Tolerance(8, ones=4), f"{LIBRARY}; one is taken away"),
    (p.Unary, "sublinear"): (Tolerance(4, ones=4), f"{LIBRARY}; one is added"),
    (p.Unary, "matern_once"): (Tolerance(4), LIBRARY),
    (p.Unary, "matern_twice"): (Tolerance(4), LIBRARY),
    (p.Binary, "log_n"): (Tolerance(4), f"{LIBRARY}; two divide"),
    (p.Binary, "pow"): (Tolerance(2), LIBRARY),
    (p.Normalize, "power"): (Tolerance(8), SUM_OF_POWERS),
    (p.PowerProducts, None): (Tolerance(8), SUM_OF_POWERS),
    (p.Softmax, None): (Tolerance(8), SUM_OF_POWERS),
    (p.ExpNormalize, None): (Tolerance(8, ones=8), SUM_OF_POWERS),
    (p.CosineTransform, None): (
        Tolerance(greatest=512),
        "pocketfft and Java's transform add up in different orders: 1,030 elements, a multiple of 103, were 259 steps apart",
    ),
    (p.TopicMixture, None): (Tolerance(1 << 16, ones=1 << 12), "digamma and exp over and over until they come to rest"),
    **{
        (p.FloatFunction, name): (
            Tolerance(1 << 30),
            f"{LIBRARY}; rounded to single precision, that is a step of a float",
        )
        for name in ("logistic", "exp")
    },
    (p.FloatSoftmax, None): (Tolerance(1 << 30), f"{LIBRARY}; rounded to single precision"),
}
"""Tolerance and reason by primitive and function; a primitive that is not here is exact."""


def _function(expr: Expr) -> str | None:
    if isinstance(expr, p.Normalize):
        return "exact" if expr.p in (1.0, 2.0, float("inf")) else "power"
    return getattr(expr, "function", None)


def tolerance(expr: Expr) -> Tolerance:
    """The tolerance for the values of an expression whose operands are equal."""
    return TOLERANCES.get((type(expr), _function(expr)), (EXACT, ""))[0]


def tolerance_of(plan: Plan) -> Tolerance:
    """The greatest tolerance of a plan's expressions."""
    every = [tolerance(expr) for expr in plan.order]
    return Tolerance(max(t.ulps for t in every), max(t.ones for t in every), max(t.greatest for t in every))
