"""Classifiers with a threshold of their own (``sklearn.model_selection``); searches are in :mod:`.compose`."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.predictors import element, renamed
from leapstream.exporters.sklearn.ensemble import decision
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.linear import LinearSVC


def fixed_threshold(step: Step, features: Features) -> PredictorColumns:
    """The class of ``pos_label`` where its score is at least ``threshold``."""
    estimator = step.estimator
    member = getattr(estimator, "estimator_", estimator.estimator)
    method = _method(estimator, member)
    limit = estimator.threshold
    if limit == "auto":
        limit = 0.5 if method == "predict_proba" else 0.0
    return _by_threshold(step, features, member, method, float(limit), estimator.pos_label)


def tuned_threshold(step: Step, features: Features) -> PredictorColumns:
    """The class of the scorer's ``pos_label`` where its score is at least ``best_threshold_``."""
    estimator = step.estimator
    method, positive = _method(estimator, estimator.estimator_), estimator._curve_scorer._get_pos_label()
    return _by_threshold(step, features, estimator.estimator_, method, float(estimator.best_threshold_), positive)


def _method(estimator: Any, member: Any) -> str:
    chosen = estimator._get_response_method()
    return next(name for name in ([chosen] if isinstance(chosen, str) else chosen) if hasattr(member, name))


def _by_threshold(
    step: Step, features: Features, member: Any, method: str, limit: float, positive: Any
) -> PredictorColumns:
    outcome = step.child(member, "estimator_").predict(features)
    second = positive is None or positive == step.classes[1]
    if method == "predict_proba":
        if outcome.probability is None:
            step.reject("its classifier has no probabilities here")
        score = element(step, outcome.probability, 1 if second else 0)
        sign = 1.0
    else:
        score, sign = step.graph.scalars(decision(step, outcome))[0], 1.0 if second else -1.0
    # The op predicts 1 where its margin is greater than its threshold.
    if second:
        op = LinearSVC(2, np.array([sign]), 0.0, float(np.nextafter(limit, -np.inf)))
    else:
        op = LinearSVC(2, np.array([-sign]), 0.0, -limit)
    columns = step.graph.add(op, [step.graph.vector((score,)).column], {"prediction": step.prediction})
    raw = None if outcome.raw is None else renamed(step, outcome.raw, "raw_prediction")
    probability = None if outcome.probability is None else renamed(step, outcome.probability, "probability")
    return PredictorColumns(Block(columns["prediction"]), step.classes, raw, probability, outcome.decision)


PREDICTORS: dict[str, Predictor] = {
    "FixedThresholdClassifier": fixed_threshold,
    "TunedThresholdClassifierCV": tuned_threshold,
}
