"""XGBoost's boosters (``mleap-xgboost-runtime``), computed without XGBoost, in single precision as XGBoost does.

MLeap also has a fast variant, which reads the same bundles and gives only the probability or the prediction. It corresponds to a
node that connects only these ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle.booster import Booster, BoosterTree, parse_booster
from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, Tree
from leapstream.bundle.types import BasicType, DataType, ListType
from leapstream.errors import UnsupportedOpError
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

Floats = npt.NDArray[np.float32]
Margin = Callable[[Floats], Floats]
Prediction = Callable[[Lowering, Expr], Expr]

# Memory and time of the exact algorithm grow with the square of the depth.
_DEEPEST = 1000

_DOUBLES = ListType(BasicType.DOUBLE)


def _logit(score: Floats) -> Floats:
    require(bool(((score > 0) & (score < 1)).all()), "the base score of a logistic objective is not between 0 and 1")
    margin: Floats = -np.log(np.float32(1) / score - np.float32(1))
    return margin


def _each(function: p.FunctionName) -> Prediction:
    return lambda lowering, margins: lowering.add(p.FloatFunction(x=margins, function=function, type=margins.type))


def _softmax(lowering: Lowering, margins: Expr) -> Expr:
    return lowering.add(p.FloatSoftmax(x=margins, type=margins.type))


def _arg_max(lowering: Lowering, margins: Expr) -> Expr:
    best = lowering.add(p.ArgMax(x=margins, type=DOUBLE))
    return lowering.add(p.Pack(xs=(best,), type=doubles(1)))


OBJECTIVES: dict[str, tuple[Prediction | None, Margin]] = {
    **dict.fromkeys(
        (
            *("reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror"),
            *("reg:quantileerror", "binary:logitraw", "rank:pairwise", "rank:ndcg", "rank:map"),
        ),
        (None, lambda score: score),
    ),
    **dict.fromkeys(("reg:logistic", "binary:logistic"), (_each("logistic"), _logit)),
    **dict.fromkeys(
        ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"), (_each("exp"), np.log)
    ),
    "binary:hinge": (_each("step"), lambda score: score),
    "multi:softprob": (_softmax, lambda score: score),
    "multi:softmax": (_arg_max, lambda score: score),
}
"""For each objective: the function from margins to predictions, and the function from the base score to a margin."""


class _BoosterOp(Op):
    """Base class of the two ops."""

    booster: bytes
    num_features: int
    tree_limit: int

    def __post_init__(self) -> None:
        booster = self._booster
        require(booster.objective in OBJECTIVES, f"objective {booster.objective!r} is none of {', '.join(OBJECTIVES)}")
        require(len(self._base) == booster.groups, "there is not one base score per group")

    @cached_property
    def _booster(self) -> Booster:
        return parse_booster(self.booster, "xgboost.model")

    @cached_property
    def _base(self) -> Floats:
        """The margin of each group before the first tree."""
        booster = self._booster
        margin = OBJECTIVES[booster.objective][1]
        with np.errstate(all="ignore"):
            score = booster.base_score if booster.base_is_margin else margin(booster.base_score)
        return np.array(np.broadcast_to(score, booster.groups), dtype=np.float32)

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.num_features)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        model = _BoosterLowering(lowering, inputs[0], self._booster, self._base, self.tree_limit)
        outputs = self.predictions(lowering, model)
        outputs["leaf_prediction"] = model.leaves
        outputs["contrib_prediction"] = model.contributions
        with np.errstate(all="ignore"):
            return {port: output() for port, output in outputs.items() if port in wanted}

    def predictions(self, lowering: Lowering, model: _BoosterLowering) -> dict[str, Callable[[], Expr]]:
        """For each output port that only this op has, a function that makes its expression."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class XGBoostRegression(_BoosterOp):
    """The prediction of a booster: the first number that its objective computes from the margins (``XGBoostRegressionModel``).

    An element that is NaN, or that a sparse vector does not store, is missing. Fails where an element is infinite, and where the
    vector has more elements than the booster has features. For ranking objectives the predictions are the margins.

    Attributes:
        num_features: number of features.
        tree_limit: number of trees that are used, per group; 0 for all.
        missing: the number that Spark treats as missing; not used, as in MLeap.
        infer_batch_size, use_external_memory, allow_non_zero_for_missing: settings of Spark; not used.
        booster: XGBoost's file, in its binary format, JSON or UBJSON.
    """

    op: ClassVar[str] = "xgboost.regression"
    num_features: int = attribute("int")
    booster: bytes = attribute("file", name="xgboost.model")
    tree_limit: int = attribute("int", default=0)
    missing: float | None = attribute("float", default=None)
    infer_batch_size: int | None = attribute("int", default=None)
    use_external_memory: bool | None = attribute("boolean", default=None)
    allow_non_zero_for_missing: bool | None = attribute("boolean", default=None)

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": DOUBLE, "leaf_prediction": _DOUBLES, "contrib_prediction": _DOUBLES}

    def predictions(self, lowering: Lowering, model: _BoosterLowering) -> dict[str, Callable[[], Expr]]:
        return {"prediction": lambda: model.first(model.prediction)}


