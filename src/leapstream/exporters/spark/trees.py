"""Decision trees and their ensembles (``pyspark.ml.classification`` and ``.regression``).

Spark saves a row for each node, in pre-order, and for an ensemble a row of metadata for each tree. The functions work on the
arrays of all nodes of a forest, since a forest may have a million nodes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, Tree
from leapstream.exporters.spark.encoding import DOUBLE, INT, LONG, STRING, Kind, array, struct, write_parquet
from leapstream.exporters.spark.linear import FEATURES, PREDICTION, PROBABILITIES, THRESHOLDS
from leapstream.exporters.spark.saved import Saved
from leapstream.exporters.spark.stage import Extra, Reading, Stage, Unsupported, Writing
from leapstream.ops import trees as ops
from leapstream.ops.base import Op

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

_SPLIT = struct({"featureIndex": INT, "leftCategoriesOrThreshold": array(DOUBLE), "numCategories": INT})
_NODE = {
    "id": INT,
    "prediction": DOUBLE,
    "impurity": DOUBLE,
    "impurityStats": array(DOUBLE),
    "rawCount": LONG,
    "gain": DOUBLE,
    "leftChild": INT,
    "rightChild": INT,
    "split": _SPLIT,
}
_OF_FOREST = {"treeID": INT, "nodeData": struct(_NODE)}
_OF_TREES = {"treeID": INT, "metadata": STRING, "weights": DOUBLE}

_NO_CATEGORIES = -1
"""The number of categories that Spark writes for a split on a number."""


# ---- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lists:
    """Lists of numbers in one array.

    Attributes:
        starts: index of each list's first element in ``values``.
        lengths: length of each list.
        values: the elements of all lists.
    """

    starts: Ints
    lengths: Ints
    values: Doubles

    @classmethod
    def of(cls, column: pa.Array, order: Ints) -> _Lists:
        offsets = column.offsets.to_numpy().astype(np.int64)
        values = column.values.to_numpy(zero_copy_only=False).astype(np.float64)
        return cls(offsets[:-1][order], np.diff(offsets)[order], values)

    def take(self, rows: Ints, width: int) -> Doubles:
        """The lists of some rows, which all have ``width`` elements, as float64 (rows, width)."""
        return self.values[self.starts[rows, None] + np.arange(width)]

    def at(self, row: int) -> Doubles:
        """The list of a row."""
        return self.values[self.starts[row] : self.starts[row] + self.lengths[row]]


def _fields(struct_array: Any) -> dict[str, pa.Array]:
    names = [field.name for field in struct_array.type]
    return dict(zip(names, struct_array.flatten(), strict=True))


def _number(column: pa.Array) -> Ints:
    numbers: Ints = column.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def read_trees(saved: Saved, classes: int | None) -> list[Tree]:
    """Read the trees of a saved stage.

    Args:
        saved: a tree or an ensemble.
        classes: number of classes; the leaves then hold a count for each. ``None`` for a regression.

    Raises:
        BundleError: the nodes are not trees in pre-order.
    """
    table = saved.table().combine_chunks()
    columns = {name: table[name].chunk(0) for name in table.column_names} if len(table) else {}
    missing = not columns or any(column.null_count for column in columns.values())
    saved.require(not missing, "it has no nodes, or nodes that say nothing")
    tree = _number(columns["treeID"]) if "treeID" in columns else np.zeros(len(table), dtype=np.int64)
    if "nodeData" in columns:
        columns = _fields(columns["nodeData"])
    number = _number(columns["id"])
    order = np.lexsort((number, tree))
    tree, number = tree[order], number[order]
    starts = np.flatnonzero(np.concatenate([[True], tree[1:] != tree[:-1]]))
    sizes = np.diff(np.append(starts, len(tree)))
    within = np.arange(len(tree)) - np.repeat(starts, sizes)
    left, right = (_number(columns[name])[order] for name in ("leftChild", "rightChild"))
    leaf = left < 0
    expected = _right_children(leaf, np.repeat(np.arange(len(starts)), sizes), within)
    whole = expected is not None and np.array_equal(right, expected) and np.array_equal(number, within)
    saved.require(whole and bool((leaf | (left == within + 1)).all()), "its nodes are not trees in pre-order")
    split = _fields(columns["split"])
    categories = _number(split["numCategories"])[order]
    nominal = ~leaf & (categories != _NO_CATEGORIES)
    tests = _Lists.of(split["leftCategoriesOrThreshold"], order)
    continuous = ~leaf & ~nominal
    saved.require(bool((tests.lengths[continuous] == 1).all()), "a split has not one threshold")
    threshold = np.full(len(tree), np.nan)
    threshold[continuous] = tests.values[tests.starts[continuous]]
    kind = np.where(leaf, LEAF, CONTINUOUS).astype(np.uint8)
    if classes is None:
        values = columns["prediction"].to_numpy(zero_copy_only=False)[order][leaf].reshape(-1, 1)
    else:
        stats = _Lists.of(columns["impurityStats"], order)
        leaves = np.flatnonzero(leaf)
        saved.require(bool((stats.lengths[leaves] == classes).all()), f"a leaf has not {classes} counts")
        values = stats.take(leaves, classes)
    lengths = np.where(leaf, values.shape[1], 0)
    sets: dict[int, Doubles] = {}
    for row in np.flatnonzero(nominal):
        sets[row], kind[row] = _tested(tests.at(row), int(categories[row]))
        lengths[row] = len(sets[row])
    ends = np.cumsum(lengths)
    data = np.empty(int(ends[-1]))
    data[(ends[leaf] - values.shape[1])[:, None] + np.arange(values.shape[1])] = values
    for row, chosen in sets.items():
        data[ends[row] - len(chosen) : ends[row]] = chosen
    feature = np.where(leaf, -1, _number(split["featureIndex"])[order])
    counts = np.where(nominal, categories, 0)
    return [
        _slice(slice(start, start + size), kind, feature, threshold, right, ends - lengths, ends, data, counts)
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
    ]


def _right_children(leaf: npt.NDArray[np.bool_], tree: Ints, within: Ints) -> Ints | None:
    """The index of each node's right child in its tree, -1 for a leaf; ``None`` if the nodes are not whole trees.

    The kinds of the nodes in pre-order determine the children. Define a tree's balance as 1 before the first node; each split
    adds 1, each leaf subtracts 1. The balance is the number of subtrees that are still to come, so it is 0 only at the end. The
    left subtree of a split ends at the first node after which the balance is one less than after the split.
    """
    steps = np.cumsum(np.where(leaf, -1, 1))
    last = np.append(np.flatnonzero(tree[1:] != tree[:-1]), len(tree) - 1)
    before = np.concatenate([[0], steps[last][:-1]])
    balance = 1 + steps - before[tree]
    open_nodes = np.ones(len(tree), dtype=bool)
    open_nodes[last] = False
    if not ((balance[last] == 0).all() and (balance[open_nodes] > 0).all()):
        return None
    count, levels = len(tree), int(balance.max()) + 1
    keys = (tree * levels + balance) * count + within
    by_key = np.argsort(keys)
    splits = np.flatnonzero(~leaf)
    wanted = (tree[splits] * levels + balance[splits] - 1) * count + within[splits]
    found = by_key[np.searchsorted(keys[by_key], wanted)]
    right = np.full(count, -1, dtype=np.int64)
    right[splits] = within[found] + 1
    return right


def _tested(left: Doubles, categories: int) -> tuple[Doubles, int]:
    """The categories and the kind of a categorical test: like Spark, it lists the categories of the smaller side."""
    if len(left) <= categories // 2:
        return left, CATEGORICAL
    others = np.setdiff1d(np.arange(min(categories, 1 << 24), dtype=np.float64), left)
    return others, CATEGORICAL_NOT


def _slice(
    part: slice,
    kind: npt.NDArray[np.uint8],
    feature: Ints,
    threshold: Doubles,
    right: Ints,
    starts: Ints,
    ends: Ints,
    data: Doubles,
    counts: Ints,
) -> Tree:
    first, last = int(starts[part.start]), int(ends[part.stop - 1])
    return Tree(
        kind=kind[part],
        feature=feature[part].astype(np.int32),
        threshold=threshold[part],
        right=right[part].astype(np.int32),
        data_start=(starts[part] - first).astype(np.int32),
        data_end=(ends[part] - first).astype(np.int32),
        data=data[first:last],
        num_categories=counts[part].astype(np.int32),
    )


# ---- writing ----------------------------------------------------------------------------------------------------------


def _lists(lengths: Ints, values: Doubles) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=array(DOUBLE).arrow)


def _numbers(values: Any, kind: Kind) -> pa.Array:
    return pa.array(values, kind.arrow)


def _nodes(writing: Writing, trees: Sequence[Tree], classes: int | None) -> dict[str, pa.Array]:
    """The Parquet columns of all trees' nodes.

    Statistics of the training, such as the counts in inner nodes, are not in the model and are written as 0.
    """
    kind = np.concatenate([tree.kind for tree in trees])
    leaf, nominal = kind == LEAF, kind >= CATEGORICAL
    count = len(kind)
    within = np.concatenate([np.arange(len(tree.kind)) for tree in trees])
    begin = np.cumsum([0, *(len(tree.data) for tree in trees)])[:-1]
    sizes = [len(tree.kind) for tree in trees]
    starts = np.concatenate([tree.data_start for tree in trees]).astype(np.int64) + np.repeat(begin, sizes)
    ends = np.concatenate([tree.data_end for tree in trees]).astype(np.int64) + np.repeat(begin, sizes)
    data = np.concatenate([tree.data for tree in trees])
    width = 1 if classes is None else classes
    values = data[starts[leaf][:, None] + np.arange(width)]
    prediction = np.zeros(count)
    prediction[leaf] = values[:, 0] if classes is None else values.argmax(axis=1)
    # Spark's regression trees have 3 statistics per node: count, sum and sum of squares.
    stats = np.zeros((count, 3 if classes is None else width))
    if classes is not None:
        writing.require(bool((values >= 0.0).all()), "a leaf holds negative counts, which Spark rejects")
        stats[leaf] = values
    threshold = np.concatenate([tree.threshold for tree in trees])
    categories = np.full(count, _NO_CATEGORIES, dtype=np.int64)
    tests: dict[int, Doubles] = {}
    given = np.concatenate([tree.num_categories for tree in trees])
    for row in np.flatnonzero(nominal):
        chosen = data[starts[row] : ends[row]]
        tests[row], categories[row] = _left_categories(writing, chosen, kind[row] == CATEGORICAL, int(given[row]))
    lengths = np.where(kind == CONTINUOUS, 1, 0)
    for row, left in tests.items():
        lengths[row] = len(left)
    last = np.cumsum(lengths)
    flat = np.empty(int(last[-1]))
    flat[last[kind == CONTINUOUS] - 1] = threshold[kind == CONTINUOUS]
    for row, left in tests.items():
        flat[last[row] - len(left) : last[row]] = left
    split = pa.StructArray.from_arrays(
        [
            _numbers(np.concatenate([tree.feature for tree in trees]), INT),
            _lists(lengths, flat),
            _numbers(categories, INT),
        ],
        fields=list(_SPLIT.arrow),
    )
    zeros = np.zeros(count)
    return {
        "id": _numbers(within, INT),
        "prediction": _numbers(prediction, DOUBLE),
        "impurity": _numbers(zeros, DOUBLE),
        "impurityStats": _lists(np.full(count, stats.shape[1]), stats.reshape(-1)),
        "rawCount": _numbers(zeros.astype(np.int64), LONG),
        "gain": _numbers(np.where(leaf, -1.0, 0.0), DOUBLE),
        "leftChild": _numbers(np.where(leaf, -1, within + 1), INT),
        "rightChild": _numbers(np.concatenate([tree.right for tree in trees]), INT),
        "split": split,
    }


def _left_categories(writing: Writing, chosen: Doubles, inside: bool, given: int) -> tuple[Doubles, int]:
    """The categories that go left, and a number of categories with which Spark tests for the same ones.

    Spark tests for the categories of the smaller side, and unknown categories go to the larger one. So the number of categories
    is made large enough that the tested ones are the smaller side.
    """
    writing.require(
        bool((chosen >= 0.0).all() and (chosen < 1 << 24).all()), "a tree tests for categories that are negative"
    )
    least = max(given, int(chosen.max(initial=-1.0)) + 1, 1)
    if inside:
        return chosen, max(least, 2 * len(chosen))
    writing.require(bool((chosen == np.floor(chosen)).all()), "a tree tests for categories that are not whole numbers")
    count = max(least, 2 * len(chosen) + 1)
    if count - len(np.unique(chosen)) <= count // 2:
        count += 1
    return np.setdiff1d(np.arange(count, dtype=np.float64), chosen), count


_IMPURITY = {True: "variance", False: "gini"}


def _write_tree(writing: Writing, tree: Tree, classes: int | None) -> None:
    writing.draft.set(impurity=_IMPURITY[classes is None])
    writing.draft.folders["data"] = write_parquet(_NODE, _nodes(writing, [tree], classes))


def _write_forest(writing: Writing, trees: Sequence[Tree], weights: Sequence[float], classes: int | None) -> None:
    writing.draft.set(impurity=_IMPURITY[classes is None])
    nodes = _nodes(writing, trees, classes)
    number = np.repeat(np.arange(len(trees)), [len(tree.kind) for tree in trees])
    rows = pa.StructArray.from_arrays(list(nodes.values()), fields=list(_OF_FOREST["nodeData"].arrow))
    writing.draft.folders["data"] = write_parquet(_OF_FOREST, {"treeID": _numbers(number, INT), "nodeData": rows})
    kind = (
        "regression.DecisionTreeRegressionModel"
        if classes is None
        else "classification.DecisionTreeClassificationModel"
    )
    sizes = {"numFeatures": writing.draft.extra["numFeatures"], **({} if classes is None else {"numClasses": classes})}
    texts = [
        json.dumps(
            {
                "class": f"org.apache.spark.ml.{kind}",
                "timestamp": 0,
                "sparkVersion": writing.draft.spark_version,
                "uid": f"{writing.draft.uid}_{i}",
                "paramMap": {"impurity": _IMPURITY[classes is None]},
                "defaultParamMap": {},
                **sizes,
            }
        )
        for i in range(len(trees))
    ]
    columns = {"treeID": range(len(trees)), "metadata": texts, "weights": list(weights)}
    writing.draft.folders["treesMetadata"] = write_parquet(_OF_TREES, columns)


# ---- stages -----------------------------------------------------------------------------------------------------------

_NUM_FEATURES = Extra("num_features", "numFeatures")
_NUM_CLASSES = Extra("num_classes", "numClasses")
_LEAF = Unsupported("leafCol", ("",), "MLeap's ops do not tell the leaf that a row reaches")
_VARIANCE = Unsupported("varianceCol", ("",), "MLeap's ops do not tell the variance of a prediction")


@dataclass(frozen=True)
class _Tree(Stage):
    def op_of(self, reading: Reading) -> Op:
        given = self.attributes(reading)
        trees = read_trees(reading.saved, given.get("num_classes"))
        reading.saved.require(len(trees) == 1, f"it has {len(trees)} trees, and one is expected")
        make: Any = self.op
        return cast(Op, make(tree=trees[0], **given))

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        _write_tree(writing, op.tree, getattr(op, "num_classes", None))


@dataclass(frozen=True)
class _Forest(Stage):
    """An ensemble of regression trees, or of classification trees.

    Attributes:
        member: the op of a tree.
    """

    member: type[Op] = ops.DecisionTreeRegression

    def op_of(self, reading: Reading) -> Op:
        given = self.attributes(reading)
        of_classes = self.member is ops.DecisionTreeClassifier
        classes = given["num_classes"] if of_classes else None
        features = given["num_features"]
        trees: list[Any] = [
            ops.DecisionTreeRegression(tree, features)
            if classes is None
            else ops.DecisionTreeClassifier(tree, features, classes)
            for tree in read_trees(reading.saved, classes)
        ]
        weights = self._weights(reading)
        make: Any = self.op
        return cast(Op, make(trees=tuple(trees), tree_weights=weights, **self.constants(), **given))

    def constants(self) -> dict[str, Any]:
        """Attributes that are equal in all models of the class."""
        return {"num_classes": 2} if self.op is ops.GBTClassifier else {}

    @staticmethod
    def _weights(reading: Reading) -> tuple[float, ...]:
        # Spark 4 gives the columns other names, so they are found by position.
        table = reading.saved.table("treesMetadata")
        reading.saved.require(table.num_columns == 3, "its folder 'treesMetadata' has not three columns")
        number, weight = table.column(0).to_pylist(), table.column(2).to_pylist()
        return tuple(float(writing) for _, writing in sorted(zip(number, weight, strict=True)))

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        writing.draft.extra["numTrees"] = len(op.trees)
        if not isinstance(op, (ops.GBTClassifier, ops.GBTRegression)):
            # A regression divides by the param.
            writing.draft.set(numTrees=len(op.trees))
        classes = op.num_classes if self.member is ops.DecisionTreeClassifier else None
        _write_forest(writing, [tree.tree for tree in op.trees], op.tree_weights, classes)


STAGES: tuple[Stage, ...] = (
    _Tree(
        "classification.DecisionTreeClassificationModel",
        ops.DecisionTreeClassifier,
        FEATURES,
        PROBABILITIES,
        (_NUM_FEATURES, _NUM_CLASSES, THRESHOLDS),
        (_LEAF,),
    ),
    _Tree(
        "regression.DecisionTreeRegressionModel",
        ops.DecisionTreeRegression,
        FEATURES,
        PREDICTION,
        (_NUM_FEATURES,),
        (_LEAF, _VARIANCE),
    ),
    _Forest(
        "classification.RandomForestClassificationModel",
        ops.RandomForestClassifier,
        FEATURES,
        PROBABILITIES,
        (_NUM_FEATURES, _NUM_CLASSES, THRESHOLDS),
        (_LEAF,),
        member=ops.DecisionTreeClassifier,
    ),
    _Forest(
        "regression.RandomForestRegressionModel",
        ops.RandomForestRegression,
        FEATURES,
        PREDICTION,
        (_NUM_FEATURES,),
        (_LEAF,),
    ),
    _Forest(
        "classification.GBTClassificationModel",
        ops.GBTClassifier,
        FEATURES,
        PROBABILITIES,
        (_NUM_FEATURES, THRESHOLDS),
        (_LEAF, Unsupported("lossType", ("logistic",), "MLeap has the logistic loss alone")),
    ),
    _Forest(
        "regression.GBTRegressionModel",
        ops.GBTRegression,
        FEATURES,
        PREDICTION,
        (_NUM_FEATURES,),
        (_LEAF,),
    ),
)
"""The stages of this module."""
