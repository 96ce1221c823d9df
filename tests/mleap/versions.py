"""Known differences between leapstream and MLeap 0.20.0, which the runner has; each with the reason.

Nearly all are differences between 0.20.0 and newer versions, which leapstream follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from leapstream import LeapFrame, Model, Tensor
from leapstream.bundle.types import DataType, ScalarType, TensorType
from leapstream.ops.base import Op
from leapstream.ops.clustering import GaussianMixture
from leapstream.ops.feature import MathUnary, StringIndexer
from leapstream.ops.pipeline import Node
from tests.fuzz.comparing import difference
from tests.fuzz.exceptions import COSINES, PRODUCTS
from tests.fuzz.recorded import Answer

_NEW_FUNCTIONS = ("floor", "ceil", "round")

BEHIND = "a node before it has another value, as this list says"


def _is_lopsided(op: Op) -> bool:
    def room(cov: Any) -> Any:
        return 1e-7 * np.maximum(abs(cov), abs(cov.T))

    return isinstance(op, GaussianMixture) and any((abs(cov - cov.T) > room(cov)).any() for cov in op.covs)


def _several_columns(op: Op) -> bool:
    return isinstance(op, StringIndexer) and len(op.labels_array) > 1


def _drops(op: Op) -> bool:
    return isinstance(op, StringIndexer) and op.handle_invalid == "skip"


def _elements(value: Any) -> Any:
    """The numbers of a value; none for one of texts. Those that a sparse tensor does not store are 0."""
    elements = np.asarray(value.to_dense() if isinstance(value, Tensor) else value)
    return elements.astype(np.float64) if elements.dtype.kind in "bif" else np.empty(0)


def _has_nan(value: Any) -> bool:
    return bool(np.isnan(_elements(value)).any())


def _overflows(value: Any) -> bool:
    """True if the square of an element is infinite or NaN."""
    elements = _elements(value)
    with np.errstate(over="ignore"):
        return not np.isfinite(elements * elements).all()


def _is_huge(value: Any) -> bool:
    return bool((np.abs(_elements(value)) > 1e300).any())


def _unequal(x: Any, y: Any) -> bool:
    return isinstance(x, (float, Tensor)) and _elements(x).tobytes() != _elements(y).tobytes()


def _at_the_limit(x: Any, _: Any) -> bool:
    """True for a vector that Spark 3.2 makes sparse, and Spark 4 dense."""
    return isinstance(x, Tensor) and bool(2 * x.size == 3 * np.count_nonzero(x.values) + 4)


REASONS: tuple[tuple[str, Callable[[Op], bool]], ...] = (
    (
        "MLeap fails if elements of a covariance differ by more than 1e-7 of their size, leapstream if by more than 1e-7",
        _is_lopsided,
    ),
    ("0.20.0 has no floor, ceil or round", lambda op: isinstance(op, MathUnary) and op.operation in _NEW_FUNCTIONS),
    ("0.20.0 indexes one column only", _several_columns),
    ("0.20.0 drops a row whose text is missing, where newer versions fail", _drops),
    (
        "0.20.0 starts the inference from random numbers without a seed",
        lambda op: op.op == "lda_local_model_op",
    ),
)
"""Reasons, and the ops whose answers differ."""

_SUMS_OF_PRODUCTS = (
    "linear_regression",
    "logistic_regression",
    "linear_svc",
    "support_vector_machine",
    "generalized_linear_regression",
    "aft_survival_regression",
    "multi_layer_perceptron_classifier",
    "naive_bayes",
    "pca",
)

_SCALA = (
    "0.20.0 {} by Scala 2.12, which compares NaN as IEEE 754 does; for Scala 2.13 of newer versions NaN is greatest"
)

Ports: TypeAlias = dict[str, list[Any]]
"""The values of a row at the ports of a node; outputs have one of each answer that has values."""


def _sums_overflow(op: Op, ports: Ports) -> bool:
    (features, *_), *others = ports.values()
    outputs = [value for values in others for value in values]
    given = _elements(features)
    # A sum of infinite products of both signs is NaN; a perceptron makes a number of an infinite sum.
    special = any(_is_huge(value) or _has_nan(value) for value in outputs)
    return special and bool(np.isfinite(given).all() or _largest(given) * _largest(_parameters(op)) > 1e290)


def _largest(numbers: Any) -> float:
    """The size of the largest finite number, at least 1."""
    return float(np.abs(numbers[np.isfinite(numbers)]).max(initial=1.0))


def _parameters(op: Op) -> Any:
    """The numbers in an op's vectors and matrices."""
    arrays = [np.ravel(value) for value in vars(op).values() if isinstance(value, np.ndarray)]
    return np.concatenate([np.zeros(0), *arrays])


