"""Finds the input columns of a model: from a schema, from a sample of the data, or from the names in the fitted object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leapstream.bundle.types import BasicType, Field, ScalarType, Schema, TensorType
from leapstream.errors import SchemaError
from leapstream.exporters.graph import Block, Features
from leapstream.frames.leaptypes import sample_type_of

VECTOR = "features"
"""Name of the input column of a model whose features have no names."""


def features_of(given: Any, names: Sequence[str] | None, count: int | None) -> Features:
    """The input columns of a fitted object.

    Args:
        given: a :class:`~leapstream.bundle.types.Schema`; or a sample of the data: a pandas or polars DataFrame or Series, a
            dict of arrays, an array of rows and features, a list of texts; or ``None``.
        names: the names that the object was fitted with, or ``None``; the result has these columns, in this order.
        count: the number of features that the object was fitted with, or ``None`` if it is unknown.

    Raises:
        SchemaError: the columns are unknown, one is missing, has an unsupported type, or their number is not ``count``.
    """
    if given is None:
        features = _default(names, count)
    elif isinstance(given, Schema):
        features = tuple(map(_from_field, given))
    else:
        features = _from_sample(given)
    if names is not None:
        features = _named(features, names)
    found = sum(block.size for block in features)
    if count is not None and found != count:
        columns = ", ".join(block.column for block in features)
        raise SchemaError(f"there are {found} features ({columns}), and {count} are expected")
    return features


def _default(names: Sequence[str] | None, count: int | None) -> Features:
    if names is not None:
        return tuple(Block(str(name)) for name in names)
    if count is None:
        raise SchemaError("the columns are not known: give a schema, or a sample of the data")
    return (Block(VECTOR, count),)


def _named(features: Features, names: Sequence[str]) -> Features:
    if len(features) == 1 and features[0].width == len(names):
        return features
    columns = {block.column: block for block in features}
    missing = [name for name in names if name not in columns]
    if missing:
        raise SchemaError(f"there is no column {missing[0]!r}; given: {', '.join(columns)}")
    return tuple(columns[name] for name in names)


def _from_field(field: Field) -> Block:
    kind = field.type
    if isinstance(kind, ScalarType) and kind.base is not BasicType.BYTE_STRING:
        return Block(field.name, text=kind.base is BasicType.STRING)
    if isinstance(kind, TensorType) and len(kind.dimensions or ()) == 1 and kind.base is not BasicType.STRING:
        return Block(field.name, kind.size)
    raise SchemaError(f"column {field.name!r}: {kind} is neither a scalar nor a vector of numbers of a given size")


def _from_sample(sample: Any) -> Features:
    if isinstance(sample, Mapping):
        return tuple(_from_values(str(name), values) for name, values in sample.items())
    if hasattr(sample, "columns"):
        return tuple(_from_values(str(name), sample[name]) for name in sample.columns)
    if hasattr(sample, "name") and hasattr(sample, "to_numpy"):
        return (_from_values(str(sample.name or "text"), sample),)
    array = np.asarray(sample)
    if array.ndim == 2 and array.dtype.kind in "OUS":
        return tuple(_from_values(f"x{i}", array[:, i]) for i in range(array.shape[1]))
    text = array.ndim == 1 and array.dtype.kind in "OUS"
    return (_from_values("text" if text else VECTOR, array),)


def _from_values(name: str, values: Any) -> Block:
    return _from_field(Field(name, sample_type_of(name, values)))
