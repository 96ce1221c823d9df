"""What classifiers, regressions and clusterings compute beyond linear algebra."""

from __future__ import annotations

from collections.abc import Callable

from leapstream.plan.primitives import Expr
from leapstream.vectorized.columns import Column

PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {}
