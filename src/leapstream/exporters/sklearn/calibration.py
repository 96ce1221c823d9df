"""Calibrated classifiers (``sklearn.calibration``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.predictors import average, element, most_probable, shares
from leapstream.exporters.sklearn.ensemble import decision
from leapstream.exporters.sklearn.linear_model import logistic_of
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.regression import IsotonicRegression


def calibrated(step: Step, features: Features) -> PredictorColumns:
    """The mean of the classifiers' calibrated probabilities."""
    members = step.estimator.calibrated_classifiers_
    found = [_probability(step, i, member, features) for i, member in enumerate(members)]
    return most_probable(step, average(step, found, [1.0 / len(found)] * len(found)))


def _probability(step: Step, number: int, member: Any, features: Features) -> Block:
    """The calibrated probabilities of one of the classifiers."""
    graph = step.graph
    step.require(member.method in ("sigmoid", "isotonic"), f"the method {member.method!r} is not supported")
    child = step.child(member.estimator, f"calibrated_classifiers_{number}")
    outcome = child.predict(features)
    step.require(np.array_equal(np.asarray(outcome.classes), step.classes), "a classifier has not seen all classes")
    scores = _scores(step, member.estimator, outcome)
    parts = [_calibrate(step, c, block) for c, block in zip(member.calibrators, scores, strict=True)]
    if len(step.classes) > 2:
        return shares(step, graph.vector(tuple(parts)))
    # (1 - p, p)
    return graph.matrix((graph.vector(tuple(parts)),), "pair", np.array([[-1.0, 1.0]]), np.array([1.0, 0.0]))


def _scores(step: Step, estimator: Any, outcome: PredictorColumns) -> list[Block]:
    """The decision function, or the probabilities if there is none: a number per class, or one number for two classes."""
    graph = step.graph
    if hasattr(estimator, "decision_function"):
        return graph.scalars(decision(step, outcome))
    if outcome.probability is None:
        step.reject("a classifier has neither a decision function nor probabilities here")
    if outcome.probability.size == 2:
        return [element(step, outcome.probability, 1)]
    return graph.scalars((outcome.probability,))


def _calibrate(step: Step, calibrator: Any, score: Block) -> Block:
    if type(calibrator).__name__ == "_SigmoidCalibration":
        slope, offset = float(calibrator.a_), float(calibrator.b_)
        return logistic_of(step, step.graph.vector((score,)), np.array([-slope]), -offset)
    step.require(calibrator.out_of_bounds == "clip", "an isotonic calibrator does not clip")
    boundaries = tuple(map(float, calibrator.X_thresholds_))
    predictions = tuple(map(float, calibrator.y_thresholds_))
    op = IsotonicRegression(boundaries, predictions, bool(calibrator.increasing_))
    columns = step.graph.add(op, [score.column], {"prediction": f"{score.column}_calibrated"})
    return Block(columns["prediction"])


PREDICTORS: dict[str, Predictor] = {"CalibratedClassifierCV": calibrated}
