"""Decision trees and their ensembles (models of MLeap's ``core.classification`` and ``core.regression``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leapstream.bundle import values
from leapstream.bundle.definition import LEAF, ModelDef, Tree
from leapstream.bundle.types import DataType
from leapstream.errors import UnsupportedOpError
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, require
from leapstream.ops.classifier import ProbabilisticClassifier, margins
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


def _check_tree(tree: Tree, width: int) -> None:
    """Raise ``BundleError`` unless leaves hold at least ``width`` values and splits test elements that a vector can have."""
    leaf = tree.kind == LEAF
    require(bool((leaf | (tree.feature >= 0)).all()), "a split of the tree tests a negative feature")
    sizes = tree.data_end - tree.data_start
    require(bool((~leaf | (sizes >= width)).all()), f"a leaf of the tree holds fewer than {width} values")


class _Regressor(Op):
    """A regression from a vector to a number."""

    num_features: int

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.num_features)}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": DOUBLE}


@dataclass(frozen=True, eq=False)
class DecisionTreeRegression(_Regressor):
    """A regression tree: the value at the leaf that a row reaches (MLeap ``DecisionTreeRegressionModel``).

    Attributes:
        tree: the tree; the first value of a leaf is the prediction.
        num_features: number of features.
    """

    op: ClassVar[str] = "decision_tree_regression"
    tree: Tree = attribute("tree")
    num_features: int = attribute("long")

    def __post_init__(self) -> None:
        _check_tree(self.tree, 1)

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        weights = np.ones(1)
        tree = p.Trees(x=inputs[0], trees=(self.tree,), combine="sum", width=1, weights=weights, type=DOUBLE)
        return {"prediction": lowering.add(tree)}


@dataclass(frozen=True, eq=False)
class DecisionTreeClassifier(ProbabilisticClassifier):
    """A classification tree: the class counts at the leaf that a row reaches (MLeap ``DecisionTreeClassifierModel``).

    Attributes:
        tree: the tree; a leaf holds a count per class, which is the raw prediction.
        num_features: number of features.
        num_classes: number of classes.
        thresholds: a number per class; the prediction is the class with the greatest probability divided by its threshold.
    """

    op: ClassVar[str] = "decision_tree_classifier"
    tree: Tree = attribute("tree")
    num_features: int = attribute("long")
    num_classes: int = attribute("long")
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)

    def __post_init__(self) -> None:
        _check_tree(self.tree, self.num_classes)
        self.check_classes()

    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        width = self.num_classes
        return lowering.add(p.Trees(x=x, trees=(self.tree,), combine="leaf", width=width, type=doubles(width)))

    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        return lowering.add(p.NormalizeSum(x=raw, type=raw.type))


class _RegressionTrees:
    """Mixin of ops with weighted regression trees."""

    trees: tuple[DecisionTreeRegression, ...]
    tree_weights: tuple[float, ...]

    def check_trees(self) -> None:
        """Raise ``BundleError`` unless all trees are regression trees and each has a weight."""
        require(len(self.trees) > 0, "there are no trees")
        require(all(isinstance(t, DecisionTreeRegression) for t in self.trees), "the trees are not regression trees")
        require(len(self.tree_weights) == len(self.trees), "there is not one weight per tree")

    def margin(self, lowering: Lowering, x: Expr) -> Expr:
        """The weighted sum of the trees' predictions."""
        trees = tuple(t.tree for t in self.trees)
        weights = np.array(self.tree_weights)
        return lowering.add(p.Trees(x=x, trees=trees, combine="sum", width=1, weights=weights, type=DOUBLE))


@dataclass(frozen=True, eq=False)
class RandomForestRegression(_RegressionTrees, _Regressor):
    """The mean of the trees' predictions; weights are not used (MLeap ``RandomForestRegressionModel``).

    Attributes:
        trees: regression trees.
        tree_weights: one per tree.
        num_features: number of features.
    """

    op: ClassVar[str] = "random_forest_regression"
    num_features: int = attribute("long")
    tree_weights: tuple[float, ...] = attribute("list<double>")
    trees: tuple[DecisionTreeRegression, ...] = attribute("trees")

    def __post_init__(self) -> None:
        self.check_trees()

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        trees = tuple(t.tree for t in self.trees)
        return {"prediction": lowering.add(p.Trees(x=inputs[0], trees=trees, combine="mean", width=1, type=DOUBLE))}