@dataclass(frozen=True, eq=False)
class XGBoostClassifier(_BoosterOp):
    """The classes of a booster (``XGBoostClassificationModel``).

    For two classes, the booster's first prediction is the probability of class 1; the prediction is this probability, rounded,
    and the raw prediction is (-margin, margin). For more classes, the booster gives a margin and a probability for each, and the
    prediction is the most probable class. With the objective ``multi:softmax`` the probability is a vector of one element, the
    class, as in MLeap.

    Missing elements and failures are those of :class:`XGBoostRegression`.

    Attributes:
        num_classes: number of classes.
        num_features: number of features.
        tree_limit: number of trees that are used, per group; 0 for all.
        thresholds, objective, missing: settings of Spark; not used, as in MLeap.
        infer_batch_size, use_external_memory, allow_non_zero_for_missing: settings of Spark; not used.
        booster: XGBoost's file, in its binary format, JSON or UBJSON.
    """

    op: ClassVar[str] = "xgboost.classifier"
    num_classes: int = attribute("int")
    num_features: int = attribute("int")
    booster: bytes = attribute("file", name="xgboost.model")
    tree_limit: int = attribute("int", default=0)
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)
    missing: float | None = attribute("float", default=None)
    infer_batch_size: int | None = attribute("int", default=None)
    use_external_memory: bool | None = attribute("boolean", default=None)
    allow_non_zero_for_missing: bool | None = attribute("boolean", default=None)
    objective: str | None = attribute("string", default=None)

    def outputs(self) -> dict[str, DataType]:
        classes = doubles(self.num_classes)
        return {
            "raw_prediction": classes,
            "probability": classes,
            "prediction": DOUBLE,
            "leaf_prediction": _DOUBLES,
            "contrib_prediction": _DOUBLES,
        }

    def predictions(self, lowering: Lowering, model: _BoosterLowering) -> dict[str, Callable[[], Expr]]:
        if self.num_classes != 2:
            return {
                "raw_prediction": lambda: model.margin,
                "probability": lambda: model.prediction,
                "prediction": lambda: lowering.add(p.ArgMax(x=model.prediction, type=DOUBLE)),
            }

        def raw() -> Expr:
            margin = model.first(model.margin)
            return lowering.add(
                p.Pack(xs=(lowering.add(p.Unary(x=margin, function="negate", type=DOUBLE)), margin), type=doubles(2))
            )

        def probability() -> Expr:
            second = model.first(model.prediction)
            other = lowering.add(p.Unary(x=second, function="one_minus", type=DOUBLE))
            first = lowering.add(p.FloatFunction(x=other, function="single", type=DOUBLE))
            return lowering.add(p.Pack(xs=(first, second), type=doubles(2)))

        def prediction() -> Expr:
            return lowering.add(p.FloatFunction(x=model.first(model.prediction), function="round", type=DOUBLE))

        return {"raw_prediction": raw, "probability": probability, "prediction": prediction}


