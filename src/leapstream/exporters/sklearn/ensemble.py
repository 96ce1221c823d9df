"""Ensembles: forests, boosting, votes, stacks (``sklearn.ensemble``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.exporters import boosting, trees
from leapstream.exporters.categories import CategoryCodes, encode_categories
from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Doubles, Features, size
from leapstream.exporters.predictors import average, classify, element, most_probable
from leapstream.exporters.sklearn import tree
from leapstream.exporters.step import PredictorColumns, Step, has_labels, no_multilabel
from leapstream.exporters.trees import Nodes
from leapstream.ops.feature import OneHotEncoder
from leapstream.ops.trees import RandomForestClassifier, RandomForestRegression

# ---- forests ----------------------------------------------------------------------------------------------------------


def forest_classifier(step: Step, features: Features) -> PredictorColumns:
    """The mean of the class frequencies in the trees' leaves."""
    no_multilabel(step)
    forest, block, width = tree.forest_of(step, step.estimator.estimators_, features)
    classes = len(step.classes)
    members = tree.classification_trees(forest, width, block, classes)
    op = RandomForestClassifier(block.size, classes, (1.0,) * len(members), members)
    return replace(classify(step, op, block), decision=None)


def forest_regressor(step: Step, features: Features) -> PredictorColumns:
    """The mean of the trees' values."""
    forest, block, width = tree.forest_of(step, step.estimator.estimators_, features)
    members = trees.regression_trees(forest, width, block)
    op = RandomForestRegression(block.size, (1.0,) * len(members), members)
    columns = step.graph.add(op, [block.column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


# ---- gradient boosting ------------------------------------------------------------------------------------------------


def _start(step: Step) -> Doubles:
    """float64 (sums,): the raw predictions before the first tree."""
    estimator = step.estimator
    groups = estimator.n_trees_per_iteration_
    if isinstance(estimator.init_, str) and estimator.init_ == "zero":
        return np.zeros(groups)
    name = type(estimator.init_).__name__
    step.require(
        name in ("DummyClassifier", "DummyRegressor"), f"init is a {name}; only the default and 'zero' are supported"
    )
    row = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    return np.asarray(estimator._raw_predict_init(row), dtype=np.float64).reshape(groups)


def _boosted(step: Step) -> boosting.BoostedTrees:
    estimator = step.estimator
    columns = estimator.estimators_.T.tolist()
    forests = [[tree.nodes_of(step, member, missing=False) for member in group] for group in columns]
    weights = [[float(estimator.learning_rate)] * len(group) for group in forests]
    return boosting.BoostedTrees(forests, weights, _start(step))


def boosting_regressor(step: Step, features: Features) -> PredictorColumns:
    """The initial prediction plus the weighted sum of the trees."""
    return boosting.regressor(step, features, _boosted(step))


def boosting_classifier(step: Step, features: Features) -> PredictorColumns:
    """The logistic function, or the softmax, of a sum of trees per class; the sums are those of :func:`boosting_regressor`."""
    # With the exponential loss the raw prediction is half the log odds.
    odds = 2.0 if step.estimator.loss == "exponential" else 1.0
    return boosting.classifier(step, features, _boosted(step), odds, ties=1, by_sum=True)


def _histogram(step: Step, features: Features) -> tuple[Features, boosting.BoostedTrees]:
    """The features that the trees test, and the trees."""
    estimator = step.estimator
    categories: dict[int, list[float]] = {}
    if estimator.is_categorical_ is not None:
        features, categories = _categorical(step, features)
    forests: list[list[Nodes]] = [[] for _ in range(estimator.n_trees_per_iteration_)]
    for iteration in estimator._predictors:
        for group, predictor in zip(forests, iteration, strict=True):
            group.append(_histogram_nodes(predictor, categories))
    weights = [[1.0] * len(group) for group in forests]
    start = np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1)
    return features, boosting.BoostedTrees(forests, weights, start)


def _categorical(step: Step, features: Features) -> tuple[Features, dict[int, list[float]]]:
    """The features in the order in which the trees number them, categories first, and the codes of each categorical feature."""
    estimator = step.estimator
    flags = np.asarray(estimator.is_categorical_)
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    first = step.graph.take(features, np.flatnonzero(flags).tolist())
    rest = step.graph.take(features, np.flatnonzero(~flags).tolist())
    tables, codes = [], {}
    for i, found in enumerate(encoder.categories_):
        known = [c for c in found.tolist() if c is not None and c == c]
        # Unknown and missing values get the code after the known ones.
        tables.append(CategoryCodes(known, range(len(known)), len(known)))
        codes[i] = [float(n) for n in range(len(known))]
    return (*encode_categories(step, first, tables), *rest), codes


def _histogram_nodes(predictor: Any, categories: dict[int, list[float]]) -> Nodes:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    missing_left = nodes["missing_go_to_left"].astype(bool)
    sides = {}
    for i in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf).tolist():
        bits = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][i]]
        known = categories[int(nodes["feature_idx"][i])]
        left = [c for c in known if bits[int(c) // 32] >> np.uint32(int(c) % 32) & np.uint32(1)]
        sides[i] = [c for c in known if c not in left] if missing_left[i] else left
    return Nodes(
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=missing_left,
        values=nodes["value"].astype(np.float64)[:, None],
        categories=sides,
    )


def histogram_regressor(step: Step, features: Features) -> PredictorColumns:
    """The inverse link of the initial prediction plus the sum of the trees."""
    features, boosted = _histogram(step, features)
    link = type(step.estimator._loss.link).__name__
    step.require(link in ("IdentityLink", "LogLink"), f"the link {link} is not supported")
    return boosting.regressor(step, features, boosted, "exp" if link == "LogLink" else None)


def histogram_classifier(step: Step, features: Features) -> PredictorColumns:
    """The logistic function, or the softmax, of the initial prediction plus the sum of the trees."""
    features, boosted = _histogram(step, features)
    return boosting.classifier(step, features, boosted, 1.0, by_sum=True)


# ---- ensembles of anything --------------------------------------------------------------------------------------------


def _members(step: Step) -> list[tuple[Step, float]]:
    """The members of a vote, with their weights, which sum to 1."""
    estimator = step.estimator
    names = [name for name, member in estimator.estimators if not isinstance(member, str)]
    given = estimator._weights_not_none or [1.0] * len(names)
    total = float(np.sum(given))
    return [
        (step.child(member, name), float(weight) / total)
        for name, member, weight in zip(names, estimator.estimators_, given, strict=True)
    ]


def voting_regressor(step: Step, features: Features) -> PredictorColumns:
    """The weighted mean of the predictions."""
    members = _members(step)
    found = tuple(member.predict(features).prediction for member, _ in members)
    return _weighted_sum(step, found, [weight for _, weight in members])


def _weighted_sum(step: Step, blocks: Features, weights: Sequence[float]) -> PredictorColumns:
    from leapstream.ops.linear import LinearRegression

    op = LinearRegression(np.array(weights), 0.0)
    columns = step.graph.add(op, [step.graph.vector(blocks).column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


def voting_classifier(step: Step, features: Features) -> PredictorColumns:
    """The weighted mean of the probabilities, or of one-hot vectors of the predictions."""
    no_multilabel(step)
    members = _members(step)
    weights = [weight for _, weight in members]
    outcomes = [member.predict(features) for member, _ in members]
    if step.estimator.voting == "soft":
        return most_probable(step, average(step, [_probability(step, o) for o in outcomes], weights))
    votes = _votes(step, outcomes)
    return replace(most_probable(step, average(step, votes, weights, "votes")), probability=None)


def _votes(step: Step, outcomes: Sequence[PredictorColumns]) -> list[Block]:
    """A one-hot vector of each prediction."""
    count = len(step.classes)
    op = OneHotEncoder((count,) * len(outcomes), "error", False)
    wanted = {f"output{i}": f"{o.prediction.column}_vote" for i, o in enumerate(outcomes)}
    columns = step.graph.add(op, [o.prediction.column for o in outcomes], wanted)
    return [Block(columns[port], count, dense=False) for port in wanted]


def _probability(step: Step, outcome: PredictorColumns) -> Block:
    if outcome.probability is None:
        step.reject("an estimator in it has no probabilities here")
    return outcome.probability


def decision(step: Step, outcome: PredictorColumns) -> Features:
    """The decision function of a member: one margin for two classes, otherwise one per class."""
    if outcome.raw is None or outcome.decision is None:
        step.reject("an estimator in it has no decision function here")
    raw: Features = (outcome.raw,)
    if outcome.raw.size == 2:
        raw = (element(step, outcome.raw, 1),)
    if outcome.decision == 1.0:
        return raw
    return (step.graph.multiply(raw, "decision", np.full(size(raw), outcome.decision)),)


def _stack(step: Step, features: Features) -> Features:
    estimator = step.estimator
    names = [name for name, member in estimator.estimators if not isinstance(member, str)]
    results: list[Block] = []
    for name, member, method in zip(names, estimator.estimators_, estimator.stack_method_, strict=True):
        outcome = step.child(member, name).predict(features)
        if method == "predict":
            step.require(not has_labels(outcome.classes), f"the classes of {name!r} are not the numbers 0, 1, …")
            results.append(outcome.prediction)
        elif method == "decision_function":
            results += decision(step, outcome)
        else:
            probability = _probability(step, outcome)
            # scikit-learn leaves out the first of two classes.
            chosen = [1] if probability.size == 2 else list(range(probability.size))
            results += step.graph.take((probability,), chosen)
    return (*results, *features) if estimator.passthrough else tuple(results)


def stacking_regressor(step: Step, features: Features) -> PredictorColumns:
    """The final estimator over the predictions of the others."""
    return step.last(step.estimator.final_estimator_, "final_estimator_").predict(_stack(step, features))


def stacking_classifier(step: Step, features: Features) -> PredictorColumns:
    """The final estimator over the probabilities of the others."""
    no_multilabel(step)
    final = step.last(step.estimator.final_estimator_, "final_estimator_", step.classes)
    return final.predict(_stack(step, features))


PREDICTORS: dict[str, Predictor] = {
    "ExtraTreesClassifier": forest_classifier,
    "ExtraTreesRegressor": forest_regressor,
    "GradientBoostingClassifier": boosting_classifier,
    "GradientBoostingRegressor": boosting_regressor,
    "HistGradientBoostingClassifier": histogram_classifier,
    "HistGradientBoostingRegressor": histogram_regressor,
    "RandomForestClassifier": forest_classifier,
    "RandomForestRegressor": forest_regressor,
    "StackingClassifier": stacking_classifier,
    "StackingRegressor": stacking_regressor,
    "VotingClassifier": voting_classifier,
    "VotingRegressor": voting_regressor,
}
