"""Missing values (``sklearn.impute``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.exporters.categories import MISSING
from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Block, Features, with_sparsity
from leapstream.exporters.sklearn.preprocessing import binarized
from leapstream.exporters.step import Step
from leapstream.ops.feature import Imputer
from leapstream.ops.own import NeighborImputer


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def simple_imputer(step: Step, features: Features) -> Features:
    """The features with missing values filled in; with ``add_indicator``, followed by 1 where a feature was missing."""
    estimator, graph = step.estimator, step.graph
    missing = _missing_number(step, features)
    results = []
    for value, block in zip(estimator.statistics_.tolist(), graph.scalars(features), strict=True):
        if block.text:
            step.require(_is_text(value), f"the column {block.column!r} holds texts, and {value!r} is filled in")
            # MLeap has no op that fills in texts, so the steps that read the column treat a missing text as ``fill``.
            results.append(Block(block.column, text=True, fill=value))
        elif value == value or estimator.keep_empty_features:
            # scikit-learn drops a feature that had no value at all, or fills it with 0.
            surrogate = float(value) if value == value else 0.0
            op = Imputer(surrogate, missing, estimator.strategy)
            results.append(graph.apply(op, block, step.suffix, None))
    if estimator.add_indicator:
        results += _indicators(step, features, estimator.indicator_.features_, missing)
    return with_sparsity(tuple(results), False)


def neighbor_imputer(step: Step, features: Features) -> Features:
    """The features with missing values filled in by the means of the nearest rows; with ``add_indicator``, followed by marks."""
    estimator, graph = step.estimator, step.graph
    missing = _missing_number(step, features)
    step.require(missing != missing, "missing_values is a number")
    step.require(isinstance(estimator.weights, str), "weights is a function")
    step.require(bool(np.all(estimator._valid_mask)), "a feature had no value when it was fitted")
    weighting = "inverse" if estimator.weights == "distance" else "uniform"
    op = NeighborImputer(
        np.ascontiguousarray(estimator._fit_X, dtype=np.float64), int(estimator.n_neighbors), weighting
    )
    block = graph.dense(features)
    results: Features = (graph.apply(op, block, step.suffix, block.size),)
    if estimator.add_indicator:
        results = (*results, *_indicators(step, features, estimator.indicator_.features_, missing))
    return with_sparsity(results, False)


def missing_indicator(step: Step, features: Features) -> Features:
    """1 where a feature is missing."""
    return _indicators(step, features, step.estimator.features_, _missing_number(step, features))


def _missing_number(step: Step, features: Features) -> float:
    """The number that is treated as missing; NaN if ``missing_values`` is NaN, ``None`` or ``pandas.NA``."""
    missing = step.estimator.missing_values
    if missing is None or type(missing).__name__ == "NAType":
        return float("nan")
    step.require(
        not _is_text(missing), f"missing_values is the text {missing!r}; only numbers, None and NaN are supported"
    )
    texts = [block.column for block in features if block.text]
    step.require(missing != missing or not texts, "missing_values is a number, and a column holds texts")
    return float(missing)


def _indicators(step: Step, features: Features, positions: Any, missing: float) -> Features:
    graph = step.graph
    blocks = graph.scalars(graph.take(features, [int(p) for p in positions]))
    if not blocks:
        return ()
    texts = [block.column for block in blocks if block.text]
    step.require(not texts, "indicators of missing texts are not supported")
    marks = tuple(graph.apply(Imputer(MISSING, missing), block, "marked", None) for block in blocks)
    there = binarized(graph, (graph.dense(marks),), MISSING, "present")
    ones = np.ones(len(blocks))
    return (graph.scale((there,), "missing", shift=ones, divisor=-ones),)


TRANSFORMERS: dict[str, Transformer] = {
    "KNNImputer": neighbor_imputer,
    "MissingIndicator": missing_indicator,
    "SimpleImputer": simple_imputer,
}
