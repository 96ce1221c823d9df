"""The lowering of a pipeline to a plan: each column of the frame becomes an expression."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar

from leapstream.bundle.types import (
    BasicType,
    DataType,
    Field,
    ListType,
    MapType,
    ScalarType,
    Schema,
    TensorType,
    with_nullable,
)
from leapstream.errors import SchemaError
from leapstream.plan.primitives import After, Cast, Expr, Input, NotNull, Origin, Reshape

E = TypeVar("E", bound=Expr)

MissingTexts: TypeAlias = Literal["zero", "missing", "fails"]
"""MLeap casts the texts ``""`` and ``"null"`` to a missing number at any port. Most ops read it as 0; an op that reads objects
treats it as missing, or fails."""


class Lowering:
    """Collects the expressions of a plan while the nodes of a pipeline are lowered one after the other.

    Attributes:
        model: name of the model, for error messages.
        columns: the expression of every column so far, given columns first.
        created: all expressions, in the order in which they were made.
        absent: the columns that nodes read and nobody gave; :meth:`missing` makes the error if the outputs need one.
    """

    def __init__(self, model: str, given: Schema) -> None:
        self.model = model
        self.given = given
        self.created: list[Expr] = []
        self.columns: dict[str, Expr] = {}
        self.absent: dict[str, tuple[Origin, DataType]] = {}
        self._origin: Origin | None = None
        self._read: dict[int, str] = {}
        for f in given:
            self.columns[f.name] = self.add(Input(name=f.name, type=f.type))

    def enter(self, node: str, op: str) -> None:
        """Set the node to which the next expressions belong."""
        self._origin = Origin(node, op)
        self._read = {}

    def add(self, expr: E) -> E:
        """Add an expression to the plan; its errors will name the node and the column that it reads."""
        if expr.origin is None and self._origin is not None:
            column = next((self._read[id(x)] for x in expr.operands if id(x) in self._read), None)
            expr = replace(expr, origin=replace(self._origin, column=self._origin.column or column))
        self.created.append(expr)
        return expr

    def inner(self, xs: Sequence[Expr]) -> Lowering:
        """A new lowering with columns ``0``, ``1``, … of the types of ``xs``; its expressions belong to the current node."""
        lowering = Lowering(self.model, Schema(tuple(Field(str(i), x.type) for i, x in enumerate(xs))))
        lowering._origin = self._origin
        names = [self._read.get(id(x)) for x in xs]
        lowering._read = {id(lowering.columns[str(i)]): name for i, name in enumerate(names) if name is not None}
        return lowering

    def read(
        self,
        column: str,
        wanted: DataType,
        *,
        keep_dimensions: bool = False,
        missing_texts: MissingTexts = "zero",
    ) -> Expr:
        """A column, cast to a port's type ``wanted``; rows with a missing value fail unless that type is nullable.

        A column that is not given becomes an input too: it is an error only if the outputs need it. A tensor of several
        dimensions becomes a vector at a port for vectors of doubles, unless ``keep_dimensions``. ``missing_texts`` says what
        the text of a missing number is at a port for numbers.

        Raises:
            SchemaError: the column cannot be cast.
        """
        assert self._origin is not None
        node, op = self._origin.node, self._origin.op
        if column not in self.columns:
            self.absent[column] = self._origin, wanted
            self.columns[column] = self.add(Input(name=column, type=wanted))
        expr = self.columns[column]
        self._origin = Origin(node, op, column)
        if not can_cast(expr.type, wanted):
            raise SchemaError(
                f"model {self.model!r}, node {node!r} ({op}): column {column!r} is {expr.type}, and {wanted} is expected"
            )
        if expr.type.nullable and not wanted.nullable:
            expr = self.add(NotNull(x=expr, type=with_nullable(expr.type, False)))
        if _needs_cast(expr.type, wanted):
            parsed = isinstance(wanted, ScalarType) and expr.type.base is BasicType.STRING and wanted.base.is_numeric
            missing = parsed and (missing_texts != "zero" or wanted.nullable)
            expr = self.add(Cast(x=expr, type=with_nullable(wanted, expr.type.nullable or missing)))
            if missing and missing_texts == "fails":
                expr = self.add(NotNull(x=expr, type=with_nullable(wanted, False)))
        flat = None if keep_dimensions else _flat_type(self.columns[column].type, wanted)
        if flat is not None:
            expr = self.add(Reshape(x=expr, type=flat))
        self._origin = Origin(node, op)
        self._read[id(expr)] = column
        return expr

    def missing(self, column: str) -> SchemaError:
        """The error for a column that a node reads and nobody gave."""
        origin, wanted = self.absent[column]
        return SchemaError(
            f"model {self.model!r}, node {origin.node!r} ({origin.op}): column {column!r} {wanted} is missing; "
            f"given: {self.given}"
        )

    def together(self, results: Mapping[str, E], wanted: frozenset[str]) -> dict[str, Expr]:
        """The wanted results by port; each fails or drops the rows that the others, wanted or not, fail or drop."""
        others = tuple(expr for port, expr in results.items() if port not in wanted)
        if not others:
            return dict(results)
        kept = {port: expr for port, expr in results.items() if port in wanted}
        return {port: self.add(After(x=expr, others=others, type=expr.type)) for port, expr in kept.items()}

    def write(self, column: str, expr: Expr) -> None:
        """Add a column to the frame.

        Raises:
            SchemaError: the frame already has a column with this name, or a node before reads it.
        """
        if column in self.absent:
            raise self.missing(column)
        if column in self.columns:
            node = self._origin.node if self._origin else ""
            raise SchemaError(
                f"model {self.model!r}, node {node!r}: its output column {column!r} is there already; given: {self.given}"
            )
        self.columns[column] = expr


def can_cast(given: DataType, wanted: DataType) -> bool:
    """True if MLeap casts ``given`` to ``wanted`` (``core.types.Casting``)."""
    if isinstance(given, MapType) or isinstance(wanted, MapType):
        same_kind = isinstance(given, MapType) and isinstance(wanted, MapType)
        return same_kind and _can_cast_base(given.base, wanted.base) and _can_cast_base(given.key, wanted.key)  # type: ignore[union-attr]
    if not _can_cast_base(given.base, wanted.base):
        return False
    return _SHAPES[type(given), type(wanted)](given, wanted)


def _can_cast_base(given: BasicType, wanted: BasicType) -> bool:
    return given == wanted or BasicType.BYTE_STRING not in (given, wanted)


def _one_element(tensor: DataType, _: DataType) -> bool:
    assert isinstance(tensor, TensorType)
    return tensor.size == 1


def _no_dimensions(_: DataType, tensor: DataType) -> bool:
    assert isinstance(tensor, TensorType)
    return tensor.dimensions == ()


_SHAPES: dict[tuple[type, type], Callable[[DataType, DataType], bool]] = {
    (ScalarType, ScalarType): lambda given, wanted: True,
    (ScalarType, ListType): lambda given, wanted: False,
    (ScalarType, TensorType): _no_dimensions,
    (ListType, ScalarType): lambda given, wanted: False,
    (ListType, ListType): lambda given, wanted: True,
    (ListType, TensorType): lambda given, wanted: True,
    (TensorType, ScalarType): _one_element,
    (TensorType, ListType): lambda given, wanted: True,
    (TensorType, TensorType): lambda given, wanted: True,
}


def _flat_type(given: DataType, wanted: DataType) -> TensorType | None:
    """The vector type to which MLeap flattens a tensor of several dimensions at a port for a vector of doubles; else ``None``."""
    if not isinstance(given, TensorType) or not isinstance(wanted, TensorType):
        return None
    if given.dimensions is None or wanted.nullable or wanted.base is not BasicType.DOUBLE:
        return None
    vector = wanted.dimensions is None or len(wanted.dimensions) == 1
    several = vector and len(given.dimensions) > 1 and min(given.dimensions) >= 0
    return TensorType(wanted.base, (math.prod(given.dimensions),), nullable=False) if several else None


def _needs_cast(given: DataType, wanted: DataType) -> bool:
    return (
        type(given) is not type(wanted)
        or given.base != wanted.base
        or (isinstance(given, MapType) and isinstance(wanted, MapType) and given.key != wanted.key)
    )


__all__ = ["Lowering", "MissingTexts", "can_cast"]
