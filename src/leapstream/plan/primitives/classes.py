"""What classifiers, regressions and clusterings compute beyond linear algebra."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.bundle.definition import ClusterTree
from leapstream.bundle.types import TensorType
from leapstream.plan.graph import Doubles, Expr, Plan
from leapstream.plan.primitives.values import Cast, Input, NotNull


@dataclass(frozen=True, eq=False, kw_only=True)
class RequireElements(Expr):
    """The vector ``x``; fails where it stores an element that is not ``allowed``, as NaN never is."""

    x: Expr
    allowed: Literal["zero_or_one", "nonnegative"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExpNormalize(Expr):
    """``exp(x - m) / sum`` with ``m`` the greatest element of the vector ``x`` and the sum over its elements; or its logarithm.

    The logarithm is computed as ``x - (log(sum) + m)``. Where an element is NaN or infinity, or all are -infinity, all are NaN.
    """

    x: Expr
    log: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class SquareSums(Expr):
    """The sum of the squares of every ``size`` consecutive elements of the vector ``x``, whose length is a multiple of that."""

    x: Expr
    size: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaledDistances(Expr):
    """For each row c of ``centers`` (k, size) the sum of ``(x - c)**2 / scales``, element by element, a vector of k.

    Fails where the vector ``x`` has another size than the centers.
    """

    x: Expr
    centers: Doubles = field(repr=False)
    scales: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class Greatest(Expr):
    """The greatest element of the vector ``x``, or its position as a double, the first of equals.

    Elements are compared as Java's ``Double.compare`` does: NaN is the greatest, and 0.0 is greater than -0.0.
    """

    x: Expr
    position: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class NearestLeaf(Expr):
    """Cluster (int) of the leaf that the vector ``x`` reaches in a tree of clusters, through the nearest child each time.

    Of children at equal distances it is the first, and a distance of NaN is the greatest. Squared distances are computed as
    Spark's ``fastSquaredDistance``, with the tree's norms. Fails where ``x`` has another size than the centers, and where its
    norm is NaN.
    """

    x: Expr
    tree: ClusterTree = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class TopicMixture(Expr):
    """The topics of a document with the term counts ``x``, a vector of k that adds up to 1; zeros where ``x`` has none.

    Variational inference (Hoffman et al., 2010): gamma = ``alpha`` + theta * (``weights``.T @ (counts / phi)) with theta the
    exponential of digamma(gamma) - digamma(sum(gamma)) and phi = ``weights`` @ theta + 1e-100, over and over from gamma =
    ``start``, until gamma's elements change by at most 1e-3 on average.

    Fails where ``x`` stores a term beyond ``weights`` (terms, k), and where counts below 0 keep it from coming to an end.
    """

    x: Expr
    weights: Doubles = field(repr=False)
    alpha: Doubles
    start: Doubles

    @property
    def needs_stored(self) -> bool:
        """Which terms beyond the last are stored matters where there may be such terms: a column's size may differ by row."""
        assert isinstance(self.x.type, TensorType)
        return isinstance(self.x, (Input, Cast, NotNull)) or self.x.type.dimensions != (len(self.weights),)


@dataclass(frozen=True, eq=False, kw_only=True)
class Switch(Expr):
    """The only output of ``plans[position]``, whose inputs are called ``0``, ``1``, … for ``xs``, or are some of these.

    ``position`` is a double that is a plan's number. A row fails, or is dropped, where its own plan does so; the others are not
    run for it. Fails where results of a batch differ in size.
    """

    position: Expr
    xs: tuple[Expr, ...]
    plans: tuple[Plan, ...] = field(repr=False)

    @property
    def nested(self) -> tuple[Plan, ...]:
        return self.plans

    @property
    def drops(self) -> bool:
        return any(plan.effects for plan in self.plans)

    @property
    def needs_stored(self) -> bool:
        return any(expr.needs_stored for plan in self.plans for expr in plan.order)