REASONS_OF_ROWS: tuple[tuple[str, tuple[str, ...], Callable[[Op, Ports], bool]], ...] = (
    (
        _SCALA.format("takes the greatest score"),
        ("one_vs_rest",),
        lambda _, ports: any(map(_has_nan, ports["probability"] + ports["raw_prediction"])),
    ),
    (
        _SCALA.format("takes the least distance"),
        ("bisecting_k_means",),
        lambda _, ports: any(map(_overflows, ports["features"])),
    ),
    (COSINES, ("dct",), lambda _, ports: any(map(_overflows, ports["output"]))),
    (PRODUCTS, _SUMS_OF_PRODUCTS, _sums_overflow),
    (
        "0.20.0 multiplies by a BLAS that leaves out products with 0; that of newer versions makes NaN of 0 times a weight that "
        "is infinite or NaN",
        ("multi_layer_perceptron_classifier",),
        lambda op, _: not np.isfinite(_parameters(op)).all(),
    ),
    (
        "MLeap puts null into a column of numbers that it declares as not null, which other ops read as 0; leapstream fails",
        ("map_entry_selector",),
        lambda _, ports: any(None in entries.values() for entries in ports["input"] if entries is not None),
    ),
)
"""Reasons, the names of the ops, and the values of their ports for which the answers to a row differ."""

_COMPRESSED = "0.20.0 stores other elements of a vector: Spark 3.2 makes it sparse, and Spark 4 of newer versions dense"

_DIGITS = "numbers agree to 1e-9, or in all but the sign of 0, and an op behind compares them or writes them as text"

REASONS_BEHIND: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    (_COMPRESSED, "binarizer", _at_the_limit),
    (_COMPRESSED, "sklearn_binarizer", _at_the_limit),
    (_COMPRESSED, "vector_assembler", _at_the_limit),
    (_DIGITS, "", _unequal),
)
"""Reasons, the names of the ops (empty for all), and outputs that agree, but make the answers of ops behind differ."""

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
        ports = _values(node, given, answers)
        for text, ops, differs in REASONS_OF_ROWS:
            if node.op.op in ops and differs(node.op, ports):
                return text
        for text, op, differ in REASONS_BEHIND:
            if op in ("", node.op.op) and any(_behind(c, answers, differ) for c in node.output_columns().values()):
                return text
    return ""


def _values(node: Node, given: dict[str, Any], answers: Sequence[Answer]) -> Ports:
    rows = (given, *(answer.values for answer in answers))
    columns = {**node.input_columns(), **node.output_columns()}
    ports = (*node.op.inputs(), *node.op.outputs())
    return {port: [row[columns[port]] for row in rows if columns.get(port) in row] for port in ports}


def _behind(column: str, answers: Sequence[Answer], differ: Callable[[Any, Any], bool]) -> bool:
    """True if an output agrees in both answers, or is in one of them alone, and has the property."""
    values = [answer.values[column] for answer in answers if column in answer.values]
    if not values:
        return False
    first, last = values[0], values[-1]
    alike = not difference(Answer("values", {column: first}), Answer("values", {column: last}), frozenset())
    return alike and differ(first, last)
