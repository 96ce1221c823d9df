"""Writes a plan and a row as the source of a case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from leapstream import Tensor
from leapstream.bundle.types import BasicType, ListType, MapType, ScalarType, TensorType
from leapstream.plan.graph import Expr, Plan
from leapstream.plan.primitives import Input


def case_source(plan: Plan, rows: Sequence[tuple[Any, ...]]) -> str:
    """A plan and rows as text to make a :class:`~tests.primitives.cases.Case` of; what the rows give is left open."""
    names: dict[int, str] = {}
    lines = []
    for expr in plan.order:
        names[id(expr)] = f"e{len(names)}"
        lines.append(f"{names[id(expr)]} = {_expr(expr, names)}")
    lines += ["rows = [", *(f"    {source(row[0] if len(row) == 1 else tuple(row))}," for row in rows), "]"]
    lines += [f'Case("…", {names[id(expr)]}, [(row, …) for row in rows])' for _, expr in plan.outputs]
    return "\n".join(lines) + "\n"


def _expr(expr: Expr, names: dict[int, str]) -> str:
    if isinstance(expr, Input):
        return f"column({source(expr.type)}, {expr.name!r})"
    return f"p.{type(expr).__name__}({', '.join(_arguments(expr, names))})"


def _arguments(expr: Expr, names: dict[int, str]) -> Iterator[str]:
    for f in fields(expr):
        value = getattr(expr, f.name)
        if f.name == "origin":
            continue
        if isinstance(value, Expr):
            yield f"{f.name}={names[id(value)]}"
        elif isinstance(value, tuple) and value and isinstance(value[0], Expr):
            yield f"{f.name}=({', '.join(names[id(x)] for x in value)},)"
        else:
            yield f"{f.name}={source(value)}"


def source(value: Any) -> str:
    """A value as an expression of Python; ``INF`` and ``NAN`` are constants."""
    match value:
        case float():
            return "NAN" if math.isnan(value) else repr(value).replace("inf", "INF")
        case np.ndarray():
            return f"np.array({source(value.tolist())}, dtype=np.{value.dtype})"
        case Tensor(base=base, dimensions=dimensions, indices=None):
            return f"Tensor.dense(np.array({source(value.values.tolist())}).reshape({dimensions}), {_base(base)})"
        case Tensor(base=BasicType.DOUBLE, dimensions=(size,)):
            stored = zip(value.indices[:, 0].tolist(), value.values.tolist(), strict=True)
            return f"sparse({size}, {{{', '.join(f'{i}: {source(v)}' for i, v in stored)}}})"
        case Tensor():
            parts = (_base(value.base), source(value.values), str(value.dimensions), source(value.indices))
            return f"Tensor({', '.join(parts)})"
        case list():
            return f"[{', '.join(map(source, value))}]"
        case tuple():
            return f"({''.join(f'{source(v)}, ' for v in value).rstrip()})"
        case dict():
            return f"{{{', '.join(f'{source(k)}: {source(v)}' for k, v in value.items())}}}"
        case ScalarType():
            return f"ScalarType({_base(value.base)}, {value.nullable})"
        case ListType():
            return f"ListType({_base(value.base)}, {value.nullable})"
        case MapType():
            return f"MapType({_base(value.key)}, {_base(value.base)}, {value.nullable})"
        case TensorType():
            return f"TensorType({_base(value.base)}, {value.dimensions}, {value.nullable})"
        case Plan():
            return f"plan_of(out={_nested(value.outputs[0][1])})"
    return repr(value)


def _base(base: BasicType) -> str:
    return f"BasicType.{base.name}"


def _nested(expr: Expr) -> str:
    if isinstance(expr, Input):
        return _expr(expr, {})
    texts = {id(x): _nested(x) for x in expr.operands}
    return _expr(expr, texts)
