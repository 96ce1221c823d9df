"""Vectors: concatenation and scaling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from leapstream.bundle.types import ScalarType, TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.stored import require_stored_alone, stored_elements, where_stored
from leapstream.executors.rowwise.writer import MOST_ELEMENTS, ArraysOnlyError, Writer
from leapstream.plan import primitives as p


@implements(p.Concat)
@implements(p.Pack)
def _concat(writer: Writer, expr: p.Concat | p.Pack) -> None:
    if any(writer.sparse(x) is not None for x in expr.xs):
        _concat_sparse(writer, expr)
        return
    parts: list[str] = []
    unrolled = True
    computed = [x for x in expr.xs if not isinstance(x.type, ScalarType) and not _is_given(x)]
    if len(computed) > 1:
        # Vectors that are longer than declared double each time that they are put together.
        lengths = " + ".join(f"len({writer.listed(x)})" for x in computed)
        writer.line(f"if {lengths} > {MOST_ELEMENTS}: unusual()")
    # Adding 0 makes -0.0 the 0.0 of an element that is not stored, as a concatenation of MLeap does not store any 0.
    plus = " + 0.0" if isinstance(expr, p.Concat) and not writer.zeros_are_equal(expr) else ""
    for x in expr.xs:
        if isinstance(x.type, ScalarType):
            parts.append(writer.present(x) + plus)
        elif (elements := writer.elements(x)) is not None:
            parts += [element + plus for element in elements]
        else:
            listed = writer.listed(x)
            parts.append(f"*[x{plus} for x in {listed}]" if plus else f"*{listed}")
            unrolled = False
    if unrolled:
        writer.define_elements(expr, parts)
    else:
        writer.define(expr, f"[{', '.join(parts)}]")


def _concat_sparse(writer: Writer, expr: p.Concat | p.Pack) -> None:
    """Put vectors together of which some are dicts of the elements."""
    start = 0
    parts: list[str] = []
    for x in expr.xs:
        sparse = writer.sparse(x)
        if isinstance(x.type, ScalarType):
            parts.append(f"{start}: {writer.present(x)} + 0.0")
            start += 1
        elif sparse is not None:
            name, size = sparse
            parts.append(f"**{{i + {start}: x + 0.0 for i, x in {name}.items()}}")
            start += size
        else:
            elements = writer.elements(x)
            declared = x.type.size if isinstance(x.type, TensorType) else None
            known = declared if elements is None else len(elements)
            if known is None:
                raise ArraysOnlyError("Concat of a sparse vector and one of any size")
            writer.expect_size(x, known)
            parts.append(f"**{{i: x + 0.0 for i, x in enumerate({writer.listed(x)}, {start})}}")
            start += known
    result = writer.variable()
    writer.line(f"{result} = {{{', '.join(parts)}}}")
    writer.define_sparse(expr, result, start)


def _is_given(x: p.Expr) -> bool:
    """True for an input column, and for vectors whose length is certain because they are not lists."""
    while isinstance(x, (p.Cast, p.NotNull)):
        x = x.x
    return isinstance(x, p.Input)


@implements(p.Affine)
def _affine(writer: Writer, expr: p.Affine) -> None:
    if expr.divisor is not None and not np.all(expr.divisor):
        raise ArraysOnlyError("Affine with a divisor of 0")
    sparse = writer.sparse(expr.x)
    if sparse is not None and expr.keeps_stored:
        _scale_sparse(writer, expr, *sparse)
        return
    elements = writer.elements(expr.x)
    stored = stored_elements(writer, expr.x) if expr.needs_stored else None
    if elements is None:
        result = writer.call(affine, writer.listed(expr.x), writer.constant(_steps(expr)))
        writer.define(expr, result if stored is None else writer.call(where_stored, result, str(stored)))
        return
    if len(elements) > expr.size:
        raise ArraysOnlyError("Affine of a vector that is too long")
    formulas = [_affine_element(writer, expr, i, x) for i, x in enumerate(elements)]
    if stored is not None:
        formulas = [f"{f} if {there} else 0.0" for f, there in zip(formulas, stored, strict=True)]
    writer.define_elements(expr, formulas)


def _scale_sparse(writer: Writer, expr: p.Affine, name: str, size: int) -> None:
    if size > expr.size:
        raise ArraysOnlyError("Affine of a vector that is too long")
    if expr.needs_stored:
        require_stored_alone(expr.x)
    formula = "x"
    for step, sign in ((expr.divisor, "/"), (expr.factor, "*")):
        if step is not None:
            formula = f"{formula} {sign} {writer.view(step)}[i]"
    writer.define_sparse_each(expr, expr.x, formula)


def _affine_element(writer: Writer, expr: p.Affine, i: int, x: str) -> str:
    formula = x
    for step, sign in ((expr.shift, "-"), (expr.divisor, "/"), (expr.factor, "*"), (expr.offset, "+")):
        if step is not None:
            formula = f"({formula} {sign} {writer.constant(float(step[i]))})"
    if expr.fixed is not None and not math.isnan(expr.fixed[i]):
        fixed = writer.constant(float(expr.fixed[i]))
        formula = f"({fixed} if {x} == {x} else {x})" if expr.keep_nan else fixed
    return formula


def _steps(expr: p.Affine) -> list[tuple[float, float, float, float, float, bool]]:
    """The parameters of each element; ``(x - shift) / divisor * factor + offset``, or the fixed value."""

    def column(values: Any, default: float) -> list[float]:
        return [default] * expr.size if values is None else [float(v) for v in values]

    return list(
        zip(
            column(expr.shift, 0.0),
            column(expr.divisor, 1.0),
            column(expr.factor, 1.0),
            column(expr.offset, -0.0),
            column(expr.fixed, math.nan),
            [expr.keep_nan] * expr.size,
            strict=True,
        )
    )


def affine(values: list[float], steps: list[tuple[float, float, float, float, float, bool]]) -> list[float]:
    """:class:`leapstream.plan.primitives.Affine` of a list."""
    if len(values) > len(steps):
        raise runtime.UnusualRecordError
    return [
        (x - shift) / divisor * factor + offset if fixed != fixed or (keep_nan and x != x) else fixed
        for x, (shift, divisor, factor, offset, fixed, keep_nan) in zip(values, steps, strict=False)
    ]


@implements(p.Clip)
def _clip(writer: Writer, expr: p.Clip) -> None:
    bounds = writer.constant(float(expr.low)), writer.constant(float(expr.high))
    if isinstance(expr.x.type, ScalarType):
        writer.define(expr, writer.call(runtime.clip, writer.present(expr.x), *bounds))
    elif writer.sparse(expr.x) is not None and expr.low <= 0 <= expr.high:
        writer.define_sparse_each(expr, expr.x, writer.call(runtime.clip, "x", *bounds))
    else:
        writer.define_each(expr, expr.x, lambda x: writer.call(runtime.clip, x, *bounds))


@implements(p.Normalize)
def _normalize(writer: Writer, expr: p.Normalize) -> None:
    if not expr.p >= 1.0:
        raise ArraysOnlyError("Normalize with p less than 1")
    sparse = writer.sparse(expr.x)
    if sparse is not None:
        values = writer.call(runtime.normalize, f"list({sparse[0]}.values())", writer.constant(float(expr.p)))
        writer.define_sparse_values(expr, expr.x, values)
        return
    writer.define(expr, writer.call(runtime.normalize, writer.listed(expr.x), writer.constant(float(expr.p))))
