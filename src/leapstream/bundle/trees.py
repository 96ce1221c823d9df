"""Decodes and encodes ``tree.json`` and ``tree.pb``: decision trees, and the cluster trees of bisecting k-means."""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from google.protobuf.message import DecodeError

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, ClusterTree, Tree
from leapstream.bundle.elements import array_from_json, array_to_json, from_json, to_json
from leapstream.bundle.malformed import MalformedError, describe, fields_of, parse_json
from leapstream.bundle.proto import tree_pb2 as pb
from leapstream.bundle.types import BasicType

AnyTree: TypeAlias = Tree | ClusterTree

_MAX = 2**31 - 1


def decode_json(data: bytes) -> AnyTree:
    """Decode a tree file in JSON: one node per line, in pre-order."""
    lines = [line for line in data.splitlines() if line.strip()]
    nodes = parse_json(b"[" + b",".join(lines) + b"]")
    if len(nodes) != len(lines):
        raise MalformedError("not one node a line")
    if nodes and isinstance(nodes[0], dict) and "type" not in nodes[0] and "numChildren" in nodes[0]:
        return _cluster_tree([_cluster_from_json(node) for node in nodes])
    builder = TreeBuilder()
    for node in nodes:
        decision_from_json(builder, node)
    return builder.build()


def decode_protobuf(data: bytes) -> AnyTree:
    """Decode a tree file in protobuf: the length of each node, then the node, in pre-order."""
    messages = list(_messages(data))
    # The first tag tells the two kinds of nodes apart: a decision node holds nothing but messages 1 and 2.
    if messages and messages[0][:1] not in (b"\x0a", b"\x12"):
        return _cluster_tree([_cluster_from_protobuf(message) for message in messages])
    builder = TreeBuilder()
    node = pb.DecisionNode()
    for message in messages:
        _parse(node, message)
        decision_from_protobuf(builder, node)
    return builder.build()


def encode_json(tree: AnyTree) -> bytes:
    """The inverse of :func:`decode_json`.

    Raises:
        MalformedError: a threshold or value is infinite, which JSON cannot hold.
    """
    nodes = _clusters_to_json(tree) if isinstance(tree, ClusterTree) else _decisions_to_json(tree)
    return b"".join(json.dumps(node, separators=(",", ":"), allow_nan=False).encode() + b"\n" for node in nodes)


def encode_protobuf(tree: AnyTree) -> bytes:
    """The inverse of :func:`decode_protobuf`."""
    messages = _clusters_to_protobuf(tree) if isinstance(tree, ClusterTree) else _decisions_to_protobuf(tree)
    return b"".join(struct.pack(">i", len(message)) + message for message in messages)


# -- decision trees ---------------------------------------------------------------------------------------------------


class TreeBuilder:
    """Builds a :class:`Tree` from nodes that are added in pre-order, and finds each split's right child."""

    def __init__(self) -> None:
        self.kind = array("B")
        self.feature = array("i")
        self.threshold = array("d")
        self.right = array("i")
        self.data_start = array("i")
        self.data_end = array("i")
        self.data = array("d")
        self.num_categories = array("i")
        self._open: list[int] = []
        self._complete = False

    def add(self, kind: int, feature: int, threshold: float, values: Any, num_categories: int) -> None:
        """Add the next node. The arguments are those of :class:`Tree`; ``values`` are a leaf's values or a split's categories.

        Raises:
            MalformedError: the tree is complete, or a number does not fit.
        """
        if self._complete:
            raise MalformedError(f"nodes go on after the tree is complete, from node {len(self.kind)}")
        if feature > _MAX or num_categories > _MAX:
            raise MalformedError(f"node {len(self.kind)}: a number does not fit into 32 bits")
        node = len(self.kind)
        self.kind.append(kind)
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.right.append(-1)
        self.data_start.append(len(self.data))
        self.data.extend(values)
        self.data_end.append(len(self.data))
        self.num_categories.append(num_categories)
        if kind != LEAF:
            self._open.append(node)
            return
        # A leaf completes every split whose right side it ends; the next node is the right child of the innermost open split.
        while self._open and self.right[self._open[-1]] >= 0:
            self._open.pop()
        if self._open:
            self.right[self._open[-1]] = node + 1
        else:
            self._complete = True

    def build(self) -> Tree:
        """The tree of all nodes.

        Raises:
            MalformedError: the tree is not complete.
        """
        if not self._complete:
            raise MalformedError(f"the tree is incomplete after {len(self.kind)} nodes: truncated?")
        return Tree(
            kind=np.array(self.kind, dtype=np.uint8),
            feature=np.array(self.feature, dtype=np.int32),
            threshold=np.array(self.threshold, dtype=np.float64),
            right=np.array(self.right, dtype=np.int32),
            data_start=np.array(self.data_start, dtype=np.int32),
            data_end=np.array(self.data_end, dtype=np.int32),
            data=np.array(self.data, dtype=np.float64),
            num_categories=np.array(self.num_categories, dtype=np.int32),
        )


