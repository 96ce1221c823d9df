"""Reads XGBoost's boosters in the formats that XGBoost has written: the binary format of versions before 3.1, JSON and UBJSON.

The files are untrusted. A file is rejected if a number, a length or an index in it does not fit, and if a field or the version is
unknown, since it might change the meaning of others.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.malformed import MalformedError, decoding, describe, fields_of, items_of, parse_json, text_of
from leapstream.bundle.ubjson import parse_ubjson

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_MOST_GROUPS = 1 << 16
_MOST_FEATURES = (1 << 31) - 1
_MOST_CATEGORIES = 1 << 24
_NEWEST = 3
"""The newest major version of XGBoost whose files are known."""


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
        num_class: number of classes; 0 where the objective has no classes, or two.
        num_target: number of targets.
        trees: the trees; empty when the booster is linear.
        group: for each tree, the group whose margin it adds to.
        rounds: for each boosting round, the number of trees up to its end.
        parallel_trees: number of trees that a round grows for each group.
        drop_weights: for DART, the factor of each tree.
        weights: for a linear booster, float (features + 1, groups), the biases in the last row.
        settings: the parameters of the objective, as the file has them.
        attributes: the texts that XGBoost keeps with a booster, such as ``best_iteration``.
        feature_names: names of the features, or nothing.
        version: major and minor version of the XGBoost that saved it.
    """

    objective: str
    base_score: Floats
    base_is_margin: bool
    num_feature: int
    num_class: int
    num_target: int
    trees: tuple[BoosterTree, ...] = ()
    group: tuple[int, ...] = ()
    rounds: tuple[int, ...] = ()
    parallel_trees: int = 1
    drop_weights: Floats | None = None
    weights: Floats | None = None
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    feature_names: tuple[str, ...] = ()
    version: tuple[int, int] = (0, 0)

    @property
    def groups(self) -> int:
        """Number of margins per row, one for each class or target."""
        return max(self.num_class, self.num_target, 1)

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
    if booster.num_class > 1 and booster.num_target > 1:
        raise MalformedError(f"num_class is {booster.num_class} and num_target is {booster.num_target}")
    if len(booster.base_score) not in (1, booster.groups):
        raise MalformedError(f"base_score has {len(booster.base_score)} numbers for {booster.groups} groups")
    if not np.isfinite(booster.base_score).all():
        raise MalformedError(f"base_score is {booster.base_score.tolist()}, which is not finite")
    if len(booster.feature_names) not in (0, booster.num_feature):
        raise MalformedError(f"feature_names has {len(booster.feature_names)} names for {booster.num_feature} features")
    if booster.weights is not None:
        return
    count = len(booster.trees)
    if len(booster.group) != count or any(not 0 <= group < booster.groups for group in booster.group):
        raise MalformedError("tree_info: the trees' groups do not fit")
    if booster.drop_weights is not None and len(booster.drop_weights) != count:
        raise MalformedError(f"weight_drop has {len(booster.drop_weights)} weights for {count} trees")
    if booster.parallel_trees < 1:
        raise MalformedError(f"num_parallel_tree is {booster.parallel_trees}")
    if (
        list(booster.rounds) != sorted(booster.rounds)
        or (booster.rounds or (0,))[-1] != count
        or min((0, *booster.rounds))
    ):
        raise MalformedError("iteration_indptr: the trees do not make whole rounds")
    for number, tree in enumerate(booster.trees):
        _check_tree(tree, booster.num_feature, f"trees[{number}]")


def _check_tree(tree: BoosterTree, num_feature: int, where: str) -> None:
    count = len(tree.left)
    split = tree.left >= 0
    children = tree.left[split]
    if (children + 1 >= count).any() or (tree.left < -1).any():
        raise MalformedError(f"{where}.left_children: a node's child does not exist")
    if (tree.feature[split] >= num_feature).any() or (tree.feature[split] < 0).any():
        raise MalformedError(f"{where}.split_indices: a node tests a feature beyond the booster's {num_feature}")
    parents = np.bincount(np.concatenate([children, children + 1]), minlength=count)
    # Where no node has two parents, and the root none, the nodes below the root make a tree.
    if parents[0] or (parents > 1).any():
        raise MalformedError(f"{where}.left_children: a node has two parents, or is its own ancestor")


