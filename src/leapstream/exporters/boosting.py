"""Boosted trees of any library: a weighted sum of trees per class, and the functions that turn sums into predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from leapstream.exporters import trees
from leapstream.exporters.graph import Block, Doubles, Features, size
from leapstream.exporters.predictors import by_margin, classify, logistic_pair, renamed, softmax, softmax_layer
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.exporters.trees import Nodes
from leapstream.ops.feature import Imputer, MathBinary, MathUnary
from leapstream.ops.linear import GeneralizedLinearRegression, LinearRegression, LinearSVC
from leapstream.ops.trees import DecisionTreeRegression, GBTClassifier, GBTRegression


@dataclass(frozen=True)
class BoostedTrees:
    """Weighted sums of trees: one sum, or one for each class.

    Attributes:
        forests: the trees of each sum.
        weights: the weights of these trees.
        start: float64 (sums,), the value of each sum before its first tree.
    """

    forests: Sequence[Sequence[Nodes]]
    weights: Sequence[Sequence[float]]
    start: Doubles

    def members(
        self, group: int, width: int, block: Block, factor: float = 1.0
    ) -> tuple[tuple[float, ...], tuple[DecisionTreeRegression, ...]]:
        """The weights, times ``factor``, and the trees of the sum ``group``; a start other than 0 becomes a tree of one leaf."""
        forest, weights = list(self.forests[group]), list(self.weights[group])
        if self.start[group] != 0.0 or not forest:
            forest.insert(0, trees.constant_tree(float(self.start[group])))
            weights.insert(0, 1.0)
        return tuple(w * factor for w in weights), trees.regression_trees(forest, width, block)

    def slopes(self, group: int) -> dict[int, BoostedTrees]:
        """For each feature that linear models in the leaves of the sum ``group`` read, the sum of its coefficients."""
        found: dict[int, tuple[list[Nodes], list[float]]] = {}
        for nodes, weight in zip(self.forests[group], self.weights[group], strict=True):
            for feature, tree in trees.slope_trees(nodes):
                forest, weights = found.setdefault(feature, ([], []))
                forest.append(tree)
                weights.append(weight)
        return {
            feature: BoostedTrees([forest], [weights], np.zeros(1))
            for feature, (forest, weights) in sorted(found.items())
        }


def _tested(step: Step, features: Features, boosted: BoostedTrees) -> tuple[Block, int, BoostedTrees]:
    """The vector that the trees read, the number of features in it, and the trees."""
    every = [nodes for forest in boosted.forests for nodes in forest]
    features, every = trees.folded(step.graph, features, every)
    rest = iter(every)
    forests = [[next(rest) for _ in forest] for forest in boosted.forests]
    return trees.tree_input(step.graph, features, every), size(features), replace(boosted, forests=forests)


def sums(step: Step, features: Features, boosted: BoostedTrees, names: Sequence[str]) -> list[Block]:
    """Add a node per sum; returns a number column for each.

    With linear models in leaves, a sum is that of the constants, and of each feature times the sum of its coefficients.
    """
    block, width, boosted = _tested(step, features, boosted)

    def summed(trees: BoostedTrees, group: int, name: str) -> Block:
        op = GBTRegression(block.size, *trees.members(group, width, block))
        return Block(step.graph.add(op, [block.column], {"prediction": name})["prediction"])

    results = []
    for group, name in enumerate(names):
        slopes = boosted.slopes(group)
        if not slopes:
            results.append(summed(boosted, group, name))
            continue
        numbers, terms = step.graph.scalars(features), [summed(boosted, group, f"{name}_constant")]
        for feature, coefficients in slopes.items():
            slope = summed(coefficients, 0, f"{name}_slope_{feature}")
            # A leaf whose model reads a missing number is not reached, so that its coefficients are 0.
            number = step.graph.apply(Imputer(0.0), numbers[feature], "known", None)
            columns = step.graph.add(
                MathBinary("mul"), [number.column, slope.column], {"output": f"{slope.column}_term"}
            )
            terms.append(Block(columns["output"]))
        together = step.graph.vector(tuple(terms))
        op = LinearRegression(np.ones(len(terms)), 0.0)
        results.append(Block(step.graph.add(op, [together.column], {"prediction": name})["prediction"]))
    return results


def regressor(step: Step, features: Features, boosted: BoostedTrees, function: str | None = None) -> PredictorColumns:
    """A regression whose prediction is the only sum, or MLeap's ``math_unary`` function ``function`` of it."""
    if function is None:
        (result,) = sums(step, features, boosted, [step.prediction])
        return PredictorColumns(result)
    (margin,) = sums(step, features, boosted, [f"{step.prefix}margin"])
    op = MathUnary(function)
    columns = step.graph.add(op, [margin.column], {"output": step.prediction})
    return PredictorColumns(Block(columns["output"]))


def classifier(
    step: Step, features: Features, boosted: BoostedTrees, odds: float, *, ties: int = 0, by_sum: bool = False
) -> PredictorColumns:
    """A classifier: for one sum ``s`` two classes with the probability ``logistic(odds * s)``, for more sums their softmax.

    MLeap's ``gbt_classifier`` computes ``logistic(2 * margin)``, so its trees get half the weights.

    Args:
        step: the estimator.
        features: the features that the trees test.
        boosted: the trees.
        odds: factor of the sum; not used for more than two classes.
        ties: the class of two, 0 or 1, that is predicted where the sum is 0.
        by_sum: of more than two classes, predict the one with the greatest sum. By default it is the first one with the greatest
            probability: sums that differ may have equal probabilities.
    """
    if len(boosted.forests) > 1:
        names = [f"{step.prefix}margin_{group}" for group in range(len(boosted.forests))]
        margins = sums(step, features, boosted, names)
        together = step.graph.vector(tuple(margins))
        if not by_sum:
            return softmax(step, together)
        layer = softmax_layer(together.size)
        # The op predicts by the raw prediction if its probability is not connected.
        outcome = classify(step, layer, together, ports="raw prediction")
        columns = step.graph.add(layer, [together.column], {"probability": f"{step.prefix}probability"})
        return replace(outcome, probability=Block(columns["probability"], together.size))
    if any(nodes.slopes for nodes in boosted.forests[0]):
        (margin,) = sums(step, features, boosted, [f"{step.prefix}margin"])
        return by_margin(step, margin, logistic_pair(step, margin, odds), ties=ties)
    block, width, boosted = _tested(step, features, boosted)
    weights, members = boosted.members(0, width, block, odds / 2.0)
    op = GBTClassifier(block.size, 2, weights, members)
    if ties == 0:
        return replace(classify(step, op, block), decision=2.0 / odds)
    outcome = classify(replace(step, prefix=f"{step.prefix}trees_"), op, block)
    assert outcome.raw is not None and outcome.probability is not None
    # gbt_classifier predicts class 0 where the margin is 0. LinearSVC's threshold just below 0 gives class 1 there.
    chosen = LinearSVC(2, np.array([0.0, 1.0]), 0.0, -float(np.nextafter(0.0, 1.0)))
    columns = step.graph.add(chosen, [outcome.raw.column], {"prediction": step.prediction})
    return PredictorColumns(
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
