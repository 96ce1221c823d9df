"""Classifiers by the densities of normal distributions."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.graph import Block, Doubles, Features, Graph
from leapstream.exporters.network import perceptron
from leapstream.exporters.predictors import by_scores, classify
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.feature import SklearnPolynomialExpansion
from leapstream.ops.neural import MultiLayerPerceptronClassifier as Perceptron


def squares(graph: Graph, block: Block) -> Block:
    """The square of each element of a vector."""
    combinations = ",".join(f"x{i}^2" for i in range(block.size))
    op = SklearnPolynomialExpansion(f"[{combinations}]")
    return graph.apply(op, graph.dense((block,)), "squares", block.size)


def log_densities(step: Step, whitened: Features, constants: Doubles, factor: float = -0.5) -> tuple[Block, Perceptron]:
    """For each class the sum of the squares of its features times ``factor``, plus a constant.

    Returns:
        the squares, and the op whose raw prediction is the vector of the sums.
    """
    block = squares(step.graph, step.graph.vector(whitened))
    sums = np.kron(np.eye(len(constants)), np.full((block.size // len(constants), 1), factor))
    return block, perceptron([(sums, constants)])


def most_likely(step: Step, whitened: Features, constants: Doubles) -> PredictorColumns:
    """The class whose normal distribution gives the features the greatest density, times a prior probability.

    A layer sums the squares of the whitened features, which gives the logarithms of the densities; their softmax gives the
    probabilities.

    Args:
        step: the classifier.
        whitened: for each class in turn, its features with mean 0 and the identity as covariance.
        constants: for each class the logarithm of its prior probability, less half the logarithm of its covariance's determinant.
    """
    block, op = log_densities(step, whitened, constants)
    outcome = classify(step, op, block)
    return PredictorColumns(outcome.prediction, outcome.classes, outcome.raw, outcome.probability)


def by_densities(
    step: Step, whitened: Features, constants: Doubles, factor: float = -0.5, prediction: Block | None = None
) -> PredictorColumns:
    """As :func:`most_likely`, for a classifier whose decision function is made of the logarithms of the densities.

    The class is that of ``prediction``, by default the one with the greatest logarithm, not with the greatest probability.
    """
    block, op = log_densities(step, whitened, constants, factor)
    wanted = {"raw_prediction": f"{step.prefix}log_densities", "probability": f"{step.prefix}densities"}
    columns = step.graph.add(op, [block.column], wanted)
    scores, probability = (Block(columns[port], len(constants)) for port in wanted)
    return by_scores(step, scores, probability, prediction)
