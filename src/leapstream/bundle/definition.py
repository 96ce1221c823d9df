"""What a bundle says, before any op is known: nodes, models, attributes, trees.

This mirrors ``bundle.proto`` (combust/bundle-protobuf); the codecs of this package turn files into these classes and
back.
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
    """An attribute's value; equal by type and data, and NaN equals NaN.

    Attributes:
        shape: ``scalar``, ``list`` or ``tensor``.
        base: which member of the protobuf message is set: ``boolean``, ``int``, ``long``, ``float``, ``double``,
            ``string``, ``byte_string``, ``tensor``, ``basic_type``, ``data_shape`` or ``model``. ``None`` for an empty
            message, as a scalar that has its type's default (0, false, "") and an empty list are written: its type is
            then known to the op alone. ``list`` for a list of lists, which only MLeap up to 0.7 could write: ``data``
            is then a list of such values.
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
    """A decision tree in pre-order, as structure of arrays (the left child of node ``i`` is node ``i + 1``).

    Attributes:
        kind: uint8 per node: :data:`LEAF`, :data:`CONTINUOUS` (left when ``x <= threshold``), :data:`CATEGORICAL` (left
            when ``x`` is among the categories), :data:`CATEGORICAL_NOT` (left when it is not).
        feature: int32 per node, index of the feature tested; -1 in a leaf.
        threshold: float64 per node; NaN where not continuous.
        right: int32 per node, the right child; -1 in a leaf.
        data_start, data_end: int32 per node: the slice of ``data`` that holds a leaf's values, or a split's categories.
        data: float64.
        num_categories: int32 per node, as the bundle says; 0 where not categorical.
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
    """The cluster tree of bisecting k-means in pre-order, as structure of arrays.

    Attributes:
        index: int32 per node, the cluster that the node stands for, as the bundle says.
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
    """A ``model.json`` or ``model.pb`` with what lies beside it.

    Attributes:
        op: MLeap name of the op.
        attributes: by name, in file order.
        tree: the decision tree in ``tree.json`` or ``tree.pb``, when there is one.
        cluster_tree: the cluster tree in these files, when it is one of that kind.
        files: other files of the model's directory, by name (relative, ``/``-separated), such as an XGBoost booster.
        models: nested models (a directory with a model and no node), by directory name.
        nodes: nested nodes, by directory name without its ``.node`` ending.
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
        name, uid, version: as ``bundle.json`` says; ``uid`` is a UUID, ``version`` the writer's version of Bundle.ML.
        timestamp: ISO local date and time, or ``None`` (old bundles).
        format: what the nodes are written in.
        meta: ``bundle.json``'s own attributes.
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
