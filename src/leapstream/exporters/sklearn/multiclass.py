"""One classifier per class (``sklearn.multiclass``)."""

from __future__ import annotations

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Features
from leapstream.exporters.predictors import argmax, element, normalized, renamed
from leapstream.exporters.sklearn.ensemble import decision
from leapstream.exporters.step import PredictorColumns, Step


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


PREDICTORS: dict[str, Predictor] = {"OneVsRestClassifier": one_vs_rest}
