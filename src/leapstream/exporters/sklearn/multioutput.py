"""Predictors of several targets (``sklearn.multioutput``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.predictors import class_targets, element, number_of, renamed, targets
from leapstream.exporters.sklearn.ensemble import decision
from leapstream.exporters.step import PredictorColumns, Step


def regressor(step: Step, features: Features) -> PredictorColumns:
    """A vector with the prediction of each regressor."""
    found = [_member(step, number, member, features) for number, member in enumerate(step.estimator.estimators_)]
    return targets(step, (step.graph.vector(tuple(outcome.prediction for outcome in found)),))


def classifier(step: Step, features: Features) -> PredictorColumns:
    """A vector with the class of each classifier, and the probabilities of the classifiers one after the other."""
    found = [_member(step, number, member, features) for number, member in enumerate(step.estimator.estimators_)]
    return class_targets(step, found)


def _member(step: Step, number: int, member: Any, features: Features) -> PredictorColumns:
    return step.child(member, f"estimators_{number}").predict(features)


def chain(step: Step, features: Features) -> PredictorColumns:
    """A vector with the prediction of each member; a member reads the features and the predictions of those before."""
    estimator = step.estimator
    method = getattr(estimator, "chain_method_", "predict")
    found: list[PredictorColumns] = []
    results: list[Block] = []
    given = features
    for number, member in enumerate(estimator.estimators_):
        outcome = _member(step, number, member, given)
        found.append(outcome)
        results.append(number_of(step, outcome))
        given = (*given, results[-1] if method == "predict" else _response(step, outcome, method))
    order = np.argsort(estimator.order_).tolist()
    predicted = targets(step, (step.graph.vector(tuple(results[place] for place in order)),))
    members = [found[place] for place in order]
    return replace(
        predicted,
        raw=_responses(step, members, "decision_function", all(o.decision is not None for o in found)),
        probability=_responses(step, members, "predict_proba", all(o.probability is not None for o in found)),
        decision=1.0,
    )


_NAMES = {"decision_function": "raw_prediction", "predict_proba": "probability"}


def _responses(step: Step, members: Sequence[PredictorColumns], method: str, given: bool) -> Block | None:
    """A vector with a number of each member, if all of them give one."""
    if not given:
        return None
    parts = tuple(_response(step, outcome, method) for outcome in members)
    return renamed(step, step.graph.vector(parts), _NAMES[method])


def _response(step: Step, outcome: PredictorColumns, method: str) -> Block:
    """The probability of the second class of two, or the decision function."""
    step.require(outcome.classes is not None and len(outcome.classes) == 2, "a member has not two classes")
    if method == "decision_function":
        return step.graph.scalars(decision(step, outcome))[0]
    if outcome.probability is None:
        step.reject("a member has no probabilities here")
    return element(step, outcome.probability, 1)


PREDICTORS: dict[str, Predictor] = {
    "ClassifierChain": chain,
    "MultiOutputClassifier": classifier,
    "MultiOutputRegressor": regressor,
    "RegressorChain": chain,
}
