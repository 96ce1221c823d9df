"""The base class of classifiers with probabilities (MLeap's ``ProbabilisticClassificationModel``)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from leapstream.bundle.types import DataType
from leapstream.ops.base import DOUBLE, Op, doubles, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


class Classifier(Op):
    """An op that predicts a class (MLeap's ``ClassificationModel``); :class:`~leapstream.ops.ensemble.OneVsRest` has such."""


class ProbabilisticClassifier(Classifier):
    """A classifier with raw predictions and probabilities, one per class.

    As in MLeap, the outputs that a node connects decide how the prediction is computed: from the raw predictions if
    ``raw_prediction`` is connected and ``probability`` is not, otherwise from the probabilities.
    """

    num_features: int
    num_classes: int
    thresholds: tuple[float, ...] | None

    @abstractmethod
    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        """The raw prediction: a vector with an element per class."""

    @abstractmethod
    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        """The probabilities: a vector with an element per class."""

    def from_probability(self, lowering: Lowering, probability: Expr) -> Expr:
        """The predicted class, computed from the probabilities."""
        thresholds = None if self.thresholds is None else np.array(self.thresholds)
        return lowering.add(p.ArgMax(x=probability, thresholds=thresholds, type=DOUBLE))

    def from_raw(self, lowering: Lowering, raw: Expr) -> Expr:
        """The predicted class, computed from the raw predictions."""
        if self.thresholds is not None:
            return self.from_probability(lowering, self.probability(lowering, raw))
        return lowering.add(p.ArgMax(x=raw, type=DOUBLE))

    def predict(self, lowering: Lowering, x: Expr) -> Expr:
        """The predicted class, for a node that connects no other output."""
        return self.from_probability(lowering, self.probability(lowering, self.raw(lowering, x)))

    def check_classes(self) -> None:
        """Raise ``BundleError`` if there are no classes, or if there are thresholds, but not one per class."""
        require(self.num_classes > 0, "there are no classes")
        if self.thresholds is not None:
            require(len(self.thresholds) == self.num_classes, "there is not one threshold per class")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.num_features)}

    def outputs(self) -> dict[str, DataType]:
        return {
            "raw_prediction": doubles(self.num_classes),
            "probability": doubles(self.num_classes),
            "prediction": DOUBLE,
        }

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        if not wanted & {"raw_prediction", "probability"}:
            return {"prediction": self.predict(lowering, inputs[0])}
        raw = self.raw(lowering, inputs[0])
        if "probability" not in wanted:
            return {"raw_prediction": raw, "prediction": self.from_raw(lowering, raw)}
        probability = self.probability(lowering, raw)
        return {
            "raw_prediction": raw,
            "probability": probability,
            "prediction": self.from_probability(lowering, probability),
        }


def margins(lowering: Lowering, margin: Expr) -> Expr:
    """The raw prediction of a classifier of two classes: the vector (-margin, margin)."""
    negative = lowering.add(p.Unary(x=margin, function="negate", type=DOUBLE))
    return lowering.add(p.Pack(xs=(negative, margin), type=doubles(2)))
