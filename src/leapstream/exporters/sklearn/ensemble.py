"""Ensembles: forests, boosting, votes, stacks (``sklearn.ensemble``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.exporters import boosting, trees
from leapstream.exporters.categories import CategoryCodes, encode_categories
from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Block, Doubles, Features, size, with_sparsity
from leapstream.exporters.predictors import (
    average,
    by_margin,
    by_scores,
    classify,
    element,
    logistic_pair,
    most_probable,
    outliers,
    renamed,
    softmax_layer,
    targets,
)
from leapstream.exporters.sklearn import tree
from leapstream.exporters.step import PredictorColumns, Step, has_labels, no_multilabel
from leapstream.exporters.trees import Nodes
from leapstream.ops.feature import MathBinary, OneHotEncoder
from leapstream.ops.own import WeightedMedian
from leapstream.ops.trees import GBTRegression, RandomForestClassifier

# ---- forests ----------------------------------------------------------------------------------------------------------


def forest_classifier(step: Step, features: Features) -> PredictorColumns:
    """The mean of the class frequencies in the trees' leaves, for each target."""
    return tree.forest_classifier(step, step.estimator.estimators_, features)


def forest_regressor(step: Step, features: Features) -> PredictorColumns:
    """The mean of the trees' values, for each target."""
    return tree.forest_regression(step, step.estimator.estimators_, features)


def trees_embedding(step: Step, features: Features) -> Features:
    """A one-hot vector of the leaf that each tree gives."""
    estimator, graph = step.estimator, step.graph
    encoder = estimator.one_hot_encoder_
    forest = []
    for member, leaves in zip(estimator.estimators_, encoder.categories_, strict=True):
        nodes = tree.nodes_of(step, member)
        positions = np.zeros((len(nodes.left), 1))
        positions[np.asarray(leaves, dtype=np.int64), 0] = np.arange(len(leaves))
        forest.append(replace(nodes, values=positions))
    read, block, width = tree.read_by(step, forest, features)
    found = []
    for number, member in enumerate(trees.regression_trees(read, width, block)):
        wanted = {"prediction": f"{block.column}_leaf{number}"}
        found.append(Block(graph.add(member, [block.column], wanted)["prediction"]))
    widths = [len(leaves) for leaves in encoder.categories_]
    op = OneHotEncoder(tuple(widths), "error", False)
    wanted = {f"output{number}": f"{leaf.column}_onehot" for number, leaf in enumerate(found)}
    columns = graph.add(op, [leaf.column for leaf in found], wanted)
    results = (Block(columns[f"output{n}"], count, dense=False) for n, count in enumerate(widths))
    return with_sparsity(tuple(results), bool(estimator.sparse_output))


def isolation_forest(step: Step, features: Features) -> PredictorColumns:
    """An outlier where the mean length of the trees' paths is short: ``-2**-mean - offset`` is negative."""
    from sklearn.ensemble._iforest import _average_path_length

    estimator, graph = step.estimator, step.graph
    members = estimator.estimators_
    lengths = zip(estimator._decision_path_lengths, estimator._average_path_length_per_tree, strict=True)
    forest = [
        replace(nodes, values=(np.asarray(path) + np.asarray(rest) - 1.0)[:, None])
        for nodes, (path, rest) in zip(_of_chosen(step, members), lengths, strict=True)
    ]
    read, block, width = tree.read_by(step, forest, features)
    op = GBTRegression(block.size, (1.0,) * len(read), trees.regression_trees(read, width, block))
    depth = graph.add(op, [block.column], {"prediction": f"{block.column}_depth"})["prediction"]
    greatest = len(members) * float(_average_path_length([estimator._max_samples])[0])
    step.require(greatest > 0.0, "it was fitted with one row")
    mean = graph.add(MathBinary("div", db=-greatest), [depth], {"output": f"{depth}_mean"})["output"]
    power = graph.add(MathBinary("pow", da=2.0), [mean], {"output": f"{depth}_power"})["output"]
    score = graph.linear((Block(power),), "score", np.array([-1.0]), -float(estimator.offset_))
    return outliers(step, score)


