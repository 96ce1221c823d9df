"""What all converters share: the step that they convert, and what a predictor gives."""

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
class Outcome:
    """The columns of a predictor.

    Attributes:
        prediction: a regression's number, a cluster's number, or the index of a class among :attr:`classes`.
        classes: the classes of a classifier.
        raw: raw predictions, one per class; of two classes (-m, m).
        probability: probabilities, one per class.
        decision: what the estimator's decision function is, as a multiple of ``raw`` (of its second element for two classes);
            ``None`` where it has no such function.
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
        graph: where nodes are added.
        where: names the place in error messages.
        prefix: in front of the names of a predictor's columns; ``""`` for the last step.
        dispatch: the converters.
        given_classes: the classes that its predictions stand for, where they are not the estimator's own.
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
        """What is put behind a column's name for what the step makes of it: the class, as MLeap's exporter does."""
        return type(self.estimator).__name__.lower()

    def child(self, estimator: Any, name: str) -> Step:
        """An estimator within this one."""
        where = f"{self.where} > {name!r} ({type(estimator).__name__})"
        return replace(self, estimator=estimator, where=where, prefix=f"{self.prefix}{name}_", given_classes=None)

    def last(self, estimator: Any, name: str, classes: Any = None) -> Step:
        """The last estimator within this one, whose outcome is this one's, of other classes where they are given."""
        given = self.given_classes if classes is None else classes
        return replace(self.child(estimator, name), prefix=self.prefix, given_classes=given)

    @property
    def prediction(self) -> str:
        """The column for what a predictor predicts; another one for the index of a class that is not its index."""
        known = self.given_classes is not None or hasattr(self.estimator, "classes_")
        indexed = not self.prefix and known and labelled(self.classes)
        return "prediction_index" if indexed else f"{self.prefix}prediction"

    def refuse(self, reason: str) -> NoReturn:
        """Raise :class:`UnsupportedOpError` for this step."""
        raise UnsupportedOpError(f"{self.where}: {reason}")

    def need(self, condition: bool, reason: str) -> None:
        """Refuse the step unless a condition holds."""
        if not condition:
            self.refuse(reason)

    def transform(self, features: Features) -> Features:
        """What the step's ``transform`` makes of the features."""
        return self.dispatch.transform(self, features)

    def predict(self, features: Features) -> Outcome:
        """What the step's ``predict``, ``predict_proba`` and ``decision_function`` give."""
        return self.dispatch.predict(self, features)


def fitted(model: Any, read: Callable[[], T]) -> T:
    """What is read of a fitted object.

    Raises:
        SchemaError: it is not fitted.
    """
    try:
        return read()
    except (AttributeError, ValueError) as error:
        # scikit-learn's NotFittedError is both.
        raise SchemaError(f"the {type(model).__name__} is not fitted: {error}") from error


Converter: TypeAlias = Callable[[Step, Features], T]
Transformer: TypeAlias = Converter[Features]
Predictor: TypeAlias = Converter[Outcome]

_LIBRARIES = ("sklearn", "xgboost", "lightgbm")


class Dispatch:
    """Finds the converter of an estimator by the name of its class."""

    def __init__(self, transformers: Mapping[str, Transformer], predictors: Mapping[str, Predictor]) -> None:
        self.transformers = transformers
        self.predictors = predictors

    def transform(self, step: Step, features: Features) -> Features:
        """What a transformer makes of the features.

        Raises:
            UnsupportedOpError: no converter has this class.
        """
        return self._run(self._find(step, self.transformers, "transformers"), step, features)

    def predict(self, step: Step, features: Features) -> Outcome:
        """What a predictor gives.

        Raises:
            UnsupportedOpError: no converter has this class.
        """
        return self._run(self._find(step, self.predictors, "predictors"), step, features)

    def is_predictor(self, estimator: Any) -> bool:
        """Whether an estimator predicts, rather than transforms."""
        name = type(estimator).__name__
        if name in self.predictors or name in self.transformers:
            return name in self.predictors
        return hasattr(estimator, "predict") and not hasattr(estimator, "transform")

    @staticmethod
    def _find(step: Step, table: Mapping[str, Converter[T]], what: str) -> Converter[T]:
        kind = type(step.estimator)
        if kind.__module__.split(".")[0] not in _LIBRARIES:
            step.refuse(f"the class is of package {kind.__module__.split('.')[0]!r}, which may compute anything")
        converter = table.get(kind.__name__)
        if converter is None:
            step.refuse(f"this class is not supported; supported {what}: {', '.join(sorted(table))}")
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


# ---- what several converters compute ----------------------------------------------------------------------------------