def decision_from_json(builder: TreeBuilder, raw: Any) -> None:
    """Add a node in JSON to a tree.

    Raises:
        MalformedError: it is not a node of a decision tree.
    """
    node = fields_of(raw, "a node")
    kind = node.get("type")
    if kind == "leaf":
        builder.add(LEAF, -1, math.nan, array_from_json(BasicType.DOUBLE, node.get("values")).tolist(), 0)
        return
    if kind != "internal":
        raise MalformedError(f"a node of type {describe(kind)}")
    split = fields_of(node.get("split"), "split")
    feature = _count(split.get("featureIndex"))
    if split.get("type") == "continuous":
        builder.add(CONTINUOUS, feature, from_json(BasicType.DOUBLE, split.get("threshold")), (), 0)
    elif split.get("type") == "categorical":
        is_left = from_json(BasicType.BOOLEAN, split.get("isLeft"))
        categories = array_from_json(BasicType.DOUBLE, split.get("categories")).tolist()
        number = _count(split.get("numCategories"))
        builder.add(CATEGORICAL if is_left else CATEGORICAL_NOT, feature, math.nan, categories, number)
    else:
        raise MalformedError(f"a split of type {describe(split.get('type'))}")


def _count(raw: Any) -> int:
    number = int(from_json(BasicType.INT, raw))
    if number < 0:
        raise MalformedError(f"{number} is negative")
    return number


def decision_from_protobuf(builder: TreeBuilder, node: pb.DecisionNode) -> None:
    """Add a node in protobuf to a tree.

    Raises:
        MalformedError: it is neither leaf nor split.
    """
    which = node.WhichOneof("n")
    if which == "leaf":
        builder.add(LEAF, -1, math.nan, node.leaf.values, 0)
        return
    split = node.internal.split
    which = split.WhichOneof("s")
    if which == "continuous":
        continuous = split.continuous
        builder.add(CONTINUOUS, continuous.feature_index, continuous.threshold, (), 0)
    elif which == "categorical":
        categorical = split.categorical
        kind = CATEGORICAL if categorical.is_left else CATEGORICAL_NOT
        index, number = categorical.feature_index, categorical.num_categories
        builder.add(kind, index, math.nan, categorical.categories, number)
    else:
        raise MalformedError("a node is neither leaf nor split")


def _decisions_to_json(tree: Tree) -> Iterator[dict[str, Any]]:
    for node, kind in enumerate(tree.kind.tolist()):
        values = tree.data[tree.data_start[node] : tree.data_end[node]]
        if kind == LEAF:
            yield {"type": "leaf", "values": array_to_json(BasicType.DOUBLE, values, infinity_as_null=False)}
            continue
        split: dict[str, Any] = {"featureIndex": int(tree.feature[node])}
        if kind == CONTINUOUS:
            split["threshold"] = to_json(BasicType.DOUBLE, tree.threshold[node], infinity_as_null=False)
            split["type"] = "continuous"
        else:
            split["isLeft"] = kind == CATEGORICAL
            split["numCategories"] = int(tree.num_categories[node])
            split["categories"] = array_to_json(BasicType.DOUBLE, values, infinity_as_null=False)
            split["type"] = "categorical"
        yield {"type": "internal", "split": split}


