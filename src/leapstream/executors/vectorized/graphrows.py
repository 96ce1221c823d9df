"""Tells whether a TensorFlow graph computes each row of its inputs by itself, so that many rows can be computed in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_NUMBERS = """
    Abs Cast Ceil Elu Erf Exp Expm1 Floor Identity LeakyRelu Log Log1p LogicalNot Neg Relu Relu6 Round Rsqrt Selu Sigmoid Sign
    Softplus Softsign Sqrt Square StopGradient Tanh
"""
_PAIRS = """
    Add AddV2 Div Equal Greater GreaterEqual Less LessEqual Maximum Minimum Mul Pow RealDiv SquaredDifference Sub
"""
_WEIGHTS = """
    AvgPool BiasAdd Conv2D DepthwiseConv2dNative FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 MatMul MaxPool
"""
_NUMBER_BY_NUMBER, _PAIR_BY_PAIR, _WITH_WEIGHTS = (frozenset(names.split()) for names in (_NUMBERS, _PAIRS, _WEIGHTS))
_REDUCTIONS = frozenset(("Max", "Mean", "Min", "Prod", "Sum"))
_ALONG_THE_LAST = frozenset(("Softmax", "LogSoftmax"))
_STORED = frozenset(("Const", "ReadVariableOp", "VarHandleOp", "Variable", "VariableV2"))

Static = Callable[[Any], Any]
"""The value of a tensor that is known before the graph runs, or ``None``."""


def computes_rows(graph: Any, feeds: Sequence[str], fetches: Sequence[str], static: Static) -> bool:
    """True if the first dimension of each input is free, and each row of the results depends on the same row of the inputs alone.

    Only operations that are known to keep rows apart may stand between the inputs and the results; other inputs of theirs have to
    be stored in the graph.
    """
    rows = {name: _rank(graph.get_tensor_by_name(name)) for name in feeds}
    if not rows or any(graph.get_tensor_by_name(name).shape.rank in (None, 0) for name in feeds):
        return False
    if any(graph.get_tensor_by_name(name).shape[0] is not None for name in feeds):
        return False
    for operation in graph.get_operations():
        if operation.control_inputs and any(tensor.name in rows for tensor in operation.inputs):
            return False
        if any(tensor.name in rows for tensor in operation.inputs) and _keeps_rows_apart(operation, rows, static):
            rows[operation.outputs[0].name] = _rank(operation.outputs[0])
    return all(name in rows for name in fetches) and all(rows.values())


def _rank(tensor: Any) -> int:
    return int(tensor.shape.rank or 0)


def _keeps_rows_apart(operation: Any, rows: dict[str, int], static: Static) -> bool:
    first, *others = operation.inputs
    kind, rank = operation.type, _rank(operation.outputs[0])
    if kind in _PAIR_BY_PAIR:
        return rank > 0 and all(
            rows[tensor.name] == rank if tensor.name in rows else _stored(tensor) and _same_for_all(tensor, rank)
            for tensor in operation.inputs
        )
    if first.name not in rows or not all(map(_stored, others)):
        return False
    if kind in _NUMBER_BY_NUMBER:
        return True
    if kind in _ALONG_THE_LAST:
        return rank > 1
    if kind in _WITH_WEIGHTS:
        flags = {attribute.name for attribute in operation.op_def.attr}
        apart = not any(operation.get_attr(flag) for flag in ("transpose_a", "is_training") if flag in flags)
        return apart and rank > 1
    if kind in _REDUCTIONS:
        axes = static(others[0])
        return axes is not None and all(int(axis) % rows[first.name] > 0 for axis in axes.reshape(-1))
    if kind == "Reshape":
        shape = static(others[0])
        kept, made = first.shape[1:].num_elements(), operation.outputs[0].shape[1:].num_elements()
        return shape is not None and len(shape) > 0 and int(shape[0]) == -1 and kept is not None and kept == made
    return False


def _stored(tensor: Any) -> bool:
    """True if a tensor is stored in the graph, or is a copy of one that is."""
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation.type in _STORED


def _same_for_all(tensor: Any, rank: int) -> bool:
    """True if a tensor that is stretched to a rank is the same for all rows."""
    own = tensor.shape.rank
    return own is not None and (own < rank or tensor.shape[0] == 1)
