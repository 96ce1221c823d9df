"""Adds the nodes without which MLeap's runtime cannot run what an exporter has made."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from leapstream.bundle.definition import Socket
from leapstream.bundle.types import BasicType, DataShape, DataType, ScalarType, TensorType
from leapstream.errors import ExportError
from leapstream.escaping import printable
from leapstream.model import Model
from leapstream.ops.base import Op
from leapstream.ops.feature import ElementwiseProduct, VectorAssembler
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node


def portable(nodes: Iterable[Node], new_column: Callable[[str], str]) -> list[Node]:
    """The nodes with two kinds of columns replaced by copies of them.

    MLeap 0.20 does not cast a tensor of one element to a scalar; a linear model with the weight 1 makes it one, and leaves all
    numbers as they are but -0.0. No version loads a node that reads a column at two ports; texts and numbers that may be missing
    stay so, since no op copies them.

    Args:
        nodes: the nodes in the order in which they run.
        new_column: reserves a name for a column that is not in use yet.
    """
    return _Portable(new_column).convert(nodes)


def accept(model: Model, portable: bool) -> Model:
    """The model, whose gaps in MLeap's runtimes are told.

    Args:
        model: an exported model.
        portable: true if all versions of MLeap from 0.20.0 on have to run the model.

    Raises:
        ExportError: ``portable`` is true, and a version of MLeap cannot run a node; the message names it.
    """
    gaps = model.mleap_gaps
    if gaps:
        text = f"MLeap's own runtime cannot run the model {model.name!r} in every version: {'; '.join(gaps)}"
        if portable:
            raise ExportError(text)
        warnings.warn(printable(text), stacklevel=3)
    return model


class _Portable:
    def __init__(self, new_column: Callable[[str], str]) -> None:
        self._new_column = new_column
        self._nodes: list[Node] = []
        self._types: dict[str, DataType] = {}
        self._copies: dict[tuple[str, int], str] = {}

    def convert(self, nodes: Iterable[Node]) -> list[Node]:
        for node in nodes:
            types, seen, reads = node.op.inputs(), dict[str, int](), list[Socket]()
            for port, column in node.input_columns().items():
                number = seen[column] = seen.get(column, -1) + 1
                reads.append(Socket(port, self._readable(column, types[port], number)))
            self._append(replace(node, inputs=tuple(reads)))
        return self._nodes

    def _append(self, node: Node) -> None:
        self._nodes.append(node)
        types = node.op.outputs()
        self._types.update((column, types[port]) for port, column in node.output_columns().items())

    def _readable(self, column: str, wanted: DataType, number: int) -> str:
        """The column that the port may read instead; ``number`` counts the ports of the node that have read it before."""
        from_tensor = isinstance(wanted, ScalarType) and isinstance(self._types.get(column), TensorType)
        if not from_tensor and (number == 0 or not _can_copy(wanted)):
            return column
        key = (column, number)
        if key not in self._copies:
            self._copies[key] = self._copy(column, wanted, from_tensor)
        return self._copies[key]

    def _copy(self, column: str, wanted: DataType, from_tensor: bool) -> str:
        if isinstance(wanted, TensorType):
            assert wanted.size is not None
            return self._add(ElementwiseProduct(np.ones(wanted.size)), column, f"{column}_copy")
        if not from_tensor:
            column = self._add(VectorAssembler((DataShape("scalar", False),)), column, f"{column}_vector")
        return self._add(LinearRegression(np.ones(1), 0.0), column, f"{column}_scalar")

    def _add(self, op: Op, column: str, wanted: str) -> str:
        (read,) = op.inputs()
        write, made = next(iter(op.outputs())), self._new_column(wanted)
        self._append(Node(made, op, (Socket(read, column),), (Socket(write, made),)))
        return made


def _can_copy(data_type: DataType) -> bool:
    if data_type.nullable or data_type.base is not BasicType.DOUBLE:
        return False
    sized = isinstance(data_type, TensorType) and data_type.size is not None and data_type.size >= 0
    return isinstance(data_type, ScalarType) or sized