def _decisions_to_protobuf(tree: Tree) -> Iterator[bytes]:
    for node, kind in enumerate(tree.kind.tolist()):
        values = tree.data[tree.data_start[node] : tree.data_end[node]].tolist()
        message = pb.DecisionNode()
        if kind == LEAF:
            message.leaf.SetInParent()
            message.leaf.values.extend(values)
        elif kind == CONTINUOUS:
            continuous = message.internal.split.continuous
            continuous.SetInParent()
            continuous.feature_index = int(tree.feature[node])
            continuous.threshold = float(tree.threshold[node])
        else:
            categorical = message.internal.split.categorical
            categorical.SetInParent()
            categorical.feature_index = int(tree.feature[node])
            categorical.is_left = kind == CATEGORICAL
            categorical.num_categories = int(tree.num_categories[node])
            categorical.categories.extend(values)
        yield bytes(message.SerializeToString(deterministic=True))


# -- cluster trees ----------------------------------------------------------------------------------------------------

_Cluster: TypeAlias = tuple[int, float, list[float], int]


def _cluster_from_json(raw: Any) -> _Cluster:
    node = fields_of(raw, "a node")
    return (
        int(from_json(BasicType.INT, node.get("index"))),
        float(from_json(BasicType.DOUBLE, node.get("norm"))),
        array_from_json(BasicType.DOUBLE, node.get("values")).tolist(),
        _count(node.get("numChildren")),
    )


def _cluster_from_protobuf(data: bytes) -> _Cluster:
    node = pb.ClusterNode()
    _parse(node, data)
    # The JVM keeps the unsigned index in a signed int: -1 is written as 2**32 - 1.
    index = node.index - 2**32 if node.index > _MAX else node.index
    return index, node.norm, list(node.values), node.num_children


def _cluster_tree(nodes: list[_Cluster]) -> ClusterTree:
    missing = 1
    for position, (_, _, values, children) in enumerate(nodes):
        if missing == 0:
            raise MalformedError(f"nodes go on after the tree is complete, from node {position}")
        if len(values) != len(nodes[0][2]):
            raise MalformedError(
                f"node {position} has a centre of {len(values)} values, the root one of {len(nodes[0][2])}"
            )
        missing += children - 1
    if missing or not nodes:
        raise MalformedError(f"the tree is incomplete after {len(nodes)} nodes: truncated?")
    return ClusterTree(
        index=np.array([node[0] for node in nodes], dtype=np.int32),
        norm=np.array([node[1] for node in nodes], dtype=np.float64),
        centers=np.array([node[2] for node in nodes], dtype=np.float64).reshape(len(nodes), -1),
        num_children=np.array([node[3] for node in nodes], dtype=np.int32),
    )


def _clusters_to_json(tree: ClusterTree) -> Iterator[dict[str, Any]]:
    for node in range(len(tree.index)):
        yield {
            "index": int(tree.index[node]),
            "norm": to_json(BasicType.DOUBLE, tree.norm[node], infinity_as_null=False),
            "values": array_to_json(BasicType.DOUBLE, tree.centers[node], infinity_as_null=False),
            "numChildren": int(tree.num_children[node]),
        }


def _clusters_to_protobuf(tree: ClusterTree) -> Iterator[bytes]:
    for node in range(len(tree.index)):
        message = pb.ClusterNode(
            index=int(tree.index[node]) % 2**32,
            norm=float(tree.norm[node]),
            values=tree.centers[node].tolist(),
            num_children=int(tree.num_children[node]),
        )
        yield bytes(message.SerializeToString(deterministic=True))


# -- messages in a file -----------------------------------------------------------------------------------------------


def _messages(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise MalformedError("ends inside a node's length")
        (length,) = struct.unpack_from(">i", data, position)
        position += 4
        if not 0 <= length <= len(data) - position:
            raise MalformedError("ends inside a node")
        yield data[position : position + length]
        position += length


def _parse(message: Any, data: bytes) -> None:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise MalformedError(f"not a protobuf message of this kind: {error}") from None
