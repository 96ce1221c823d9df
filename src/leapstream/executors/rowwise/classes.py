"""Classes: probabilities and predictions from scores."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.stored import listed_conditions, require_stored_alone, stored_elements, where_stored
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
    sparse = writer.sparse(expr.x)
    if sparse is not None:
        require_stored_alone(expr.x)
        values = writer.call(runtime.normalize_sum, f"list({sparse[0]}.values())")
        writer.define_sparse_values(expr, expr.x, values)
        return
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


@implements(p.Greatest)
@implements(p.SquareSums)
def _others(writer: Writer, expr: p.Greatest | p.SquareSums) -> None:
    by_arrays(writer, expr)


@implements(p.RequireElements)
def _require_elements(writer: Writer, expr: p.RequireElements) -> None:
    sparse = writer.sparse(expr.x)
    values = writer.listed(expr.x) if sparse is None else f"{sparse[0]}.values()"
    allowed = "x == 0.0 or x == 1.0" if expr.allowed == "zero_or_one" else "x >= 0.0"
    writer.line(f"if not all([{allowed} for x in {values}]): unusual()")
    writer.alias(expr, expr.x)
