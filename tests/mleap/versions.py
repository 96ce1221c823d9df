"""Known differences between leapstream and MLeap 0.20.0, which the runner has; each with the reason.

Nearly all are differences between 0.20.0 and newer versions, which leapstream follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from leapstream import LeapFrame, Model, Tensor
from leapstream.bundle.types import DataType, ScalarType, TensorType
from leapstream.ops.base import Op
from leapstream.ops.feature import MathUnary, StringIndexer
from tests.fuzz.exceptions import COSINES
from tests.fuzz.recorded import Answer

_NEW_FUNCTIONS = ("floor", "ceil", "round")

BEHIND = "a node before it has another value, as this list says"


def _several_columns(op: Op) -> bool:
    return isinstance(op, StringIndexer) and len(op.labels_array) > 1


def _drops(op: Op) -> bool:
    return isinstance(op, StringIndexer) and op.handle_invalid == "skip"


def _elements(value: Any) -> Any:
    return np.asarray(value.values if isinstance(value, Tensor) else value, dtype=np.float64)


def _has_nan(value: Any) -> bool:
    return bool(np.isnan(_elements(value)).any())


def _overflows(value: Any) -> bool:
    """True if the square of an element is infinite or NaN."""
    elements = _elements(value)
    with np.errstate(over="ignore"):
        return not np.isfinite(elements * elements).all()


REASONS: tuple[tuple[str, Callable[[Op], bool]], ...] = (
    ("0.20.0 has no floor, ceil or round", lambda op: isinstance(op, MathUnary) and op.operation in _NEW_FUNCTIONS),
    ("0.20.0 indexes one column only", _several_columns),
    ("0.20.0 drops a row whose text is missing, where newer versions fail", _drops),
    (
        "0.20.0 starts the inference from random numbers without a seed",
        lambda op: op.op == "lda_local_model_op",
    ),
)
"""Reasons, and the ops whose answers differ."""

_SCALA = "Scala 2.12, in which 0.20.0 is written, {} as IEEE 754 compares; newer versions have Scala 2.13, for which NaN is greatest"

REASONS_OF_ROWS: tuple[tuple[str, str, tuple[str, ...], Callable[[Any], bool]], ...] = (
    (_SCALA.format("takes the greatest score"), "one_vs_rest", ("probability", "raw_prediction"), _has_nan),
    (_SCALA.format("takes the least distance"), "bisecting_k_means", ("features",), _overflows),
    (COSINES, "dct", ("output",), _overflows),
)
"""Reasons, the names of the ops, and the values of some of their ports for which the answers to a row differ."""

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


def reason_of_row(model: Model, given: dict[str, Any], answers: Sequence[Answer]) -> str:
    """The reason for which the answers to a row may differ, one of which may be a failure; an empty text if there is none."""
    for node in model.nodes:
        columns = {**node.input_columns(), **node.output_columns()}
        for text, op, ports, differs in REASONS_OF_ROWS:
            names = [columns[port] for port in ports] if node.op.op == op else []
            found = (
                values[name] for values in (given, *(a.values for a in answers)) for name in names if name in values
            )
            if any(value is not None and differs(value) for value in found):
                return text
    return ""
