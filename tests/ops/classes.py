"""Models of classifiers, survival regression, clusterings and ensembles."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from leapstream import LeapFrame, Tensor
from leapstream.bundle.definition import CONTINUOUS, LEAF, ClusterTree, Tree
from leapstream.bundle.types import Schema
from leapstream.ops.base import Op
from leapstream.ops.bayes import NaiveBayes
from leapstream.ops.clustering import LDA, BisectingKMeans, GaussianMixture
from leapstream.ops.ensemble import CategoricalDrilldown, OneVsRest
from leapstream.ops.linear import (
    AFTSurvivalRegression,
    GeneralizedLinearRegression,
    LinearRegression,
    LinearSVC,
    LogisticRegression,
    SupportVectorMachine,
)
from leapstream.ops.neural import MultiLayerPerceptronClassifier
from leapstream.ops.trees import DecisionTreeClassifier, DecisionTreeRegression, GBTClassifier, RandomForestClassifier
from tests.ops import numbers

THREE = np.array([0.5, -1.0, 0.25])
THETA = np.log([[0.5, 0.25, 0.125], [0.125, 0.5, 0.75]])
PI = np.log([0.25, 0.75])


def stump(feature: int, left: tuple[float, ...], right: tuple[float, ...]) -> Tree:
    """A split at 0.5."""
    n = len(left)
    return Tree(
        kind=np.array([CONTINUOUS, LEAF, LEAF], dtype=np.uint8),
        feature=np.array([feature, -1, -1], dtype=np.int32),
        threshold=np.array([0.5, math.nan, math.nan]),
        right=np.array([2, -1, -1], dtype=np.int32),
        data_start=np.array([0, 0, n], dtype=np.int32),
        data_end=np.array([0, n, 2 * n], dtype=np.int32),
        data=np.array([*left, *right]),
        num_categories=np.zeros(3, dtype=np.int32),
    )


def clusters() -> ClusterTree:
    """Three leaves: 0 and 1 below the first child of the root, 2 the second."""
    centers = np.array([[0.0, 0, 0], [-4, 0, 0], [-5, 1, 0], [-3, -1, 0], [4, 0, 1]])
    return ClusterTree(
        index=np.array([-1, -2, 0, 1, 2], dtype=np.int32),
        norm=np.sqrt((centers**2).sum(axis=1)),
        centers=centers,
        num_children=np.array([2, 2, 0, 0, 0], dtype=np.int32),
    )


TREE = DecisionTreeClassifier(stump(0, (3.0, 1.0), (0.0, 7.0)), 3, 2)
OTHER_TREE = DecisionTreeClassifier(stump(2, (8.0, 4.0), (1.0, 1.0)), 3, 2)
REGRESSION = DecisionTreeRegression(stump(1, (-1.0,), (2.0,)), 3)
GBT = GBTClassifier(3, 2, (1.0, 0.5), (REGRESSION, REGRESSION))
FOREST = RandomForestClassifier(3, 2, (1.0, 1.0), (TREE, OTHER_TREE))
BINARY = LogisticRegression(2, THREE, 0.5, 0.5)
SVC = LinearSVC(2, THREE, 0.5, 0.25)
SVM = SupportVectorMachine(2, THREE, -0.25)
MULTINOMIAL = NaiveBayes(3, 2, PI, THETA, "multinomial")
PERCEPTRON = MultiLayerPerceptronClassifier((3, 2, 4), np.linspace(-2.0, 2.0, 20))

OPS: list[Op] = [
    MULTINOMIAL,
    replace(MULTINOMIAL, thresholds=(0.5, 0.25)),
    replace(MULTINOMIAL, model_type="bernoulli", sigma=np.zeros((0, 0))),
    replace(MULTINOMIAL, model_type="complement", sigma=np.zeros((0, 0))),
    replace(MULTINOMIAL, model_type="gaussian", sigma=np.array([[1.0, 2.0, 0.5], [0.25, 4.0, 1.0]])),
    PERCEPTRON,
    MultiLayerPerceptronClassifier((3, 2), np.linspace(-2.0, 2.0, 8), (0.5, 0.0)),
    SVC,
    SVM,
    replace(SVM, thresholds=(0.5, 0.25)),
    AFTSurvivalRegression(THREE, 0.5, (0.1, 0.5, 0.0, 1.0), 0.75),
    AFTSurvivalRegression(THREE, 0.5, (), 0.75),
    GeneralizedLinearRegression(THREE, 0.5, "gamma"),
    BisectingKMeans(clusters()),
    GaussianMixture(
        (np.zeros(3), np.array([1.0, 2.0, 3.0])),
        (np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 4.0]]), np.diag([1.0, 0.0, 2.0])),
        (0.25, 0.75),
    ),
    LDA(3, (0.5, 0.25), 0.5, np.array([[4.0, 0.5], [0.25, 8.0], [2.0, 2.0]])),
    OneVsRest((BINARY, replace(BINARY, coefficients=-2.0 * THREE), MULTINOMIAL), 3),
    OneVsRest((SVC, TREE, GBT, FOREST, SVM, PERCEPTRON), 3),
    CategoricalDrilldown(("1.0", "0.5", "1.0"), (TREE, FOREST, SVM)),
    CategoricalDrilldown(("2.0",), (LinearRegression(THREE, 1.0),)),
]


def outputs(op: Op, *rows: list[Any], backend: Any = "vectorized") -> list[dict[str, Any]]:
    """The op's outputs by port for each row, vectors as arrays; ``None`` where it fails."""
    frame = LeapFrame(Schema.of(list(op.inputs().items())), [tuple(row) for row in rows])
    result = numbers.model_of(op).transform(frame, backend=backend, on_error="null")
    names, width = list(op.outputs()), len(op.inputs())
    return [
        {n: v.to_dense() if isinstance(v, Tensor) else v for n, v in zip(names, row[width:], strict=True)}
        for row in result.rows
    ]


def rows_of(op: Op) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Rows for an op."""
    if isinstance(op, CategoricalDrilldown):
        labels = st.sampled_from([*op.labels, "other"])
        return rows_of(op.models[0]).flatmap(
            lambda rs: st.tuples(*(labels for _ in rs)).map(lambda ls: [(a, *b) for a, b in zip(ls, rs, strict=True)])
        )
    rows = numbers.rows_of(op)
    # Inference is chaotic for counts below 0: the last digit decides when it ends.
    return rows.map(lambda rs: [tuple(map(absolute, row)) for row in rs]) if isinstance(op, LDA) else rows


def absolute(x: Tensor) -> Tensor:
    """The tensor of the elements' absolute values."""
    return replace(x, values=np.abs(x.values))


def check(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Assert that the outputs of a row agree."""
    assert found.keys() == expected.keys()
    for port, value in expected.items():
        if value is None or found[port] is None:
            assert found[port] is value
        else:
            np.testing.assert_allclose(found[port], value, rtol=1e-9, atol=1e-12)
