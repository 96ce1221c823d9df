"""Models of any source as directories of Spark, and what is made of them again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as draw_of
from hypothesis import settings
from hypothesis import strategies as st
from scipy import sparse

import leapstream
from leapstream import BundleError, Model, UnsupportedOpError, from_spark, to_spark
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import BasicType, Schema, TensorType
from leapstream.exporters.spark.stages import BY_OP
from leapstream.ops import feature, linear
from leapstream.ops import trees as forests
from leapstream.ops.ensemble import OneVsRest
from leapstream.ops.pipeline import Node, Pipeline
from tests.exporters.agreement import columns_of
from tests.exporters.estimators import PREDICTORS, TRANSFORMERS
from tests.exporters.spark.recorded import node
from tests.golden_corpus import Case, cases
from tests.trees import NUMBERS, random_tree

LINEAR = node("linear", linear.LinearRegression(np.ones(3), 0.0), "normed", result="prediction")


OTHER_ANSWERS = {
    "clipping": (feature.MaxAbsScaler(np.ones(3)), r"\[-1, 1\], and Spark's stage does not"),
    "missing values": (feature.Imputer(0.0, -1.0), "it fills in what is -1.0: in MLeap NaN too"),
}


@pytest.mark.parametrize("name", OTHER_ANSWERS)
def test_of_answers_that_spark_does_not_give_one_is_warned(name: str, tmp_path: Path) -> None:
    op, message = OTHER_ANSWERS[name]
    with pytest.warns(UserWarning, match=f"node 'one' .*{message}"):
        to_spark(node("one", op, "v"), tmp_path / "spark")


NO_VALUES_OF_SPARK = {
    "Normalizer": feature.Normalizer(0.5, 3),
    "PolynomialExpansion": feature.PolynomialExpansion(0, 3),
    "NGram": feature.NGram(0),
    "Bucketizer": feature.Bucketizer((0.0, 1.0)),
    "VectorSlicer": feature.VectorSlicer((1, 1), (), (), 3),
    "CountVectorizer": feature.CountVectorizer(("a", "a"), False, 1.0),
}


@pytest.mark.parametrize("name", NO_VALUES_OF_SPARK)
def test_values_that_spark_rejects_are_rejected_by_node(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match=r"node 'one' \(.*Spark"):
        to_spark(node("one", NO_VALUES_OF_SPARK[name], "v"), tmp_path / "spark")


# ---- what MLeap has recorded -------------------------------------------------------------------------------------------


def _from_spark() -> Iterator[Case]:
    """Bundles of MLeap's exporters for Spark and scikit-learn, whose ops all have stages in Spark."""
    known = {op.op for op in BY_OP} | {"pipeline"}
    for case in cases():
        if case.known and "load_error" not in case.info and set(case.info["ops"]) <= known:
            yield case


NO_STAGE_FOR_IT = {
    "classification/one-vs-rest-svc": "may be in another order",
    "classification/one-vs-rest-tree": "may be in another order",
    "classification/one-vs-rest-extension": "its output 'probability' is connected",
    "feature/reverse-string-indexer-list": "several indices at once",
    "feature/reverse-string-indexer-tensor": "several indices at once",
    "feature/normalizer-inf-json": "its p_norm is nan",
    "handmade/word2vec-list": "its kernel is 'sqrt'|double precision",
    "handmade/word2vec-sqrt": "its kernel is 'sqrt'",
    "handmade/word2vec-tensor": "its kernel is 'sqrt'|double precision",
}
OTHER_OP = {"sklearn_binarizer": "binarizer", "max_abs_scaler": "standard_scaler"}
"""Ops for which Spark has a stage that other ops compute, or compute more truly to it."""

AS_SPARK = {
    "feature/binarizer-vector-negative-threshold",
    "feature/interaction-one-hot",
    *(case.name for case in cases() if "max_abs_scaler" in case.info["ops"]),
}
"""Cases whose results change on the way through Spark, because MLeap's op and Spark's stage differ."""

OUT_OF_PLACE = {"sklearn/pca", "feature/binarizer-list-input"}
"""A bundle whose transposed matrix fits no input, and one over lists, which are not vectors in Spark."""

