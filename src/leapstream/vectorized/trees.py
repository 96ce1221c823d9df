"""Ensembles of decision trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leapstream.bundle.types import TensorType
from leapstream.plan import primitives as p
from leapstream.plan.forest import make_forest
from leapstream.plan.primitives import Expr
from leapstream.vectorized.columns import Column
from leapstream.vectorized.run import Run, is_vector


def _trees(run: Run, expr: p.Trees, x: Column) -> Column:
    if not is_vector(run, x):
        vectors = isinstance(expr.type, TensorType)
        return Column(np.full((run.rows, expr.width) if vectors else run.rows, np.nan))
    from leapstream.vectorized import kernels

    result, failed = kernels.run_forest(expr, run.prepared[id(expr)], x.values)
    if failed.any():
        run.fail(failed, f"a tree tests a feature beyond the vector's {x.values.shape[1]} elements")
    return Column(result)


PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {
    p.Trees: _trees,
}

PREPARE: dict[type[Expr], Callable[[Any], Any]] = {
    p.Trees: make_forest,
}
