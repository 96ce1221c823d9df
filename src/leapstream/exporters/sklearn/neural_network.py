"""Neural networks (``sklearn.neural_network``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leapstream.bundle.types import DataShape
from leapstream.exporters.graph import Block, Doubles, Features, Graph
from leapstream.exporters.sklearn.linear_model import logistic_op
from leapstream.exporters.step import Outcome, Predictor, Step, classify, no_multilabel
from leapstream.ops.feature import SklearnBinarizer, SklearnPolynomialExpansion
from leapstream.ops.linear import LinearRegression
from leapstream.ops.neural import MultiLayerPerceptronClassifier

Layers = list[tuple[Doubles, Doubles]]
"""A matrix (inputs, outputs) and the intercepts (outputs,) of each layer."""


def _layers(step: Step) -> Layers:
    """The layers, such that the activation between them is the logistic function or ``relu``."""
    estimator = step.estimator
    parts = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    layers = [(np.asarray(m, dtype=np.float64), np.asarray(b, dtype=np.float64)) for m, b in parts]
    if estimator.activation == "identity":
        matrix, offset = layers[0]
        for following, intercepts in layers[1:]:
            matrix, offset = matrix @ following, offset @ following + intercepts
        return [(matrix, offset)]
    if estimator.activation == "tanh":
        # tanh(x) = 2 logistic(2 x) - 1, so the factors go into the weights of the layers.
        for i in range(len(layers) - 1):
            matrix, offset = layers[i]
            layers[i] = (2.0 * matrix, 2.0 * offset)
            matrix, offset = layers[i + 1]
            layers[i + 1] = (2.0 * matrix, offset - matrix.sum(axis=0))
    return layers


def _relu(graph: Graph, block: Block) -> Block:
    """``max(x, 0)``: each element times whether it is greater than 0."""
    width = block.size
    shape = DataShape("tensor", False, (width,))
    positive = graph.apply(SklearnBinarizer(0.0, (shape,)), block, "positive", width)
    both = graph.vector((block, positive))
    combinations = ",".join(f"x{i} x{i + width}" for i in range(width))
    return graph.apply(SklearnPolynomialExpansion(f"[{combinations}]"), both, "relu", width)


def _before_last(step: Step, features: Features, layers: Layers) -> tuple[Block, Layers]:
    """What the last layers read that one op can compute, and these."""
    block = step.graph.dense(features)
    if step.estimator.activation != "relu":
        return block, layers
    for number, (matrix, offset) in enumerate(layers[:-1]):
        linear = step.graph.matrix((block,), f"layer{number}", matrix, offset)
        block = _relu(step.graph, linear)
    return block, layers[-1:]


def _op(layers: Sequence[tuple[Doubles, Doubles]]) -> MultiLayerPerceptronClassifier:
    sizes = (len(layers[0][0]), *(len(offset) for _, offset in layers))
    # In a bundle each matrix is (outputs, inputs) in column-major order, which is this one in row-major order.
    weights = np.concatenate([part for matrix, offset in layers for part in (matrix.ravel(), offset)])
    return MultiLayerPerceptronClassifier(sizes, weights)


def classifier(step: Step, features: Features) -> Outcome:
    """A network whose last layer has a softmax, or the logistic function for two classes."""
    no_multilabel(step)
    step.need(
        step.estimator.out_activation_ in ("softmax", "logistic"), "its last layer is neither softmax nor logistic"
    )
    block, layers = _before_last(step, features, _layers(step))
    matrix, offset = layers[-1]
    if step.estimator.out_activation_ == "softmax":
        step.need(matrix.shape[1] > 1, "several targets are not supported")
        return _without_decision(classify(step, _op(layers), block))
    step.need(matrix.shape[1] == 1 and len(step.classes) == 2, "several targets are not supported")
    if len(layers) == 1:
        return _without_decision(classify(step, logistic_op(matrix.T, offset), block))
    # The logistic function is the softmax of 0 and the margin.
    layers[-1] = (np.hstack([np.zeros_like(matrix), matrix]), np.concatenate([np.zeros(1), offset]))
    return _without_decision(classify(step, _op(layers), block))


def _without_decision(outcome: Outcome) -> Outcome:
    return Outcome(outcome.prediction, outcome.classes, outcome.raw, outcome.probability)


def regressor(step: Step, features: Features) -> Outcome:
    """A network with a linear last layer."""
    step.need(step.estimator.out_activation_ == "identity", f"its last layer is {step.estimator.out_activation_!r}")
    block, layers = _before_last(step, features, _layers(step))
    matrix, offset = layers[-1]
    step.need(matrix.shape[1] == 1, "several targets are not supported")
    if len(layers) > 1:
        columns = step.graph.add(_op(layers), [block.column], {"raw_prediction": f"{step.prefix}raw_prediction"})
        block, matrix, offset = Block(columns["raw_prediction"], 1), np.ones((1, 1)), np.zeros(1)
    op = LinearRegression(matrix[:, 0], float(offset[0]))
    columns = step.graph.add(op, [block.column], {"prediction": step.prediction})
    return Outcome(Block(columns["prediction"]))


PREDICTORS: dict[str, Predictor] = {"MLPClassifier": classifier, "MLPRegressor": regressor}