GOLDEN = [case for case in _from_spark() if case.name not in OUT_OF_PLACE and not case.name.startswith("frame/")]


@pytest.mark.slow
@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_a_bundle_goes_into_spark_and_comes_back_as_it_was(case: Case, tmp_path: Path) -> None:
    model = case.model()
    if case.name in NO_STAGE_FOR_IT:
        with pytest.raises(UnsupportedOpError, match=NO_STAGE_FOR_IT[case.name]):
            to_spark(model, tmp_path / "spark")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        to_spark(model, tmp_path / "spark")
        again = from_spark(tmp_path / "spark", case.input().schema)
    found = [node.op.op for node in again.nodes if not node.name.endswith("_dense")]
    assert found == [OTHER_OP.get(node.op.op, node.op.op) for node in model.nodes]
    if case.name not in AS_SPARK:
        report = case.verify(again, "vectorized", intermediate=True)
        assert report.ok, report.reasons


def test_an_op_without_a_stage_is_rejected_by_its_node(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match="node 'sine': Spark ML has no stage for the op 'math_unary'"):
        to_spark(node("sine", feature.MathUnary("sin"), "x"), tmp_path / "spark")
    assert not (tmp_path / "spark").exists()


def test_an_element_of_a_vector_becomes_a_number_for_spark(tmp_path: Path) -> None:
    first = node("first", feature.VectorSlicer((1,), (), (), 4), "v")
    bucket = node("bucket", feature.Bucketizer((0.0, 1.0, 2.0)), "first")
    to_spark(Pipeline("p", (first, bucket)), tmp_path / "spark")
    again = from_spark(tmp_path / "spark", Schema.of([("v", TensorType(BasicType.DOUBLE, (4,)))]))
    assert [n.op.op for n in again.nodes] == ["vector_slicer", "linear_regression", "bucketizer"]
    rows = {"v": np.array([[9.0, 1.5, 9.0, 9.0]])}
    assert again.predict(rows, outputs=["bucket"])["bucket"].tolist() == [1.0]


def test_directories_of_others_are_left_alone_and_those_of_spark_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="other things than a pipeline of Spark"):
        to_spark(LINEAR, tmp_path)
    for _ in range(2):
        to_spark(LINEAR, tmp_path / "spark")
    assert from_spark(tmp_path / "spark").nodes[0].name == "linear"


def test_names_that_cannot_be_part_of_a_path_are_changed(tmp_path: Path) -> None:
    to_spark(Pipeline("../up", (node("a/b", linear.LinearRegression(np.ones(3), 0.0), "v"),)), tmp_path / "spark")
    assert [path.name for path in (tmp_path / "spark" / "stages").iterdir()] == ["0_a_b"]
    assert from_spark(tmp_path / "spark").nodes[0].name == "a_b"


def test_a_hash_of_spark_2_stays_one(tmp_path: Path) -> None:
    op = feature.HashingTermFrequency(16, False, 1)
    to_spark(node("tf", op, "words"), tmp_path / "spark")
    metadata = json.loads((tmp_path / "spark" / "stages" / "0_tf" / "metadata" / "part-00000").read_text())
    assert metadata["sparkVersion"] == "2.4.8"
    assert from_spark(tmp_path / "spark").nodes[0].op == op


# ---- trees and numbers of any kind ------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=40)
@draw_of(seed=st.integers(0, 2**32 - 1), classes=st.sampled_from([None, 2, 3]))
def test_trees_of_any_shape_go_through_spark_unchanged(seed: int, classes: int | None) -> None:
    rng = np.random.default_rng(seed)
    trees = [random_tree(rng, 4, 3, classes or 1, numbered=2) for _ in range(int(rng.integers(1, 5)))]
    weights = tuple(rng.normal(size=len(trees)).tolist())
    op: Any
    if classes is None:
        op = forests.GBTRegression(3, weights, tuple(forests.DecisionTreeRegression(tree, 3) for tree in trees))
    else:
        counted = [replace(tree, data=np.abs(tree.data)) for tree in trees]
        members = tuple(forests.DecisionTreeClassifier(tree, 3, classes) for tree in counted)
        op = forests.RandomForestClassifier(3, classes, weights, members)
    model = Model.from_node(node("forest", op, "v"))
    with TemporaryDirectory() as folder:
        to_spark(model, Path(folder) / "spark")
        again = from_spark(Path(folder) / "spark")
    rows = rng.choice(NUMBERS, (50, 3))
    rows[:, 2] = rng.choice([0.0, 1.0, 2.0, 3.0, 7.0, np.nan], 50)
    columns = model.schema.outputs.names
    found, wanted = (m.predict({"v": rows}, outputs=columns) for m in (again, model))
    for column in columns:
        np.testing.assert_array_equal(np.stack(found[column]), np.stack(wanted[column]))


