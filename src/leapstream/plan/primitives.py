"""The primitives that ops lower to: a typed expression graph over one row.

A primitive is a frozen dataclass that says what is computed from its operands (fields of type :class:`Expr`) and its
parameters (all others). Each executor has one table from primitive to implementation; a primitive that a table lacks raises
an error that names it. A primitive never says how many rows there are.

Errors belong to rows: where a docstring says *fails*, that row gets a :class:`~leapstream.errors.PredictionError` and nothing
else of that row is computed; where it says *drops*, the row leaves the frame. Of several failures and drops of one row the
first in plan order counts, as in MLeap, where a row's nodes run one after the other.

A vector's element may be *stored* or not: a sparse vector stores some elements, a dense one all of them. Elements that are
not stored are 0. Only :class:`Binarize` and :class:`Cast` look at the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import Tree
from leapstream.bundle.types import BasicType, DataType, ScalarType, TensorType

Doubles: TypeAlias = npt.NDArray[np.float64]

DOUBLE = ScalarType(BasicType.DOUBLE, nullable=False)
INT = ScalarType(BasicType.INT, nullable=False)


def vector(size: int | None) -> TensorType:
    """The type of a vector of doubles that is never missing."""
    return TensorType(BasicType.DOUBLE, None if size is None else (size,), nullable=False)


@dataclass(frozen=True)
class Origin:
    """Where an expression comes from, for error messages: node, op, and the input column it reads."""

    node: str
    op: str
    column: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Expr:
    """A value computed for each row; compared by identity."""

    type: DataType
    origin: Origin | None = field(default=None, repr=False)

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The expressions this one reads, in field order."""
        return tuple(_operands(self))

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


# ---- inputs, types and missing values ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Expr):
    """A column of the given frame, as it is."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Cast(Expr):
    """``x`` converted to ``type``, by the rules of MLeap's ``core.types.Casting``.

    Between numbers and booleans as Java converts (to an integer: towards zero, NaN to 0, saturating at int or long and then
    cut to the low bits for short and byte); numbers to strings as ``toString`` gives them, booleans to "1" and "0"; strings
    to numbers as Java parses them, ``""`` and ``"null"`` are missing, or 0 where ``type`` is not nullable; a list
    becomes a vector, a dense vector a list; a tensor of
    one element a scalar (its first element, which has to be stored); a scalar a tensor without dimensions. Fails where a string
    is no number, and where a sparse tensor is to be a list. A missing value stays missing.
    """

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class NotNull(Expr):
    """``x``; fails where it is missing."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Impute(Expr):
    """``surrogate`` where the double ``x`` is missing, NaN or equal to ``missing``; else ``x``."""

    x: Expr
    surrogate: float
    missing: float