def _of_chosen(step: Step, members: Sequence[Any]) -> list[Nodes]:
    """The nodes of trees, each of which knows some of the features only."""
    chosen = step.estimator.estimators_features_
    found = (tree.nodes_of(step, member) for member in members)
    return [
        replace(nodes, feature=np.where(nodes.left >= 0, np.asarray(at)[nodes.feature], nodes.feature))
        for nodes, at in zip(found, chosen, strict=True)
    ]


# ---- bagging and weighted votes ---------------------------------------------------------------------------------------


def bagging_regressor(step: Step, features: Features) -> PredictorColumns:
    """The mean of the predictions; a member reads the features that it was fitted with."""
    found = tuple(member.predict(given).prediction for member, given in _bagged(step, features))
    if found[0].width is None:
        return _weighted_sum(step, found, [1.0 / len(found)] * len(found))
    return targets(step, (average(step, found, [1.0 / len(found)] * len(found)),))


def _bagged(step: Step, features: Features) -> list[tuple[Step, Features]]:
    """The members, each with the features that it reads."""
    estimator = step.estimator
    pairs = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    return [
        (step.child(member, f"estimators_{number}"), step.graph.take(features, np.asarray(chosen).tolist()))
        for number, (member, chosen) in enumerate(pairs)
    ]


def bagging_classifier(step: Step, features: Features) -> PredictorColumns:
    """The mean of the probabilities, or of one-hot vectors of the predictions where there are none."""
    no_multilabel(step)
    members, count = step.estimator.estimators_, len(step.classes)
    if all(type(m).__name__ in tree.CLASSIFIERS and len(m.classes_) == count for m in members):
        forest, block, width = tree.read_by(step, _of_chosen(step, members), features)
        leaves = tree.classification_trees(forest, width, block, count)
        op = RandomForestClassifier(block.size, count, (1.0,) * len(leaves), leaves)
        return replace(classify(step, op, block), decision=None)
    shares, raws = [], []
    for member, given in _bagged(step, features):
        outcome = member.predict(given)
        has_shares = hasattr(member.estimator, "predict_proba")
        shares.append(_scattered(step, outcome, _probability(step, outcome) if has_shares else None))
        raws.append(outcome)
    weights = [1.0 / len(shares)] * len(shares)
    result = most_probable(step, average(step, shares, weights))
    if not hasattr(step.estimator, "decision_function"):
        return result
    parts = [step.graph.vector(decision(step, outcome)) for outcome in raws]
    step.require(len({part.size for part in parts}) == 1, "not every member knows all classes")
    mean = average(step, parts, weights, "decision")
    if mean.size == 1:
        mean = step.graph.matrix((mean,), "margins", np.array([[-1.0, 1.0]]))
    return replace(result, raw=renamed(step, mean, "raw_prediction"), decision=1.0)


def _scattered(step: Step, outcome: PredictorColumns, shares: Block | None) -> Block:
    """Probabilities of the classes that a member knows, among all classes; one-hot vectors of its predictions without them."""
    known = np.asarray(outcome.classes).astype(np.int64)
    if shares is None:
        op = OneHotEncoder((len(known),), "error", False)
        columns = step.graph.add(op, [outcome.prediction.column], {"output0": f"{outcome.prediction.column}_vote"})
        shares = Block(columns["output0"], len(known), dense=False)
    if len(known) == len(step.classes):
        return shares
    return step.graph.matrix((shares,), "known", np.eye(len(step.classes))[known])


