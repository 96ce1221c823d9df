"""Computations of XGBoost besides tree traversal: features, functions and contributions in single precision."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p


@implements(p.FloatFeatures)
@implements(p.FloatFunction)
@implements(p.FloatLinear)
@implements(p.FloatSoftmax)
@implements(p.TreeContributions)
def _xgboost(
    writer: Writer,
    expr: p.FloatFeatures | p.FloatFunction | p.FloatLinear | p.FloatSoftmax | p.TreeContributions,
) -> None:
    by_arrays(writer, expr)
