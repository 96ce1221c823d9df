"""Pipelines, column transformers and unions (``sklearn.pipeline``, ``sklearn.compose``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Block, Features, Graph, rising, size, with_sparsity
from leapstream.exporters.predictors import targets
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.feature import MathBinary, MathUnary


def predicts(step: Step) -> bool:
    """True if an estimator, or the last step of a pipeline, is a predictor."""
    if type(step.estimator).__name__ == "Pipeline":
        name, last = step.estimator.steps[-1]
        return not isinstance(last, str) and predicts(step.last(last, name))
    if type(step.estimator).__name__ == "FrozenEstimator":
        return predicts(step.last(step.estimator.estimator, "estimator"))
    if type(step.estimator).__name__ in _SEARCHES:
        return predicts(step.last(_best(step), "best_estimator_"))
    return step.dispatch.is_predictor(step.estimator)


def first_of(estimator: Any) -> Any:
    """The estimator that reads the data: the first step of a pipeline."""
    if type(estimator).__name__ == "Pipeline":
        return first_of(estimator.steps[0][1])
    if type(estimator).__name__ == "FrozenEstimator":
        return first_of(estimator.estimator)
    return first_of(estimator.best_estimator_) if hasattr(estimator, "best_estimator_") else estimator


def _before_last(step: Step, features: Features) -> Features:
    for name, estimator in step.estimator.steps[:-1]:
        features = _part(step, name, estimator, features)
    return features


def _part(step: Step, name: str, estimator: Any, features: Features) -> Features:
    """The features after a transformer; ``passthrough`` and ``None`` do not change them."""
    if estimator is None or estimator == "passthrough":
        return features
    return step.child(estimator, name).transform(features)


def pipeline_transform(step: Step, features: Features) -> Features:
    """The steps one after the other."""
    name, last = step.estimator.steps[-1]
    return _part(step, name, last, _before_last(step, features))


def pipeline_predict(step: Step, features: Features) -> PredictorColumns:
    """The transformers one after the other, then the predictor."""
    name, last = step.estimator.steps[-1]
    return step.last(last, name).predict(_before_last(step, features))


def column_transformer(step: Step, features: Features) -> Features:
    """Each transformer over its columns, the results side by side."""
    estimator = step.estimator
    weights = estimator.transformer_weights or {}
    results: list[Block] = []
    for name, transformer, _ in estimator.transformers_:
        positions = estimator._transformer_to_input_indices[name]
        if (isinstance(transformer, str) and transformer == "drop") or len(positions) == 0:
            continue
        taken = step.graph.take(features, positions)
        results += _weighted(step, _part(step, name, transformer, taken), weights.get(name))
    return with_sparsity(tuple(results), bool(estimator.sparse_output_))


def _weighted(step: Step, features: Features, weight: float | None) -> Features:
    if weight is None or size(features) == 0:
        return features
    factor, source = float(weight), step.graph.vector(features)
    results = (step.graph.multiply((source,), "weighted", np.full(source.size, factor)),)
    return rising(results, source, lambda x, at: x * factor) if factor >= 0.0 else results


def feature_union(step: Step, features: Features) -> Features:
    """The results of all transformers side by side."""
    weights = step.estimator.transformer_weights or {}
    results: list[Block] = []
    for name, transformer in step.estimator.transformer_list:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        results += _weighted(step, _part(step, name, transformer, features), weights.get(name))
    sparse = any(block.sparse for block in results)
    return with_sparsity(tuple(results), sparse)


# ---- functions --------------------------------------------------------------------------------------------------------

_Function = Callable[[Graph, Features], Features]


def _each(operation: Any) -> _Function:
    """MLeap's ``math_unary`` with ``operation``, for each feature."""

    def apply(graph: Graph, features: Features) -> Features:
        op = MathUnary(operation)
        return tuple(graph.apply(op, block, operation, None) for block in graph.scalars(features))

    return apply


def _times(factor: float) -> _Function:
    def apply(graph: Graph, features: Features) -> Features:
        return (graph.multiply(features, "scaled", np.full(size(features), factor)),)

    return apply


def _plus(summand: float) -> _Function:
    def apply(graph: Graph, features: Features) -> Features:
        return (graph.scale(features, "moved", shift=np.full(size(features), -summand)),)

    return apply


def _after(*functions: _Function) -> _Function:
    def apply(graph: Graph, features: Features) -> Features:
        for function in functions:
            features = function(graph, features)
        return features

    return apply


_FUNCTIONS: dict[str, _Function] = {
    **{name: _each(name) for name in ("log", "exp", "sqrt", "sin", "cos", "tan", "floor", "ceil")},
    **dict.fromkeys(("abs", "absolute", "fabs"), _each("abs")),
    "negative": _times(-1.0),
    "positive": lambda graph, features: features,
    "log2": _after(_each("log"), _times(1.0 / np.log(2.0))),
    "log10": _after(_each("log"), _times(1.0 / np.log(10.0))),
    "log1p": _after(_plus(1.0), _each("log")),
    "exp2": _after(_times(float(np.log(2.0))), _each("exp")),
    "expm1": _after(_each("exp"), _plus(-1.0)),
    "deg2rad": _times(float(np.pi / 180.0)),
    "radians": _times(float(np.pi / 180.0)),
    "rad2deg": _times(float(180.0 / np.pi)),
    "degrees": _times(float(180.0 / np.pi)),
}
"""The supported functions of NumPy, by name."""


def function_transformer(step: Step, features: Features) -> Features:
    """One of NumPy's functions of each number. ``rint`` is not supported: NumPy rounds halves to even, Java rounds them up."""
    step.require(not step.estimator.kw_args, "its function has keyword arguments")
    return _applied(step, features, step.estimator.func)


