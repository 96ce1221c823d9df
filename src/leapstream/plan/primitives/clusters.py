"""Distances from centres, and mixtures of topics."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.bundle.definition import ClusterTree
from leapstream.bundle.types import TensorType
from leapstream.plan.graph import Doubles, Expr
from leapstream.plan.primitives.values import Cast, Input, NotNull


@dataclass(frozen=True, eq=False, kw_only=True)
class Nearest(Expr):
    """Index (int) of the row of ``centers`` (k, size) nearest to the vector ``x``, the first of equals; 0 where ``x`` has NaN.

    Squared distances are computed as Spark's ``fastSquaredDistance``. Fails where ``x`` has another size than the centers.
    """

    x: Expr
    centers: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaledDistances(Expr):
    """For each row c of ``centers`` (k, size) the sum of ``(x - c)**2 / scales``, element by element, a vector of k.

    Fails where the vector ``x`` has another size than the centers.
    """

    x: Expr
    centers: Doubles = field(repr=False)
    scales: Doubles = field(repr=False)


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
