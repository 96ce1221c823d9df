"""Strings as Arrow arrays, those with half of a surrogate pair too.

Strings of Java and of Python may hold half of a surrogate pair, and MLeap computes with such strings. UTF-8 has no bytes for it,
so Arrow's own conversions reject it. This module gives it the three bytes that its code point would have: kernels see bytes, and
:func:`texts_of` makes Python strings of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def text_array(values: Sequence[Any] | npt.NDArray[np.object_]) -> pa.Array:
    """Strings, of which some may be missing (``None``), as an Arrow array."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        encoded = [None if value is None else _whole(value).encode("utf-8", "surrogatepass") for value in values]
        return pa.array(encoded, pa.binary()).view(pa.string())


def text_lists(values: Sequence[Sequence[str | None] | None]) -> pa.Array:
    """Lists of strings as an Arrow array; see :func:`text_array`."""
    try:
        return pa.array(values, pa.list_(pa.string()))
    except UnicodeEncodeError:
        lengths = [0 if value is None else len(value) for value in values]
        mask = pa.array([value is None for value in values])
        elements = text_array([element for value in values if value is not None for element in value])
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        return pa.ListArray.from_arrays(offsets, elements, mask=mask)


def text_maps(values: Sequence[Mapping[Any, Any] | None], data_type: pa.MapType) -> pa.Array:
    """Maps as an Arrow array of a type; see :func:`text_array`."""
    try:
        return pa.array([None if v is None else list(v.items()) for v in values], data_type)
    except UnicodeEncodeError:
        there = [v for v in values if v is not None]
        starts = np.concatenate([[0], np.cumsum([0 if v is None else len(v) for v in values])])
        keys, items = (
            text_array(listed) if pa.types.is_string(kind) else pa.array(listed, kind)
            for listed, kind in (
                ([key for v in there for key in v], data_type.key_type),
                ([item for v in there for item in v.values()], data_type.item_type),
            )
        )
        mask = np.append([v is None for v in values], False)
        return pa.MapArray.from_arrays(pa.array(starts, pa.int32(), mask=mask), keys, items)


def texts_of(array: pa.Array) -> list[Any]:
    """The strings, or lists or maps with strings, of an Arrow array that :func:`text_array` may have made."""
    try:
        listed: list[Any] = array.to_pylist()
    except UnicodeDecodeError:
        listed = _decoded(array)
    return listed


def _decoded(array: pa.Array) -> list[Any]:
    if pa.types.is_string(array.type):
        return [None if v is None else v.decode("utf-8", "surrogatepass") for v in array.view(pa.binary()).to_pylist()]
    if pa.types.is_map(array.type):
        pairs = list(zip(texts_of(array.keys), texts_of(array.items), strict=True))
        return _parted(array, pairs)
    return _parted(array, texts_of(array.values))


def _parted(array: pa.Array, elements: list[Any]) -> list[Any]:
    """The elements of all rows, row by row."""
    offsets = np.asarray(array.offsets).tolist()
    return [
        elements[start:end] if there else None
        for (start, end), there in zip(pairwise(offsets), array.is_valid().to_pylist(), strict=True)
    ]


def _whole(text: str) -> str:
    """The string with each two halves of a surrogate pair that meet as one character, as in Java."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def with_question_marks(array: pa.Array) -> pa.Array:
    """The strings as Java's ``getBytes`` writes them in UTF-8: half of a surrogate pair becomes a question mark."""
    if is_utf8(array):
        return array
    return pa.array([None if t is None else t.encode("utf-8", "replace") for t in texts_of(array)], pa.binary()).view(
        pa.string()
    )


def is_utf8(array: pa.Array) -> bool:
    """True unless a string in an Arrow array, or in its lists or maps, has half of a surrogate pair."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
