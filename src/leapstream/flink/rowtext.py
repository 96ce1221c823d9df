"""The values of a row, shortened, for messages. The Java class ``leapstream.flink.RowText`` gives the same text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np
from pyflink.common import Row

from leapstream.escaping import printable
from leapstream.javalike.numbers import java_double, java_float

_MOST_CHARACTERS = 50
_MOST_ELEMENTS = 5
_MOST_COLUMNS = 50


def row_text(values: Sequence[Any], names: Sequence[str] = ()) -> str:
    """The values with their names, or without where there are more or fewer names."""
    return "{" + ", ".join(_columns(values, names if len(names) == len(values) else None)) + "}"


def element_text(element: Any) -> str:
    """The values of an element of a stream: a row, dict, tuple or scalar."""
    if isinstance(element, Mapping):
        return row_text(list(element.values()), list(map(str, element)))
    if not isinstance(element, Row | tuple | list):
        return row_text((element,))
    return row_text(tuple(element), getattr(element, "_fields", None) or ())


def _columns(values: Sequence[Any], names: Sequence[str] | None) -> Iterator[str]:
    for i, value in enumerate(values):
        if i == _MOST_COLUMNS:
            yield "…"
            return
        yield _text(value) if names is None else f"{_shortened(names[i])}: {_text(value)}"


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{_shortened(value)}'"
    if isinstance(value, np.float32):
        return java_float(value)
    if isinstance(value, float):
        return java_double(float(value))
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping):
        return f"a map of {len(value)}"
    if isinstance(value, list | tuple | np.ndarray):
        return f"[{', '.join(_elements(value, len(value)))}]"
    return _shortened(str(value))


def _elements(values: Iterable[Any], size: int) -> Iterator[str]:
    yield from map(_text, islice(values, _MOST_ELEMENTS))
    if size > _MOST_ELEMENTS:
        yield f"… {size} in all"


def _shortened(text: str) -> str:
    return printable(text) if len(text) <= _MOST_CHARACTERS else printable(text[:_MOST_CHARACTERS]) + "…"
