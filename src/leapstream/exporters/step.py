"""Classes and functions that all converters share: :class:`Step`, the estimator to convert, and :class:`PredictorColumns`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from leapstream.errors import LeapstreamError, SchemaError, UnsupportedOpError
from leapstream.exporters.graph import Block, Features, Graph
from leapstream.ops.classifier import ProbabilisticClassifier
from leapstream.ops.feature import ElementwiseProduct, Normalizer, ReverseStringIndexer
from leapstream.ops.linear import LogisticRegression
from leapstream.ops.neural import MultiLayerPerceptronClassifier
from leapstream.ops.regression import IsotonicRegression

Doubles = npt.NDArray[np.float64]

T = TypeVar("T")


@dataclass(frozen=True)
class PredictorColumns:
    """The columns that a converted predictor gives.

    Attributes:
        prediction: a regression's number, a cluster's number, or the index of a class among :attr:`classes`.
        classes: the classes of a classifier.
        raw: vector of the raw predictions, one per class; for two classes (-margin, margin).
        probability: vector of the probabilities, one per class.
        decision: the factor by which ``raw`` (for two classes its second element) has to be multiplied to give the estimator's
            ``decision_function``; ``None`` if the estimator has no such function.
    """

    prediction: Block
    classes: npt.NDArray[Any] | None = None
    raw: Block | None = None
    probability: Block | None = None
    decision: float | None = None


@dataclass(frozen=True)
class Step:
    """A fitted estimator at its place in a pipeline.

    Attributes:
        estimator: the estimator.
        graph: the graph to which converters add nodes.
        where: the place of the estimator, for error messages.
        prefix: prefix of the names of a predictor's columns; ``""`` for the last step.
        dispatch: the converters.
        given_classes: the classes that the predictions stand for, if they are not the estimator's ``classes_``.
    """

    estimator: Any
    graph: Graph
    where: str
    prefix: str
    dispatch: Dispatch
    given_classes: Any = None

    @property
    def classes(self) -> npt.NDArray[Any]:
        """The classes of a classifier."""
        return np.asarray(self.estimator.classes_ if self.given_classes is None else self.given_classes)

    @property
    def suffix(self) -> str:
        """Suffix of the names of this step's output columns: the estimator's class, as in MLeap's exporter."""
        return type(self.estimator).__name__.lower()

    def child(self, estimator: Any, name: str) -> Step:
        """A step for an estimator inside this one."""
        where = f"{self.where} > {name!r} ({type(estimator).__name__})"
        return replace(self, estimator=estimator, where=where, prefix=f"{self.prefix}{name}_", given_classes=None)

    def last(self, estimator: Any, name: str, classes: Any = None) -> Step:
        """A step for the last estimator inside this one, whose columns are this step's; ``classes`` replace its own."""
        given = self.given_classes if classes is None else classes
        return replace(self.child(estimator, name), prefix=self.prefix, given_classes=given)

    @property
    def prediction(self) -> str:
        """Name of the prediction column: ``prediction_index`` if classes have to be looked up by index, else ``prediction``."""
        known = self.given_classes is not None or hasattr(self.estimator, "classes_")
        indexed = not self.prefix and known and has_labels(self.classes)
        return "prediction_index" if indexed else f"{self.prefix}prediction"

    def reject(self, reason: str) -> NoReturn:
        """Raise :class:`UnsupportedOpError` for this step."""
        raise UnsupportedOpError(f"{self.where}: {reason}")

    def require(self, condition: bool, reason: str) -> None:
        """Raise :class:`UnsupportedOpError` for this step unless ``condition`` is true."""
        if not condition:
            self.reject(reason)

    def transform(self, features: Features) -> Features:
        """Add nodes that compute the estimator's ``transform``; returns its features."""
        return self.dispatch.transform(self, features)

    def predict(self, features: Features) -> PredictorColumns:
        """Add nodes that compute the estimator's ``predict``, ``predict_proba`` and ``decision_function``."""
        return self.dispatch.predict(self, features)


def read_fitted(model: Any, read: Callable[[], T]) -> T:
    """Call ``read``, which reads attributes of a fitted model.

    Raises:
        SchemaError: the model is not fitted.
    """
    try:
        return read()
    except (AttributeError, ValueError) as error:
        # scikit-learn's NotFittedError is a subclass of both.
        raise SchemaError(f"the {type(model).__name__} is not fitted: {error}") from error


Converter: TypeAlias = Callable[[Step, Features], T]
Transformer: TypeAlias = Converter[Features]
Predictor: TypeAlias = Converter[PredictorColumns]

_LIBRARIES = ("sklearn", "xgboost", "lightgbm")


class Dispatch:
    """Finds the converter of an estimator by the name of its class."""

    def __init__(self, transformers: Mapping[str, Transformer], predictors: Mapping[str, Predictor]) -> None:
        self.transformers = transformers
        self.predictors = predictors

    def transform(self, step: Step, features: Features) -> Features:
        """Run the converter of a transformer.

        Raises:
            UnsupportedOpError: there is no converter for the estimator's class.
        """
        return self._run(self._find(step, self.transformers, "transformers"), step, features)

    def predict(self, step: Step, features: Features) -> PredictorColumns:
        """Run the converter of a predictor.

        Raises:
            UnsupportedOpError: there is no converter for the estimator's class.
        """
        return self._run(self._find(step, self.predictors, "predictors"), step, features)

    def is_predictor(self, estimator: Any) -> bool:
        """True if an estimator is a predictor, false if it is a transformer."""
        name = type(estimator).__name__
        if name in self.predictors or name in self.transformers:
            return name in self.predictors
        return hasattr(estimator, "predict") and not hasattr(estimator, "transform")

    @staticmethod
    def _find(step: Step, table: Mapping[str, Converter[T]], what: str) -> Converter[T]:
        kind = type(step.estimator)
        if kind.__module__.split(".")[0] not in _LIBRARIES:
            step.reject(f"the class is of package {kind.__module__.split('.')[0]!r}, which may compute anything")
        converter = table.get(kind.__name__)
        if converter is None:
            step.reject(f"this class is not supported; supported {what}: {', '.join(sorted(table))}")
        return converter

    @staticmethod
    def _run(converter: Converter[T], step: Step, features: Features) -> T:
        try:
            return converter(step, features)
        except LeapstreamError as error:
            if str(error).startswith(step.where):
                raise
            raise type(error)(f"{step.where}: {error}") from error
        except AttributeError as error:
            raise SchemaError(f"{step.where}: not fitted, or of an unknown version of the library: {error}") from error


# ---- computations of several converters -------------------------------------------------------------------------------


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


def one_output(step: Step, values: Any) -> Doubles:
    """Coefficients of a single target as a 1-D array; a step with several targets is rejected."""
    array = np.asarray(values, dtype=np.float64)
    step.require(array.ndim == 1 or array.shape[0] == 1, f"it predicts {array.shape[0]} targets, and one is supported")
    return array.reshape(-1)


def has_labels(classes: Any) -> bool:
    """True unless the classes are the numbers 0, 1, … in order (or false and true)."""
    if classes is None:
        return False
    array = np.asarray(classes)
    return array.dtype.kind in "OUS" or not np.array_equal(array, np.arange(len(array)))


def no_multilabel(step: Step) -> None:
    """Reject a classifier of several targets."""
    classes = step.estimator.classes_
    several = isinstance(classes, (list, tuple)) or np.asarray(classes).ndim != 1
    step.require(not several and not getattr(step.estimator, "multilabel_", False), "several targets are not supported")


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
