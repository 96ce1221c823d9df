"""Classifiers that were fitted with some labels only (``sklearn.semi_supervised``)."""

from __future__ import annotations

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Features
from leapstream.exporters.step import PredictorColumns, Step


def self_training(step: Step, features: Features) -> PredictorColumns:
    """The predictions of ``estimator_``."""
    return step.last(step.estimator.estimator_, "estimator_").predict(features)


PREDICTORS: dict[str, Predictor] = {"SelfTrainingClassifier": self_training}
