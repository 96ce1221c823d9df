"""Turns the elements of a stream into records of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyflink.common import Row

from leapstream.errors import SchemaError
from leapstream.flink.signature import FunctionSignature


def record_of(element: Any, signature: FunctionSignature) -> dict[str, Any]:
    """The values of a function's inputs, by name.

    Args:
        element: a named row, a dict or a named tuple, whose fields are found by name; a row, tuple or list, whose fields are in
            the order of the inputs; or a scalar. A tuple or list may stand for the only input, a tensor.
        signature: the function that gets the record.

    Raises:
        SchemaError: the element lacks an input, or has a wrong number of fields.
    """
    names = signature.inputs.names
    given = _fields_of(element)
    if isinstance(given, Mapping):
        if all(name in given for name in names):
            return {name: given[name] for name in names}
        values: Sequence[Any] = tuple(given.values())
        if isinstance(element, Mapping) or len(values) != len(names):
            missing = [name for name in names if name not in given]
            raise SchemaError(f"{signature}: the element has no {missing[0]!r}; its fields are {list(given)}")
    else:
        values = given if isinstance(given, tuple | list) else (given,)
    if signature.packed >= 0 and not (len(values) == 1 and isinstance(values[0], tuple | list)):
        return {names[0]: list(values)}
    if len(values) != len(names):
        raise SchemaError(f"{signature}: the element has {len(values)} fields")
    return dict(zip(names, values, strict=True))


def _fields_of(element: Any) -> Any:
    """The fields of a row or named tuple, in a dict if they have names; anything else unchanged."""
    if isinstance(element, Row):
        return element.as_dict() if getattr(element, "_fields", None) else tuple(element)
    if isinstance(element, tuple) and hasattr(element, "_fields"):
        return dict(zip(element._fields, element, strict=True))
    return element