@dataclass(frozen=True, eq=False)
class GBTRegression(_RegressionTrees, _Regressor):
    """The weighted sum of the trees' predictions (MLeap ``GBTRegressionModel``).

    Attributes:
        trees: regression trees.
        tree_weights: one per tree.
        num_features: number of features.
    """

    op: ClassVar[str] = "gbt_regression"
    num_features: int = attribute("long")
    tree_weights: tuple[float, ...] = attribute("list<double>")
    trees: tuple[DecisionTreeRegression, ...] = attribute("trees")

    def __post_init__(self) -> None:
        self.check_trees()

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"prediction": self.margin(lowering, inputs[0])}


@dataclass(frozen=True, eq=False)
class RandomForestClassifier(ProbabilisticClassifier):
    """The sum of the trees' class frequencies; weights are not used (MLeap ``RandomForestClassifierModel``).

    Attributes:
        trees: classification trees.
        tree_weights: one per tree.
        num_features: number of features.
        num_classes: number of classes.
        thresholds: a number per class; the prediction is the class with the greatest probability divided by its threshold.
    """

    op: ClassVar[str] = "random_forest_classifier"
    num_features: int = attribute("long")
    num_classes: int = attribute("long")
    tree_weights: tuple[float, ...] = attribute("list<double>")
    trees: tuple[DecisionTreeClassifier, ...] = attribute("trees")
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)

    def __post_init__(self) -> None:
        require(len(self.trees) > 0, "there are no trees")
        require(
            all(isinstance(t, DecisionTreeClassifier) for t in self.trees), "the trees are not classification trees"
        )
        require(all(t.num_classes >= self.num_classes for t in self.trees), "a tree has fewer classes than the forest")
        self.check_classes()

    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        trees = tuple(t.tree for t in self.trees)
        width = self.num_classes
        return lowering.add(p.Trees(x=x, trees=trees, combine="votes", width=width, type=doubles(width)))

    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        return lowering.add(p.NormalizeSum(x=raw, type=raw.type))


@dataclass(frozen=True, eq=False)
class GBTClassifier(_RegressionTrees, ProbabilisticClassifier):
    """Gradient-boosted trees for two classes with the logistic loss (MLeap ``GBTClassifierModel``).

    With m the weighted sum of the trees' predictions, the raw prediction is (-m, m), and the probability of class 0 is
    ``1 / (1 + exp(2 m))``.

    Attributes:
        trees: regression trees.
        tree_weights: one per tree.
        num_features: number of features.
        num_classes: 2.
        thresholds: a number per class; the prediction is the class with the greatest probability divided by its threshold.
    """

    op: ClassVar[str] = "gbt_classifier"
    num_features: int = attribute("long")
    num_classes: int = attribute("long")
    tree_weights: tuple[float, ...] = attribute("list<double>")
    trees: tuple[DecisionTreeRegression, ...] = attribute("trees")
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)

    def __post_init__(self) -> None:
        self.check_trees()
        require(self.num_classes == 2, "only two classes are supported, by MLeap too")
        self.check_classes()

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """Read the attributes as declared; like MLeap, reject any ``lossType`` other than logistic."""
        loss = model.attributes.get("lossType")
        if loss is not None and values.get_scalar(loss, "string") != "logistic":
            raise UnsupportedOpError("only the logistic loss is supported, by MLeap too")
        return super().read(model, where)

    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        return margins(lowering, self.margin(lowering, x))

    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        first = lowering.add(p.Item(x=raw, index=0, type=DOUBLE))
        doubled = lowering.add(p.Unary(x=first, function="double", type=DOUBLE))
        probability = lowering.add(p.Unary(x=doubled, function="logistic", type=DOUBLE))
        other = lowering.add(p.Unary(x=probability, function="one_minus", type=DOUBLE))
        return lowering.add(p.Pack(xs=(probability, other), type=doubles(2)))

    def predict(self, lowering: Lowering, x: Expr) -> Expr:
        """Without thresholds and other outputs the prediction is 1 where the margin is positive, otherwise 0."""
        if self.thresholds is not None:
            return super().predict(lowering, x)
        return lowering.add(p.Binarize(x=self.margin(lowering, x), threshold=0.0, type=DOUBLE))
