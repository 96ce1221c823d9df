"""Support vector machines with kernels (``sklearn.svm``); linear ones are in :mod:`.linear_model`."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Doubles, Features
from leapstream.exporters.kernels import dense, kernel, kernel_op
from leapstream.exporters.predictors import argmax, by_margin, by_scores, renamed, targets
from leapstream.exporters.sklearn.linear_model import margin, regression
from leapstream.exporters.sklearn.multiclass import pair_scores
from leapstream.exporters.sklearn.preprocessing import binarized
from leapstream.exporters.step import PredictorColumns, Step


def _sums(step: Step, features: Features, weights: Doubles, intercepts: Doubles) -> Block:
    """The kernels with the support vectors, times weights (sums, vectors), plus intercepts."""
    estimator = step.estimator
    block = kernel(step.graph, features, kernel_op(step, estimator.support_vectors_, float(estimator._gamma)))
    return step.graph.matrix((block,), "sums", weights.T, intercepts)


def _dual(step: Step) -> tuple[Doubles, Doubles]:
    estimator = step.estimator
    return np.atleast_2d(np.asarray(dense(estimator.dual_coef_), dtype=np.float64)), np.asarray(estimator.intercept_)


def regressor(step: Step, features: Features) -> PredictorColumns:
    """The weighted sum of the kernels with the support vectors."""
    if step.estimator.kernel == "linear":
        return regression(step, features)
    return targets(step, (_sums(step, features, *_dual(step)),))


def one_class(step: Step, features: Features) -> PredictorColumns:
    """The class 1 where the weighted sum of kernels is greater than 0, otherwise -1."""
    return by_margin(replace(step, given_classes=np.array([-1, 1])), _sums(step, features, *_dual(step)))


def classifier(step: Step, features: Features) -> PredictorColumns:
    """The class with the most votes of the classifiers of pairs; of two classes the sign of their classifier."""
    estimator = step.estimator
    linear = estimator.kernel == "linear"
    if len(step.classes) == 2:
        return margin(step, features) if linear else by_margin(step, _sums(step, features, *_dual(step)))
    if linear:
        coefficients = np.asarray(dense(estimator.coef_), dtype=np.float64)
        sums = step.graph.matrix(features, "sums", coefficients.T, np.asarray(estimator.intercept_))
    else:
        sums = _sums(step, features, _pair_weights(step), np.asarray(estimator.intercept_))
    return _by_pairs(step, sums)


def _pair_weights(step: Step) -> Doubles:
    """For each pair of classes the weights of the support vectors; those of other classes are 0."""
    dual, counts = np.asarray(dense(step.estimator.dual_coef_), dtype=np.float64), step.estimator.n_support_
    ends = np.cumsum(counts)
    places = [slice(end - count, end) for end, count in zip(ends.tolist(), counts.tolist(), strict=True)]
    pairs = list(combinations(range(len(counts)), 2))
    weights = np.zeros((len(pairs), dual.shape[1]))
    for row, (one, other) in zip(weights, pairs, strict=True):
        row[places[one]] = dual[other - 1, places[one]]
        row[places[other]] = dual[one, places[other]]
    return weights


def _by_pairs(step: Step, sums: Block) -> PredictorColumns:
    """A classifier of several classes by the sums of the pairs, which are positive for the first class of a pair."""
    estimator, graph, count = step.estimator, step.graph, len(step.classes)
    pairs = list(combinations(range(count), 2))
    negative = graph.multiply((sums,), "negative", np.full(sums.size, -1.0))
    scores = None
    if estimator.decision_function_shape == "ovr":
        scores = pair_scores(step, (binarized(graph, (negative,), 0.0, "second"),), (negative,), count)
        if estimator.break_ties:
            return by_scores(step, scores)
    wins = binarized(graph, (sums,), 0.0, "first")
    signs, offset = np.zeros((len(pairs), count)), np.zeros(count)
    for number, (one, other) in enumerate(pairs):
        signs[number, one], signs[number, other] = 1.0, -1.0
        offset[other] += 1.0
    votes = graph.matrix((wins,), "votes", signs, offset)
    raw = renamed(step, sums if scores is None else scores, "raw_prediction")
    return PredictorColumns(argmax(step, votes), step.classes, raw, decision=1.0)


PREDICTORS: dict[str, Predictor] = {
    "NuSVC": classifier,
    "NuSVR": regressor,
    "OneClassSVM": one_class,
    "SVC": classifier,
    "SVR": regressor,
}
