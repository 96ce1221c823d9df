"""The elements that a vector stores, for primitives that distinguish an element that is not stored from a zero.

An input is a list, which stores all of its elements.
"""

from __future__ import annotations

from leapstream.bundle.types import TensorType
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

_DENSE = (
    p.Affine,
    p.Binary,
    p.Clip,
    p.CosineTransform,
    p.Distances,
    p.ExpNormalize,
    p.FloatFeatures,
    p.FloatFunction,
    p.FloatLinear,
    p.FloatSoftmax,
    p.Input,
    p.MatVec,
    p.MinHash,
    p.NeighborWeights,
    p.Pack,
    p.Polynomials,
    p.PowerProducts,
    p.ScaledDistances,
    p.Softmax,
    p.SquareSums,
    p.TreeContributions,
    p.Trees,
    p.Unary,
)
"""Primitives whose vectors store all of their elements, unless :func:`_stores_as_operand` says otherwise."""


_SPARSE = (p.HashedCounts, p.HashedFeatures, p.Interaction, p.OneHot, p.VocabularyCounts)
"""Primitives whose vectors store the elements that a dict of them has."""


def stores_all(expr: Expr) -> bool:
    """True if it is certain that a vector stores all of its elements in every record."""
    return isinstance(_source(expr), _DENSE)


def require_stored_alone(expr: Expr) -> None:
    """Check that a dict of a vector's elements has the stored ones and no others.

    Raises:
        ArraysOnlyError: it may have others.
    """
    source = _source(expr)
    if not isinstance(source, _SPARSE):
        raise ArraysOnlyError(f"{type(source).__name__} where it matters which elements are stored")


def _source(expr: Expr) -> Expr:
    """The expression that decides which elements a vector stores."""
    while _stores_as_operand(expr):
        expr = expr.operands[0]
    return expr


def stored_elements(writer: Writer, expr: Expr) -> list[str] | str | None:
    """A condition for each element of a vector, which is true where the element is stored; ``None`` where all are.

    For a vector that is a list, the variable of a list of booleans.

    Raises:
        ArraysOnlyError: only arrays tell.
    """
    expr = _source(expr)
    if isinstance(expr, _DENSE):
        return None
    if isinstance(expr, (p.Binarize, p.Concat)):
        return _stored_if_compressed(writer, expr)
    if isinstance(expr, (p.HashedCounts, p.OneHot, p.VocabularyCounts)):
        return _truths(writer, expr)
    raise ArraysOnlyError(f"{type(expr).__name__} where it matters which elements are stored")


def _stores_as_operand(expr: Expr) -> bool:
    """True if a vector stores the elements that its operand stores."""
    if isinstance(expr, p.Affine):
        return expr.keeps_stored
    if isinstance(expr, p.Clip):
        return expr.low <= 0 <= expr.high
    if isinstance(expr, p.Cast):
        return isinstance(expr.x.type, TensorType)
    return isinstance(expr, (p.After, p.Normalize, p.NormalizeSum, p.NotNull, p.Recode, p.RequireElements, p.Reshape))


def _stored_if_compressed(writer: Writer, expr: Expr) -> list[str] | str | None:
    """The nonzero elements where few are; otherwise all, as after ``Vector.compressed``."""
    elements = writer.elements(expr)
    if elements is None:
        return writer.stored(expr, lambda: writer.call(compressed, writer.listed(expr)))
    zeros = next((n for n in range(len(elements) + 1) if 1.5 * (len(elements) - n) + 2 < len(elements)), None)
    if zeros is None:
        return None
    dense = writer.stored(expr, lambda: f"({', '.join(elements)},).count(0.0) < {zeros}")
    return [f"({element} or {dense})" for element in elements]


def _truths(writer: Writer, expr: Expr) -> list[str] | str:
    """The nonzero elements."""
    elements = writer.elements(expr)
    return writer.stored(expr, lambda: f"list(map(bool, {writer.listed(expr)}))") if elements is None else elements


def listed_conditions(stored: list[str] | str) -> str:
    """A list of the conditions that :func:`stored_elements` gives."""
    return stored if isinstance(stored, str) else f"[{', '.join(stored)}]"


def compressed(values: list[float]) -> list[bool]:
    """True for each element that is stored after ``Vector.compressed``."""
    if 1.5 * (len(values) - values.count(0.0)) + 2 < len(values):
        return list(map(bool, values))
    return [True] * len(values)


def where_stored(values: list[float], stored: list[bool]) -> list[float]:
    """The elements that are stored, and 0 in place of the others."""
    return [value if there else 0.0 for value, there in zip(values, stored, strict=True)]
