"""Computations that the converters of several predictors share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leapstream.exporters.graph import Block
from leapstream.exporters.step import Doubles, PredictorColumns, Step, has_labels
from leapstream.ops.classifier import ProbabilisticClassifier
from leapstream.ops.feature import ElementwiseProduct, Normalizer, ReverseStringIndexer
from leapstream.ops.linear import LogisticRegression
from leapstream.ops.neural import MultiLayerPerceptronClassifier
from leapstream.ops.regression import IsotonicRegression


def classify(
    step: Step, op: ProbabilisticClassifier, block: Block, *, ports: str = "raw probability prediction"
) -> PredictorColumns:
    """Add a node of a classifier op; its raw prediction is the decision function."""
    names = {"raw": "raw_prediction", "probability": "probability", "prediction": "prediction"}
    wanted = {names[port]: f"{step.prefix}{names[port]}" for port in ports.split()}
    wanted["prediction"] = step.prediction
    columns = step.graph.add(op, [block.column], wanted)
    width = max(op.num_classes, 2)
    raw, probability = columns.get("raw_prediction"), columns.get("probability")
    return PredictorColumns(
        prediction=Block(columns["prediction"]),
        classes=step.classes,
        raw=None if raw is None else Block(raw, width),
        probability=None if probability is None else Block(probability, width),
        decision=None if raw is None else 1.0,
    )


def softmax_layer(width: int) -> MultiLayerPerceptronClassifier:
    """An op whose raw prediction is its input, its probability the softmax, its prediction the index of the greatest element."""
    return MultiLayerPerceptronClassifier((width, width), np.concatenate([np.eye(width).ravel(), np.zeros(width)]))


def logistic_op(matrix: Doubles, intercepts: Doubles) -> LogisticRegression:
    """Logistic regression from coefficients (classes, features), or (1, features) for two classes."""
    if len(matrix) == 1:
        return LogisticRegression(2, matrix[0], float(intercepts[0]), 0.5)
    return LogisticRegression(len(matrix), coefficient_matrix=matrix, intercept_vector=np.array(intercepts))


def softmax(step: Step, raw: Block) -> PredictorColumns:
    """A classifier over a vector of raw predictions: their softmax, and the class of the greatest."""
    return classify(step, softmax_layer(raw.size), raw)


def argmax(step: Step, scores: Block) -> Block:
    """The index of the greatest element of a vector; the first one among equals."""
    columns = step.graph.add(softmax_layer(scores.size), [scores.column], {"prediction": step.prediction})
    return Block(columns["prediction"])


def element(step: Step, block: Block, index: int) -> Block:
    """An element of a vector as a number column."""
    return step.graph.scalars(step.graph.take((block,), [index]))[0]


def normalized(step: Step, block: Block) -> Block:
    """A vector divided by the sum of its elements, none of which may be negative."""
    return step.graph.apply(Normalizer(1.0, block.size), block, "normalized", block.size)


def average(step: Step, blocks: Sequence[Block], weights: Sequence[float], suffix: str = "average") -> Block:
    """The weighted sum of vectors of equal size."""
    width = blocks[0].size
    matrix = np.concatenate([np.eye(width) * weight for weight in weights])
    return step.graph.matrix(tuple(blocks), suffix, matrix)


def renamed(step: Step, block: Block, name: str) -> Block:
    """A copy of a vector column under another name; the node multiplies each element by 1."""
    columns = step.graph.add(
        ElementwiseProduct(np.ones(block.size)), [block.column], {"output": f"{step.prefix}{name}"}
    )
    return Block(columns["output"], block.size)


def most_probable(step: Step, probability: Block) -> PredictorColumns:
    """A classifier that has probabilities, but no raw predictions."""
    # A column that a node reads is not an output of the model, so the output is a copy of the column that is compared.
    named = renamed(step, probability, "probability")
    return PredictorColumns(argmax(step, probability), step.classes, probability=named)


def add_labels(step: Step, outcome: PredictorColumns) -> list[str]:
    """Add a node that looks up the class of a predicted index, if needed; returns the names of all columns."""
    found = [block.column for block in (outcome.raw, outcome.probability, outcome.prediction) if block is not None]
    if not has_labels(outcome.classes):
        return found
    classes = np.asarray(outcome.classes)
    if classes.dtype.kind in "OUS":
        step.require(all(isinstance(c, str) for c in classes.tolist()), "its classes are neither texts nor numbers")
        labels = tuple(str(c) for c in classes)
        added = step.graph.add(ReverseStringIndexer(labels), [outcome.prediction.column], {"output": "prediction"})
    else:
        positions = tuple(float(i) for i in range(len(classes)))
        op = IsotonicRegression(positions, tuple(float(c) for c in classes), True)
        added = step.graph.add(op, [outcome.prediction.column], {"prediction": "prediction"})
    return [*found, *added.values()]
