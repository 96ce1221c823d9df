"""Ops that consist of other ops (MLeap's ``OneVsRestModel`` and ``CategoricalDrilldownModel``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import BasicType, DataType, ScalarType, TensorType
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, read_models, require, write_models
from leapstream.ops.classifier import Classifier, ProbabilisticClassifier
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan
from leapstream.plan.primitives import Expr

_NULLABLE = ScalarType(BasicType.DOUBLE)


@dataclass(frozen=True, eq=False)
class OneVsRest(Op):
    """A classifier per class, each of which separates its class from all others (MLeap ``OneVsRestModel``).

    A classifier's score is its probability of class 1, or its prediction if it has no probabilities. The prediction is the class
    with the greatest score, the first among equals; NaN is the greatest. The output ``probability`` is that score, a number. The
    raw prediction is a vector of each classifier's raw prediction of class 1, or of its prediction if it has no probabilities.

    Spark predicts the class with the greatest raw prediction. For decision trees, MLeap's raw predictions change from row to row,
    because it overwrites the counts in the leaves by probabilities; here they are the counts.

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
            require(isinstance(member, Classifier), f"its model {i} ({member.op}) is not a classifier")
            if isinstance(member, ProbabilisticClassifier):
                require(member.num_classes >= 2 or member.op == "logistic_regression", f"its model {i} has no class 1")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.num_features)}

    def outputs(self) -> dict[str, DataType]:
        return {"probability": _NULLABLE, "raw_prediction": doubles(len(self.classifiers)), "prediction": _NULLABLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        width = len(self.classifiers)
        raws, scores = zip(*(self._member(lowering, member, inputs[0]) for member in self.classifiers), strict=True)
        score = lowering.add(p.Pack(xs=scores, type=doubles(width)))
        return {
            "probability": lowering.add(p.Greatest(x=score, position=False, type=_NULLABLE)),
            "raw_prediction": lowering.add(p.Pack(xs=raws, type=doubles(width))),
            "prediction": lowering.add(p.Greatest(x=score, position=True, type=_NULLABLE)),
        }

    @staticmethod
    def _member(lowering: Lowering, member: Classifier, x: Expr) -> tuple[Expr, Expr]:
        """The raw prediction and the score of a classifier."""
        if not isinstance(member, ProbabilisticClassifier):
            prediction = member.lower(lowering, x, wanted=frozenset({"prediction"}))["prediction"]
            return prediction, prediction
        found = member.lower(lowering, x, wanted=frozenset({"raw_prediction", "probability"}))
        raw = lowering.add(p.Item(x=found["raw_prediction"], index=1, type=DOUBLE))
        return raw, lowering.add(p.Item(x=found["probability"], index=1, type=DOUBLE))


_LABEL = "label"
_PREFIX = "drilldown."


@dataclass(frozen=True, eq=False)
class CategoricalDrilldown(Op):
    """A model for each label; the label of a row chooses the model that is run (MLeap ``CategoricalDrilldownModel``).

    The ports are ``label`` and the models' ports with the prefix ``drilldown.``. Fails for a label without a model, and where the
    label's model fails. If a label repeats, its last model is run. MLeap has this op, but cannot write or read it.

    Attributes:
        labels: the labels.
        models: a model for each label; all have equal ports, except that sizes of input vectors may differ.
    """

    op: ClassVar[str] = "categorical_drilldown"
    labels: tuple[str, ...] = attribute("list<string>")
    models: tuple[Op, ...] = attribute("models")

    def __post_init__(self) -> None:
        require(len(self.labels) > 0, "there are no labels")
        require(len(self.labels) == len(self.models), "there is not one model per label")
        first = self.models[0]
        for i, model in enumerate(self.models):
            same = _unsized(model.inputs()) == _unsized(first.inputs()) and model.outputs() == first.outputs()
            require(same, f"its model {i} ({model.op}) has other ports than model 0 ({first.op}), or of other types")

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """Read the labels, and a nested model for each."""
        require("labels" in model.attributes, "attribute 'labels' is missing")
        labels = values.get_list(model.attributes["labels"], "string")
        return cls(tuple(labels), read_models(model, len(labels), where))

    def to_model(self) -> ModelDef:
        labels = values.list_of("string", self.labels)
        return ModelDef(self.op, {"labels": labels}, models=write_models(self.models))

    def inputs(self) -> dict[str, DataType]:
        ports = {f"{_PREFIX}{port}": data_type for port, data_type in self.models[0].inputs().items()}
        return {_LABEL: ScalarType(BasicType.STRING, nullable=False), **ports}

    def outputs(self) -> dict[str, DataType]:
        return {f"{_PREFIX}{port}": data_type for port, data_type in self.models[0].outputs().items()}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        position = lowering.add(p.Lookup(x=inputs[0], labels=self.labels, invalid="error", type=DOUBLE))
        types = self.models[0].outputs()
        ports = [port for port in types if f"{_PREFIX}{port}" in wanted]
        plans: dict[str, list[Plan]] = {port: [] for port in ports}
        for model in self.models:
            inner = lowering.inner(inputs[1:])
            found = model.lower(inner, *inner.columns.values(), wanted=frozenset(ports))
            for port in ports:
                # Each port has a plan of its own, so common expressions are computed once per port.
                plans[port].append(make_plan(lowering.model, inner.given, inner.created, [(port, found[port])]))
        return {
            f"{_PREFIX}{port}": lowering.add(
                p.Switch(position=position, xs=inputs[1:], plans=tuple(plans[port]), type=types[port])
            )
            for port in ports
        }


def _unsized(ports: Mapping[str, DataType]) -> dict[str, DataType]:
    """The ports' types, with the dimensions of tensors removed."""
    return {
        port: TensorType(t.base, nullable=t.nullable) if isinstance(t, TensorType) else t for port, t in ports.items()
    }
