"""Differences between MLeap 0.20.0, which the runner has, and newer versions, which leapstream follows; each with the reason."""

from __future__ import annotations

from collections.abc import Callable

from leapstream import LeapFrame, Model
from leapstream.bundle.types import DataType, ScalarType, TensorType
from leapstream.ops.base import Op
from leapstream.ops.ensemble import OneVsRest
from leapstream.ops.feature import MathUnary, StringIndexer

_NEW_FUNCTIONS = ("floor", "ceil", "round")

BEHIND = "a node before it has another value, as this list says"


def _several_columns(op: Op) -> bool:
    return isinstance(op, StringIndexer) and len(op.labels_array) > 1


def _drops(op: Op) -> bool:
    return isinstance(op, StringIndexer) and op.handle_invalid == "skip"


REASONS: tuple[tuple[str, Callable[[Op], bool]], ...] = (
    ("0.20.0 has no floor, ceil or round", lambda op: isinstance(op, MathUnary) and op.operation in _NEW_FUNCTIONS),
    ("0.20.0 indexes one column only", _several_columns),
    ("0.20.0 drops a row whose text is missing, where newer versions fail", _drops),
    (
        "0.20.0 starts the inference from random numbers without a seed",
        lambda op: op.op == "lda_local_model_op",
    ),
    (
        "0.20.0 normalizes the probabilities of all classes in another order, so that NaN is left out",
        lambda op: isinstance(op, OneVsRest),
    ),
)
"""Reasons, and the ops whose answers differ."""

SCALAR = "0.20.0 does not cast a tensor of one element to a scalar"


def reason(model: Model, frame: LeapFrame) -> str:
    """The reason for which 0.20.0 may answer otherwise; an empty text if there is none."""
    types: dict[str, DataType] = {field.name: field.type for field in frame.schema}
    for node in model.nodes:
        for text, differs in REASONS:
            if differs(node.op):
                return text
        ports = node.op.inputs()
        for port, column in node.input_columns().items():
            if isinstance(ports[port], ScalarType) and isinstance(types[column], TensorType):
                return SCALAR
        outputs = node.op.outputs()
        types.update((column, outputs[port]) for port, column in node.output_columns().items())
    return ""
