"""Reads XGBoost's boosters in the formats that XGBoost writes: the deprecated binary format, JSON and UBJSON."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.malformed import MalformedError, decoding, fields_of, items_of, parse_json, text_of
from leapstream.bundle.ubjson import parse_ubjson

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_MOST_GROUPS = 1 << 16
_MOST_FEATURES = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class BoosterTree:
    """A tree of a booster: arrays with an element per node, in the file's order, the root first.

    Attributes:
        left: index of the left child, -1 in a leaf; the right child is the node after it.
        feature: index of the tested element.
        value: a leaf's value, or a split's threshold: an element below it goes left.
        default_left: true where a missing element goes left.
        cover: sum of the hessians of the training rows that reached the node.
        categories: for each node that tests for categories, the categories that go right.
    """

    left: Ints
    feature: Ints
    value: Floats
    default_left: npt.NDArray[np.bool_]
    cover: Floats
    categories: dict[int, Ints]


@dataclass(frozen=True, eq=False)
class Booster:
    """An XGBoost model.

    Attributes:
        objective: name of the objective function.
        base_score: one number for all groups, or one for each group.
        base_is_margin: true if ``base_score`` is a margin already, as versions before 1.0 saved it.
        num_feature: number of features.
        groups: number of margins per row, one for each class or target.
        trees: the trees; empty when the booster is linear.
        group: for each tree, the group whose margin it adds to.
        rounds: for each boosting round, the number of trees up to its end.
        parallel_trees: number of trees that a round grows for each group.
        drop_weights: for DART, the factor of each tree.
        weights: for a linear booster, float (features + 1, groups), the biases in the last row.
    """

    objective: str
    base_score: Floats
    base_is_margin: bool
    num_feature: int
    groups: int
    trees: tuple[BoosterTree, ...] = ()
    group: tuple[int, ...] = ()
    rounds: tuple[int, ...] = ()
    parallel_trees: int = 1
    drop_weights: Floats | None = None
    weights: Floats | None = None

    @property
    def linear(self) -> bool:
        """True for a linear model (``gblinear``)."""
        return self.weights is not None


def parse_booster(data: bytes, where: str) -> Booster:
    """Read a booster.

    Raises:
        BundleError: the format is unknown, the data is incomplete, or its parts do not fit each other. The message begins
            with ``where``.
    """
    with decoding(where), np.errstate(over="ignore", invalid="ignore"):
        if data[:1] == b"{":
            start = data[1:].lstrip()[:1]
            booster = _from_document(parse_json(data) if start in (b'"', b"}") else parse_ubjson(data))
        else:
            booster = _from_binary(data)
        _check(booster)
        return booster


def _check(booster: Booster) -> None:
    if booster.groups > _MOST_GROUPS or booster.num_feature >= _MOST_FEATURES:
        raise MalformedError(f"{booster.groups} numbers per prediction, {booster.num_feature} features")
    if len(booster.base_score) not in (1, booster.groups):
        raise MalformedError(f"{len(booster.base_score)} base scores for {booster.groups} groups")
    if booster.weights is not None:
        return
    count = len(booster.trees)
    if len(booster.group) != count or any(not 0 <= group < booster.groups for group in booster.group):
        raise MalformedError("the trees' groups do not fit")
    if booster.drop_weights is not None and len(booster.drop_weights) != count:
        raise MalformedError(f"{len(booster.drop_weights)} weights for {count} trees")
    if list(booster.rounds) != sorted(booster.rounds) or (booster.rounds or (0,))[-1] != count:
        raise MalformedError("the trees do not make whole rounds")
    for tree in booster.trees:
        _check_tree(tree, booster.num_feature)


def _check_tree(tree: BoosterTree, num_feature: int) -> None:
    count = len(tree.left)
    split = tree.left >= 0
    if (tree.left[split] + 1 >= count).any() or (tree.left < -1).any():
        raise MalformedError("a node's child does not exist")
    if (tree.feature[split] >= num_feature).any() or (tree.feature[split] < 0).any():
        raise MalformedError(f"a node tests a feature beyond the booster's {num_feature}")
    if not set(tree.categories) <= set(np.flatnonzero(split).tolist()):
        raise MalformedError("a leaf has categories")
    visited, level = 0, np.zeros(1, dtype=np.int64)
    while len(level):
        visited += len(level)
        if visited > count:
            raise MalformedError("a node has two parents")
        inner = tree.left[level[split[level]]]
        level = np.concatenate([inner, inner + 1])


def _rounds(group: tuple[int, ...], parallel_trees: int) -> tuple[int, ...]:
    """The number of trees up to the end of each round, for files that do not contain these numbers."""
    each = parallel_trees * (max(group, default=0) + 1)
    if each <= 0 or len(group) % each:
        raise MalformedError(f"{len(group)} trees do not make whole rounds of {each}")
    return tuple(range(each, len(group) + 1, each))


# ---- the binary format ------------------------------------------------------------------------------------------------

_PARAMETERS = struct.Struct("<fIiiiIIIi100x")
_TREES = struct.Struct("<ii152x")
_TREE = struct.Struct("<iiiiII124x")
_LINEAR = struct.Struct("<136x")
_NODE = np.dtype([("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("test", "<u4"), ("value", "<f4")])
_STATISTICS = np.dtype([("loss", "<f4"), ("cover", "<f4"), ("weight", "<f4"), ("leaves", "<i4")])
_DEFAULT_LEFT = 1 << 31


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.at:
            raise MalformedError(f"{count} bytes are expected at byte {self.at}, of {len(self.data)}")
        self.at += count
        return self.data[self.at - count : self.at]

    def record(self, layout: struct.Struct) -> tuple[Any, ...]:
        return layout.unpack(self.take(layout.size))

    def array(self, dtype: Any, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize), dtype)

    def length(self) -> int:
        (length,) = struct.unpack("<Q", self.take(8))
        return int(length)


def _from_binary(data: bytes) -> Booster:
    source = _Bytes(data)
    if data[:4] == b"bs64":
        raise MalformedError("a booster in Base64, which XGBoost does not read any more either")
    if data[:4] == b"binf":
        source.take(4)
    base_score, num_feature, num_class, _, _, major, _, num_target, _ = source.record(_PARAMETERS)
    objective = source.take(source.length()).decode("utf-8")
    kind = source.take(source.length()).decode("utf-8")
    common: dict[str, Any] = {
        "objective": objective,
        "base_score": np.array([base_score], dtype=np.float32),
        "base_is_margin": major < 1 and not objective.startswith("multi:"),
        "num_feature": num_feature,
        "groups": max(num_class, num_target, 1),
    }
    if kind == "gblinear":
        source.record(_LINEAR)
        weights = source.array("<f4", source.length())
        return Booster(**common, weights=_linear(weights, num_feature, common["groups"]))
    if kind not in ("gbtree", "dart"):
        raise MalformedError(f"a booster of type {kind!r}")
    count, parallel_trees = source.record(_TREES)
    trees = tuple(_binary_tree(source) for _ in range(count))
    group = tuple(source.array("<i4", count).tolist())
    return Booster(
        **common,
        trees=trees,
        group=group,
        rounds=_rounds(group, parallel_trees),
        parallel_trees=parallel_trees,
        drop_weights=source.array("<f4", source.length()) if kind == "dart" and count else None,
    )


def _binary_tree(source: _Bytes) -> BoosterTree:
    _, count, _, _, _, leaf_size = source.record(_TREE)
    if count < 1 or leaf_size > 1:
        raise MalformedError("a tree without nodes" if count < 1 else "a tree with vectors in its leaves")
    nodes, statistics = source.array(_NODE, count), source.array(_STATISTICS, count)
    return BoosterTree(
        left=nodes["left"].astype(np.int64),
        feature=(nodes["test"] & (_DEFAULT_LEFT - 1)).astype(np.int64),
        value=nodes["value"].astype(np.float32),
        default_left=nodes["test"] >= _DEFAULT_LEFT,
        cover=statistics["cover"].astype(np.float32),
        categories={},
    )


def _linear(weights: npt.NDArray[Any], num_feature: int, groups: int) -> Floats:
    if len(weights) != (num_feature + 1) * groups:
        raise MalformedError(f"{len(weights)} weights for {num_feature} features and {groups} groups")
    return weights.astype(np.float32).reshape(-1, groups)


# ---- JSON and UBJSON --------------------------------------------------------------------------------------------------


def _from_document(document: Any) -> Booster:
    learner = _inner(fields_of(document, "the booster"), "learner")
    parameters = _inner(learner, "learner_model_param")
    objective = text_of(_inner(learner, "objective").get("name"), "the objective's name")
    num_feature, num_class = _number(parameters, "num_feature"), _number(parameters, "num_class")
    groups = max(num_class, _number(parameters, "num_target", 1), 1)
    common: dict[str, Any] = {
        "objective": objective,
        "base_score": _base_score(text_of(parameters.get("base_score"), "base_score")),
        "base_is_margin": False,
        "num_feature": num_feature,
        "groups": groups,
    }
    booster = _inner(learner, "gradient_booster")
    kind = booster.get("name")
    if kind == "gblinear":
        weights = _floats(_inner(booster, "model"), "weights")
        return Booster(**common, weights=_linear(weights, num_feature, groups))
    if kind not in ("gbtree", "dart"):
        raise MalformedError(f"a booster of type {kind!r}")
    model = _inner(_inner(booster, "gbtree") if kind == "dart" else booster, "model")
    trees = [_document_tree(fields_of(tree, "a tree")) for tree in items_of(model.get("trees"), "trees")]
    places = [int(tree["id"]) for tree in model["trees"]]
    if sorted(places) != list(range(len(trees))):
        raise MalformedError("the trees' numbers do not fit")
    group = tuple(_integers(model, "tree_info").tolist())
    parallel_trees = _number(_inner(model, "gbtree_model_param"), "num_parallel_tree", 1)
    ends = tuple(_integers(model, "iteration_indptr")[1:].tolist()) if "iteration_indptr" in model else None
    return Booster(
        **common,
        trees=tuple(trees[i] for i in np.argsort(places)),
        group=group,
        rounds=_rounds(group, parallel_trees) if ends is None else ends,
        parallel_trees=parallel_trees,
        drop_weights=_floats(booster, "weight_drop") if kind == "dart" else None,
    )


def _document_tree(tree: dict[str, Any]) -> BoosterTree:
    parameters = _inner(tree, "tree_param")
    count = _number(parameters, "num_nodes")
    if _number(parameters, "size_leaf_vector", 1) > 1:
        raise MalformedError("a tree with vectors in its leaves")
    left = _integers(tree, "left_children")
    feature, value = _integers(tree, "split_indices"), _floats(tree, "split_conditions")
    default_left, cover = _integers(tree, "default_left") != 0, _floats(tree, "sum_hessian")
    if count < 1 or any(len(part) != count for part in (left, feature, value, default_left, cover)):
        raise MalformedError("a tree's arrays differ in length")
    categories: dict[int, Ints] = {}
    if "categories_nodes" in tree:
        starts, sizes = _integers(tree, "categories_segments"), _integers(tree, "categories_sizes")
        listed = _integers(tree, "categories")
        for node, start, size in zip(
            _integers(tree, "categories_nodes").tolist(), starts.tolist(), sizes.tolist(), strict=True
        ):
            part = listed[start : start + size]
            if start < 0 or size < 1 or len(part) != size or (part < 0).any() or (part >= 1 << 24).any():
                raise MalformedError("a split's categories do not fit")
            categories[node] = part
    return BoosterTree(left, feature, value, default_left, cover, categories)


def _inner(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return fields_of(fields.get(name), name)


def _number(fields: dict[str, Any], name: str, default: int | None = None) -> int:
    """Parse a non-negative integer, which XGBoost writes as a string."""
    if name not in fields and default is not None:
        return default
    number = int(text_of(fields.get(name), name))
    if not 0 <= number < 1 << 32:
        raise MalformedError(f"{name} is {number}")
    return number


def _base_score(text: str) -> Floats:
    """Parse a base score: one number, or since XGBoost 3.1 a list of numbers."""
    value = parse_json(text.encode())
    return np.array(value if isinstance(value, list) else [value], dtype=np.float32)


def _floats(fields: dict[str, Any], name: str) -> Floats:
    return _array(fields, name, np.float32)


def _integers(fields: dict[str, Any], name: str) -> Ints:
    return _array(fields, name, np.int64)


def _array(fields: dict[str, Any], name: str, dtype: Any) -> npt.NDArray[Any]:
    raw = fields.get(name)
    array = raw if isinstance(raw, np.ndarray) else np.array(items_of(raw, name))
    if array.ndim != 1 or (array.dtype.kind not in "biuf" and len(array)):
        raise MalformedError(f"{name} is not a list of numbers")
    if dtype is np.int64 and array.dtype.kind == "f" and len(array):
        raise MalformedError(f"{name} is not a list of integers")
    return array.astype(dtype)


__all__ = ["Booster", "BoosterTree", "parse_booster"]
