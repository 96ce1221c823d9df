"""Layers of neural networks as MLeap's ops, for the exporters of scikit-learn's and Keras's networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leapstream.bundle.types import DataShape
from leapstream.exporters.graph import Block, Doubles, Graph
from leapstream.exporters.predictors import classify, logistic_op
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.feature import SklearnBinarizer, SklearnPolynomialExpansion
from leapstream.ops.linear import LinearRegression
from leapstream.ops.neural import MultiLayerPerceptronClassifier

Layers = list[tuple[Doubles, Doubles]]
"""For each layer the matrix (inputs, outputs) and the intercepts (outputs,); the logistic function is applied between layers."""


def multiplied(graph: Graph, block: Block, factor: Block, suffix: str) -> Block:
    """The product of two vectors of one size, element by element."""
    width = block.size
    both = graph.vector((block, factor))
    combinations = ",".join(f"x{i} x{i + width}" for i in range(width))
    return graph.apply(SklearnPolynomialExpansion(f"[{combinations}]"), both, suffix, width)


def relu(graph: Graph, block: Block) -> Block:
    """``max(x, 0)``, computed as each element times 1 if it is greater than 0 and times 0 otherwise."""
    shape = DataShape("tensor", False, (block.size,))
    positive = graph.apply(SklearnBinarizer(0.0, (shape,)), block, "positive", block.size)
    return multiplied(graph, block, positive, "relu")


def perceptron(layers: Sequence[tuple[Doubles, Doubles]]) -> MultiLayerPerceptronClassifier:
    """The op whose raw prediction is the output of the last layer."""
    sizes = (len(layers[0][0]), *(len(offset) for _, offset in layers))
    # A bundle stores each matrix as (outputs, inputs) in column-major order, which equals (inputs, outputs) in row-major order.
    weights = np.concatenate([part for matrix, offset in layers for part in (matrix.ravel(), offset)])
    return MultiLayerPerceptronClassifier(sizes, weights)


def raw(graph: Graph, block: Block, layers: Layers, suffix: str = "layers") -> Block:
    """The output of the last layer, a vector."""
    columns = graph.add(perceptron(layers), [block.column], {"raw_prediction": f"{block.column}_{suffix}"})
    return Block(columns["raw_prediction"], len(layers[-1][1]))


def softmax(step: Step, block: Block, layers: Layers) -> PredictorColumns:
    """A classifier: the layers, then a softmax."""
    return _without_decision(classify(step, perceptron(layers), block))


def logistic(step: Step, block: Block, layers: Layers) -> PredictorColumns:
    """A classifier of two classes: the layers, of which the last has one output, then the logistic function."""
    matrix, offset = layers[-1]
    if len(layers) == 1:
        return _without_decision(classify(step, logistic_op(matrix.T, offset), block))
    # The logistic function is the softmax of 0 and the margin.
    last = (np.hstack([np.zeros_like(matrix), matrix]), np.concatenate([np.zeros(1), offset]))
    return softmax(step, block, [*layers[:-1], last])


def _without_decision(outcome: PredictorColumns) -> PredictorColumns:
    return PredictorColumns(outcome.prediction, outcome.classes, outcome.raw, outcome.probability)


def number(step: Step, block: Block, layers: Layers) -> PredictorColumns:
    """A regression: the layers, of which the last has one output."""
    matrix, offset = layers[-1]
    if len(layers) > 1:
        wanted = {"raw_prediction": f"{step.prefix}raw_prediction"}
        columns = step.graph.add(perceptron(layers), [block.column], wanted)
        block, matrix, offset = Block(columns["raw_prediction"], 1), np.ones((1, 1)), np.zeros(1)
    op = LinearRegression(matrix[:, 0], float(offset[0]))
    return PredictorColumns(Block(step.graph.add(op, [block.column], {"prediction": step.prediction})["prediction"]))