# ---- scikit-learn -----------------------------------------------------------------------------------------------------


def _array(column: Any) -> npt.NDArray[Any]:
    if sparse.issparse(column):
        return column.toarray()
    return np.asarray(column.tolist())


WITHOUT_STAGE = ("math_unary", "string_map", "sklearn_polynomial_expansion")
CLIPS = {
    *("MinMaxScaler with clip", "MaxAbsScaler with clip"),
    *("SGDClassifier modified huber, two", "SGDClassifier modified huber, three"),
}
"""Spark has nothing that clips, of which one is warned."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in (*TRANSFORMERS, *PREDICTORS) if name not in CLIPS])
def test_a_model_of_scikit_learn_goes_through_spark_unchanged(name: str, tmp_path: Path) -> None:
    estimator, rows = {**TRANSFORMERS, **PREDICTORS}[name]()
    model = leapstream.from_sklearn(estimator, rows)
    if any(node.op.op in WITHOUT_STAGE for node in model.nodes):
        with pytest.raises(UnsupportedOpError, match="Spark ML has no stage for the op"):
            to_spark(model, tmp_path / "spark")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        to_spark(model, tmp_path / "spark")
        again = from_spark(tmp_path / "spark", model.schema.inputs)
    columns = model.schema.outputs.names
    found, wanted = (m.predict(columns_of(m, rows), outputs=columns) for m in (again, model))
    for column in columns:
        values = [_array(result[column]) for result in (found, wanted)]
        if values[1].dtype.kind in "OUS":
            assert values[0].tolist() == values[1].tolist()
        else:
            np.testing.assert_allclose(values[0], values[1], rtol=1e-12, atol=1e-12)


# ---- one-vs-rest, which PySpark runs in Python ------------------------------------------------------------------------


def one_vs_rest(**outputs: str) -> Node:
    members = tuple(linear.LogisticRegression(2, coefficients=np.eye(3)[i], intercept=0.0) for i in range(3))
    ports = tuple(Socket(port, column) for port, column in outputs.items())
    return Node("rest", OneVsRest(members, 3), (Socket("features", "normed"),), ports)


def raw_predictions(folder: Path) -> set[str]:
    """The columns of raw predictions of all stages that were written."""
    found = set()
    for part in folder.rglob("metadata/part-*"):
        name = json.loads(part.read_text())["paramMap"].get("rawPredictionCol")
        found |= {name} if name is not None else set()
    return found


def test_a_one_vs_rest_model_without_raw_predictions_gets_the_column_that_pyspark_reads(tmp_path: Path) -> None:
    to_spark(one_vs_rest(prediction="prediction"), tmp_path / "spark")
    assert raw_predictions(tmp_path / "spark") == {"rawPrediction"}


def test_of_a_one_vs_rest_model_that_pyspark_cannot_run_one_is_warned(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="node 'rest' .*PySpark, unlike Spark in Scala"):
        to_spark(one_vs_rest(raw_prediction="margins", prediction="prediction"), tmp_path / "spark")
    assert raw_predictions(tmp_path / "spark") == {"margins"}
    other = node("other", linear.LinearRegression(np.ones(3), 0.0), "normed", result="rawPrediction")
    with pytest.warns(UserWarning, match="node 'rest' .*PySpark, unlike Spark in Scala"):
        to_spark(Pipeline("p", (one_vs_rest(prediction="prediction"), other)), tmp_path / "spark")
    assert "rest_rawPrediction" in raw_predictions(tmp_path / "spark")
