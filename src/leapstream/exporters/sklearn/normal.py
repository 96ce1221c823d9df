"""Classifiers by the densities of normal distributions."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.graph import Doubles, Features
from leapstream.exporters.network import perceptron
from leapstream.exporters.predictors import classify
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.feature import SklearnPolynomialExpansion


def most_likely(step: Step, whitened: Features, constants: Doubles) -> PredictorColumns:
    """The class whose normal distribution gives the features the greatest density, times a prior probability.

    A layer sums the squares of the whitened features, which gives the logarithms of the densities; their softmax gives the
    probabilities.

    Args:
        step: the classifier.
        whitened: for each class in turn, its features with mean 0 and the identity as covariance.
        constants: for each class the logarithm of its prior probability, less half the logarithm of its covariance's determinant.
    """
    count, size = len(constants), sum(block.size for block in whitened)
    combinations = ",".join(f"x{i}^2" for i in range(size))
    squares = step.graph.apply(
        SklearnPolynomialExpansion(f"[{combinations}]"), step.graph.dense(whitened), "squares", size
    )
    sums = np.kron(np.eye(count), np.full((size // count, 1), -0.5))
    outcome = classify(step, perceptron([(sums, constants)]), squares)
    return PredictorColumns(outcome.prediction, outcome.classes, outcome.raw, outcome.probability)
