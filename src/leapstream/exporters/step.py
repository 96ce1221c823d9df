"""Steps: fitted estimators at their places in a pipeline, and the columns that converted predictors give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from leapstream.errors import SchemaError, UnsupportedExportError
from leapstream.exporters.graph import Block, Features, Graph

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


class Converters(Protocol):
    """The converters of a library's estimators; :class:`leapstream.exporters.dispatch.Dispatch` finds them by class."""

    def transform(self, step: Step, features: Features) -> Features:
        """Run the converter of a transformer."""

    def predict(self, step: Step, features: Features) -> PredictorColumns:
        """Run the converter of a predictor."""

    def is_predictor(self, estimator: Any) -> bool:
        """True if an estimator is a predictor, false if it is a transformer."""


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
    dispatch: Converters
    given_classes: Any = None

    @property
    def classes(self) -> npt.NDArray[Any]:
        """The classes of a classifier."""
        return np.asarray(self.estimator.classes_ if self.given_classes is None else self.given_classes)

    def targets(self) -> list[Step]:
        """A step for each target of a classifier of several targets; none for a classifier of one."""
        classes = self.estimator.classes_
        if not isinstance(classes, list):
            return []
        return [
            replace(self, prefix=f"{self.prefix}target_{target}_", given_classes=known)
            for target, known in enumerate(classes)
        ]

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
        indexed = not self.prefix and known and is_looked_up(self.classes)
        return "prediction_index" if indexed else f"{self.prefix}prediction"

    def reject(self, reason: str) -> NoReturn:
        """Raise :class:`UnsupportedExportError` for this step."""
        raise UnsupportedExportError(f"{self.where}: {reason}")

    def require(self, condition: bool, reason: str) -> None:
        """Raise :class:`UnsupportedExportError` for this step unless ``condition`` is true."""
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


def one_output(step: Step, values: Any) -> Doubles:
    """Coefficients of a single target as a 1-D array; a step with several targets is rejected."""
    array = np.asarray(values, dtype=np.float64)
    step.require(array.ndim == 1 or array.shape[0] == 1, f"it predicts {array.shape[0]} targets, and one is supported")
    return array.reshape(-1)


def known_classes(classes: Any) -> npt.NDArray[Any]:
    """The classes as an array of the type that they have; an array of objects may hold texts, or numbers of one type."""
    array = np.asarray(classes)
    if array.dtype.kind != "O" or array.ndim != 1:
        return array
    kinds = {type(c) for c in array.tolist()}
    return np.array(array.tolist()) if len(kinds) == 1 else array


def has_labels(classes: Any) -> bool:
    """True unless the classes are the numbers 0, 1, … in order (or false and true)."""
    if classes is None:
        return False
    array = known_classes(classes)
    return array.dtype.kind in "OUS" or not np.array_equal(array, np.arange(len(array)))


def is_looked_up(classes: Any) -> bool:
    """True unless the predicted index is the class itself: ops predict an index as a double, so a class 0.0 is, and 0 is not."""
    return classes is not None and (has_labels(classes) or known_classes(classes).dtype.kind != "f")


def no_multilabel(step: Step) -> None:
    """Reject a classifier of several targets."""
    classes = step.estimator.classes_
    several = isinstance(classes, (list, tuple)) or np.asarray(classes).ndim != 1
    step.require(not several and not getattr(step.estimator, "multilabel_", False), "several targets are not supported")
