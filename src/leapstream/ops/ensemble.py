"""Ops that are made of other ops (MLeap's ``OneVsRestModel``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from leapstream.bundle.types import BasicType, DataType, ScalarType
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, register, require
from leapstream.ops.classifier import Classifier, ProbabilisticClassifier
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

_NULLABLE = ScalarType(BasicType.DOUBLE)


@register
@dataclass(frozen=True, eq=False)
class OneVsRest(Op):
    """One classifier per class, which tells it from all others (MLeap ``OneVsRestModel``).

    A classifier's score is its probability of class 1, or its prediction when it has no probabilities; the class is that of the
    greatest score, the first of equals, and NaN is the greatest. The output ``probability`` is that score, a number; the raw
    prediction has each classifier's raw prediction of class 1, or again its prediction.

    In Spark the class is that of the greatest raw prediction. Over decision trees MLeap's raw predictions change from row to row,
    because it turns the counts in the leaves into probabilities where they are; here they are the counts.

    Attributes:
        classifiers: one for each class.
        num_features: number of features.
    """

    op: ClassVar[str] = "one_vs_rest"
    classifiers: tuple[Classifier, ...] = attribute("models", name="num_classes")
    num_features: int = attribute("long")

    def __post_init__(self) -> None:
        require(len(self.classifiers) > 0, "there are no classifiers")
        for i, member in enumerate(self.classifiers):
            require(isinstance(member, Classifier), f"its model {i} ({member.op}) is no classifier")
            if isinstance(member, ProbabilisticClassifier):
                require(member.num_classes >= 2 or member.op == "logistic_regression", f"its model {i} has no class 1")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.num_features)}

    def outputs(self) -> dict[str, DataType]:
        return {"probability": _NULLABLE, "raw_prediction": doubles(len(self.classifiers)), "prediction": _NULLABLE}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        width = len(self.classifiers)
        raws, scores = zip(*(self._member(b, member, inputs[0]) for member in self.classifiers), strict=True)
        score = b.add(p.Pack(xs=scores, type=doubles(width)))
        return {
            "probability": b.add(p.Greatest(x=score, position=False, type=_NULLABLE)),
            "raw_prediction": b.add(p.Pack(xs=raws, type=doubles(width))),
            "prediction": b.add(p.Greatest(x=score, position=True, type=_NULLABLE)),
        }

    @staticmethod
    def _member(b: Lowering, member: Classifier, x: Expr) -> tuple[Expr, Expr]:
        """A classifier's raw prediction and score."""
        if not isinstance(member, ProbabilisticClassifier):
            prediction = member.lower(b, x, wanted=frozenset({"prediction"}))["prediction"]
            return prediction, prediction
        found = member.lower(b, x, wanted=frozenset({"raw_prediction", "probability"}))
        raw = b.add(p.Item(x=found["raw_prediction"], index=1, type=DOUBLE))
        return raw, b.add(p.Item(x=found["probability"], index=1, type=DOUBLE))
