"""Boosters give what XGBoost itself gives, whatever their objective, kind and format."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leapstream import BundleError, LeapFrame, Model, PredictionError, Tensor
from leapstream.bundle.definition import Socket
from leapstream.bundle.reader import decode_files
from leapstream.bundle.types import Schema
from leapstream.bundle.writer import encode_files
from leapstream.ops.pipeline import Node
from leapstream.ops.xgboost import XGBoostClassifier, XGBoostRegression
from leapstream.plan import primitives as p
from tests.boosters import BOOSTERS, FEATURES, FORMATS, OBJECTIVES, features, matrix, saved, train
from tests.golden_corpus import cases

BACKENDS = ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)]
X = features(80, seed=5)
TRAINABLE = [(o, b) for o in OBJECTIVES for b in BOOSTERS if (o, b) != ("reg:absoluteerror", "gblinear")]


def node(op: Any, *ports: str) -> Model:
    return Model.from_node(Node("n", op, (Socket("features", "x"),), tuple(Socket(port, port) for port in ports)))


def outputs(model: Model, x: npt.NDArray[Any] | list[Tensor], backend: str) -> dict[str, npt.NDArray[Any]]:
    rows = [[v if isinstance(v, Tensor) else Tensor.dense(v)] for v in x]
    frame = model.transform(LeapFrame(Schema.of([("x", p.vector(FEATURES))]), rows), backend=backend)
    found = {}
    for f in frame.schema.fields[1:]:
        values = [v.to_dense() if isinstance(v, Tensor) else v for v in frame.column(f.name)]
        found[f.name] = np.array(values)
    return found


def regression(booster: Any, form: str = "ubj", **options: Any) -> XGBoostRegression:
    return XGBoostRegression(FEATURES, saved(booster, form), **options)


def close(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("objective", "booster"), TRAINABLE)
def test_prediction_and_contributions_are_those_of_the_library(objective: str, booster: str, backend: str) -> None:
    trained = train(objective, booster)
    found = outputs(node(regression(trained), "prediction", "contrib_prediction"), X, backend)
    theirs = trained.predict(matrix(X))
    close(found["prediction"], theirs.reshape(len(X), -1)[:, 0])
    close(found["contrib_prediction"], trained.predict(matrix(X), pred_contribs=True))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", ["multi:softprob", "binary:logistic"])
def test_leaves_are_those_of_the_library(objective: str, backend: str) -> None:
    trained = train(objective, "dart", num_parallel_tree=2)
    found = outputs(node(regression(trained), "prediction", "leaf_prediction"), X, backend)
    np.testing.assert_array_equal(found["leaf_prediction"], trained.predict(matrix(X), pred_leaf=True))


@pytest.mark.parametrize("backend", BACKENDS)
def test_classifier_of_several_classes_gives_margins_probabilities_and_the_first_of_the_most_probable(
    backend: str,
) -> None:
    trained = train("multi:softprob")
    op = XGBoostClassifier(3, FEATURES, saved(trained))
    found = outputs(node(op, "raw_prediction", "probability", "prediction"), X, backend)
    probability = trained.predict(matrix(X))
    close(found["raw_prediction"], trained.predict(matrix(X), output_margin=True))
    close(found["probability"], probability)
    np.testing.assert_array_equal(found["prediction"], probability.argmax(axis=1))


@pytest.mark.parametrize("backend", BACKENDS)
def test_classifier_of_two_classes_gives_both_probabilities_and_rounds_the_second(backend: str) -> None:
    trained = train("binary:logistic")
    op = XGBoostClassifier(2, FEATURES, saved(trained, FORMATS[-1]))
    found = outputs(node(op, "raw_prediction", "probability", "prediction"), X, backend)
    probability, margin = trained.predict(matrix(X)), trained.predict(matrix(X), output_margin=True)
    close(found["raw_prediction"], np.stack([-margin, margin], axis=1))
    close(found["probability"], np.stack([1 - probability, probability], axis=1))
    np.testing.assert_array_equal(found["prediction"], np.floor(probability + 0.5))


@pytest.mark.parametrize("booster", BOOSTERS)
@pytest.mark.parametrize("objective", ["reg:gamma", "multi:softprob"])
def test_booster_means_the_same_in_each_format(objective: str, booster: str) -> None:
    ports = ("prediction", "contrib_prediction")
    first, *others = (outputs(node(regression(train(objective, booster), f), *ports), X, "vectorized") for f in FORMATS)
    for other in others:
        for port in ports:
            np.testing.assert_array_equal(first[port], other[port])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("limit", [0, 2, 4, 5, 8])
def test_tree_limit_counts_trees_of_each_group(limit: int, backend: str) -> None:
    trained = train("multi:softprob", num_parallel_tree=2)
    found = outputs(node(regression(trained, tree_limit=limit), "prediction", "contrib_prediction"), X, backend)
    bounds = (0, limit // 2)
    close(found["prediction"], trained.predict(matrix(X), iteration_range=bounds)[:, 0])
    close(found["contrib_prediction"], trained.predict(matrix(X), iteration_range=bounds, pred_contribs=True))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("limit", [10, -1])
def test_tree_limit_beyond_the_trees_fails_every_row(limit: int, backend: str) -> None:
    model = node(regression(train("reg:squarederror"), tree_limit=limit), "prediction")
    with pytest.raises(PredictionError, match="has 4 rounds"):
        outputs(model, X, backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_element_that_a_sparse_vector_does_not_store_is_missing_and_a_stored_zero_is_not(backend: str) -> None:
    trained = train("reg:squarederror")
    zero, nothing = Tensor.sparse(FEATURES, [0, 2], [0.0, 0.0]), Tensor.sparse(FEATURES, [], [])
    rows = np.array([[0.0, math.nan, 0.0, math.nan], [math.nan] * 4, [0.0] * 4])
    found = outputs(node(regression(trained), "prediction"), [zero, nothing, Tensor.dense([0.0] * 4)], backend)
    close(found["prediction"], trained.predict(matrix(rows)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_shorter_vector_lacks_the_rest_and_a_longer_one_fails(backend: str) -> None:
    trained = train("reg:squarederror")
    model = node(regression(trained), "prediction")
    short = np.array([[0.3, -0.2, math.nan, math.nan]])
    close(outputs(model, [Tensor.dense([0.3, -0.2])], backend)["prediction"], trained.predict(matrix(short)))
    with pytest.raises(PredictionError, match="at most 4"):
        outputs(model, [Tensor.dense([0.0] * 5)], backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e39])
def test_infinite_element_fails_even_where_no_tree_tests_it(value: float, backend: str) -> None:
    model = node(
        regression(train("reg:squarederror", max_depth=0, grow_policy="lossguide", max_leaves=1)), "prediction"
    )
    with pytest.raises(PredictionError, match="infinite"):
        outputs(model, [Tensor.dense([0.0, 0.0, 0.0, value])], backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_linear_booster_has_no_leaves(backend: str) -> None:
    model = node(regression(train("reg:squarederror", "gblinear")), "prediction", "leaf_prediction")
    with pytest.raises(PredictionError, match="no leaves"):
        outputs(model, X, backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_category_that_is_unknown_or_no_integer_goes_where_the_library_sends_it(backend: str) -> None:
    import xgboost

    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, (300, 2)).astype(float)
    y = np.isin(x[:, 0], [1, 4]) * 2.0 + (x[:, 1] == 3)
    data = xgboost.DMatrix(x, y, feature_types=["c", "c"], enable_categorical=True, nthread=1)
    trained = xgboost.train({"max_depth": 3, "max_cat_to_onehot": 2, "nthread": 1}, data, 3)
    rows = np.array([[1.0, 3.0], [4.5, 3.9], [-0.5, -1.0], [9.0, 2.0**25], [math.nan, 3.0], [0.0, math.nan]])
    theirs = trained.predict(xgboost.DMatrix(rows, feature_types=["c", "c"], enable_categorical=True, nthread=1))
    op = XGBoostRegression(2, saved(trained))
    found = outputs(node(op, "prediction"), [Tensor.dense(r) for r in rows], backend)
    close(found["prediction"], theirs)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "threshold", [math.nan, math.inf, -math.inf, 0.0, -0.0, float(np.finfo(np.float32).min), 1e-45]
)
@pytest.mark.parametrize("default_left", [0, 1])
def test_odd_threshold_sends_rows_where_the_library_does(threshold: float, default_left: int, backend: str) -> None:
    import xgboost

    document = json.loads(saved(train("reg:squarederror"), "json"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["split_conditions"][0], tree["default_left"][0], tree["split_indices"][0] = threshold, default_left, 0
    trained = xgboost.Booster({"nthread": 1}, model_file=bytearray(json.dumps(document).encode()))
    rows = np.array([[v, 0.1, 0.2, 0.3] for v in (-1.0, -0.0, 0.0, 1e-45, 3e38, -3.4028234663852886e38, math.nan)])
    found = outputs(node(regression(trained), "prediction", "contrib_prediction"), rows, backend)
    close(found["prediction"], trained.predict(matrix(rows)))
    close(found["contrib_prediction"], trained.predict(matrix(rows), pred_contribs=True))


@pytest.mark.flink
@pytest.mark.parametrize("booster", BOOSTERS)
@pytest.mark.parametrize("objective", ["reg:gamma", "binary:logistic", "multi:softprob"])
def test_both_backends_give_the_same_bits(objective: str, booster: str) -> None:
    op = XGBoostClassifier(3, FEATURES, saved(train(objective, booster)))
    model = node(op, "raw_prediction", "probability", "prediction", "contrib_prediction")
    ours, theirs = (outputs(model, X, backend) for backend in ("vectorized", "jvm"))
    for port, values in ours.items():
        np.testing.assert_array_equal(values, theirs[port])


@pytest.mark.parametrize("form", ["json", "protobuf"])
@pytest.mark.parametrize(
    "op",
    [
        XGBoostRegression(FEATURES, saved(train("reg:squarederror"))),
        XGBoostClassifier(
            3, FEATURES, saved(train("multi:softprob"), "json"), 2, missing=math.nan, thresholds=(0.1, 0.2, 0.3)
        ),
    ],
)
def test_op_that_is_written_reads_back_equal(op: Any, form: Any) -> None:
    model = node(op, "prediction")
    (read,) = [n.op for n in [Model(decode_files(encode_files(model.definition, form))).root]]  # type: ignore[union-attr]
    assert read == op


@pytest.mark.parametrize("case", [c for c in cases() if c.name.startswith("xgboost/")], ids=lambda c: c.name)
def test_op_has_the_attributes_and_the_booster_that_the_original_wrote(case: Any) -> None:
    from leapstream.bundle.reader import read_bundle

    given = read_bundle(case.bundle).root.model
    written = case.model().root.op.to_model()
    assert {k: repr(v) for k, v in written.attributes.items() if k != "tree_limit"} == {
        k: repr(v) for k, v in given.attributes.items() if k != "tree_limit"
    }
    assert written.files == given.files


@pytest.mark.slow
def test_damaged_booster_is_rejected_or_predicts() -> None:
    rng = np.random.default_rng(0)
    for form in FORMATS:
        data = saved(train("multi:softprob", "dart"), form)
        for _ in range(60):
            damaged = bytearray(data)
            if rng.random() < 0.3:
                damaged = damaged[: rng.integers(len(data))]
            else:
                damaged[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
            try:
                op = XGBoostRegression(FEATURES, bytes(damaged))
                outputs(node(op, "prediction", "leaf_prediction", "contrib_prediction"), X[:2], "vectorized")
            except (BundleError, PredictionError):
                continue


@pytest.mark.parametrize(
    "data", [b"", b"binf", b"{", b"{}", b"{L\xff\xff\xff\xff\xff\xff\xff\xff", b"bs64abc", b"[" * 2000]
)
def test_what_is_not_a_booster_is_rejected(data: bytes) -> None:
    with pytest.raises(BundleError, match="xgboost.model"):
        XGBoostRegression(FEATURES, data)


def test_unknown_objective_is_rejected() -> None:
    data = saved(train("reg:squarederror"), "json").replace(b"reg:squarederror", b"reg:squarederr0r")
    with pytest.raises(BundleError, match="squarederr0r"):
        XGBoostRegression(FEATURES, data)
