"""Clusters, topics and recommendations (``pyspark.ml.clustering`` and ``.recommendation``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import ClusterTree
from leapstream.exporters.spark.encoding import (
    DOUBLE,
    FLOAT,
    INT,
    LONG,
    MATRIX,
    OLD_MATRIX,
    OLD_VECTOR,
    VECTOR,
    array,
    write_parquet,
)
from leapstream.exporters.spark.linear import FEATURES, PREDICTION
from leapstream.exporters.spark.stage import Data, Draft, Extra, Reading, Stage, Unsupported, Writing
from leapstream.ops import clustering as ops
from leapstream.ops.base import Op
from leapstream.ops.feature import Normalizer
from leapstream.ops.recommendation import ALS

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Clusters(Stage):
    """Models with cluster centres. The cosine distance becomes the euclidean distance between vectors of length 1."""

    def of_directions(self, reading: Reading) -> bool:
        """True for the cosine distance, false for the euclidean distance; others are rejected."""
        measure = reading.saved.params.get("distanceMeasure", "euclidean")
        if measure not in ("euclidean", "cosine"):
            reading.saved.reject(f"distanceMeasure is {measure!r}, and MLeap has the euclidean one")
        return bool(measure == "cosine")

    def unit(self, reading: Reading, centers: Doubles) -> Doubles:
        """The centres, normalized to length 1 for the cosine distance."""
        if not self.of_directions(reading):
            return centers
        norms = np.sqrt((centers * centers).sum(axis=1, keepdims=True))
        reading.saved.require(bool((norms > 0.0).all()), "a centre has no direction")
        directions: Doubles = centers / norms
        return directions

    def read(self, reading: Reading) -> None:
        op = reading.op()
        reads = self.reads(reading)
        if self.of_directions(reading):
            (width,) = (data_type.size for data_type in op.inputs().values())  # type: ignore[union-attr]
            made = f"{reading.saved.uid}_direction"
            reading.add(Normalizer(2.0, width or 0), {"input": reads["features"]}, {"output": made}, "_direction")
            reads = {"features": made}
        reading.add(op, reads, self.writes(reading))


_CENTER = {"clusterIdx": INT, "clusterCenter": VECTOR}


@dataclass(frozen=True)
class _KMeans(_Clusters):
    """Spark saves a row for each centre."""

    def op_of(self, reading: Reading) -> Op:
        rows = sorted(reading.saved.rows(_CENTER), key=lambda row: int(row["clusterIdx"]))
        reading.saved.require(
            [row["clusterIdx"] for row in rows] == list(range(len(rows))), "the numbers of its clusters repeat"
        )
        reading.saved.require(
            bool(rows) and len({len(row["clusterCenter"]) for row in rows}) == 1, "its centres differ in size"
        )
        centers = self.unit(reading, np.stack([row["clusterCenter"] for row in rows]))
        return ops.KMeans(tuple(centers), centers.shape[1])

    def fill(self, writing: Writing, op: Any) -> None:
        centers = op.cluster_centers
        writing.draft.set(k=max(len(centers), 2))
        columns = {"clusterIdx": range(len(centers)), "clusterCenter": centers}
        writing.draft.folders["data"] = write_parquet(_CENTER, columns)


_CLUSTER = {
    "index": INT,
    "size": LONG,
    "center": OLD_VECTOR,
    "norm": DOUBLE,
    "cost": DOUBLE,
    "height": DOUBLE,
    "children": array(INT),
}
_OLD_BISECTING = "org.apache.spark.mllib.clustering.BisectingKMeansModel"


@dataclass(frozen=True)
class _BisectingKMeans(_Clusters):
    """Spark saves a model of the RDD-based API inside the stage: a row for each cluster, with the indexes of its children."""

    def op_of(self, reading: Reading) -> Op:
        inner = reading.saved.child("data", reading.saved.uid)
        rows = {int(row["index"]): row for row in inner.rows(_CLUSTER)}
        root = int(inner.metadata["rootId"])
        order: list[int] = []
        pending = [root]
        while pending:
            index = pending.pop()
            reading.saved.require(index in rows and len(order) < len(rows), "its clusters are not a tree")
            order.append(index)
            pending += reversed(rows[index]["children"])
        centers = self.unit(reading, np.stack([rows[index]["center"] for index in order]))
        norms = np.array([1.0 if self.of_directions(reading) else rows[index]["norm"] for index in order])
        children = np.array([len(rows[index]["children"]) for index in order], dtype=np.int32)
        return ops.BisectingKMeans(ClusterTree(np.array(order, dtype=np.int32), norms, centers, children))

    def fill(self, writing: Writing, op: Any) -> None:
        tree: ClusterTree = op.tree
        index = self._numbered(tree)
        count = len(index)
        children: list[list[int]] = [[] for _ in range(count)]
        waiting: list[int] = []
        for place in range(count):
            if waiting:
                children[waiting.pop()].append(int(index[place]))
            waiting += [place] * int(tree.num_children[place])
        columns: Mapping[str, Any] = {
            "index": index.tolist(),
            "size": [0] * count,
            "center": list(tree.centers),
            "norm": tree.norm.tolist(),
            "cost": [0.0] * count,
            "height": [0.0] * count,
            "children": children,
        }
        inner = Draft(_OLD_BISECTING, writing.draft.uid, plain=True)
        inner.extra = {
            "class": _OLD_BISECTING,
            "version": "3.0",
            "rootId": int(index[0]),
            "distanceMeasure": "euclidean",
            "trainingCost": 0.0,
        }
        inner.folders["data"] = write_parquet(_CLUSTER, columns)
        writing.draft.children["data"] = inner

    @staticmethod
    def _numbered(tree: ClusterTree) -> npt.NDArray[np.int64]:
        """Distinct numbers of the nodes: leaves keep their cluster's number, inner nodes get negative ones if numbers repeat."""
        index = tree.index.astype(np.int64)
        inner = tree.num_children > 0
        if len(set(index.tolist())) != len(index):
            index[inner] = -1 - np.arange(int(inner.sum()))
        return index


