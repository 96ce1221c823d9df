"""Isotonic regression (``sklearn.isotonic``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.predictors import targets
from leapstream.exporters.sklearn.compose import at_least, at_most
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.feature import Bucketizer
from leapstream.ops.regression import IsotonicRegression


def _interpolated(step: Step, features: Features) -> Block:
    """The regression's value; what is out of bounds is clipped, becomes NaN, or fails."""
    estimator, graph = step.estimator, step.graph
    (x,) = graph.scalars(features)
    boundaries, values = (
        np.asarray(part, dtype=np.float64) for part in (estimator.X_thresholds_, estimator.y_thresholds_)
    )
    if estimator.out_of_bounds == "nan":
        x = at_most(graph, float(boundaries[-1]), at_least(graph, float(boundaries[0]), x))
    op = IsotonicRegression(tuple(boundaries.tolist()), tuple(values.tolist()), bool(estimator.increasing_))
    columns = graph.add(op, [x.column], {"prediction": f"{x.column}_{step.suffix}"})
    result = Block(columns["prediction"])
    if estimator.out_of_bounds == "clip":
        return result
    if estimator.out_of_bounds == "nan":
        return added(step, result, x)
    bucket = graph.apply(Bucketizer((float(boundaries[0]), float(boundaries[-1]))), x, "inside", None)
    return added(step, result, bucket)


def added(step: Step, block: Block, other: Block) -> Block:
    """A number, NaN or failed where another one is: the other one is added 0 times."""
    return step.graph.linear((block, other), "checked", np.array([1.0, 0.0]))


def transform(step: Step, features: Features) -> Features:
    """The values, as features."""
    return (_interpolated(step, features),)


def predict(step: Step, features: Features) -> PredictorColumns:
    """The values."""
    return targets(step, (_interpolated(step, features),))


TRANSFORMERS: dict[str, Transformer] = {"IsotonicRegression": transform}

PREDICTORS: dict[str, Predictor] = {"IsotonicRegression": predict}
