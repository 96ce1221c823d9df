"""Classifiers, clusterings and ensembles: their attributes in bundles, and what they compute that surprises."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from leapstream import BundleError, LeapFrame, Tensor, UnsupportedOpError, load, save
from leapstream.bundle.definition import ModelDef, NodeDef, Socket
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.types import BasicType, Schema, TensorType
from leapstream.bundle.values import list_of, scalar
from leapstream.ops.base import Op
from leapstream.ops.bayes import NaiveBayes
from leapstream.ops.clustering import LDA, BisectingKMeans, GaussianMixture, gamma_numbers
from leapstream.ops.ensemble import CategoricalDrilldown, OneVsRest
from leapstream.ops.feature import StringIndexer
from leapstream.ops.linear import (
    AFTSurvivalRegression,
    GeneralizedLinearRegression,
    LinearRegression,
    LinearSVC,
    SupportVectorMachine,
)
from leapstream.ops.neural import MultiLayerPerceptronClassifier
from leapstream.ops.pipeline import read_node
from tests.golden_corpus import GOLDEN, Case, cases
from tests.ops.classes import (
    BINARY,
    FOREST,
    GBT,
    MULTINOMIAL,
    OPS,
    OTHER_TREE,
    PI,
    SVC,
    SVM,
    THETA,
    THREE,
    TREE,
    check,
    clusters,
    outputs,
    rows_of,
)
from tests.ops.numbers import model_of

NAMES = {op.op for op in OPS}
RECORDED = [case for case in cases() if case.known and NAMES & set(case.info["ops"]) and "tweedie" not in case.name]
NAN, INF = math.nan, math.inf


def dense(*values: float) -> Tensor:
    return Tensor.dense(list(values))


def models(node: NodeDef) -> list[ModelDef]:
    def nested(model: ModelDef) -> list[ModelDef]:
        return [model, *(inner for m in model.models.values() for inner in nested(m))]

    return [*nested(node.model), *(model for child in node.model.nodes.values() for model in models(child))]


# ---- bundles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.name)
def test_model_is_written_with_the_attributes_that_mleap_wrote(case: Case) -> None:
    theirs = {m.op: m for m in models(read_bundle(case.bundle).root)}
    for node in case.model().nodes:
        if node.op.op not in NAMES:
            continue
        ours, recorded = node.op.to_model(), theirs[node.op.op]
        assert ours.attributes.keys() == recorded.attributes.keys()
        # What equals its type's default has no type in JSON; reading it again fills that in.
        assert type(node.op).from_model(recorded, "bundle") == type(node.op).from_model(ours, "bundle")
        for name, value in recorded.attributes.items():
            assert value.base is None or ours.attributes[name] == value
        assert ours.models.keys() == recorded.models.keys()
        assert ours.cluster_tree == recorded.cluster_tree


@pytest.mark.parametrize("file_format", ["json", "protobuf"])
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
def test_op_is_read_back_equal(op: Op, file_format: Any, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    save(model_of(op), path, format=file_format)
    assert load(path).nodes[0].op == op


def test_type_of_bayes_is_read_with_the_capital_that_mleap_writes() -> None:
    model = MULTINOMIAL.to_model()
    model.attributes["model_type"] = scalar("string", "Multinomial")
    assert NaiveBayes.from_model(model, "bundle") == MULTINOMIAL


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: replace(MULTINOMIAL, model_type="poisson"), "model_type 'poisson' is none of multinomial"),
        (lambda: replace(MULTINOMIAL, model_type="gaussian"), "no sigma"),
        (lambda: replace(MULTINOMIAL, pi=np.zeros(3)), "one pi and one row of theta per class"),
        (lambda: replace(MULTINOMIAL, num_features=4), "one column per feature"),
        (lambda: replace(MULTINOMIAL, thresholds=(1.0,)), "one threshold per class"),
        (lambda: MultiLayerPerceptronClassifier((3,), np.zeros(0)), "fewer than two layers"),
        (lambda: MultiLayerPerceptronClassifier((3, 0), np.zeros(0)), "a layer is empty"),
        (lambda: MultiLayerPerceptronClassifier((3, 2**40), np.zeros(8)), "8 weights"),
        (lambda: LinearSVC(3, THREE, 0.0, 0.0), "only two classes"),
        (lambda: SupportVectorMachine(3, THREE, 0.0), "only two classes"),
        (lambda: GeneralizedLinearRegression(THREE, 0.0, "tweedie"), "family 'tweedie' is none of"),
        (lambda: BisectingKMeans(replace(clusters(), norm=np.full(5, NAN))), "a norm is less than 0"),
        (lambda: BisectingKMeans(replace(clusters(), index=np.zeros(5, np.int32))), "another node has one"),
        (lambda: GaussianMixture((), (), ()), "no distributions"),
        (lambda: GaussianMixture((np.ones(1),), (), (1.0,)), "one mean, cov and weight each"),
        (lambda: GaussianMixture((np.ones(0),), (np.ones((0, 0)),), (1.0,)), "no features"),
        (lambda: GaussianMixture((np.ones(1), np.ones(2)), (np.ones((1, 1)),) * 2, (1.0, 1.0)), "differ in size"),
        (lambda: GaussianMixture((np.ones(1),), (np.ones((1, 2)),), (1.0,)), "one row and column"),
        (lambda: GaussianMixture((np.ones(2),), (np.array([[1.0, 2], [3, 1]]),), (1.0,)), "not symmetric"),
        (lambda: GaussianMixture((np.ones(2),), (np.array([[1.0, INF], [3, 1]]),), (1.0,)), "not finite"),
        (lambda: GaussianMixture((np.ones(1),), (np.array([[INF]]),), (1.0,)), "not finite"),
        (lambda: LDA(1, (), 0.0, np.ones((1, 0))), "no topics"),
        (lambda: LDA(1, (1.0,), 0.0, np.ones((1, 2))), "one column per concentration"),
        (lambda: OneVsRest((), 3), "no classifiers"),
        (lambda: OneVsRest((LinearRegression(THREE, 0.0),), 3), "model 0 .linear_regression. is not a classifier"),
        (lambda: OneVsRest((OneVsRest((SVC,), 3),), 3), "model 0 .one_vs_rest. is not a classifier"),
        (lambda: OneVsRest((replace(TREE, num_classes=1),), 3), "has no class 1"),
        (lambda: CategoricalDrilldown((), ()), "no labels"),
        (lambda: CategoricalDrilldown(("a",), ()), "one model per label"),
        (lambda: CategoricalDrilldown(("a", "b"), (TREE, LinearRegression(THREE, 0.0))), "other ports than model 0"),
    ],
)
def test_attributes_that_do_not_fit_are_rejected(make: Any, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        make()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (
            ModelDef("one_vs_rest", {"num_classes": scalar("long", 2**62), "num_features": scalar("long", 1)}),
            "'model0'",
        ),
        (ModelDef("categorical_drilldown", {"labels": list_of("string", ["a"])}), "nested model 'model0' is missing"),
        (ModelDef("categorical_drilldown"), "attribute 'labels' is missing"),
        (ModelDef("bisecting_k_means"), "its tree is missing"),
        (ModelDef("linear_svc", {"num_classes": scalar("long", 2)}), "attribute 'coefficients' is missing"),
    ],
)
def test_what_is_missing_is_named(model: ModelDef, reason: str) -> None:
    sockets = tuple(Socket(port, port) for port in ("features", "label", "drilldown.features"))
    with pytest.raises(BundleError, match=f"bundle 'b', node 'n'.*{reason}"):
        read_node(NodeDef("n", sockets, (), model), "bundle 'b'")


def test_nested_model_of_an_unknown_op_says_where_it_is() -> None:
    model = OneVsRest((SVC,), 3).to_model()
    model.models["model0"] = ModelDef("perceptron")
    with pytest.raises(UnsupportedOpError, match="node 'n', model 'model0': unknown op 'perceptron'"):
        read_node(NodeDef("n", (Socket("features", "f"),), (), model), "bundle 'b'")


# ---- linear models ----------------------------------------------------------------------------------------------------

LINKS: dict[str, Callable[[float], float]] = {
    "identity": lambda x: x,
    "logit": lambda x: 1 / (1 + math.exp(-x)),
    "log": math.exp,
    "inverse": lambda x: 1 / x,
    "probit": lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "cloglog": lambda x: 1 - math.exp(-math.exp(x)),
    "sqrt": lambda x: x * x,
}
GREATEST = float(np.finfo(np.float64).max)
RANGES = {
    "gaussian": ("identity", -GREATEST, GREATEST),
    "binomial": ("logit", 1e-16, 1 - 1e-16),
    "poisson": ("log", 1e-16, GREATEST),
    "gamma": ("inverse", 1e-16, GREATEST),
}


@pytest.mark.parametrize("backend", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
@pytest.mark.parametrize("link", [*LINKS, None])
@pytest.mark.parametrize("family", RANGES)
def test_every_family_goes_with_every_link(family: str, link: str | None, backend: Any) -> None:
    own, low, high = RANGES[family]
    op = GeneralizedLinearRegression(np.array([2.0]), 0.5, family, link)
    values = [-3.0, -0.5, 0.125, 1.0, 9.0]
    for x, found in zip(values, outputs(op, *([dense(x)] for x in values), backend=backend), strict=True):
        eta = 2 * x + 0.5
        assert found["link_prediction"] == eta
        expected = min(max(LINKS[link or own](eta), low), high)
        assert found["prediction"] == pytest.approx(expected, rel=1e-12, abs=0)
    infinite, nan = outputs(op, [dense(INF)], [dense(NAN)], backend=backend)
    assert low <= infinite["prediction"] <= high
    assert math.isnan(nan["prediction"])


def test_margin_on_the_threshold_is_class_0() -> None:
    op = LinearSVC(2, np.ones(1), 0.0, 2.0)
    found = outputs(op, [dense(2)], [dense(2.5)], [dense(NAN)], [dense(1, 2)])
    assert [row["prediction"] for row in found] == [0.0, 1.0, 0.0, None]
    assert found[1]["raw_prediction"].tolist() == [-2.5, 2.5]


def test_probability_of_a_support_vector_machine_is_its_raw_prediction() -> None:
    negative, positive = outputs(SVM, [dense(0, 1, 0)], [dense(1, 0, 0)])
    assert negative["probability"].tolist() == negative["raw_prediction"].tolist() == [1.25, -1.25]
    assert (negative["prediction"], positive["prediction"]) == (0.0, 1.0)
    # -0.25 and 0.25, each divided by its threshold.
    (found,) = outputs(replace(SVM, thresholds=(-0.5, 1.0)), [dense(1, 0, 0)])
    assert found["prediction"] == 0.0


def test_quantiles_are_those_of_a_weibull_distribution() -> None:
    op = AFTSurvivalRegression(np.ones(1), 0.5, (0.1, 0.5, 0.99), 0.75)
    (found,) = outputs(op, [dense(1.5)])
    assert found["prediction"] == pytest.approx(math.exp(2))
    expected = stats.weibull_min.ppf([0.1, 0.5, 0.99], 1 / 0.75, scale=math.exp(2))
    np.testing.assert_allclose(found["quantiles"], expected, rtol=1e-12)


def test_quantiles_at_the_ends_are_0_and_infinite_and_none_beyond() -> None:
    (found,) = outputs(AFTSurvivalRegression(np.ones(1), 0.0, (0.0, 1.0, 2.0), 1.0), [dense(0)])
    np.testing.assert_equal(found["quantiles"], [0.0, INF, NAN])
    (found,) = outputs(AFTSurvivalRegression(np.ones(1), 0.0, (1.0,), 1.0), [dense(-INF)])
    np.testing.assert_equal((found["prediction"], found["quantiles"]), (0.0, [NAN]))


# ---- Bayes and perceptrons --------------------------------------------------------------------------------------------


def test_multinomial_bayes_takes_features_below_0() -> None:
    (found,) = outputs(MULTINOMIAL, [dense(-1, 0, 2)])
    raw = THETA @ [-1, 0, 2] + PI
    np.testing.assert_allclose(found["raw_prediction"], raw, rtol=1e-12)
    np.testing.assert_allclose(found["probability"], special.softmax(raw), rtol=1e-12)


def test_bernoulli_bayes_fails_for_other_features_than_0_and_1() -> None:
    op = replace(MULTINOMIAL, model_type="bernoulli")
    rows = [[dense(1, 0, 1)], [Tensor.sparse(3, [0, 1], [1.0, 0.0])], [dense(0.5, 0, 0)], [dense(NAN, 0, 0)]]
    first, second, *others = outputs(op, *rows)
    p = np.exp(THETA)
    np.testing.assert_allclose(first["raw_prediction"], PI + np.log(p[:, 0] * (1 - p[:, 1]) * p[:, 2]), rtol=1e-12)
    np.testing.assert_allclose(second["raw_prediction"], PI + np.log(p[:, 0] * (1 - p[:, 1]) * (1 - p[:, 2])))
    assert [row["prediction"] for row in others] == [None, None]


def test_complement_bayes_fails_for_features_below_0() -> None:
    op = replace(MULTINOMIAL, model_type="complement")
    fine, negative, nan = outputs(op, [dense(1, 0, 2)], [dense(-1, 0, 0)], [dense(NAN, 0, 0)])
    assert special.logsumexp(fine["raw_prediction"]) == pytest.approx(0, abs=1e-12)
    assert negative["prediction"] is nan["prediction"] is None


@pytest.mark.parametrize("special_value", [NAN, INF, -INF])
def test_probabilities_of_infinite_logarithms_are_nan(special_value: float) -> None:
    (found,) = outputs(MULTINOMIAL, [dense(special_value, 0, 0)])
    assert np.isnan(found["probability"]).all()
    assert found["prediction"] == 0.0


@pytest.mark.parametrize("backend", ["vectorized", "rowwise", pytest.param("jvm", marks=pytest.mark.flink)])
def test_elements_that_are_not_stored_take_part_where_mleap_makes_a_vector_dense(backend: Any) -> None:
    unstored = Tensor.sparse(1, [], [])
    perceptron = MultiLayerPerceptronClassifier((1, 1), np.array([NAN, 0.5]))
    (found,) = outputs(perceptron, [unstored], backend=backend)
    assert np.isnan(found["raw_prediction"]).all()
    # The inverse of the least double is infinite.
    mixture = GaussianMixture((np.zeros(1), np.ones(1)), (np.eye(1), np.full((1, 1), 5e-324)), (0.5, 0.5))
    (found,) = outputs(mixture, [unstored], backend=backend)
    assert np.isnan(found["probability"]).all()


def test_perceptron_has_logistic_layers_and_a_softmax() -> None:
    weights = np.linspace(-2.0, 2.0, 20)
    op = MultiLayerPerceptronClassifier((3, 2, 4), weights)
    first, second = weights[:6].reshape(2, 3, order="F"), weights[8:16].reshape(4, 2, order="F")
    raw = second @ special.expit(first @ [1, 2, -1] + weights[6:8]) + weights[16:]
    found, failed = outputs(op, [dense(1, 2, -1)], [dense(1, 2)])
    np.testing.assert_allclose(found["raw_prediction"], raw, rtol=1e-12)
    np.testing.assert_allclose(found["probability"], special.softmax(raw), rtol=1e-12)
    assert found["prediction"] == np.argmax(raw)
    assert failed["prediction"] is None


# ---- clusterings ------------------------------------------------------------------------------------------------------


def test_cluster_is_that_of_the_leaf_even_when_another_is_nearer() -> None:
    # Nearer to leaf 1 at (-3, -1, 0), but the root's second child is nearer than its first.
    found = outputs(BisectingKMeans(clusters()), [dense(-5, 2, 0)], [dense(0.2, -3, 0)], [dense(-3, -2, 0)])
    assert [row["prediction"] for row in found] == [0, 2, 1]


def test_cluster_of_nan_or_of_another_size_fails() -> None:
    found = outputs(BisectingKMeans(clusters()), [dense(NAN, 0, 0)], [dense(1)], [dense(INF, 0, 0)])
    assert [row["prediction"] for row in found] == [None, None, 0]


def test_mixture_weighs_densities() -> None:
    cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    op = GaussianMixture((np.zeros(2), np.ones(2)), (cov, np.eye(2)), (0.25, 0.75))
    (found,) = outputs(op, [dense(0.5, -1)])
    densities = [
        0.25 * stats.multivariate_normal(np.zeros(2), cov).pdf([0.5, -1]),
        0.75 * stats.multivariate_normal(np.ones(2), np.eye(2)).pdf([0.5, -1]),
    ]
    np.testing.assert_allclose(found["probability"], np.array(densities) / sum(densities), rtol=1e-12)
    assert found["prediction"] == np.argmax(densities)


def test_mixture_far_from_all_means_is_even() -> None:
    op = GaussianMixture((np.zeros(1), np.ones(1)), (np.eye(1), np.eye(1)), (0.1, 0.9))
    far, nan = outputs(op, [dense(1e6)], [dense(NAN)])
    assert far["probability"].tolist() == [0.5, 0.5]
    assert np.isnan(nan["probability"]).all()
    assert far["prediction"] == nan["prediction"] == 0


def test_directions_without_extent_do_not_count() -> None:
    flat = GaussianMixture((np.zeros(2), np.zeros(2)), (np.diag([1.0, 0.0]), np.diag([4.0, 0.0])), (0.5, 0.5))
    line = GaussianMixture((np.zeros(1), np.zeros(1)), (np.eye(1), np.array([[4.0]])), (0.5, 0.5))
    np.testing.assert_allclose(
        outputs(flat, [dense(3, 7)])[0]["probability"], outputs(line, [dense(3)])[0]["probability"], rtol=1e-12
    )


def lda(**changes: Any) -> LDA:
    return LDA(3, (0.5, 0.25), 0.5, np.array([[4.0, 0.5], [0.25, 8.0], [2.0, 2.0]]), **changes)


def test_document_has_the_topics_of_its_terms_and_repeats() -> None:
    rows = [[dense(5, 0, 0)], [dense(0, 5, 0)], [dense(0, 0, 0)], [dense(5, 0, 0)]]
    first, second, empty, again = (row["prediction"] for row in outputs(lda(), *rows))
    assert first[0] > 0.8 and second[1] > 0.8
    assert first.sum() == pytest.approx(1)
    assert empty.tolist() == [0, 0]
    assert first.tolist() == again.tolist()


def test_inference_starts_from_the_numbers_that_mleap_draws() -> None:
    drawn = [
        *(0.9207522951297558, 0.972190296609509, 0.9161292703613801, 1.0403694214760428, 1.1374633601481037),
        *(0.9657066377290822, 0.9613675326159699, 0.9804776144608085, 1.0578157565531485, 1.004341978147884),
    ]
    np.testing.assert_allclose(list(islice(gamma_numbers(100.0), 10)), drawn, rtol=1e-15)


@pytest.mark.parametrize("backend", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
def test_document_fails_for_terms_beyond_the_known_ones(backend: Any) -> None:
    rows = [
        [dense(1, 0, 0, 0)],
        [Tensor.sparse(4, [0], [1.0])],
        [Tensor.sparse(4, [0, 3], [1.0, 0.0])],
        [dense(0, 0, 0, 0)],
        [dense(1)],
        [dense(NAN, 0, 0)],
    ]
    schema = Schema.of([("features", TensorType(BasicType.DOUBLE))])
    frame = LeapFrame(schema, [tuple(row) for row in rows])
    found = model_of(lda()).transform(frame, backend=backend, on_error="null").column("prediction")
    one = outputs(lda(), [dense(1, 0, 0)])[0]["prediction"]
    assert found[0] is None and found[2] is None
    np.testing.assert_allclose([found[1].to_dense(), found[4].to_dense()], [one, one], rtol=1e-12)
    assert found[3].to_dense().tolist() == [0, 0]
    assert np.isnan(found[5].to_dense()).all()


@pytest.mark.parametrize("backend", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
def test_counts_below_0_give_an_answer_or_fail(backend: Any) -> None:
    found = outputs(lda(), *([dense(-x, 3, x)] for x in (1.0, 10.0, 1e3, 1e300)), backend=backend)
    assert len(found) == 4


# ---- ensembles --------------------------------------------------------------------------------------------------------


def test_class_is_that_of_the_most_probable_member() -> None:
    (found,) = outputs(OneVsRest((TREE, OTHER_TREE), 3), [dense(0, 0, 0)])
    # Counts (3, 1) and (8, 4): the second is the less sure that it is the rest.
    assert found["raw_prediction"].tolist() == [1.0, 4.0]
    assert found["prediction"] == 1.0
    assert found["probability"] == 4 / 12


def test_first_of_equal_members_wins_and_nan_over_all() -> None:
    tie = OneVsRest((SVC, SVC), 3)
    assert [row["prediction"] for row in outputs(tie, [dense(9, 0, 0)], [dense(-9, 0, 0)])] == [0.0, 0.0]
    (found,) = outputs(OneVsRest((TREE, BINARY), 3), [dense(NAN, 0, 0)])
    assert found["prediction"] == 1.0
    assert math.isnan(found["probability"])


@pytest.mark.parametrize("member", [BINARY, GBT, FOREST, SVM, MULTINOMIAL, TREE], ids=lambda op: op.op)
def test_member_answers_as_it_does_alone(member: Any) -> None:
    row = [dense(0.25, 1, 2)]
    (alone,) = outputs(member, row)
    (found,) = outputs(OneVsRest((member,), 3), row)
    assert (found["raw_prediction"][0], found["probability"]) == (alone["raw_prediction"][1], alone["probability"][1])


@pytest.mark.parametrize("backend", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
class TestDrilldown:
    def test_answer_is_that_of_the_label(self, backend: Any) -> None:
        op = CategoricalDrilldown(("a", "b", "a"), (TREE, FOREST, OTHER_TREE))
        x = dense(0, 1, 2)
        a, b, other = outputs(op, ["a", x], ["b", x], ["c", x], backend=backend)
        for found, model in ((a, OTHER_TREE), (b, FOREST)):
            (alone,) = outputs(model, [x])
            for port, value in alone.items():
                np.testing.assert_array_equal(found[f"drilldown.{port}"], value)
        assert other["drilldown.prediction"] is None

    def test_row_fails_only_where_its_own_model_does(self, backend: Any) -> None:
        op = CategoricalDrilldown(("a", "b"), (LinearRegression(np.ones(2), 0.0), LinearRegression(np.ones(3), 0.0)))
        found = outputs(op, ["a", dense(1, 2)], ["b", dense(1, 2)], ["b", dense(1, 2, 3)], backend=backend)
        assert [row["drilldown.prediction"] for row in found] == [3.0, None, 6.0]

    def test_error_names_the_column_that_the_model_reads(self, backend: Any) -> None:
        op = CategoricalDrilldown(("a",), (LinearRegression(np.ones(2), 0.0),))
        frame = LeapFrame(Schema.of(list(op.inputs().items())), [("a", dense(1, 2)), ("a", dense(1))])
        with pytest.raises(Exception, match="column 'drilldown.features', row 1"):
            model_of(op).transform(frame, backend=backend)

    def test_row_is_dropped_only_where_its_own_model_does(self, backend: Any) -> None:
        keep, skip = StringIndexer((("x", "y"),), "keep"), StringIndexer((("y", "x"),), "skip")
        op = CategoricalDrilldown(("keep", "skip"), (keep, skip))
        rows = [("keep", "x"), ("keep", "z"), ("skip", "z"), ("skip", "x"), ("skip", None)]
        frame = LeapFrame(Schema.of(list(op.inputs().items())), rows)
        result = model_of(op).transform(frame, backend=backend, on_error="null")
        assert [(row[0], row[1], row[2]) for row in result.rows] == [
            ("keep", "x", 0.0),
            ("keep", "z", 2.0),
            ("skip", "x", 1.0),
            ("skip", None, None),
        ]

    def test_drilldown_goes_down_several_times(self, backend: Any) -> None:
        ones, twos = LinearRegression(np.ones(1), 0.0), LinearRegression(np.full(1, 2.0), 0.0)
        inner = CategoricalDrilldown(("x", "y"), (ones, twos))
        op = CategoricalDrilldown(("a", "b"), (inner, CategoricalDrilldown(("x",), (twos,))))
        found = outputs(
            op, ["a", "x", dense(3)], ["a", "y", dense(3)], ["b", "x", dense(3)], ["b", "y", dense(3)], backend=backend
        )
        assert [row["drilldown.drilldown.prediction"] for row in found] == [3.0, 6.0, 6.0, None]


def test_recorded_drilldown_that_mleap_cannot_read_answers() -> None:
    case = Case(GOLDEN / "ensemble/categorical-drilldown")
    (found,) = case.model().transform(case.input()).column("out")
    assert found == pytest.approx(2.26 + 0.531 + 1.779 + 0.5)


# ---- properties -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
@pytest.mark.parametrize("op", [op for op in OPS if "features" in op.inputs()], ids=lambda op: op.op)
def test_tensor_of_several_dimensions_is_no_vector(op: Op, backend: Any) -> None:
    schema = Schema.of([("features", TensorType(BasicType.DOUBLE))])
    square = Tensor.dense([[0.0, 1.0, 0.0]] * 3)
    result = model_of(op).transform(LeapFrame(schema, [(square,)]), backend=backend, on_error="null")
    assert set(result.rows[0][1:]) == {None}


@pytest.mark.slow
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_row_does_not_depend_on_the_rows_around_it(op: Op, data: st.DataObject) -> None:
    given_rows = data.draw(rows_of(op))
    batch = outputs(op, *map(list, given_rows))
    for row, together in zip(given_rows, batch, strict=True):
        check(outputs(op, list(row))[0], together)
