"""Hypothesis strategies for attribute values, definitions and leap frames."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st

from leapstream.bundle.definition import BundleDef, ModelDef, NodeDef, Socket, Value
from leapstream.bundle.elements import INTEGERS
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import (
    BasicType,
    DataShape,
    DataType,
    Field,
    ListType,
    MapType,
    ScalarType,
    Schema,
    TensorType,
)
from leapstream.bundle.values import list_of, scalar, tensor

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=("Cc", "Cs")), min_size=1)


def elements(base: BasicType, *, finite: bool = False) -> st.SearchStrategy[Any]:
    """Values of a basic type; ``finite`` leaves out the infinities, not NaN."""
    if base is BasicType.BOOLEAN:
        return st.booleans()
    if base in INTEGERS:
        return st.integers(*INTEGERS[base])
    if base is BasicType.STRING:
        return TEXT
    if base is BasicType.BYTE_STRING:
        return st.binary(max_size=8)
    width: Literal[32, 64] = 32 if base is BasicType.FLOAT else 64
    numbers = st.floats(width=width, allow_infinity=not finite, allow_nan=True)
    return numbers | st.just(float("nan"))


@st.composite
def tensors(draw: st.DrawFn, base: BasicType | None = None, *, finite: bool = False, sparse: bool = True) -> Tensor:
    """Dense and sparse tensors of up to three dimensions."""
    base = base or draw(st.sampled_from(list(BasicType)))
    dimensions = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    size = int(np.prod(dimensions, dtype=int))
    positions = None
    if sparse and size and draw(st.booleans()):
        flat = draw(st.lists(st.integers(0, size - 1), unique=True, max_size=size))
        positions = np.array([np.unravel_index(p, dimensions) for p in flat], dtype=np.int32)
        positions = positions.reshape(len(flat), len(dimensions))
        size = len(flat)
    values = np.empty(size, dtype=NUMPY_DTYPES[base])
    values[:] = draw(st.lists(elements(base, finite=finite), min_size=size, max_size=size))
    return Tensor(base, values, dimensions, positions)


def data_shapes() -> st.SearchStrategy[DataShape]:
    """Shapes of every kind."""
    sizes = st.none() | st.lists(st.integers(-1, 9), max_size=3).map(tuple)
    return st.builds(
        DataShape, st.sampled_from(["scalar", "list", "tensor"]), st.booleans(), sizes, dimension_names=st.none()
    )


def _member(name: str, models: st.SearchStrategy[ModelDef], *, finite: bool) -> st.SearchStrategy[Any]:
    if name == "tensor":
        # Attributes have no sparse tensors: what a bundle gives back is dense.
        return tensors(finite=finite, sparse=False)
    if name == "basic_type":
        return st.none() | st.sampled_from(list(BasicType))
    if name == "data_shape":
        return data_shapes()
    if name == "model":
        return models
    return elements(BasicType(name), finite=finite)


MEMBERS = [
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "string",
    "byte_string",
    "tensor",
    "basic_type",
    "data_shape",
    "model",
]


def values(models: st.SearchStrategy[ModelDef], *, finite: bool) -> st.SearchStrategy[Value]:
    """Attributes of every kind that today's formats have."""
    kinds = []
    for name in MEMBERS:
        items = _member(name, models, finite=finite)
        kinds.append(st.builds(scalar, st.just(name), items))
        kinds.append(st.builds(list_of, st.just(name), st.lists(items, max_size=4)))
    return st.one_of(*kinds, st.builds(tensor, tensors(finite=finite, sparse=False)))


def models(*, finite: bool) -> st.SearchStrategy[ModelDef]:
    """Models with attributes, which may hold models."""
    ops = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
    leaf = st.builds(ModelDef, ops)
    return st.recursive(
        leaf,
        lambda inner: st.builds(ModelDef, ops, st.dictionaries(TEXT, values(inner, finite=finite), max_size=4)),
        max_leaves=3,
    )


def bundles(*, finite: bool) -> st.SearchStrategy[BundleDef]:
    """Bundles of one node with attributes, sockets and files beside it."""
    ports = st.lists(st.builds(Socket, TEXT, TEXT), max_size=3, unique_by=lambda socket: socket.port).map(tuple)
    nodes = st.builds(NodeDef, TEXT, ports, ports, models(finite=finite))
    return st.builds(
        BundleDef,
        TEXT,
        st.uuids().map(str),
        TEXT,
        st.none() | st.just("2026-01-01T00:00:00"),
        st.sampled_from(["json", "protobuf"]),
        nodes,
    )


def types(kinds: str = "scalar list tensor map", *, keys: tuple[BasicType, ...] = (BasicType.STRING,)) -> Any:
    """Types of columns."""
    basics = st.sampled_from(list(BasicType))
    known = {
        "scalar": st.builds(ScalarType, basics, st.booleans()),
        "list": st.builds(ListType, basics, st.booleans()),
        "tensor": st.builds(TensorType, basics, st.none() | st.just((2, 3)), st.booleans()),
        "map": st.builds(MapType, st.sampled_from(keys), basics, st.booleans()),
    }
    return st.one_of(*(known[kind] for kind in kinds.split()))


def column_values(data_type: DataType, *, in_json: bool) -> st.SearchStrategy[Any]:
    """Values of a column; ``in_json`` leaves out what JSON turns into null in a way that loses it."""
    if isinstance(data_type, ScalarType):
        present = elements(data_type.base, finite=in_json)
        if in_json and data_type.nullable:
            present = present.filter(lambda value: value == value)
    elif isinstance(data_type, ListType):
        present = st.lists(elements(data_type.base, finite=in_json), max_size=4)
    elif isinstance(data_type, TensorType):
        present = tensors(data_type.base, finite=in_json)
    else:
        keys = elements(data_type.key).filter(lambda key: key == key)
        present = st.dictionaries(keys, elements(data_type.base, finite=in_json), max_size=3)
    return st.none() | present if data_type.nullable else present


@st.composite
def frames(draw: st.DrawFn, *, in_json: bool = False, names: Any = TEXT, keys: Any = (BasicType.STRING,)) -> Any:
    """Schema and rows of every type."""
    fields = draw(
        st.lists(st.builds(Field, names, types(keys=keys)), min_size=1, max_size=5, unique_by=lambda field: field.name)
    )
    row = st.tuples(*(column_values(field.type, in_json=in_json) for field in fields)).map(list)
    return Schema(tuple(fields)), draw(st.lists(row, max_size=4))