def classify(
    step: Step, op: ProbabilisticClassifier, block: Block, *, ports: str = "raw probability prediction"
) -> Outcome:
    """The outcome of an op that is a classifier; ``decision`` is its raw prediction."""
    names = {"raw": "raw_prediction", "probability": "probability", "prediction": "prediction"}
    wanted = {names[port]: f"{step.prefix}{names[port]}" for port in ports.split()}
    wanted["prediction"] = step.prediction
    columns = step.graph.add(op, [block.column], wanted)
    width = max(op.num_classes, 2)
    raw, probability = columns.get("raw_prediction"), columns.get("probability")
    return Outcome(
        prediction=Block(columns["prediction"]),
        classes=step.classes,
        raw=None if raw is None else Block(raw, width),
        probability=None if probability is None else Block(probability, width),
        decision=None if raw is None else 1.0,
    )


def softmax_layer(width: int) -> MultiLayerPerceptronClassifier:
    """An op whose raw prediction is the vector itself, its probability the softmax, its prediction the greatest element."""
    return MultiLayerPerceptronClassifier((width, width), np.concatenate([np.eye(width).ravel(), np.zeros(width)]))


def logistic_op(matrix: Doubles, intercepts: Doubles) -> LogisticRegression:
    """Logistic regression from coefficients (classes, features), of two classes (1, features)."""
    if len(matrix) == 1:
        return LogisticRegression(2, matrix[0], float(intercepts[0]), 0.5)
    return LogisticRegression(len(matrix), coefficient_matrix=matrix, intercept_vector=np.array(intercepts))


def softmax(step: Step, raw: Block) -> Outcome:
    """Raw predictions of each class, their softmax, and which is the greatest."""
    return classify(step, softmax_layer(raw.size), raw)


def greatest(step: Step, scores: Block) -> Block:
    """The position of the greatest element of a vector, the first of equals."""
    columns = step.graph.add(softmax_layer(scores.size), [scores.column], {"prediction": step.prediction})
    return Block(columns["prediction"])


def element(step: Step, block: Block, index: int) -> Block:
    """An element of a vector as a number."""
    return step.graph.scalars(step.graph.take((block,), [index]))[0]


def normalized(step: Step, block: Block) -> Block:
    """The elements of a vector, none of them negative, divided by their sum."""
    return step.graph.apply(Normalizer(1.0, block.size), block, "normalized", block.size)


def average(step: Step, blocks: Sequence[Block], weights: Sequence[float], suffix: str = "average") -> Block:
    """The sum of vectors of one size with a weight each."""
    width = blocks[0].size
    matrix = np.concatenate([np.eye(width) * weight for weight in weights])
    return step.graph.matrix(tuple(blocks), suffix, matrix)


def renamed(step: Step, block: Block, name: str) -> Block:
    """A vector under another name, element by element times 1."""
    columns = step.graph.add(
        ElementwiseProduct(np.ones(block.size)), [block.column], {"output": f"{step.prefix}{name}"}
    )
    return Block(columns["output"], block.size)


def most_probable(step: Step, probability: Block) -> Outcome:
    """The outcome of a classifier that has probabilities alone."""
    # What a node reads is no output of the model, so the output is another column than what is compared.
    named = renamed(step, probability, "probability")
    return Outcome(greatest(step, probability), step.classes, probability=named)


def one_output(step: Step, values: Any) -> Doubles:
    """Coefficients or the like of a single target, of one dimension."""
    array = np.asarray(values, dtype=np.float64)
    step.need(array.ndim == 1 or array.shape[0] == 1, f"it predicts {array.shape[0]} targets, and one is supported")
    return array.reshape(-1)


def labelled(classes: Any) -> bool:
    """Whether classes are other than the numbers 0, 1, … in order (or false and true)."""
    if classes is None:
        return False
    array = np.asarray(classes)
    return array.dtype.kind in "OUS" or not np.array_equal(array, np.arange(len(array)))


def no_multilabel(step: Step) -> None:
    """Refuse a classifier of several targets."""
    classes = step.estimator.classes_
    several = isinstance(classes, (list, tuple)) or np.asarray(classes).ndim != 1
    step.need(not several and not getattr(step.estimator, "multilabel_", False), "several targets are not supported")


def label(step: Step, outcome: Outcome) -> list[str]:
    """Add what turns the index of a class into the class; gives the columns of the outcome."""
    found = [block.column for block in (outcome.raw, outcome.probability, outcome.prediction) if block is not None]
    if not labelled(outcome.classes):
        return found
    classes = np.asarray(outcome.classes)
    if classes.dtype.kind in "OUS":
        step.need(all(isinstance(c, str) for c in classes.tolist()), "its classes are neither texts nor numbers")
        labels = tuple(str(c) for c in classes)
        added = step.graph.add(ReverseStringIndexer(labels), [outcome.prediction.column], {"output": "prediction"})
    else:
        positions = tuple(float(i) for i in range(len(classes)))
        op = IsotonicRegression(positions, tuple(float(c) for c in classes), True)
        added = step.graph.add(op, [outcome.prediction.column], {"prediction": "prediction"})
    return [*found, *added.values()]
