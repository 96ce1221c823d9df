"""Distances from centres, and mixtures of topics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.bundle.definition import ClusterTree
from leapstream.bundle.types import TensorType
from leapstream.plan.graph import Doubles, Expr
from leapstream.plan.primitives.values import Cast, Input, NotNull


@dataclass(frozen=True, eq=False, kw_only=True)
class Nearest(Expr):
    """Index (int) of the row of ``centers`` (k, size) nearest to the vector ``x``; the first among equals; 0 where ``x`` has NaN.

    Squared distances are computed as in Spark's ``fastSquaredDistance``. Fails where ``x`` and the centers differ in size; but
    where the squared difference of the norms of ``x`` and of each center is infinite or NaN, no distance is computed: 0.
    """

    x: Expr
    centers: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaledDistances(Expr):
    """A vector of k elements: for each row c of ``centers`` (k, size) the sum over the elements of ``(x - c)**2 / scales``.

    Fails where the vector ``x`` and the centers differ in size.
    """

    x: Expr
    centers: Doubles = field(repr=False)
    scales: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class Distances(Expr):
    """A vector of the distances of the vector ``x`` from each row of ``centers`` (k, size), added up from left to right.

    ``squared``: the sum of squared differences; ``manhattan``: that of their magnitudes; ``chebyshev``: the greatest magnitude,
    NaN where an element is NaN; ``present``: the mean square over the elements that are NaN in neither of the two, times
    ``size``, and NaN if there are none. Fails where ``x`` and the centers differ in size.
    """

    x: Expr
    centers: Doubles = field(repr=False)
    metric: Literal["squared", "manhattan", "chebyshev", "present"]


@dataclass(frozen=True, eq=False, kw_only=True)
class NeighborWeights(Expr):
    """For each element of the vector ``x``, which are distances, the weight of that neighbour, or 0 if it is none.

    The neighbours are the ``count`` least distances, the first among equals, as far as they are at most ``radius``; NaN is never
    one. The weight is 1 if ``weighting`` is ``uniform``, the distance if it is ``distance``, and if it is ``inverse`` its
    reciprocal; but where neighbours have the distance 0, these have 1 and the others 0.
    """

    x: Expr
    count: int
    radius: float
    weighting: Literal["uniform", "inverse", "distance"]


@dataclass(frozen=True, eq=False, kw_only=True)
class NearestLeaf(Expr):
    """Cluster (int) of the leaf that the vector ``x`` reaches in a tree of clusters, by going to the nearest child at each node.

    Among children at equal distances the first one is nearest; NaN is the greatest distance. Squared distances are computed as
    in Spark's ``fastSquaredDistance``, with the tree's norms. Fails where ``x`` and the centers differ in size, and where the
    norm of ``x`` is NaN.
    """

    x: Expr
    tree: ClusterTree = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class TopicMixture(Expr):
    """The weights of k topics in a document with the term counts ``x``: a vector that sums to 1; zeros where ``x`` has no terms.

    Variational inference (Hoffman et al., 2010). gamma begins as ``start``, and each step sets gamma = ``alpha`` + theta *
    (``weights``.T @ (counts / phi)), with theta = exp(digamma(gamma) - digamma(sum(gamma))) and phi = ``weights`` @ theta +
    1e-100, until the elements of gamma change by at most 1e-3 on average.

    Fails where ``x`` stores a term beyond ``weights`` (terms, k), and where the iteration does not end because counts are
    negative.
    """

    x: Expr
    weights: Doubles = field(repr=False)
    alpha: Doubles
    start: Doubles

    @property
    def needs_stored(self) -> bool:
        """True if ``x`` may have terms beyond ``weights``, since its size may differ by row: a stored one fails."""
        assert isinstance(self.x.type, TensorType)
        return isinstance(self.x, (Input, Cast, NotNull)) or self.x.type.dimensions != (len(self.weights),)