class _BoosterLowering:
    """The expressions of a booster over a vector; each one is made at most once, when it is first needed."""

    def __init__(self, lowering: Lowering, x: Expr, booster: Booster, base: Floats, tree_limit: int) -> None:
        self.lowering = lowering
        self.x = x
        self.booster = booster
        self.base = base
        # XGBoost converts the number to an unsigned integer.
        rounds = (tree_limit % (1 << 32)) // max(booster.parallel_trees, 1)
        self.failure: str | None = None
        if rounds > len(booster.rounds) and not booster.linear:
            self.failure = f"tree_limit is {tree_limit}, and the booster has {len(booster.rounds)} rounds"
            rounds = 0
        count = len(booster.trees) if rounds == 0 else booster.rounds[rounds - 1] if booster.rounds else 0
        self.trees = booster.trees[:count]
        self.groups = booster.group[:count]

    def float_features(self, elements: npt.NDArray[np.int64], missing: npt.NDArray[np.float64], whole: Floats) -> Expr:
        given = p.FloatFeatures(
            x=self.x,
            elements=elements,
            missing=missing,
            whole=whole.astype(bool),
            size=self.booster.num_feature,
            failure=self.failure,
            type=doubles(len(elements)),
        )
        return self.lowering.add(given)

    def first(self, x: Expr) -> Expr:
        return self.lowering.add(p.Item(x=x, index=0, type=DOUBLE))

    @cached_property
    def columns(self) -> npt.NDArray[np.int64]:
        """The distinct tests of the trees, as numbers of :func:`_test_numbers`."""
        keys: npt.NDArray[np.int64] = np.concatenate([np.zeros(0, dtype=np.int64), *map(_test_numbers, self.trees)])
        return np.unique(keys)

    @cached_property
    def tested(self) -> Expr:
        """The vector that the trees test: an element for each feature, side to which missing elements go, and kind of test."""
        left, whole = self.columns // 2 % 2, self.columns % 2
        return self.float_features(self.columns // 4, np.where(left == 1, -np.inf, np.inf), whole.astype(np.float32))

    @cached_property
    def elements(self) -> Expr:
        """The vector that a linear booster multiplies: all elements, 0 where they are missing."""
        count = self.booster.num_feature
        return self.float_features(np.arange(count), np.zeros(count), np.zeros(count, dtype=np.float32))

    def sums(self, trees: tuple[Tree, ...], groups: tuple[int, ...], base: Floats) -> Expr:
        return self.lowering.add(
            p.Trees(
                x=self.tested,
                trees=trees,
                combine="groups",
                width=len(base),
                groups=groups,
                base=base.astype(np.float64),
                type=doubles(len(base)),
            )
        )

    @cached_property
    def margin(self) -> Expr:
        booster = self.booster
        if booster.weights is not None:
            return self.linear(contributions=False)
        factors = np.ones(len(self.trees), dtype=np.float32) if booster.drop_weights is None else booster.drop_weights
        trees = tuple(_tree(t, self.columns, t.value * w)[0] for t, w in zip(self.trees, factors, strict=False))
        return self.sums(trees, self.groups, self.base)

    @cached_property
    def prediction(self) -> Expr:
        predict = OBJECTIVES[self.booster.objective][0]
        return self.margin if predict is None else predict(self.lowering, self.margin)

    def listed(self, x: Expr) -> Expr:
        return self.lowering.add(p.Cast(x=x, type=_DOUBLES))

    def leaves(self) -> Expr:
        """The index of the leaf that a row reaches in each tree."""
        if self.booster.linear:
            self.failure = "a linear booster has no leaves"
            return self.listed(
                self.float_features(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.float32))
            )
        numbered = (_tree(t, self.columns, np.arange(len(t.left), dtype=np.float32))[0] for t in self.trees)
        count = len(self.trees)
        return self.listed(self.sums(tuple(numbered), tuple(range(count)), np.zeros(count, dtype=np.float32)))

    def contributions(self) -> Expr:
        """SHAP values: for each group those of the features, followed by the expected value."""
        if self.booster.linear:
            return self.listed(self.linear(contributions=True))
        trees, cover, depth = zip(*(_tree(t, self.columns, t.value) for t in self.trees), strict=True) or ((), (), ())
        if max(depth, default=0) > _DEEPEST:
            raise UnsupportedOpError(f"contrib_prediction of a tree of more than {_DEEPEST} levels")
        weights = self.booster.drop_weights
        explained = p.TreeContributions(
            x=self.tested,
            trees=trees,
            cover=cover,
            weights=np.ones(len(trees), dtype=np.float32) if weights is None else weights[: len(trees)],
            groups=self.groups,
            base=self.base,
            features=self.columns // 4,
            num_features=self.booster.num_feature,
            type=doubles(len(self.base) * (self.booster.num_feature + 1)),
        )
        return self.listed(self.lowering.add(explained))

    def linear(self, *, contributions: bool) -> Expr:
        weights = self.booster.weights
        assert weights is not None
        groups = len(self.base)
        width = groups * len(weights) if contributions else groups
        return self.lowering.add(
            p.FloatLinear(
                x=self.elements,
                weights=weights[:-1],
                base=weights[-1] + self.base,
                contributions=contributions,
                type=doubles(width),
            )
        )


