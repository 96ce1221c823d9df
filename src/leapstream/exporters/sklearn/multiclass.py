"""One classifier per class (``sklearn.multiclass``)."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.predictors import argmax, by_margin, by_scores, element, normalized, renamed
from leapstream.exporters.sklearn.ensemble import decision
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.clustering import KMeans
from leapstream.ops.feature import MathBinary, MathUnary


def one_vs_rest(step: Step, features: Features) -> PredictorColumns:
    """The class whose classifier has the greatest decision function, or the greatest probability if it has no such function.

    MLeap's op ``one_vs_rest`` is not used, because it compares probabilities, of which several may be rounded to 1, and because
    its result has only the greatest one.
    """
    estimator = step.estimator
    step.require(not estimator.multilabel_, "several targets are not supported")
    if len(estimator.estimators_) == 1:
        return step.last(estimator.estimators_[0], "estimators_[0]", step.classes).predict(features)
    found = []
    for i, member in enumerate(estimator.estimators_):
        child = step.child(member, f"estimators_{i}")
        child.require(hasattr(member, "classes_"), "it is not a classifier")
        child.require(len(member.classes_) == 2, "it has a single class")
        found.append(child.predict(features))
    probability = None
    if all(outcome.probability is not None for outcome in found):
        parts = tuple(element(step, o.probability, 1) for o in found if o.probability is not None)
        together = step.graph.vector(parts)
        probability = renamed(step, normalized(step, together), "probability")
    if not all(hasattr(member, "decision_function") for member in estimator.estimators_):
        step.require(probability is not None, "its classifiers have neither a decision function nor probabilities here")
        return PredictorColumns(argmax(step, together), step.classes, probability=probability)
    scores = step.graph.vector(tuple(block for outcome in found for block in decision(step, outcome)))
    raw = renamed(step, scores, "raw_prediction")
    return PredictorColumns(argmax(step, scores), step.classes, raw, probability, 1.0)


def one_vs_one(step: Step, features: Features) -> PredictorColumns:
    """The class with the most votes of the classifiers of pairs; their confidences decide between classes of equal votes."""
    estimator, count = step.estimator, len(step.classes)
    step.require(estimator.pairwise_indices_ is None, "precomputed kernels are not supported")
    votes, confidences = [], []
    for number, member in enumerate(estimator.estimators_):
        outcome = _of_two(step, number, member, features)
        votes.append(outcome.prediction)
        confidences.append(_confidence(step, member, outcome))
    scores = pair_scores(step, tuple(votes), tuple(confidences), count)
    if count > 2:
        return by_scores(step, scores)
    # A classifier without a decision function predicts the second class where its confidence is above 0.5.
    step.require(hasattr(estimator.estimators_[0], "decision_function"), "of two classes without a decision function")
    return by_margin(step, element(step, scores, 1))


def pair_scores(step: Step, votes: Features, confidences: Features, count: int) -> Block:
    """For each class its votes, plus ``s / (3 * (abs(s) + 1))`` for the sum ``s`` of the confidences in it.

    Args:
        step: the classifier.
        votes: for each pair of classes 1 for the second class, 0 for the first.
        confidences: for each pair the confidence in the second class.
        count: the number of classes.
    """
    graph = step.graph
    pairs = list(combinations(range(count), 2))
    signs, first = np.zeros((len(pairs), count)), np.zeros(count)
    for number, (one, other) in enumerate(pairs):
        signs[number, one], signs[number, other] = -1.0, 1.0
        first[one] += 1.0
    votes_by_class = graph.matrix(votes, "votes", signs, first)
    parts = [_squashed(step, part) for part in graph.scalars((graph.matrix(confidences, "confidence", signs),))]
    return graph.matrix((votes_by_class, *parts), "scores", np.concatenate([np.eye(count), np.eye(count)]))


def _squashed(step: Step, block: Block) -> Block:
    """``x / (3 * (abs(x) + 1))``."""
    graph = step.graph
    size = graph.apply(MathUnary("abs"), block, "abs", None)
    divisor = graph.linear((size,), "divisor", np.full(1, 3.0), 3.0)
    wanted = {"output": f"{block.column}_squashed"}
    return Block(graph.add(MathBinary("div"), [block.column, divisor.column], wanted)["output"])


def _of_two(step: Step, number: int, member: Any, features: Features) -> PredictorColumns:
    child = step.child(member, f"estimators_{number}")
    child.require(hasattr(member, "classes_"), "it is not a classifier")
    child.require(len(member.classes_) == 2, "it has a single class")
    return child.predict(features)


def _confidence(step: Step, member: Any, outcome: PredictorColumns) -> Block:
    """The decision function, or without one the probability of the second class."""
    if hasattr(member, "decision_function"):
        return step.graph.scalars(decision(step, outcome))[0]
    if outcome.probability is None:
        step.reject("a classifier has neither a decision function nor probabilities here")
    return element(step, outcome.probability, 1)


def output_code(step: Step, features: Features) -> PredictorColumns:
    """The class whose code is nearest to the confidences of the classifiers."""
    estimator = step.estimator
    codes = np.asarray(estimator.code_book_, dtype=np.float64)
    # A position at which the codes of all classes are equal has no classifier, and does not change which code is nearest.
    told = [number for number, code in enumerate(codes.T) if (code != code[0]).any()]
    codes = codes[:, told]
    members = [(number, estimator.estimators_[number]) for number in told]
    found = tuple(_confidence(step, member, _of_two(step, number, member, features)) for number, member in members)
    block = step.graph.vector(found)
    columns = step.graph.add(KMeans(tuple(codes), codes.shape[1]), [block.column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]), step.classes)


PREDICTORS: dict[str, Predictor] = {
    "OneVsOneClassifier": one_vs_one,
    "OneVsRestClassifier": one_vs_rest,
    "OutputCodeClassifier": output_code,
}
