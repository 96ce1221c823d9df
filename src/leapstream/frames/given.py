"""Records of other kinds than dicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from leapstream.bundle.frame import LeapFrame
from leapstream.errors import SchemaError


def record_of(given: Any) -> Mapping[str, Any] | None:
    """A mapping, named tuple, instance of a dataclass or pandas Series as column to value; ``None`` if it is none of these.

    Raises:
        SchemaError: the labels of a Series repeat.
    """
    if isinstance(given, Mapping):
        return given
    if isinstance(given, tuple) and hasattr(given, "_asdict"):
        record: Mapping[str, Any] = given._asdict()
        return record
    if is_dataclass(given) and not isinstance(given, (type, LeapFrame)):
        return {f.name: getattr(given, f.name) for f in fields(given)}
    if is_class(given, "pandas", "Series"):
        if not given.index.is_unique:
            raise SchemaError("the labels of a Series repeat, and those of a record are the names of its columns")
        return dict(zip(given.index, given, strict=True))
    return None


def is_class(value: Any, package: str, name: str) -> bool:
    """True if a value is of a class, or a subclass of it, of a package that need not be installed."""
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == package for kind in type(value).__mro__)
