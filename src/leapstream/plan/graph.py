"""Plans: typed graphs of expressions over one row. The primitives are the kinds of expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import BasicType, DataType, Field, ScalarType, Schema, TensorType

Doubles: TypeAlias = npt.NDArray[np.float64]


DOUBLE = ScalarType(BasicType.DOUBLE, nullable=False)


INT = ScalarType(BasicType.INT, nullable=False)


def vector(size: int | None) -> TensorType:
    """The type of a vector of doubles that is never missing."""
    return TensorType(BasicType.DOUBLE, None if size is None else (size,), nullable=False)


@dataclass(frozen=True)
class Origin:
    """The source of an expression, for error messages: node, op, and the input column that it reads."""

    node: str
    op: str
    column: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Expr:
    """A value that is computed for each row. Expressions are compared by identity."""

    type: DataType
    origin: Origin | None = field(default=None, repr=False)

    @cached_property
    def operands(self) -> tuple[Expr, ...]:
        """The expressions that this one reads, in the order of its fields."""
        return tuple(_operands(self))

    @property
    def nested(self) -> tuple[Plan, ...]:
        """The plans that the expression runs for some rows; only :class:`~leapstream.plan.primitives.Switch` has any."""
        return ()

    @property
    def drops(self) -> bool:
        """True if the expression may drop rows. Executors evaluate such an expression even if no output reads it."""
        return False

    @property
    def needs_stored(self) -> bool:
        """True if the result depends on which elements of a vector are stored."""
        return False

    @property
    def takes_tensors(self) -> bool:
        """True if operands may be tensors of any dimensions. In all others a tensor has to be a vector, or the row fails."""
        return False

    def with_nested(self, plans: tuple[Plan, ...]) -> Expr:
        """A copy that runs ``plans`` in place of :attr:`nested`."""
        assert not plans
        return self

    def with_operands(self, operands: tuple[Expr, ...]) -> Expr:
        """A copy that reads ``operands`` in place of :attr:`operands`."""
        rest = iter(operands)
        changes: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Expr):
                changes[f.name] = next(rest)
            elif isinstance(value, tuple) and value and isinstance(value[0], Expr):
                changes[f.name] = tuple(next(rest) for _ in value)
        return replace(self, **changes) if changes else self


def _operands(expr: Expr) -> Iterator[Expr]:
    for f in fields(expr):
        value = getattr(expr, f.name)
        if isinstance(value, Expr):
            yield value
        elif isinstance(value, tuple) and value and isinstance(value[0], Expr):
            yield from value


@dataclass(frozen=True, eq=False)
class Plan:
    """A graph of expressions that an executor runs.

    Attributes:
        name: name of the model, for error messages.
        inputs: names and types of the columns to be given, in order; the plan has an ``Input`` for each.
        outputs: the requested columns, in order, as (name, expression).
        effects: expressions that may drop rows, so that they have to be evaluated even if no output reads them.
        order: all expressions that outputs and effects need, operands first, otherwise in the pipeline's order.
    """

    name: str
    inputs: Schema
    outputs: tuple[tuple[str, Expr], ...]
    effects: tuple[Expr, ...]
    order: tuple[Expr, ...]

    @cached_property
    def output_schema(self) -> Schema:
        """Names and types of the outputs."""
        return Schema(tuple(Field(name, expr.type) for name, expr in self.outputs))