# ---- categories -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class Lookup(Expr):
    """Index of the string ``x`` among ``labels`` as a double; the last position of a label that repeats.

    Where ``x`` is missing: ``len(labels)`` with ``keep``, else fails. Where it is no label: ``len(labels)`` with ``keep``,
    drops with ``skip``, fails with ``error``.
    """

    x: Expr
    labels: tuple[str, ...] = field(repr=False)
    invalid: Literal["error", "skip", "keep"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Label(Expr):
    """The string at position ``x`` (double, or a list or vector of doubles; cut towards zero) of ``labels``; fails elsewhere."""

    x: Expr
    labels: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class OneHot(Expr):
    """A sparse vector of ``width`` that stores 1 at position ``x`` (double), or nothing when that is ``width`` or beyond.

    ``x`` fails when it is no integer. Outside of [0, categories) it fails, or counts as ``categories`` when ``keep``.
    """

    x: Expr
    categories: int
    width: int
    keep: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Bucketize(Expr):
    """Number of the bucket [splits[i], splits[i+1]) that holds the double ``x``; the last bucket includes its upper bound.

    NaN: ``len(splits) - 1`` with ``keep``, drops with ``skip``, fails with ``error``. Fails outside of the splits.
    """

    x: Expr
    splits: Doubles
    invalid: Literal["error", "skip", "keep"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Binarize(Expr):
    """1 where ``x`` (a double, or a vector) is greater than ``threshold``, else 0; elements not stored stay 0."""

    x: Expr
    threshold: float


# ---- vectors ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(Expr):
    """Doubles and vectors ``xs`` one after the other; sparse in those rows where ``1.5 * nonzeros + 2 < size``, else dense."""

    xs: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pack(Expr):
    """The doubles ``xs`` as a dense vector."""

    xs: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Item(Expr):
    """Element ``index`` of the vector ``x``."""

    x: Expr
    index: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Expr):
    """``(x - shift) / divisor * factor + offset`` for each element of the vector ``x``; a step that is ``None`` is left out.

    Where ``fixed`` is not NaN the result is that value instead, except that NaN stays NaN when ``keep_nan``. With neither
    ``shift``, ``offset`` nor ``fixed`` the result stores what ``x`` stores; else it is dense. Fails when ``x`` is longer than
    ``size``; a shorter ``x`` uses the first elements of the parameters.
    """

    x: Expr
    size: int
    shift: Doubles | None = None
    divisor: Doubles | None = None
    factor: Doubles | None = None
    offset: Doubles | None = None
    fixed: Doubles | None = None
    keep_nan: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Clip(Expr):
    """Each element of the vector ``x`` held within [low, high]; NaN stays NaN."""

    x: Expr
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Normalize(Expr):
    """The vector ``x`` divided by its ``p``-norm; ``x`` itself where that is 0. Fails where ``p`` is less than 1 or NaN."""

    x: Expr
    p: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Dot(Expr):
    """``x · weights + intercept``; fails where the vector ``x`` has another size than ``weights``."""

    x: Expr
    weights: Doubles = field(repr=False)
    intercept: float


@dataclass(frozen=True, eq=False, kw_only=True)
class MatVec(Expr):
    """``matrix @ x + intercepts`` with a matrix (rows, columns); fails where the vector ``x`` has another size than columns."""

    x: Expr
    matrix: Doubles = field(repr=False)
    intercepts: Doubles


@dataclass(frozen=True, eq=False, kw_only=True)
class Nearest(Expr):
    """Index (int) of the row of ``centers`` (k, size) nearest to the vector ``x``, the first of equals; 0 where ``x`` has NaN.

    Squared distances are computed as Spark's ``fastSquaredDistance``. Fails where ``x`` has another size than the centers.
    """

    x: Expr
    centers: Doubles = field(repr=False)


# ---- arithmetic and classes -------------------------------------------------------------------------------------------

UnaryFunction: TypeAlias = Literal[
    "negate",  # -x
    "logistic",  # 1 / (1 + exp(-x))
    "one_minus",  # 1 - x
    "double",  # 2 x
    "exp",
    "reciprocal",  # 1 / x
    "square",
    "normal_cdf",  # (1 + erf(x / sqrt 2)) / 2
    "complementary_log_log",  # 1 - exp(-exp(x))
    "finite",  # -inf and inf become the least and the greatest double
    "open_unit",  # held within [1e-16, 1 - 1e-16], NaN stays
    "positive",  # at least 1e-16, inf becomes the greatest double, NaN stays
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Unary(Expr):
    """``function`` of the double ``x``, or of each element of the vector ``x``."""

    x: Expr
    function: UnaryFunction


@dataclass(frozen=True, eq=False, kw_only=True)
class Greater(Expr):
    """1 where the double ``x`` is greater than ``threshold``, else 0 (NaN gives 0)."""

    x: Expr
    threshold: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Softmax(Expr):
    """Probabilities of the margins ``x``: ``exp(x - m) / sum`` with ``m`` the greatest margin when positive, else 0.

    Where the greatest margin is infinite its class has probability 1.
    """

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class NormalizeSum(Expr):
    """The vector ``x`` divided by the sum of its elements; ``x`` itself where that is 0."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class ArgMax(Expr):
    """Index, as a double, of the greatest element of ``x``, the first of equals (Spark's ``Vector.argmax``: a NaN in front wins).

    With ``thresholds`` each element is first divided by its threshold; a threshold of 0 makes it infinite.
    """

    x: Expr
    thresholds: Doubles | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Trees(Expr):
    """Decision trees over the vector ``x``; fails where a tree tests an element that ``x`` does not have.

    A continuous split goes left where the element is at most the threshold (NaN goes right).

    Attributes:
        combine: ``leaf``: the vector at the only tree's leaf; ``votes``: the sum over trees of the leaf's vector divided by its
            sum (a leaf whose sum is 0 gives nothing); ``sum``: a double, the sum of ``weights[i]`` times the leaf's first value;
            ``mean``: a double, the sum of the first values divided by the number of trees.
        width: length of the vector that ``leaf`` and ``votes`` give; 1 otherwise.
    """

    x: Expr
    trees: tuple[Tree, ...] = field(repr=False)
    combine: Literal["leaf", "votes", "sum", "mean"]
    width: int
    weights: Doubles | None = None


# ---- what rewrites make -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearSum(Expr):
    """A linear model over parts of a vector that is never built (made by fusion from :class:`Dot` over :class:`Concat`).

    ``intercept`` plus, for each of ``xs`` in order: a double times its one weight; a :class:`OneHot`'s weight at its position (0
    beyond its width); a vector's dot product with its weights.
    """

    xs: tuple[Expr, ...]
    weights: tuple[Doubles, ...] = field(repr=False)
    intercept: float


__all__ = [
    "DOUBLE",
    "INT",
    "Affine",
    "ArgMax",
    "Binarize",
    "Bucketize",
    "Cast",
    "Clip",
    "Concat",
    "Dot",
    "Doubles",
    "Expr",
    "Greater",
    "Impute",
    "Input",
    "Item",
    "Label",
    "LinearSum",
    "Lookup",
    "MatVec",
    "Nearest",
    "Normalize",
    "NormalizeSum",
    "NotNull",
    "OneHot",
    "Origin",
    "Pack",
    "Softmax",
    "Trees",
    "Unary",
    "UnaryFunction",
    "vector",
]