def _applied(step: Step, features: Features, function: Any) -> Features:
    if function is None:
        return features
    name = getattr(function, "__name__", "")
    known = name in _FUNCTIONS and function is getattr(np, name)
    known_names = ", ".join(sorted(_FUNCTIONS))
    step.require(known, f"the function {function!r} is not supported; supported of NumPy's: {known_names}")
    results = _FUNCTIONS[name](step.graph, features)
    if name not in _RISING:
        return results
    least = _RISING[name]
    if least is not None:
        features = tuple(at_least(step.graph, least, block) for block in step.graph.scalars(features))
    return rising(results, step.graph.vector(features), lambda x, at: function(x))


_RISING: dict[str, float | None] = {
    **dict.fromkeys(("ceil", "deg2rad", "degrees", "exp", "exp2", "expm1", "floor", "rad2deg", "radians")),
    **dict.fromkeys(("log", "log10", "log2"), 0.0),
    "log1p": -1.0,
}
"""The functions that never fall, each with the number below which the result is NaN."""


def at_least(graph: Graph, least: float, block: Block) -> Block:
    """The numbers of a column from ``least`` on, and NaN below: ``0 * sqrt(x - least) + x``."""
    distance = graph.add(MathBinary("sub", db=least), [block.column], {"output": f"{block.column}_distance"})["output"]
    return _where_positive(graph, Block(distance), block)


def at_most(graph: Graph, greatest: float, block: Block) -> Block:
    """The numbers of a column up to ``greatest``, and NaN above."""
    op = MathBinary("sub", da=greatest)
    distance = graph.add(op, [block.column], {"output": f"{block.column}_distance"})["output"]
    return _where_positive(graph, Block(distance), block)


def _where_positive(graph: Graph, distance: Block, block: Block) -> Block:
    root = graph.apply(MathUnary("sqrt"), distance, "sqrt", None)
    nothing = graph.add(MathBinary("mul", db=0.0), [root.column], {"output": f"{block.column}_nothing"})["output"]
    columns = graph.add(MathBinary("add"), [nothing, block.column], {"output": f"{block.column}_from"})
    return Block(columns["output"])


# ---- targets ----------------------------------------------------------------------------------------------------------


def transformed_target(step: Step, features: Features) -> PredictorColumns:
    """The predictions of ``regressor_``, with the transformation of the target undone."""
    estimator = step.estimator
    found = step.child(estimator.regressor_, "regressor_").predict(features).prediction
    inverse = step.child(estimator.transformer_, "transformer_")
    return targets(step, undone(inverse, (found,)))


def undone(step: Step, features: Features) -> Features:
    """The ``inverse_transform`` of a scaler or of a function."""
    estimator, graph = step.estimator, step.graph
    kind, width = type(estimator).__name__, size(features)
    if kind == "FunctionTransformer":
        return _applied(step, features, estimator.inverse_func)
    if kind == "StandardScaler":
        factors = estimator.scale_ if estimator.with_std else None
        offset = estimator.mean_ if estimator.with_mean else None
    elif kind == "RobustScaler":
        factors, offset = estimator.scale_, estimator.center_
    elif kind == "MaxAbsScaler":
        factors, offset = estimator.scale_, None
    elif kind == "MinMaxScaler" and not estimator.clip:
        factors, offset = 1.0 / estimator.scale_, -estimator.min_ / estimator.scale_
    elif kind == "Pipeline":
        for name, part in reversed(estimator.steps):
            features = features if part in (None, "passthrough") else undone(step.child(part, name), features)
        return features
    else:
        step.reject("its inverse_transform is not supported")
    result: Features = features
    if factors is not None:
        result = (graph.multiply(result, "unscaled", np.broadcast_to(np.asarray(factors, dtype=np.float64), width)),)
    if offset is not None:
        result = (graph.scale(result, "moved", shift=-np.asarray(offset, dtype=np.float64)),)
    return result


def frozen_transform(step: Step, features: Features) -> Features:
    """The features of the estimator inside."""
    return step.last(step.estimator.estimator, "estimator").transform(features)


def frozen_predict(step: Step, features: Features) -> PredictorColumns:
    """The predictions of the estimator inside."""
    return step.last(step.estimator.estimator, "estimator").predict(features)


# ---- searches ---------------------------------------------------------------------------------------------------------

_SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


def _best(step: Step) -> Any:
    step.require(hasattr(step.estimator, "best_estimator_"), "it has no best_estimator_: fit it with refit=True")
    return step.estimator.best_estimator_


def search_predict(step: Step, features: Features) -> PredictorColumns:
    """The predictions of ``best_estimator_``."""
    return step.last(_best(step), "best_estimator_").predict(features)


def search_transform(step: Step, features: Features) -> Features:
    """The features of ``best_estimator_``."""
    return step.last(_best(step), "best_estimator_").transform(features)


TRANSFORMERS: dict[str, Transformer] = {
    "ColumnTransformer": column_transformer,
    "FeatureUnion": feature_union,
    "FrozenEstimator": frozen_transform,
    "FunctionTransformer": function_transformer,
    "Pipeline": pipeline_transform,
    **dict.fromkeys(_SEARCHES, search_transform),
}

PREDICTORS: dict[str, Predictor] = {
    "FrozenEstimator": frozen_predict,
    "Pipeline": pipeline_predict,
    "TransformedTargetRegressor": transformed_target,
    **dict.fromkeys(_SEARCHES, search_predict),
}