def _test_numbers(tree: BoosterTree) -> npt.NDArray[np.int64]:
    """A number per split that identifies its test: ``4 * feature``, plus 2 if missing elements go left, plus 1 for categories."""
    whole = np.zeros(len(tree.left), dtype=np.int64)
    whole[list(tree.categories)] = 1
    keys = 4 * tree.feature + 2 * tree.default_left + whole
    return keys[tree.left >= 0]


def _tree(tree: BoosterTree, columns: npt.NDArray[np.int64], values: Floats) -> tuple[Tree, Floats, int]:
    """Convert a tree of a booster to one over the vector ``tested``; returns it, the cover of its nodes, its depth.

    The leaves hold ``values``. In the vector a missing element is -∞ if it has to go left, otherwise ∞; no other element is
    infinite. XGBoost tests ``x < threshold`` in single precision, which equals ``x <= t`` for the float32 ``t`` just below.
    """
    order, right, depth = _preorder(tree.left)
    split = tree.left[order] >= 0
    kind = np.where(split, CONTINUOUS, LEAF).astype(np.uint8)
    feature = np.full(len(order), -1, dtype=np.int32)
    inner = np.flatnonzero(tree.left >= 0)
    column = np.zeros(len(tree.left), dtype=np.int32)
    column[inner] = np.searchsorted(columns, _test_numbers(tree))
    feature[split] = column[order][split]
    threshold = np.full(len(order), np.nan)
    threshold[split] = np.nextafter(tree.value, np.float32(-np.inf))[order][split]
    data: list[npt.NDArray[np.float64]] = [values[order[~split]].astype(np.float64)]
    start = np.zeros(len(order), dtype=np.int32)
    end = np.zeros(len(order), dtype=np.int32)
    start[~split] = np.arange(len(data[0]))
    end[~split] = start[~split] + 1
    at = len(data[0])
    # No number is less than NaN, so only missing elements go left.
    odd = split & np.isnan(threshold)
    odd[np.isin(order, list(tree.categories))] = True
    for place in np.flatnonzero(odd).tolist():
        node = int(order[place])
        missing = -np.inf if tree.default_left[node] else np.inf
        if node in tree.categories:
            kind[place] = CATEGORICAL_NOT
            part = np.append(tree.categories[node].astype(np.float64), [] if tree.default_left[node] else [missing])
        else:
            kind[place] = CATEGORICAL
            part = np.array(list(compress([missing], [tree.default_left[node]])))
        threshold[place] = np.nan
        data.append(part)
        start[place], end[place] = at, at + len(part)
        at += len(part)
    result = Tree(
        kind=kind,
        feature=feature,
        threshold=threshold,
        right=right.astype(np.int32),
        data_start=start,
        data_end=end,
        data=np.concatenate(data),
        num_categories=np.where(kind >= CATEGORICAL, end - start, 0).astype(np.int32),
    )
    return result, tree.cover[order], depth


def _preorder(left: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """The nodes in pre-order, the index of each node's right child in that order, and the depth of the tree."""
    levels = [np.zeros(1, dtype=np.int64)]
    while len(inner := levels[-1][left[levels[-1]] >= 0]):
        levels.append(np.concatenate([left[inner], left[inner] + 1]))
    size = np.ones(len(left), dtype=np.int64)
    for level in reversed(levels):
        inner = level[left[level] >= 0]
        size[inner] = 1 + size[left[inner]] + size[left[inner] + 1]
    place = np.zeros(len(left), dtype=np.int64)
    for level in levels:
        inner = level[left[level] >= 0]
        place[left[inner]] = place[inner] + 1
        place[left[inner] + 1] = place[inner] + 1 + size[left[inner]]
    nodes = np.concatenate(levels)
    order = nodes[np.argsort(place[nodes])]
    split = left[order] >= 0
    right = np.full(len(order), -1, dtype=np.int64)
    right[split] = place[left[order][split] + 1]
    return order, right, len(levels) - 1
