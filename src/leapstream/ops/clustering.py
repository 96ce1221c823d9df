"""Clustering models (MLeap's ``core.clustering``)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import ClusterTree
from leapstream.bundle.types import DataType
from leapstream.errors import BundleError
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, require
from leapstream.ops.linear import dense_product
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import INT, Expr

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KMeans(Op):
    """The index of the nearest centre by euclidean distance (MLeap ``KMeansModel``).

    A bundle does not hold the distance that a model was trained with; MLeap always uses the euclidean distance.

    Attributes:
        cluster_centers: float64 (features,) each.
        num_features: number of features.
    """

    op: ClassVar[str] = "k_means"
    cluster_centers: tuple[Doubles, ...] = attribute("list<vector>")
    num_features: int = attribute("long")

    def __post_init__(self) -> None:
        require(len(self.cluster_centers) > 0, "there are no cluster centers")
        require(len({len(c) for c in self.cluster_centers}) == 1, "the cluster centers differ in size")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.num_features)}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": INT}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"prediction": lowering.add(p.Nearest(x=inputs[0], centers=np.stack(self.cluster_centers), type=INT))}


@dataclass(frozen=True, eq=False)
class BisectingKMeans(Op):
    """The cluster of the leaf that is reached by going to the nearest child at each node (MLeap ``BisectingKMeansModel``).

    A bundle does not hold the distance that a model was trained with; MLeap always uses the euclidean distance. Fails for NaN.

    Attributes:
        tree: the tree of clusters, with a centre at every node; leaves have numbers of at least 0, other nodes negative ones.
    """

    op: ClassVar[str] = "bisecting_k_means"
    tree: ClusterTree = attribute("cluster_tree")

    def __post_init__(self) -> None:
        tree = self.tree
        leaf = tree.num_children == 0
        require(bool(((tree.index >= 0) == leaf).all()), "a leaf of the tree has no number, or another node has one")
        require(bool((tree.norm >= 0.0).all()), "a norm is less than 0, or missing")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.tree.centers.shape[1])}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": INT}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"prediction": lowering.add(p.NearestLeaf(x=inputs[0], tree=self.tree, type=INT))}


_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class GaussianMixture(Op):
    """The probabilities of normal distributions, and the index of the most probable one (MLeap ``GaussianMixtureModel``).

    The probabilities are ``2**-52 + weight * density`` of each distribution, divided by their sum. Directions in which a
    covariance has almost no extent are ignored.

    Attributes:
        means: float64 (features,) for each distribution.
        covs: float64 (features, features) for each distribution, symmetric.
        weights: a weight for each distribution.
    """

    op: ClassVar[str] = "gaussian_mixture"
    means: tuple[Doubles, ...] = attribute("list<vector>")
    covs: tuple[Doubles, ...] = attribute("list<matrix>")
    weights: tuple[float, ...] = attribute("list<double>")

    def __post_init__(self) -> None:
        require(len(self.means) > 0, "there are no distributions")
        require(len(self.means) == len(self.covs) == len(self.weights), "there is not one mean, cov and weight each")
        size = self._size
        require(size > 0, "there are no features")
        require(all(len(mean) == size for mean in self.means), "the means differ in size")
        require(all(cov.shape == (size, size) for cov in self.covs), "a cov has not one row and column per feature")
        for cov in self.covs:
            with np.errstate(all="ignore"):
                room = 1e-7 * np.maximum(np.maximum(abs(cov), abs(cov.T)), 1.0)
                require(
                    bool((abs(cov - cov.T) <= room).all() and np.isfinite(cov).all()),
                    "a cov is not symmetric, or not finite",
                )

    @property
    def _size(self) -> int:
        return len(self.means[0])

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self._size)}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": INT, "probability": doubles(len(self.weights))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        count, size = len(self.weights), self._size
        vector = doubles(count)
        roots, constants = zip(*map(_root_of_inverse, self.covs), strict=True)
        shifts = [root @ mean for root, mean in zip(roots, self.means, strict=True)]
        apart = dense_product(lowering, inputs[0], np.concatenate(roots), -np.concatenate(shifts))
        distances = lowering.add(p.SquareSums(x=apart, size=size, type=vector))
        halves = np.full(count, -0.5)
        logs = lowering.add(p.Affine(x=distances, size=count, factor=halves, offset=np.array(constants), type=vector))
        densities = lowering.add(p.Unary(x=logs, function="exp", type=vector))
        weights, least = np.array(self.weights, dtype=np.float64), np.full(count, _EPSILON)
        parts = lowering.add(p.Affine(x=densities, size=count, factor=weights, offset=least, type=vector))
        probability = lowering.add(p.NormalizeSum(x=parts, type=vector))
        best = lowering.add(p.ArgMax(x=probability, type=DOUBLE))
        return {"prediction": lowering.add(p.Cast(x=best, type=INT)), "probability": probability}


def _root_of_inverse(cov: Doubles) -> tuple[Doubles, float]:
    """A matrix R such that R.T @ R is the pseudo-inverse of a covariance, and the logarithm of the density at the mean."""
    try:
        values, vectors = np.linalg.eigh(cov)
    except np.linalg.LinAlgError as error:
        raise BundleError(f"op {GaussianMixture.op!r}: a cov has no eigenvalues: {error}") from error
    there = values > _EPSILON * values.max() * len(values)
    values = np.where(there, values, 1.0)
    root = np.where(there, np.sqrt(1.0 / values), 0.0)[:, None] * vectors.T
    return root, -0.5 * (len(values) * math.log(2.0 * math.pi) + float(np.log(values).sum()))


@dataclass(frozen=True, eq=False)
class LDA(Op):
    """The weights of the topics in a document, given the counts of its terms (MLeap ``LocalLDAModel``).

    Inference starts from fixed pseudo-random numbers of the gamma distribution, as in MLeap since 0.25.2. Spark starts from
    others, so its topics differ. A document without terms gives zeros.

    Attributes:
        vocab_size: number of terms.
        doc_concentration: the prior's parameter for each topic.
        topic_concentration: the prior's parameter for the terms of topics; not used.
        topic_matrix: float64 (terms, topics); column-major in bundles.
    """

    op: ClassVar[str] = "lda_local_model_op"
    vocab_size: int = attribute("int", name="vocabSize")
    doc_concentration: tuple[float, ...] = attribute("list<double>", name="docConcentration")
    topic_concentration: float = attribute("double", name="topicConcentration")
    topic_matrix: Doubles = attribute("matrix", name="topicMatrix")

    def __post_init__(self) -> None:
        require(len(self.doc_concentration) > 0, "there are no topics")
        fits = self.topic_matrix.shape[1] == len(self.doc_concentration)
        require(fits, "the topic matrix has not one column per concentration")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(len(self.topic_matrix))}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": doubles(len(self.doc_concentration))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        # Imported here, because SciPy's special functions take a while to import.
        from scipy import special

        topics = len(self.doc_concentration)
        with np.errstate(all="ignore"):
            logs = np.where(self.topic_matrix == 0.0, -np.inf, special.psi(self.topic_matrix))
            weights = np.ascontiguousarray(np.exp(logs - special.psi(self.topic_matrix.sum(axis=0))))
        alpha, start = np.array(self.doc_concentration), np.fromiter(islice(gamma_numbers(100.0), topics), np.float64)
        mixture = p.TopicMixture(x=inputs[0], weights=weights, alpha=alpha, start=start, type=doubles(topics))
        return {"prediction": lowering.add(mixture)}


def gamma_numbers(shape: float) -> Iterator[float]:
    """Random numbers of a gamma distribution of mean 1, as Breeze draws them from a Mersenne twister with the seed 0.

    The method is Marsaglia and Tsang's; it draws its normal numbers in pairs, by the Box-Muller transform.
    """
    twister = np.random.RandomState(0)

    def uniform() -> float:
        high, low = (int(n) >> 6 for n in twister.randint(0, 2**32, 2, dtype=np.uint32))
        return float((high << 26) | low) * 2.0**-52

    def normal() -> Iterator[float]:
        while True:
            angle, radius = 2.0 * math.pi * uniform(), math.sqrt(-2.0 * math.log(uniform()))
            yield radius * math.cos(angle)
            yield radius * math.sin(angle)

    normals = normal()
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = next(normals)
        v = (1.0 + c * x) ** 3
        if v <= 0.0:
            continue
        u = uniform()
        if u < 1.0 - 0.0331 * x**4 or math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            yield d * v / shape
