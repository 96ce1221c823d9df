"""Leap types: the types of leap frames' columns and of ops' ports (MLeap's ``core.types``)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TypeAlias


class BasicType(str, Enum):
    """MLeap's basic types, by the names that bundles use."""

    BOOLEAN = "boolean"
    BYTE = "byte"
    SHORT = "short"
    INT = "int"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    BYTE_STRING = "byte_string"

    def __str__(self) -> str:
        return self.value

    @property
    def is_numeric(self) -> bool:
        """True for the types of numbers; boolean is not one."""
        return self not in (BasicType.BOOLEAN, BasicType.STRING, BasicType.BYTE_STRING)


@dataclass(frozen=True)
class ScalarType:
    """One value of a basic type; it may be missing if ``nullable``."""

    base: BasicType
    nullable: bool = True

    def __str__(self) -> str:
        return str(self.base) + ("" if self.nullable else " not null")


@dataclass(frozen=True)
class ListType:
    """A list of values of any length."""

    base: BasicType
    nullable: bool = True

    def __str__(self) -> str:
        return f"list<{self.base}>" + ("" if self.nullable else " not null")


@dataclass(frozen=True)
class TensorType:
    """A tensor; ``dimensions`` is ``None`` when not declared."""

    base: BasicType
    dimensions: tuple[int, ...] | None = None
    nullable: bool = True

    def __str__(self) -> str:
        shape = "?" if self.dimensions is None else ", ".join(map(str, self.dimensions))
        return f"tensor<{self.base}>[{shape}]" + ("" if self.nullable else " not null")

    @property
    def size(self) -> int | None:
        """Number of elements, or ``None`` when the dimensions are not declared."""
        return None if self.dimensions is None else math.prod(self.dimensions)


@dataclass(frozen=True)
class MapType:
    """A map from ``key`` to ``base``."""

    key: BasicType
    base: BasicType
    nullable: bool = True

    def __str__(self) -> str:
        return f"map<{self.key}, {self.base}>" + ("" if self.nullable else " not null")


DataType: TypeAlias = ScalarType | ListType | TensorType | MapType


def with_nullable(data_type: DataType, nullable: bool) -> DataType:
    """``data_type`` with the given nullability."""
    return replace(data_type, nullable=nullable)


@dataclass(frozen=True)
class DataShape:
    """Shape of a port without its basic type, as in op attributes: ``scalar``, ``list`` or ``tensor``."""

    base: str
    nullable: bool = True
    dimensions: tuple[int, ...] | None = None
    dimension_names: tuple[str, ...] | None = field(default=None, compare=False)

    def of(self, basic: BasicType) -> DataType:
        """The data type of this shape with elements of type ``basic``."""
        if self.base == "scalar":
            return ScalarType(basic, self.nullable)
        if self.base == "list":
            return ListType(basic, self.nullable)
        return TensorType(basic, self.dimensions, self.nullable)


@dataclass(frozen=True)
class Field:
    """A named column."""

    name: str
    type: DataType

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


@dataclass(frozen=True)
class Schema:
    """Ordered fields with distinct names (MLeap's ``StructType``)."""

    fields: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        if len(self._positions) != len(self.fields):
            repeated = sorted(name for name, count in Counter(self.names).items() if count > 1)
            raise ValueError(f"field names repeat: {', '.join(repeated)}")

    @classmethod
    def of(cls, fields: Iterable[tuple[str, DataType]]) -> Schema:
        """A schema from (name, type) pairs."""
        return cls(tuple(Field(name, data_type) for name, data_type in fields))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in order."""
        return tuple(f.name for f in self.fields)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    def position(self, name: str) -> int:
        """The position of a field, from 0; ``KeyError`` if there is none with this name."""
        return self._positions[name]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    def __getitem__(self, name: str) -> Field:
        return self.fields[self._positions[name]]

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.fields)) + ")"
