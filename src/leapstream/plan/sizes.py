"""The number of elements that a plan makes for a row, as far as its types say it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from leapstream.bundle.types import TensorType
from leapstream.errors import SchemaError
from leapstream.plan.graph import Expr, Plan
from leapstream.plan.primitives import (
    Affine,
    Binarize,
    Cast,
    Concat,
    HashedCounts,
    HashedFeatures,
    Input,
    Interaction,
    Normalize,
    NotNull,
    OneHot,
    Recode,
    Reshape,
    SignedHashes,
    Switch,
    Take,
    VocabularyCounts,
)

MOST_ELEMENTS = 1 << 24
"""The elements that a row may take in all vectors of a plan together: 128 MiB of doubles, 512 MiB as lists."""

LONGEST_VECTOR = 1 << 25
"""The elements of a vector whose size the rows decide: 256 MiB of doubles."""


def check_sizes(plan: Plan) -> None:
    """Check that the vectors of one row fit into memory, before an executor makes any of them.

    Raises:
        SchemaError: they do not. The message names the node of the largest vector.
    """
    stored: dict[int, int] = {}
    sizes = {id(expr): _made(expr, stored) for expr in plan.order}
    require_size(plan, sizes)
    for expr in plan.order:
        for nested in expr.nested:
            check_sizes(nested)


def require_size(plan: Plan, sizes: Mapping[int, int]) -> None:
    """Check that the elements of a row, by the identities of the plan's expressions, are not more than :data:`MOST_ELEMENTS`.

    Raises:
        SchemaError: they are. The message names the node of the largest vector.
    """
    total = sum(sizes.values())
    if total <= MOST_ELEMENTS:
        return
    largest = max(plan.order, key=lambda expr: sizes[id(expr)])
    origin = largest.origin
    where = "" if origin is None else f", node {origin.node!r} ({origin.op})"
    raise SchemaError(
        f"model {plan.name!r}{where}: a vector of {sizes[id(largest)]} elements; the vectors of a row have {total}, and at most "
        f"{MOST_ELEMENTS} fit into memory"
    )


def declared_size(expr: Expr) -> int:
    """The number of elements that the type says; 1 for a number, and where the type does not say."""
    dimensions = expr.type.dimensions if isinstance(expr.type, TensorType) else None
    return 1 if dimensions is None else math.prod(max(n, 1) for n in dimensions)


def _made(expr: Expr, stored: dict[int, int]) -> int:
    """The greatest number of elements that the expression makes for a row; ``stored`` has those of its operands."""
    size = declared_size(expr)
    operands = [stored[id(x)] for x in expr.operands]
    if isinstance(expr, (Input, HashedCounts, SignedHashes, VocabularyCounts, Switch)):
        # What the row has decides it, or a plan that is checked on its own.
        size = 1
    elif isinstance(expr, OneHot):
        size = 1
    elif isinstance(expr, HashedFeatures):
        size = len(expr.xs)
    elif isinstance(expr, Interaction):
        size = min(size, math.prod(map(len, expr.categories)))
    elif isinstance(expr, (Cast, NotNull, Concat, Take, Recode, Reshape, Binarize, Normalize)) or (
        isinstance(expr, Affine) and expr.keeps_stored
    ):
        size = min(size, sum(operands)) if isinstance(expr.type, TensorType) else 1
    stored[id(expr)] = size
    return size
