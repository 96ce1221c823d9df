"""The contents of a bundle as plain data: nodes, models, attributes, trees.

These classes mirror ``bundle.proto`` (combust/bundle-protobuf). The codecs of this package convert files to them and back.
They know op names and attribute types, but not the ops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Format = Literal["json", "protobuf"]
ValueShape = Literal["scalar", "list", "tensor"]


@dataclass(frozen=True, eq=False)
class Value:
    """An attribute's value. Two values are equal when type and data are; NaN equals NaN.

    Attributes:
        shape: ``scalar``, ``list`` or ``tensor``.
        base: the member of the protobuf message that is set: ``boolean``, ``int``, ``long``, ``float``, ``double``,
            ``string``, ``byte_string``, ``tensor``, ``basic_type``, ``data_shape`` or ``model``. ``None`` for an empty
            message: MLeap writes one for an empty list and for a scalar that equals its type's default (0, false, ""),
            so only the op knows the type. ``list`` for a list of lists, which only MLeap up to 0.7 could write; ``data``
            is then a list of :class:`Value`.
        data: the Python value (``bool``, ``int``, ``float``, ``str``, ``bytes``,
            :class:`~leapstream.bundle.tensor.Tensor`, :class:`~leapstream.bundle.types.BasicType` or ``None`` for
            "unknown", :class:`~leapstream.bundle.types.DataShape`, :class:`ModelDef`), or a list of them; ``None`` when
            ``base`` is ``None`` (``[]`` for a list).
    """

    shape: ValueShape
    base: str | None
    data: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        if self.shape != other.shape or self.base != other.base:
            return False
        if self.base not in ("float", "double"):
            return bool(self.data == other.data)
        if self.shape == "list":
            mine, theirs = np.asarray(self.data, np.float64), np.asarray(other.data, np.float64)
            return np.array_equal(mine, theirs, equal_nan=True)
        return bool(self.data == other.data or (math.isnan(self.data) and math.isnan(other.data)))

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Tree:
    """A decision tree in pre-order, as one array per attribute of a node; the left child of node ``i`` is node ``i + 1``.

    Attributes:
        kind: uint8 per node: :data:`LEAF`, :data:`CONTINUOUS` (left when ``x <= threshold``), :data:`CATEGORICAL` (left
            when ``x`` is among the categories), :data:`CATEGORICAL_NOT` (left when it is not).
        feature: int32 per node, index of the feature tested; -1 in a leaf.
        threshold: float64 per node; NaN where not continuous.
        right: int32 per node, the right child; -1 in a leaf.
        data_start, data_end: int32 per node: the slice of ``data`` that holds a leaf's values, or a split's categories.
        data: float64.
        num_categories: int32 per node, the number that is in the bundle; 0 where not categorical.
    """

    kind: npt.NDArray[np.uint8]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    right: npt.NDArray[np.int32]
    data_start: npt.NDArray[np.int32]
    data_end: npt.NDArray[np.int32]
    data: npt.NDArray[np.float64]
    num_categories: npt.NDArray[np.int32]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        floats = {"threshold", "data"}
        return all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name in floats)
            for name in self.__dataclass_fields__
        )

    __hash__ = None  # type: ignore[assignment]


LEAF, CONTINUOUS, CATEGORICAL, CATEGORICAL_NOT = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class ClusterTree:
    """The cluster tree of bisecting k-means in pre-order, as one array per attribute of a node.

    Attributes:
        index: int32 per node, the number of the node's cluster.
        norm: float64 per node, the norm of the node's centre.
        centers: float64 (nodes, features).
        num_children: int32 per node; 0 in a leaf. The children follow their node, each with its own subtree.
    """

    index: npt.NDArray[np.int32]
    norm: npt.NDArray[np.float64]
    centers: npt.NDArray[np.float64]
    num_children: npt.NDArray[np.int32]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClusterTree):
            return NotImplemented
        floats = {"norm", "centers"}
        return all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name in floats)
            for name in self.__dataclass_fields__
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass
class ModelDef:
    """A model: the contents of ``model.json`` or ``model.pb`` and of the files and folders beside it.

    Attributes:
        op: MLeap name of the op.
        attributes: by name, in file order.
        tree: the decision tree in ``tree.json`` or ``tree.pb``, when there is one.
        cluster_tree: the cluster tree in these files, when they hold one.
        files: other files of the model's directory, by name (relative, ``/``-separated), such as an XGBoost booster.
        models: nested models (a directory with a model and no node), by directory name.
        nodes: nested nodes, by directory name without the suffix ``.node``.
    """

    op: str
    attributes: dict[str, Value] = field(default_factory=dict)
    tree: Tree | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    models: dict[str, ModelDef] = field(default_factory=dict)
    nodes: dict[str, NodeDef] = field(default_factory=dict)
    cluster_tree: ClusterTree | None = None


@dataclass(frozen=True)
class Socket:
    """Connects a port of an op to a column."""

    port: str
    name: str


@dataclass
class NodeDef:
    """A ``node.json`` or ``node.pb`` with its model."""

    name: str
    inputs: tuple[Socket, ...]
    outputs: tuple[Socket, ...]
    model: ModelDef


@dataclass
class BundleDef:
    """A whole bundle.

    Attributes:
        name, uid, version: from ``bundle.json``; ``uid`` is a UUID, ``version`` the writer's version of Bundle.ML.
        timestamp: ISO local date and time, or ``None`` (old bundles).
        format: the format of the nodes' files.
        meta: the attributes in ``bundle.json``.
        root: the root node.
        files: files beside ``bundle.json`` and ``root`` (MLeap's ``notes/…``), by relative name.
    """

    name: str
    uid: str
    version: str
    timestamp: str | None
    format: Format
    root: NodeDef
    meta: dict[str, Value] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