def whole_rounds(group: tuple[int, ...], parallel_trees: int) -> tuple[int, ...]:
    """The number of trees up to the end of each round, for files that do not contain these numbers.

    Raises:
        MalformedError: the trees do not make whole rounds.
    """
    each = parallel_trees * (max(group, default=0) + 1)
    if each <= 0 or len(group) % each:
        raise MalformedError(f"{len(group)} trees do not make whole rounds of {each}")
    return tuple(range(each, len(group) + 1, each))


# ---- the binary format ------------------------------------------------------------------------------------------------

PARAMETERS = struct.Struct("<fIiiiIIIi100x")
TREES = struct.Struct("<ii152x")
TREE = struct.Struct("<iiiiII124x")
LINEAR = struct.Struct("<136x")
NODE = np.dtype([("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("test", "<u4"), ("value", "<f4")])
STATISTICS = np.dtype([("loss", "<f4"), ("cover", "<f4"), ("weight", "<f4"), ("leaves", "<i4")])
DEFAULT_LEFT = 1 << 31
"""The records of the binary format, and the bit of ``test`` that sends missing elements to the left."""


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

    def text(self) -> str:
        return self.take(self.length()).decode("utf-8")


def _from_binary(data: bytes) -> Booster:
    source = _Bytes(data)
    if data[:4] == b"bs64":
        raise MalformedError("a booster in Base64, which XGBoost does not read any more either")
    if data[:4] == b"binf":
        source.take(4)
    base_score, num_feature, num_class, has_attributes, _, major, minor, num_target, _ = source.record(PARAMETERS)
    if major > _NEWEST:
        raise MalformedError(f"major_version: a file of XGBoost {major}; known are versions up to {_NEWEST}")
    objective = source.text()
    kind = source.text()
    common: dict[str, Any] = {
        "objective": objective,
        "base_score": np.array([base_score], dtype=np.float32),
        "base_is_margin": major < 1 and not objective.startswith("multi:"),
        "num_feature": num_feature,
        "num_class": max(num_class, 0),
        "num_target": max(num_target, 1),
        "version": (major, minor),
    }
    if kind == "gblinear":
        source.record(LINEAR)
        weights = source.array("<f4", source.length())
        groups = max(common["num_class"], common["num_target"])
        common["weights"] = _linear(weights, num_feature, groups)
    elif kind in ("gbtree", "dart"):
        count, parallel_trees = source.record(TREES)
        trees = tuple(_binary_tree(source, f"trees[{number}]") for number in range(count))
        group = tuple(source.array("<i4", count).tolist())
        common.update(
            trees=trees, group=group, rounds=whole_rounds(group, parallel_trees), parallel_trees=parallel_trees
        )
        if kind == "dart" and count:
            common["drop_weights"] = source.array("<f4", source.length())
    else:
        raise MalformedError(f"a booster of type {describe(kind)}")
    attributes = dict(_binary_attributes(source)) if has_attributes else {}
    settings = fields_of(parse_json(attributes.pop("objective", "{}").encode()), "objective")
    return Booster(**common, attributes=attributes, settings=_settings(settings))


def _binary_attributes(source: _Bytes) -> Iterator[tuple[str, str]]:
    for _ in range(source.length()):
        yield source.text(), source.text()


def _binary_tree(source: _Bytes, where: str) -> BoosterTree:
    _, count, _, _, _, leaf_size = source.record(TREE)
    if count < 1 or leaf_size > 1:
        reason = "a tree without nodes" if count < 1 else "a tree with vectors in its leaves (size_leaf_vector)"
        raise MalformedError(f"{where}: {reason}")
    nodes, statistics = source.array(NODE, count), source.array(STATISTICS, count)
    left = nodes["left"].astype(np.int64)
    _check_right(left, nodes["right"], where)
    return BoosterTree(
        left=left,
        feature=(nodes["test"] & (DEFAULT_LEFT - 1)).astype(np.int64),
        value=nodes["value"].astype(np.float32),
        default_left=nodes["test"] >= DEFAULT_LEFT,
        cover=statistics["cover"].astype(np.float32),
        categories={},
    )


def _check_right(left: Ints, right: npt.NDArray[Any], where: str) -> None:
    if (right[left >= 0] != left[left >= 0] + 1).any():
        raise MalformedError(f"{where}.right_children: a right child is not the node after the left one")


def _linear(weights: npt.NDArray[Any], num_feature: int, groups: int) -> Floats:
    if len(weights) != (num_feature + 1) * groups:
        raise MalformedError(f"weights has {len(weights)} numbers for {num_feature} features and {groups} groups")
    return weights.astype(np.float32).reshape(-1, groups)


# ---- JSON and UBJSON --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fields:
    """An object of a document, with its path for messages."""

    values: dict[str, Any]
    path: str

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def only(self, *known: str) -> None:
        """Reject fields that are not known, since they may change the meaning of others."""
        unknown = sorted(set(self.values) - set(known))
        if unknown:
            raise MalformedError(f"{self.path or 'the booster'}: the field {describe(unknown[0])} is unknown")

    def inner(self, name: str) -> _Fields:
        return _Fields(fields_of(self.values.get(name), self.at(name)), self.at(name))

    def items(self, name: str) -> list[Any]:
        return items_of(self.values.get(name), self.at(name))

    def text(self, name: str) -> str:
        return text_of(self.values.get(name), self.at(name))

    def number(self, name: str, default: int | None = None) -> int:
        """Parse a non-negative integer, which XGBoost writes as a string."""
        if name not in self.values and default is not None:
            return default
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) < 1 << 32):
            raise MalformedError(f"{self.at(name)} is {describe(text)}, not a number from 0 to 4294967295")
        return int(text)

    def floats(self, name: str) -> Floats:
        return self.array(name, np.float32)

    def integers(self, name: str) -> Ints:
        return self.array(name, np.int64)

    def array(self, name: str, dtype: Any) -> npt.NDArray[Any]:
        raw = self.values.get(name)
        array = raw if isinstance(raw, np.ndarray) else np.array(self.items(name))
        if array.ndim != 1 or (array.dtype.kind not in "biuf" and len(array)):
            raise MalformedError(f"{self.at(name)} is not a list of numbers")
        if dtype is np.int64 and array.dtype.kind == "f" and len(array):
            raise MalformedError(f"{self.at(name)} is not a list of integers")
        return array.astype(dtype)


def _from_document(document: Any) -> Booster:
    root = _Fields(fields_of(document, "the booster"), "")
    root.only("learner", "version")
    version = root.integers("version")
    _check_version(version)
    learner = root.inner("learner")
    learner.only("attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param", "objective")
    parameters = learner.inner("learner_model_param")
    parameters.only("base_score", "boost_from_average", "num_class", "num_feature", "num_target")
    objective = learner.inner("objective")
    names = learner.items("feature_names") if "feature_names" in learner.values else []
    attributes = learner.inner("attributes") if "attributes" in learner.values else _Fields({}, "")
    common: dict[str, Any] = {
        "objective": objective.text("name"),
        "base_score": _base_score(parameters),
        "base_is_margin": False,
        "num_feature": parameters.number("num_feature"),
        "num_class": parameters.number("num_class"),
        "num_target": max(parameters.number("num_target", 1), 1),
        "settings": _settings(objective.values),
        "attributes": {name: attributes.text(name) for name in attributes.values},
        "feature_names": tuple(text_of(name, learner.at("feature_names")) for name in names),
        "version": (int(version[0]), int(version[1])),
    }
    booster = learner.inner("gradient_booster")
    kind = booster.text("name")
    if kind == "gblinear":
        booster.only("name", "model")
        model = booster.inner("model")
        model.only("weights", "boosted_rounds")
        groups = max(common["num_class"], common["num_target"])
        common["weights"] = _linear(model.floats("weights"), common["num_feature"], groups)
        # XGBoost has a base score per class since version 3.1. Its linear booster adds the first one to every class.
        common["base_score"] = common["base_score"][:1]
        return Booster(**common)
    if kind not in ("gbtree", "dart"):
        raise MalformedError(f"{booster.at('name')}: a booster of type {describe(kind)}")
    booster.only(*(("name", "gbtree", "weight_drop") if kind == "dart" else ("name", "model")))
    inner = booster.inner("gbtree") if kind == "dart" else booster
    inner.only("name", "model")
    model = inner.inner("model")
    drop_weights = booster.floats("weight_drop") if kind == "dart" else None
    if "weight_drop" in model.values:
        # This is where XGBoost has them since version 3.4.
        drop_weights = model.floats("weight_drop")
    return Booster(**common, **_document_trees(model), drop_weights=drop_weights)


def _document_trees(model: _Fields) -> dict[str, Any]:
    model.only("cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees", "weight_drop")
    parameters = model.inner("gbtree_model_param")
    parameters.only("num_parallel_tree", "num_trees", "size_leaf_vector")
    where = model.at("trees")
    given = [_Fields(fields_of(tree, f"{where}[{n}]"), f"{where}[{n}]") for n, tree in enumerate(model.items("trees"))]
    if parameters.number("num_trees") != len(given):
        raise MalformedError(f"{parameters.at('num_trees')} is {parameters.number('num_trees')}, not {len(given)}")
    trees = [_document_tree(tree) for tree in given]
    # A tree with vectors in its leaves counts as one tree for each element, which is what it predicts.
    sizes = {len(parts) for parts in trees}
    if len(sizes) > 1:
        raise MalformedError(f"{where}: the trees' leaves have vectors of different sizes (size_leaf_vector)")
    width = max(sizes, default=1)
    places = [tree.values.get("id") for tree in given]
    if any(type(place) is not int for place in places) or sorted(places) != list(range(len(trees))):  # type: ignore[type-var]
        raise MalformedError(f"{where}: the trees' ids are not the numbers from 0 to {len(trees) - 1}")
    group = tuple(model.integers("tree_info").tolist())
    if width > 1 and any(group):
        raise MalformedError(f"{model.at('tree_info')}: trees with vectors in their leaves belong to all targets")
    # Versions before 1.6 grow trees in parallel without telling.
    parallel_trees = parameters.number("num_parallel_tree", 1)
    if "iteration_indptr" not in model.values:
        rounds = whole_rounds(group, parallel_trees)
    else:
        ends = model.integers("iteration_indptr")
        if len(ends) and ends[0] != 0:
            raise MalformedError(f"{model.at('iteration_indptr')} starts with {ends[0]}, not 0")
        rounds = tuple(ends[1:].tolist())
    order = np.argsort(np.array(places, dtype=np.int64))
    return {
        "trees": tuple(tree for i in order for tree in trees[i]),
        "group": group if width == 1 else tuple(range(width)) * len(group),
        "rounds": tuple(end * width for end in rounds),
        "parallel_trees": parallel_trees,
    }


_TREE_FIELDS = (
    *(
        "base_weights",
        "categories",
        "categories_nodes",
        "categories_segments",
        "categories_sizes",
        "default_left",
        "id",
    ),
    *(
        "leaf_child_counts",
        "left_children",
        "loss_changes",
        "parents",
        "right_children",
        "split_conditions",
    ),
    *("split_indices", "split_type", "sum_hessian", "tree_param"),
)


def _document_tree(tree: _Fields) -> list[BoosterTree]:
    """The tree; one with vectors in its leaves as a tree for each element of the vectors."""
    parameters = tree.inner("tree_param")
    parameters.only("num_deleted", "num_feature", "num_nodes", "size_leaf_vector")
    count = parameters.number("num_nodes")
    width = max(parameters.number("size_leaf_vector", 1), 1)
    tree.only(*_TREE_FIELDS, *(("leaf_weights",) if width > 1 else ()))
    # XGBoost 2 writes no statistics of trees with vectors.
    no_statistics = width > 1 and "sum_hessian" not in tree.values
    arrays = {
        "left_children": (left := tree.integers("left_children")),
        "right_children": (right := tree.integers("right_children")),
        "split_indices": (feature := tree.integers("split_indices")),
        "split_conditions": (value := tree.floats("split_conditions")),
        "default_left": (default_left := tree.integers("default_left") != 0),
        "sum_hessian": (
            cover := np.zeros(len(left), dtype=np.float32) if no_statistics else tree.floats("sum_hessian")
        ),
    }
    for name, array in arrays.items():
        if count < 1 or len(array) != count:
            raise MalformedError(f"{tree.at(name)} has {len(array)} elements, and num_nodes is {count}")
    _check_right(left, right, tree.path)
    categories = _categories(tree, left)
    values = [value] if width == 1 else _vector_leaves(tree, left, right, value, width)
    return [BoosterTree(left, feature, each, default_left, cover, categories) for each in values]


def _vector_leaves(tree: _Fields, left: Ints, right: Ints, value: Floats, width: int) -> list[Floats]:
    """For each element of the vectors in the leaves: the thresholds of the splits and the leaves' values."""
    leaf = left < 0
    name, places = "base_weights", np.flatnonzero(leaf)
    if "leaf_weights" in tree.values:
        # Since XGBoost 3 vectors of leaves are apart, at the place that stands for the right child.
        name, places = "leaf_weights", right[leaf]
    weights = tree.floats(name)
    rows = len(left) if name == "base_weights" else len(places)
    if len(weights) != rows * width or (places < 0).any() or (places >= rows).any():
        raise MalformedError(f"{tree.at(name)} has {len(weights)} elements, not vectors of {width} for {rows} nodes")
    values = np.tile(value, (width, 1))
    values[:, leaf] = weights.reshape(rows, width)[places].T
    return list(values)


def _categories(tree: _Fields, left: Ints) -> dict[int, Ints]:
    """The categories of the splits that test for some. Leaves that were such splits before pruning keep theirs in the file."""
    kinds = tree.integers("split_type") if "split_type" in tree.values else np.zeros(len(left), dtype=np.int64)
    if len(kinds) != len(left) or not np.isin(kinds, (0, 1)).all():
        raise MalformedError(f"{tree.at('split_type')} is not a list of {len(left)} numbers 0 and 1")
    tested = np.flatnonzero(kinds)
    nodes = tree.integers("categories_nodes") if "categories_nodes" in tree.values else tested[:0]
    if not np.array_equal(nodes, tested):
        raise MalformedError(f"{tree.at('categories_nodes')} differs from the nodes of split_type 1")
    if not len(nodes):
        return {}
    starts, sizes = tree.integers("categories_segments"), tree.integers("categories_sizes")
    listed = tree.integers("categories")
    if not len(starts) == len(sizes) == len(nodes):
        raise MalformedError(f"{tree.at('categories_segments')} and categories_sizes do not fit {len(nodes)} nodes")
    fits = (starts >= 0) & (sizes >= 1) & (starts <= len(listed)) & (sizes <= len(listed) - starts)
    # Else nodes that share their categories could make a small file a large model.
    if not fits.all() or int(sizes.sum()) > len(listed):
        raise MalformedError(f"{tree.at('categories_sizes')}: a split's categories do not fit")
    if (listed < 0).any() or (listed >= _MOST_CATEGORIES).any():
        raise MalformedError(f"{tree.at('categories')}: a category is not a number from 0 to {_MOST_CATEGORIES - 1}")
    parts = zip(nodes.tolist(), starts.tolist(), sizes.tolist(), strict=True)
    return {node: listed[start : start + size] for node, start, size in parts if left[node] >= 0}


def _check_version(version: Ints) -> None:
    if len(version) != 3 or not 1 <= version[0] <= _NEWEST:
        known = f"known are versions from 1 to {_NEWEST}"
        raise MalformedError(f"version: a file of XGBoost {'.'.join(map(str, version[:3].tolist()))}; {known}")


def _base_score(parameters: _Fields) -> Floats:
    """Parse a base score: one number, or since XGBoost 3.1 a list of numbers."""
    text, where = parameters.text("base_score"), parameters.at("base_score")
    try:
        value = parse_json(text.encode())
    except ValueError:
        value = None
    numbers = value if isinstance(value, list) else [value]
    if not numbers or any(type(number) not in (int, float) for number in numbers):
        raise MalformedError(f"{where} is {describe(text)}, not a number or a list of numbers")
    return np.array(numbers, dtype=np.float64).astype(np.float32)


def _settings(objective: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The parameters of an objective, without its state, which only training needs."""
    given = {name: fields for name, fields in objective.items() if isinstance(fields, dict)}
    texts = {n: {key: v for key, v in fields.items() if isinstance(v, str)} for n, fields in given.items()}
    return {name: fields for name, fields in texts.items() if fields}


__all__ = ["Booster", "BoosterTree", "parse_booster", "whole_rounds"]