def adaptive_classifier(step: Step, features: Features) -> PredictorColumns:
    """The class with the greatest sum of the weights of the members that predict it."""
    no_multilabel(step)
    estimator, graph, count = step.estimator, step.graph, len(step.classes)
    members = estimator.estimators_
    weights = np.asarray(estimator.estimator_weights_, dtype=np.float64)[: len(members)]
    total, other = float(estimator.estimator_weights_.sum()), -1.0 / (count - 1)
    step.require(
        all(np.array_equal(member.classes_, step.classes) for member in members), "not every member knows all classes"
    )
    if all(type(member).__name__ in tree.CLASSIFIERS for member in members):
        sums = _summed_votes(step, features, weights, other)
    else:
        outcomes = [step.child(m, f"estimators_{n}").predict(features) for n, m in enumerate(members)]
        votes = tuple(_votes(step, outcomes))
        matrix = np.concatenate([w * (np.eye(count) * (1.0 - other) + other) for w in weights])
        sums = graph.matrix(votes, "sums", matrix if count > 2 else matrix[:, 1:])
    if count == 2:
        margin = graph.linear((sums,), "margin", np.array([2.0 / total]))
        return by_margin(step, margin, logistic_pair(step, margin))
    scores = graph.scale((sums,), "scores", divisor=np.full(count, total))
    scaled = graph.scale((scores,), "odds", divisor=np.full(count, count - 1.0))
    wanted = {"probability": f"{scaled.column}_softmax"}
    probability = Block(graph.add(softmax_layer(count), [scaled.column], wanted)["probability"], count)
    return by_scores(step, scores, probability)


def adaptive_regressor(step: Step, features: Features) -> PredictorColumns:
    """The median of the members' predictions, by their weights."""
    estimator = step.estimator
    members = [step.child(member, f"estimators_{number}") for number, member in enumerate(estimator.estimators_)]
    found = step.graph.vector(tuple(member.predict(features).prediction for member in members))
    op = WeightedMedian(np.asarray(estimator.estimator_weights_, dtype=np.float64)[: len(members)])
    columns = step.graph.add(op, [found.column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


def _summed_votes(step: Step, features: Features, weights: Doubles, other: float) -> Block:
    """For each class, or for the second of two, the sum of the weights of the trees, times ``other`` for those against it."""
    forest = [tree.nodes_of(step, member) for member in step.estimator.estimators_]
    read, block, width = tree.read_by(step, forest, features)
    count, results = len(step.classes), []
    for number in range(count) if count > 2 else (1,):
        voted = [
            replace(nodes, values=np.where(nodes.values.argmax(axis=1) == number, 1.0, other)[:, None])
            for nodes in read
        ]
        op = GBTRegression(block.size, tuple(weights.tolist()), trees.regression_trees(voted, width, block))
        wanted = {"prediction": f"{step.prefix}votes_{number}"}
        results.append(Block(step.graph.add(op, [block.column], wanted)["prediction"]))
    return step.graph.vector(tuple(results))


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
    if found[0].width is not None:
        return targets(step, (average(step, found, [weight for _, weight in members]),))
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


TRANSFORMERS: dict[str, Transformer] = {"RandomTreesEmbedding": trees_embedding}

PREDICTORS: dict[str, Predictor] = {
    "AdaBoostClassifier": adaptive_classifier,
    "AdaBoostRegressor": adaptive_regressor,
    "BaggingClassifier": bagging_classifier,
    "BaggingRegressor": bagging_regressor,
    "ExtraTreesClassifier": forest_classifier,
    "ExtraTreesRegressor": forest_regressor,
    "GradientBoostingClassifier": boosting_classifier,
    "GradientBoostingRegressor": boosting_regressor,
    "HistGradientBoostingClassifier": histogram_classifier,
    "HistGradientBoostingRegressor": histogram_regressor,
    "IsolationForest": isolation_forest,
    "RandomForestClassifier": forest_classifier,
    "RandomForestRegressor": forest_regressor,
    "StackingClassifier": stacking_classifier,
    "StackingRegressor": stacking_regressor,
    "VotingClassifier": voting_classifier,
    "VotingRegressor": voting_regressor,
}
