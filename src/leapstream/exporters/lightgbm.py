"""Converts LightGBM's boosters to MLeap's boosted trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leapstream.exporters import boosting
from leapstream.exporters.boosting import BoostedTrees
from leapstream.exporters.categories import CategoryCodes, encode_categories
from leapstream.exporters.dispatch import Dispatch
from leapstream.exporters.frame import features_of
from leapstream.exporters.graph import Block, Features, Graph
from leapstream.exporters.predictors import add_labels, most_probable
from leapstream.exporters.step import PredictorColumns, Step, read_fitted
from leapstream.exporters.trees import Nodes
from leapstream.model import Model
from leapstream.ops.feature import Bucketizer, MathBinary, MathUnary

_ZERO = float(np.float32(1e-35))
"""With ``zero_as_missing``, LightGBM treats numbers whose absolute value is at most this as zero."""


def from_lightgbm(model: Any, sample: Any = None, *, name: str | None = None) -> Model:
    """Convert a LightGBM booster to a model with the same predictions.

    A classifier has the output columns ``raw_prediction``, ``probability`` and ``prediction``, the class. Any other model has
    ``prediction``, equal to the result of ``Booster.predict``. A missing value is NaN, and takes the same branches as in
    LightGBM.

    Args:
        model: a ``Booster``, or a fitted ``LGBMClassifier``, ``LGBMRegressor`` or ``LGBMRanker``.
        sample: some rows of the data, or a :class:`~leapstream.bundle.types.Schema`, for the names and types of the columns. It
            is required if a column is a pandas categorical of texts. Without it the columns are numbers with the names that the
            booster was trained with, or one vector ``features``.
        name: the model's name.

    Raises:
        UnsupportedOpError: MLeap's ops cannot compute what the booster computes. The message says why.
        SchemaError: the model is not fitted, or the columns are not those that it was trained with.
    """
    booster = read_fitted(model, lambda: _booster(model))
    names = booster.feature_name()
    plain = names == [f"Column_{i}" for i in range(len(names))]
    features = features_of(sample, None if plain else names, booster.num_feature())
    graph = Graph([block.column for block in features])
    dispatch = Dispatch({}, {type(model).__name__: convert})
    step = Step(model, graph, f"LightGBM's {type(model).__name__}", "", dispatch)
    return graph.model(name or "lightgbm", add_labels(step, step.predict(features)))


def _booster(model: Any) -> Any:
    return model.booster_ if hasattr(model, "get_params") else model


def convert(step: Step, features: Features) -> PredictorColumns:
    """Convert a booster, or one of LightGBM's estimators for scikit-learn, as a step."""
    dump = _booster(step.estimator).dump_model()
    features = _coded_categories(step, features, dump.get("pandas_categorical") or [])
    forests: list[list[Nodes]] = [[] for _ in range(dump["num_tree_per_iteration"])]
    for i, tree in enumerate(dump["tree_info"]):
        forests[i % len(forests)].append(_nodes(step, tree["tree_structure"]))
    features = _whole_categories(step.graph, features, forests)
    count = max(len(forests[0]), 1)
    weight = 1.0 / count if dump["average_output"] else 1.0
    boosted = BoostedTrees(forests, [[weight] * len(forest) for forest in forests], np.zeros(len(forests)))
    objective, *options = str(dump.get("objective") or "custom").split()
    convert_output = _OBJECTIVES.get(objective)
    if convert_output is None:
        step.reject(f"the objective {objective!r} is not supported; supported: {', '.join(_OBJECTIVES)}")
    pairs = dict(option.partition(":")[::2] for option in options)
    classes = hasattr(step.estimator, "classes_")
    step.require(not classes or objective in _OF_CLASSES, f"the objective {objective!r} gives no classes")
    if objective in _OF_CLASSES and not classes:
        step = replace(step, given_classes=np.arange(max(len(forests), 2.0)))
    return convert_output(step, features, boosted, pairs)


# ---- trees ------------------------------------------------------------------------------------------------------------


@dataclass
class _Arrays:
    """The nodes of a tree, collected while the tree is read; -1 marks a leaf."""

    left: list[int]
    right: list[int]
    feature: list[int]
    threshold: list[float]
    missing_left: list[bool]
    value: list[float]
    categories: dict[int, list[float]]

    def add(self) -> int:
        """Add a node as a leaf, and return its index."""
        for indices in (self.left, self.right, self.feature):
            indices.append(-1)
        for numbers in (self.threshold, self.value):
            numbers.append(0.0)
        self.missing_left.append(False)
        return len(self.left) - 1


def _nodes(step: Step, structure: Mapping[str, Any]) -> Nodes:
    arrays = _Arrays([], [], [], [], [], [], {})
    stack: list[tuple[Mapping[str, Any], int]] = [(structure, arrays.add())]
    while stack:
        given, node = stack.pop()
        if "leaf_value" in given:
            step.require("leaf_coeff" not in given, "its trees have linear models in their leaves (linear_tree)")
            arrays.value[node] = float(given["leaf_value"])
            continue
        arrays.feature[node] = int(given["split_feature"])
        if given["decision_type"] == "==":
            # Category c has the code c + 1.
            arrays.categories[node] = [float(int(c) + 1) for c in str(given["threshold"]).split("||")]
        else:
            arrays.threshold[node] = float(given["threshold"])
            arrays.missing_left[node] = _missing_left(step, given)
        arrays.left[node], arrays.right[node] = arrays.add(), arrays.add()
        stack += [(given["left_child"], arrays.left[node]), (given["right_child"], arrays.right[node])]
    return Nodes(
        left=np.array(arrays.left),
        right=np.array(arrays.right),
        feature=np.array(arrays.feature),
        threshold=np.array(arrays.threshold),
        missing_left=np.array(arrays.missing_left),
        values=np.array(arrays.value)[:, None],
        categories=arrays.categories,
    )


