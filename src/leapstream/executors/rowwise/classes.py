"""Classes: probabilities and predictions from scores."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.stored import listed_conditions, stored_elements, where_stored
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p


@implements(p.Softmax)
def _softmax(writer: Writer, expr: p.Softmax) -> None:
    writer.define(expr, writer.call(runtime.softmax, writer.listed(expr.x)))


@implements(p.ExpNormalize)
def _exp_normalize(writer: Writer, expr: p.ExpNormalize) -> None:
    writer.define(expr, writer.call(runtime.exp_normalize, writer.listed(expr.x), str(expr.log)))


@implements(p.NormalizeSum)
def _normalize_sum(writer: Writer, expr: p.NormalizeSum) -> None:
    shares = writer.call(runtime.normalize_sum, writer.listed(expr.x))
    stored = stored_elements(writer, expr.x) if expr.needs_stored else None
    writer.define(expr, shares if stored is None else writer.call(where_stored, shares, listed_conditions(stored)))


@implements(p.ArgMax)
def _arg_max(writer: Writer, expr: p.ArgMax) -> None:
    x = writer.listed(expr.x)
    if expr.thresholds is None:
        writer.define(expr, f"float({writer.call(runtime.arg_max, x)})")
    else:
        writer.define(expr, f"float({writer.call(runtime.arg_max_scaled, x, writer.numbers(expr.thresholds))})")
