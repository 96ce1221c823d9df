"""Computations that the converters of several predictors share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import DataShape
from leapstream.errors import SchemaError
from leapstream.exporters.graph import Block, Features, Graph, size
from leapstream.exporters.step import Doubles, PredictorColumns, Step, is_looked_up, known_classes
from leapstream.ops.classifier import ProbabilisticClassifier
from leapstream.ops.feature import (
    ElementwiseProduct,
    Imputer,
    Normalizer,
    RegexIndexer,
    ReverseStringIndexer,
    SklearnBinarizer,
)
from leapstream.ops.linear import LinearRegression, LinearSVC, LogisticRegression
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


_BELOW_ZERO = -float(np.nextafter(0.0, 1.0))


def by_margin(step: Step, margin: Block, probability: Block | None = None, *, ties: int = 0) -> PredictorColumns:
    """A classifier of two classes: the second one where a number is greater than 0.

    Args:
        step: the classifier.
        margin: the number, which is the decision function.
        probability: the vector of the probabilities, if there are any.
        ties: the class, 0 or 1, where the number is 0.
    """
    op = LinearSVC(2, np.ones(1), 0.0, _BELOW_ZERO if ties else 0.0)
    wanted = {"raw_prediction": f"{step.prefix}raw_prediction", "prediction": step.prediction}
    columns = step.graph.add(op, [step.graph.vector((margin,)).column], wanted)
    raw = Block(columns["raw_prediction"], 2)
    named = None if probability is None else renamed(step, probability, "probability")
    return PredictorColumns(Block(columns["prediction"]), step.classes, raw, named, 1.0)


def by_scores(
    step: Step, scores: Block, probability: Block | None = None, prediction: Block | None = None
) -> PredictorColumns:
    """A classifier by a vector with a score for each class; for two classes the decision function is their difference.

    Args:
        step: the classifier.
        scores: the scores.
        probability: the vector of the probabilities, if there are any.
        prediction: the index of the predicted class, by default that of the greatest score.
    """
    named = None if probability is None else renamed(step, probability, "probability")
    pair = np.array([[1.0, -1.0], [-1.0, 1.0]])
    raw = step.graph.matrix((scores,), "margins", pair) if scores.size == 2 else scores
    chosen = argmax(step, scores) if prediction is None else prediction
    return PredictorColumns(chosen, step.classes, renamed(step, raw, "raw_prediction"), named, decision=1.0)


def outliers(step: Step, score: Block) -> PredictorColumns:
    """A detector of outliers: the class -1 where its decision function is negative, otherwise 1."""
    return by_margin(replace(step, given_classes=np.array([-1, 1])), score, ties=1)


def logistic_pair(step: Step, margin: Block, factor: float = 1.0) -> Block:
    """The vector (1 - p, p), with p the logistic function of a number times ``factor``."""
    op = logistic_op(np.array([[factor]]), np.zeros(1))
    wanted = {"probability": f"{margin.column}_probability"}
    return Block(step.graph.add(op, [step.graph.vector((margin,)).column], wanted)["probability"], 2)


def class_numbers(step: Step, index: Block, numbers: Sequence[float]) -> Block:
    """The number that belongs to an index."""
    positions = tuple(map(float, range(len(numbers))))
    op = IsotonicRegression(positions, tuple(map(float, numbers)), True)
    columns = step.graph.add(op, [index.column], {"prediction": f"{index.column}_number"})
    return Block(columns["prediction"])


def missing_number(graph: Graph, block: Block, missing: float) -> Block:
    """A number, or NaN where it is equal to ``missing``."""
    return graph.apply(Imputer(math.nan, missing), block, "present", None)


def targets(step: Step, numbers: Features) -> PredictorColumns:
    """A predictor of several targets: a vector with the number of each; of one target that number."""
    if size(numbers) > 1:
        return PredictorColumns(renamed(step, step.graph.vector(numbers), "prediction"))
    op = LinearRegression(np.ones(1), 0.0)
    columns = step.graph.add(op, [step.graph.vector(numbers).column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


def number_of(step: Step, outcome: PredictorColumns) -> Block:
    """The predicted number of a regressor, or the predicted class of a classifier, which has to be a number."""
    if outcome.classes is None:
        return outcome.prediction
    classes = known_classes(outcome.classes)
    step.require(classes.dtype.kind in "biuf", "of several targets the classes have to be numbers")
    return class_numbers(step, outcome.prediction, classes.astype(np.float64).tolist())


def class_targets(step: Step, found: Sequence[PredictorColumns]) -> PredictorColumns:
    """A classifier of several targets: a vector with the class of each, and the probabilities of all one after the other."""
    predicted = targets(step, (step.graph.vector(tuple(number_of(step, outcome) for outcome in found)),))
    parts = tuple(outcome.probability for outcome in found if outcome.probability is not None)
    if len(parts) < len(found):
        return predicted
    return PredictorColumns(predicted.prediction, probability=renamed(step, step.graph.vector(parts), "probability"))


def shares(step: Step, block: Block) -> Block:
    """A vector divided by the sum of its elements, none of which may be negative; equal shares where the sum is 0."""
    graph, width = step.graph, block.size
    total = graph.linear((block,), "total", np.ones(width))
    shape = DataShape("tensor", False, (1,))
    positive = graph.apply(SklearnBinarizer(0.0, (shape,)), graph.vector((total,)), "positive", 1)
    zero = graph.scale((positive,), "zero", shift=np.ones(1), divisor=-np.ones(1))
    matrix = np.concatenate([np.eye(width), np.ones((1, width))])
    return normalized(step, graph.matrix((block, zero), "shared", matrix))


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


def add_labels(step: Step, outcome: PredictorColumns, outputs: Sequence[str] | None = None) -> list[str]:
    """Add nodes that look up the class of a predicted index, if needed.

    Args:
        step: the estimator.
        outcome: its columns.
        outputs: the wanted columns, of ``raw_prediction``, ``probability`` and ``prediction``; by default all that there are.

    Returns:
        the names of the columns.

    Raises:
        SchemaError: there is no such column.
    """
    blocks = {"raw_prediction": outcome.raw, "probability": outcome.probability, "prediction": outcome.prediction}
    found = {name: block.column for name, block in blocks.items() if block is not None}
    unknown = [name for name in outputs or () if name not in found]
    if unknown:
        raise SchemaError(f"{step.where}: there is no output {unknown[0]!r}; the outputs are {', '.join(found)}")
    if is_looked_up(outcome.classes):
        found["prediction"] = _label(step, outcome.prediction.column, known_classes(outcome.classes))
    return [column for name, column in found.items() if outputs is None or name in outputs]


def _label(step: Step, index: str, classes: npt.NDArray[Any]) -> str:
    """Add nodes that look up a class by its index; returns their column, of strings, ints or doubles."""
    graph, wanted = step.graph, {"output": "prediction"}
    if classes.dtype.kind in "US":
        return graph.add(ReverseStringIndexer(tuple(map(str, classes.tolist()))), [index], wanted)["output"]
    step.require(classes.dtype.kind in "biuf", "its classes are neither texts nor numbers")
    if classes.dtype.kind != "f" and all(-(2**31) <= int(c) < 2**31 for c in classes):
        # The only op that gives chosen ints reads texts.
        codes = tuple(map(int, classes))
        texts = graph.add(ReverseStringIndexer(tuple(map(str, codes))), [index], {"output": "prediction_label"})
        patterns = tuple(f"^{code}$" for code in codes)
        return graph.add(RegexIndexer(patterns, codes), [texts["output"]], wanted)["output"]
    numbers = tuple(map(float, classes))
    step.require(all(n == c for n, c in zip(numbers, classes.tolist(), strict=True)), "a class is no exact double")
    positions = tuple(map(float, range(len(classes))))
    return graph.add(IsotonicRegression(positions, numbers, True), [index], {"prediction": "prediction"})["prediction"]