def _missing_left(step: Step, split: Mapping[str, Any]) -> bool:
    """True if NaN goes left at a split. With ``missing_type`` "None" and "Zero", LightGBM treats NaN as 0."""
    threshold, default_left = float(split["threshold"]), bool(split["default_left"])
    if split["missing_type"] == "NaN":
        return default_left
    zero_left = threshold >= 0.0
    if split["missing_type"] == "Zero":
        # An MLeap split compares with one threshold, so zero must go to the same side as the numbers around it.
        plain = default_left == zero_left and not -_ZERO <= threshold < _ZERO
        step.require(plain, "zero is missing (zero_as_missing) and goes to another side than the numbers around it")
    return zero_left


def _coded_categories(step: Step, features: Features, categories: list[list[Any]]) -> Features:
    """Replace columns of texts by the codes that pandas gave to their categories."""
    texts = [i for i, block in enumerate(features) if block.text]
    step.require(
        len(texts) == len(categories),
        f"it was trained with {len(categories)} columns of pandas' categories, and {len(texts)} columns are texts; give a "
        "sample of the data (categories that are numbers are not supported)",
    )
    if not texts:
        return features
    # Unknown and missing values get a code that no tree tests for.
    tables = [CategoryCodes(known, range(len(known)), len(known)) for known in categories]
    found = dict(zip(texts, encode_categories(step, tuple(features[i] for i in texts), tables), strict=True))
    return tuple(found.get(i, block) for i, block in enumerate(features))


def _whole_categories(graph: Graph, features: Features, forests: list[list[Nodes]]) -> Features:
    """Replace each feature that a tree tests for categories by a code: ``c + 1`` for the category ``c``.

    LightGBM truncates a category to a whole number, and sends NaN and numbers of at most -1 to the right. The bucketizer gives
    such numbers the code 0, and NaN the number of buckets; no tree tests for these codes.
    """
    greatest_code: dict[int, float] = {}
    for nodes in (nodes for forest in forests for nodes in forest):
        for node, codes in nodes.categories.items():
            feature = int(nodes.feature[node])
            greatest_code[feature] = max(greatest_code.get(feature, 0.0), *codes)
    if not greatest_code:
        return features
    places = [(number, at) for number, block in enumerate(features) for at in range(block.size)]
    result: list[Block] = []
    for number, block in enumerate(features):
        chosen = [at for at in range(block.size) if places.index((number, at)) in greatest_code]
        if not chosen:
            result.append(block)
            continue
        for at, single in enumerate(graph.scalars((block,))):
            code = greatest_code.get(places.index((number, at)))
            if code is not None:
                splits = (-np.inf, float(np.nextafter(-1.0, 0.0)), *map(float, range(1, int(code) + 1)), np.inf)
                single = graph.apply(Bucketizer(splits, "keep"), single, "category", None)
            result.append(single)
    return tuple(result)


# ---- objectives -------------------------------------------------------------------------------------------------------


def _plain(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    if "sqrt" not in options:
        return boosting.regressor(step, features, boosted)
    # The prediction is sign(margin) * margin ** 2.
    (margin,) = boosting.sums(step, features, boosted, [f"{step.prefix}margin"])
    absolute = step.graph.apply(MathUnary("abs"), margin, "abs", None)
    columns = step.graph.add(MathBinary("mul"), [absolute.column, margin.column], {"output": step.prediction})
    return PredictorColumns(Block(columns["output"]))


def _exponential(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    return boosting.regressor(step, features, boosted, "exp")


def _binary(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    return boosting.classifier(step, features, boosted, float(options["sigmoid"]))


def _softmax(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    return boosting.classifier(step, features, boosted, 1.0)


def _one_vs_all(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    """The probability of each class is the logistic function of its sum; the probabilities do not add up to 1."""
    names = [f"{step.prefix}margin_{group}" for group in range(len(boosted.forests))]
    margins = boosting.sums(step, features, boosted, names)
    parts = tuple(boosting.logistic(step, block, float(options["sigmoid"])) for block in margins)
    return most_probable(step, step.graph.vector(parts))


def _cross_entropy(
    step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]
) -> PredictorColumns:
    (margin,) = boosting.sums(step, features, boosted, [f"{step.prefix}margin"])
    return PredictorColumns(boosting.logistic(step, margin, name=step.prediction))


def _soft_plus(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    """The prediction is ``log(1 + exp(margin))``."""
    (margin,) = boosting.sums(step, features, boosted, [f"{step.prefix}margin"])
    exponential = step.graph.apply(MathUnary("exp"), margin, "exp", None)
    more = Block(
        step.graph.add(MathBinary("add", db=1.0), [exponential.column], {"output": f"{margin.column}_more"})["output"]
    )
    columns = step.graph.add(MathUnary("log"), [more.column], {"output": step.prediction})
    return PredictorColumns(Block(columns["output"]))


_Objective = Callable[[Step, Features, BoostedTrees, Mapping[str, str]], PredictorColumns]

_OBJECTIVES: dict[str, _Objective] = {
    **dict.fromkeys(
        (
            *(
                "regression",
                "regression_l1",
                "huber",
                "fair",
                "quantile",
                "mape",
                "lambdarank",
                "rank_xendcg",
                "custom",
            ),
            "none",
        ),
        _plain,
    ),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), _exponential),
    "binary": _binary,
    "multiclass": _softmax,
    "multiclassova": _one_vs_all,
    "cross_entropy": _cross_entropy,
    "cross_entropy_lambda": _soft_plus,
}
"""The function that turns the sums of trees into predictions, by objective."""

_OF_CLASSES = ("binary", "multiclass", "multiclassova")
