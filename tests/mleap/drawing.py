"""Draws models and frames for the comparison with MLeap's JVM.

The ops are those of the recorded fuzz cases, some of their attributes replaced, alone or behind each other; the frames are new.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache, partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from leapstream import LeapFrame, Model
from leapstream.bundle.definition import Socket
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataType, Field, MapType, Schema, TensorType
from leapstream.errors import LeapstreamError
from leapstream.ops.base import Op
from leapstream.ops.lowering import can_cast
from leapstream.ops.pipeline import Node, Pipeline
from tests.fuzz.recorded import cases as recorded_cases
from tests.primitives.drawing import NUMBERS, STRINGS_OF_ROWS, values_of

WIDEST = 64
"""Number of elements of the widest vector that is drawn; a wider one takes long to draw."""

_HANDLERS = ("error", "skip", "keep")
_OTHER_BASES = (BasicType.DOUBLE, BasicType.FLOAT, BasicType.INT, BasicType.LONG, BasicType.BOOLEAN, BasicType.STRING)


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A model and rows for it."""

    model: Model
    frame: LeapFrame

    def __repr__(self) -> str:
        nodes = "\n".join(f"  {node}" for node in self.model.nodes)
        return f"{nodes}\n  {self.frame.schema}\n  {self.frame.rows}"


@lru_cache
def known_ops() -> dict[str, tuple[Op, ...]]:
    """The ops of the recorded cases by their names; those of wide vectors are left out."""
    found: dict[str, list[Op]] = {}
    for case in recorded_cases():
        for node in case.model().nodes:
            types = (*node.op.inputs().values(), *node.op.outputs().values())
            widths = [t.size or 0 for t in types if isinstance(t, TensorType)]
            if max(widths, default=0) <= WIDEST:
                found.setdefault(node.op.op, []).append(node.op)
    return {name: tuple(ops) for name, ops in sorted(found.items())}


# ---- attributes -------------------------------------------------------------------------------------------------------


def _replaced(draw: st.DrawFn, value: Any) -> Any:
    """An attribute with one of its numbers or texts replaced; whole numbers are structure, and stay."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return draw(NUMBERS)
    if type(value) is str:
        return draw(st.sampled_from(_HANDLERS)) if value in _HANDLERS else value
    if isinstance(value, np.ndarray) and value.dtype == np.float64 and value.size:
        changed = value.copy()
        changed.flat[draw(st.integers(0, value.size - 1))] = draw(NUMBERS)
        changed.setflags(write=False)
        return changed
    if isinstance(value, tuple) and value:
        at = draw(st.integers(0, len(value) - 1))
        element = value[at]
        new = draw(STRINGS_OF_ROWS) if type(element) is str else _replaced(draw, element)
        return (*value[:at], new, *value[at + 1 :])
    if isinstance(value, Op):
        return draw(changed_op(value))
    return value


@st.composite
def changed_op(draw: st.DrawFn, op: Op) -> Op:
    """The op with up to two attributes replaced; as it is where the op does not take them."""
    fields = [field.name for field in dataclasses.fields(op) if field.name not in _FIXED]
    if not fields:
        return op
    chosen = draw(st.lists(st.sampled_from(fields), max_size=2, unique=True))
    changes = {name: _replaced(draw, getattr(op, name)) for name in chosen}
    try:
        made = dataclasses.replace(op, **changes)
        # What a bundle cannot say does not come to MLeap either.
        made.to_model()
    except (LeapstreamError, ValueError, TypeError, IndexError):
        return op
    same_ports = made.inputs() == op.inputs() and made.outputs() == op.outputs()
    return made if same_ports else op


_FIXED = ("operation", "regex", "regexes", "family", "link", "model_type", "combinations", "kernel", "strategy")
"""Attributes whose texts are words of a small language; the recorded cases have them all."""


# ---- models -----------------------------------------------------------------------------------------------------------


@st.composite
def drawn(draw: st.DrawFn, most_rows: int = 8) -> Drawn:
    """A model of one to three ops, and rows for it."""
    ops = known_ops()
    given: dict[str, DataType] = {}
    made: dict[str, DataType] = {}
    nodes: list[Node] = []
    for number in range(draw(st.sampled_from([1, 1, 2, 3]))):
        op = draw(changed_op(draw(st.sampled_from(ops[draw(st.sampled_from(tuple(ops)))]))))
        reads: list[Socket] = []
        for port, wanted in op.inputs().items():
            taken = {socket.name for socket in reads}
            fitting = [name for name, t in made.items() if name not in taken and can_cast(t, wanted)]
            if fitting and draw(st.integers(0, 4)):
                name = draw(st.sampled_from(fitting))
            else:
                name = f"x{len(given)}"
                given[name] = draw(_given(wanted))
            reads.append(Socket(port, name))
        writes = tuple(Socket(port, f"{port}_{number}") for port in op.outputs())
        made.update((socket.name, op.outputs()[socket.port]) for socket in writes)
        nodes.append(Node(f"node{number}", op, tuple(reads), writes))
    root = nodes[0] if len(nodes) == 1 else Pipeline("pipeline", tuple(nodes))
    rows = st.tuples(*(values_of(t, _size(t)).filter(partial(_fits, t)).map(_in_order) for t in given.values()))
    schema = Schema(tuple(Field(name, t) for name, t in given.items()))
    return Drawn(Model.from_node(root), LeapFrame(schema, draw(st.lists(rows, min_size=1, max_size=most_rows))))


def _fits(data_type: DataType, value: Any) -> bool:
    """False for a tensor of more or fewer dimensions than its column has.

    MLeap reads the elements of such a tensor as a vector, where leapstream fails.
    """
    if not isinstance(data_type, TensorType) or not isinstance(value, Tensor):
        return True
    return len(value.dimensions) == len(data_type.dimensions or (0,))


def _in_order(value: Any) -> Any:
    """A sparse tensor with rising indices: many ops of MLeap fail for others, which leapstream sorts."""
    if not isinstance(value, Tensor) or value.indices is None:
        return value
    order = np.argsort(value.indices[:, 0], kind="stable")
    return Tensor(value.base, value.values[order], value.dimensions, value.indices[order])


def _size(data_type: DataType) -> int:
    size = data_type.size if isinstance(data_type, TensorType) else None
    return 3 if size is None or size < 0 else size


@st.composite
def _given(draw: st.DrawFn, wanted: DataType) -> DataType:
    """The type of a given column: mostly what a port wants, sometimes another one that MLeap casts."""
    nullable = draw(st.integers(0, 3)) == 0
    base = wanted.base
    if base in _OTHER_BASES and not isinstance(wanted, MapType) and draw(st.integers(0, 5)) == 0:
        base = draw(st.sampled_from(_OTHER_BASES))
    return dataclasses.replace(wanted, base=base, nullable=nullable)