@dataclass(frozen=True)
class _Lda(Stage):
    def op_of(self, reading: Reading) -> Op:
        kinds = {"vocabSize": INT, "topicsMatrix": MATRIX, "docConcentration": VECTOR, "topicConcentration": DOUBLE}
        row = reading.saved.row({**kinds, "gammaShape": DOUBLE})
        if row.pop("gammaShape") != _GAMMA_SHAPE:
            reading.saved.reject(
                f"its inference starts from other numbers than those of the shape {_GAMMA_SHAPE}, as MLeap's does"
            )
        size, matrix, concentration, topic = row.values()
        return ops.LDA(size, tuple(concentration.tolist()), topic, matrix)

    def fill(self, writing: Writing, op: Any) -> None:
        kinds = {
            "vocabSize": INT,
            "topicsMatrix": MATRIX,
            "docConcentration": VECTOR,
            "topicConcentration": DOUBLE,
            "gammaShape": DOUBLE,
        }
        row = [op.vocab_size, op.topic_matrix, np.array(op.doc_concentration), op.topic_concentration, _GAMMA_SHAPE]
        writing.draft.set(k=len(op.doc_concentration))
        writing.draft.folders["data"] = write_parquet(kinds, {name: [v] for name, v in zip(kinds, row, strict=True)})


_GAMMA_SHAPE = 100.0

_FACTORS = {"id": INT, "features": array(FLOAT)}


@dataclass(frozen=True)
class _ALS(Stage):
    """Spark saves a row for each user, and for each item."""

    def op_of(self, reading: Reading) -> Op:
        sides: dict[str, Any] = {}
        for side in ("user", "item"):
            rows = sorted(reading.saved.rows(_FACTORS, f"{side}Factors"), key=lambda row: int(row["id"]))
            sides[f"{side}s"] = tuple(row["id"] for row in rows)
            sides[f"{side}_factors"] = tuple(np.array(row["features"], dtype=np.float32) for row in rows)
        return ALS(**self.attributes(reading), **sides)

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        writing.draft.set(coldStartStrategy="nan")
        for side, ids, factors in (("user", op.users, op.user_factors), ("item", op.items, op.item_factors)):
            writing.require(len(set(ids)) == len(ids), f"a {side} repeats, which Spark would take for several")
            columns = {"id": ids, "features": [part[: op.rank].tolist() for part in factors]}
            writing.draft.folders[f"{side}Factors"] = write_parquet(_FACTORS, columns)


STAGES: tuple[Stage, ...] = (
    _KMeans("clustering.KMeansModel", ops.KMeans, FEATURES, PREDICTION),
    _BisectingKMeans("clustering.BisectingKMeansModel", ops.BisectingKMeans, FEATURES, PREDICTION),
    Stage(
        "clustering.GaussianMixtureModel",
        ops.GaussianMixture,
        FEATURES,
        {**PREDICTION, "probability": "probabilityCol"},
        (
            Data("weights", "weights", array(DOUBLE)),
            Data("means", "mus", array(OLD_VECTOR)),
            Data("covs", "sigmas", array(OLD_MATRIX)),
        ),
    ),
    _Lda(
        "clustering.LocalLDAModel",
        ops.LDA,
        FEATURES,
        {"prediction": "topicDistributionCol"},
        differs="MLeap's search for topics starts from other random numbers than Spark's, and ends near the same ones",
    ),
    _ALS(
        "recommendation.ALSModel",
        ALS,
        {"user": "userCol", "item": "itemCol"},
        PREDICTION,
        (Extra("rank", "rank"),),
        (Unsupported("coldStartStrategy", ("nan",), "MLeap's op drops no rows"),),
    ),
)
"""The stages of this module."""
