"""Boosted trees of any library: sums of trees, one for each class, and what objectives make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from leapstream.exporters import trees
from leapstream.exporters.graph import Block, Doubles, Features, size
from leapstream.exporters.step import Outcome, Step, classify, renamed, softmax
from leapstream.exporters.trees import Nodes
from leapstream.ops.feature import MathUnary
from leapstream.ops.linear import GeneralizedLinearRegression, LinearSVC
from leapstream.ops.trees import DecisionTreeRegression, GBTClassifier, GBTRegression


@dataclass(frozen=True)
class Boosted:
    """Sums of weighted trees.

    Attributes:
        forests: the trees of each sum.
        weights: the weight of each of them.
        start: what each sum starts from.
    """

    forests: Sequence[Sequence[Nodes]]
    weights: Sequence[Sequence[float]]
    start: Doubles

    def members(
        self, group: int, width: int, block: Block, factor: float = 1.0
    ) -> tuple[tuple[float, ...], tuple[DecisionTreeRegression, ...]]:
        """The weights, times a factor, and the trees of a sum; the start is a tree of a single leaf."""
        forest, weights = list(self.forests[group]), list(self.weights[group])
        if self.start[group] != 0.0 or not forest:
            forest.insert(0, trees.leaf(float(self.start[group])))
            weights.insert(0, 1.0)
        return tuple(w * factor for w in weights), trees.regression_trees(forest, width, block)


def _tested(step: Step, features: Features, boosted: Boosted) -> Block:
    return trees.tested(step.graph, features, [nodes for forest in boosted.forests for nodes in forest])


def sums(step: Step, features: Features, boosted: Boosted, names: Sequence[str]) -> list[Block]:
    """Each sum as a number."""
    block, width = _tested(step, features, boosted), size(features)
    results = []
    for group, name in enumerate(names):
        weights, members = boosted.members(group, width, block)
        op = GBTRegression(block.size, weights, members)
        results.append(Block(step.graph.add(op, [block.column], {"prediction": name})["prediction"]))
    return results


def regressor(step: Step, features: Features, boosted: Boosted, function: str | None = None) -> Outcome:
    """The sum, or one of MLeap's functions of it."""
    if function is None:
        (result,) = sums(step, features, boosted, [step.prediction])
        return Outcome(result)
    (margin,) = sums(step, features, boosted, [f"{step.prefix}margin"])
    op = MathUnary(function)  # type: ignore[arg-type]
    columns = step.graph.add(op, [margin.column], {"output": step.prediction})
    return Outcome(Block(columns["output"]))


def classifier(step: Step, features: Features, boosted: Boosted, odds: float, *, ties: int = 0) -> Outcome:
    """The logistic function of ``odds`` times the sum for two classes; the softmax of the sums for more.

    ``ties`` is the class, of two, where the sum is 0.

    MLeap's op of two classes takes the logistic function of twice its margin, so that has half the weights.
    """
    if len(boosted.forests) > 1:
        names = [f"{step.prefix}margin_{group}" for group in range(len(boosted.forests))]
        margins = sums(step, features, boosted, names)
        return softmax(step, step.graph.vector(tuple(margins)))
    block = _tested(step, features, boosted)
    weights, members = boosted.members(0, size(features), block, odds / 2.0)
    op = GBTClassifier(block.size, 2, weights, members)
    if ties == 0:
        return replace(classify(step, op, block), decision=2.0 / odds)
    outcome = classify(replace(step, prefix=f"{step.prefix}trees_"), op, block)
    assert outcome.raw is not None and outcome.probability is not None
    # The op takes the first class where the margin is 0: the second one is that of all margins greater than the number before.
    chosen = LinearSVC(2, np.array([0.0, 1.0]), 0.0, -float(np.nextafter(0.0, 1.0)))
    columns = step.graph.add(chosen, [outcome.raw.column], {"prediction": step.prediction})
    return Outcome(
        Block(columns["prediction"]),
        step.classes,
        renamed(step, outcome.raw, "raw_prediction"),
        renamed(step, outcome.probability, "probability"),
        2.0 / odds,
    )


def logistic(step: Step, block: Block, factor: float = 1.0, name: str | None = None) -> Block:
    """``1 / (1 + exp(-factor * x))`` of a number, or of a vector of one element."""
    op = GeneralizedLinearRegression(np.array([factor]), 0.0, "binomial", "logit")
    vector = step.graph.vector((block,))
    columns = step.graph.add(op, [vector.column], {"prediction": name or f"{block.column}_logistic"})
    return Block(columns["prediction"])
