"""The table of all stages, by Spark's class and by MLeap's op."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from leapstream.bundle.definition import Socket
from leapstream.bundle.types import DataShape
from leapstream.errors import UnsupportedExportError
from leapstream.exporters.predictors import softmax_layer
from leapstream.exporters.spark import categories, clustering, linear, text, trees, vectors
from leapstream.exporters.spark.columns import Columns
from leapstream.exporters.spark.saved import Saved
from leapstream.exporters.spark.stage import Draft, Reading, Stage, Writing
from leapstream.ops.base import Op
from leapstream.ops.ensemble import OneVsRest
from leapstream.ops.feature import VectorAssembler, VectorSlicer
from leapstream.ops.linear import LinearSVC, LogisticRegression
from leapstream.ops.pipeline import Node
from leapstream.ops.trees import GBTClassifier, RandomForestClassifier

# ---- one-vs-rest, which is made of others -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Comparable:
    """A kind of classifiers whose probabilities have the order of their raw predictions.

    In a one-vs-rest model, Spark compares the classifiers' raw predictions, and MLeap their probabilities. MLeap's op
    is used only if both give the same class.

    Attributes:
        estimator: the estimator class that fits them.
        alike: returns the attributes that must be equal in all classifiers of one model.
    """

    estimator: str
    alike: Callable[[Any], Any]


_COMPARABLE: dict[type[Op], _Comparable] = {
    LogisticRegression: _Comparable("classification.LogisticRegression", lambda op: op.num_classes),
    GBTClassifier: _Comparable("classification.GBTClassifier", lambda op: op.num_classes),
    RandomForestClassifier: _Comparable(
        "classification.RandomForestClassifier", lambda op: (op.num_classes, len(op.trees))
    ),
}


def _comparable(members: tuple[Any, ...]) -> _Comparable | None:
    kinds: set[type[Op]] = {type(op) for op in members}
    found = _COMPARABLE.get(next(iter(kinds))) if len(kinds) == 1 else None
    return found if found is not None and len({found.alike(op) for op in members}) == 1 else None


_RAW_PREDICTION = "rawPrediction"


@dataclass(frozen=True)
class _OneVsRest(Stage):
    """MLeap's op if it gives the same class (see :class:`_Comparable`), otherwise the greatest of the raw predictions.

    Linear support vector machines become a perceptron of one layer.
    """

    def op_of(self, reading: Reading) -> Op:
        count = reading.saved.metadata.get("numClasses")
        reading.saved.require(isinstance(count, int) and count > 0, "its metadata has no numClasses")
        folders = [f"model_{i}" for i in range(int(count or 0))]
        members: tuple[Any, ...] = tuple(_member(reading.saved.child(folder)) for folder in folders)
        if all(isinstance(op, LinearSVC) for op in members):
            matrix = np.stack([op.coefficients for op in members])
            return linear.layer(matrix, np.array([op.intercept for op in members]))
        return OneVsRest(members, members[0].num_features)

    def read(self, reading: Reading) -> None:
        op = reading.op()
        if not isinstance(op, OneVsRest) or _comparable(op.classifiers) is not None:
            super().read(reading)
            return
        reads, uid = self.reads(reading), reading.saved.uid
        margins = [f"{uid}_{i}_margin" for i in range(len(op.classifiers))]
        for i, (member, margin) in enumerate(zip(op.classifiers, margins, strict=True)):
            raw = f"{uid}_{i}_raw"
            reading.add(member, reads, {"raw_prediction": raw}, f"_{i}")
            reading.add(
                VectorSlicer((1,), (), (), reading.size(raw)), {"input": raw}, {"output": margin}, f"_{i}_margin"
            )
        together, whole = VectorAssembler((DataShape("tensor", False, (1,)),) * len(margins)), f"{uid}_margins"
        reading.add(together, {f"input{i}": name for i, name in enumerate(margins)}, {"output": whole}, "_margins")
        # If raw_prediction is connected, the op compares raw predictions; probabilities may be equal where those differ.
        reading.add(
            softmax_layer(len(margins)), {"features": whole}, {"raw_prediction": f"{uid}_raw", **self.writes(reading)}
        )

    def write(self, writing: Writing) -> None:
        op: Any = writing.node.op
        kind = _comparable(op.classifiers)
        writing.require(
            kind is not None,
            f"its classifiers are of the op {op.classifiers[0].op}: MLeap compares their probabilities and Spark their raw "
            "predictions, which may be in another order",
        )
        writing.require(
            "probability" not in writing.node.output_columns(),
            "its output 'probability' is connected, and Spark has none",
        )
        assert kind is not None
        super().write(writing)
        del writing.draft.params["probabilityCol"]
        # PySpark forgets this param when it loads a model, and reads the classifiers' raw predictions from the default column.
        if not writing.draft.params["rawPredictionCol"]:
            free = _RAW_PREDICTION not in writing.names
            writing.draft.set(rawPredictionCol=_RAW_PREDICTION if free else f"{writing.draft.uid}_rawPrediction")
        if writing.draft.params["rawPredictionCol"] != _RAW_PREDICTION:
            writing.warn(
                f"PySpark, unlike Spark in Scala, looks for its raw predictions in a column {_RAW_PREDICTION!r}, and fails"
            )
        # Spark 4 reads a classifier's raw predictions from the column that is named for those of the one-vs-rest model.
        columns = {
            "raw_prediction": writing.draft.params["rawPredictionCol"],
            "probability": "probability",
            "prediction": "prediction",
        }
        writing.draft.extra.update(labelMetadata="{}", numClasses=len(op.classifiers))
        writing.draft.children["classifier"] = Draft(kind.estimator, f"{writing.draft.uid}_classifier")
        for i, classifier in enumerate(op.classifiers):
            ports = (Socket("features", writing.node.input_columns()["features"]),)
            written = tuple(Socket(port, columns[port]) for port in classifier.outputs())
            node = Node(f"{writing.node.name}_{i}", classifier, ports, written)
            stage = stage_for(node)
            inner = Writing(node, Draft(stage.name, f"{writing.draft.uid}_{i}"), Columns())
            stage.write(inner)
            writing.draft.children[f"model_{i}"] = inner.draft


def _member(saved: Saved) -> Op:
    stage = stage_of(saved)
    reading = Reading(saved, stage, Columns())
    stage.check(reading)
    return reading.op()


# ---- the tables -------------------------------------------------------------------------------------------------------

STAGES: tuple[Stage, ...] = (
    *text.STAGES,
    *categories.STAGES,
    *vectors.STAGES,
    *linear.STAGES,
    *trees.STAGES,
    *clustering.STAGES,
    _OneVsRest(
        "classification.OneVsRestModel",
        OneVsRest,
        linear.FEATURES,
        {"raw_prediction": "rawPredictionCol", "prediction": "predictionCol", "probability": "probabilityCol"},
    ),
)
"""All stages that compute something."""

SIZE_HINT = "feature.VectorSizeHint"
SILENT = ("feature.ColumnPruner", "feature.VectorAttributeRewriter", SIZE_HINT)
"""Stages without a node: they drop columns, or change their metadata."""

PIPELINES = ("PipelineModel", "pipeline.PipelineModel")
TUNED = ("tuning.CrossValidatorModel", "tuning.TrainValidationSplitModel")
FORMULA = "feature.RFormulaModel"

BY_CLASS = {stage.name: stage for stage in reversed(STAGES)}
BY_OP = {stage.op: stage for stage in reversed(STAGES)}


def readable() -> list[str]:
    """The names of the classes that can be read."""
    return sorted({*BY_CLASS, PIPELINES[0], *TUNED, FORMULA, *SILENT})


def stage_of(saved: Saved) -> Stage:
    """The declaration of a saved stage's class.

    Raises:
        UnsupportedExportError: there is none.
    """
    if saved.name not in BY_CLASS:
        saved.reject(f"MLeap has no op for this class; supported: {', '.join(readable())}")
    return BY_CLASS[saved.name]


def stage_for(node: Node) -> Stage:
    """The declaration of the stage for a node's op.

    Raises:
        UnsupportedExportError: Spark has no such stage.
    """
    stage = BY_OP.get(type(node.op))
    if stage is None:
        known = ", ".join(sorted(op.op for op in BY_OP))
        raise UnsupportedExportError(
            f"node {node.name!r}: Spark ML has no stage for the op {node.op.op!r}; it has for: {known}"
        )
    return stage
