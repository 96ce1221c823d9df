"""Spark itself: what it has fitted is read, and what is written for it is loaded (``make test-spark``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyspark")

import pyspark
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession

from leapstream import ExportError, LeapFrame, Model, UnsupportedOpError, from_spark, to_spark
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import BasicType, ListType, ScalarType, Schema, TensorType
from leapstream.contract import Answers, verify_frames
from leapstream.exporters.child import call
from leapstream.exporters.spark import live
from leapstream.exporters.spark.stages import BY_OP
from leapstream.ops.feature import MinHashLSH
from leapstream.ops.pipeline import Node
from tests.exporters.spark import stages
from tests.exporters.spark.cases import LEFT_OUT, OTHER_HASHES, REJECTED, tolerance
from tests.exporters.spark.frames import leap_frame, spark_frame
from tests.golden_corpus import Case, cases

# Py4J and PySpark leave sockets, pools and processes to the end of the process.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Any:
    return stages.rows(spark).cache()


@pytest.fixture(scope="module")
def given(frame: Any) -> LeapFrame:
    """The frame's rows, collected once."""
    return leap_frame(frame, frame.columns)


@pytest.fixture(scope="module")
def schema(given: LeapFrame) -> Schema:
    return given.schema


def assert_gives(model: Model, name: str, given: LeapFrame, result: Any) -> None:
    """Hold a model to what Spark has made of the frame."""
    columns = {*model.schema.outputs.names, *model.schema.intermediate.names}
    added = [column for column in result.columns if column not in given.schema.names]
    missing = set(added) - columns - LEFT_OUT.get(name, set())
    assert not missing
    # A join changes the order of the rows.
    expected = leap_frame(result, added, order="n")
    report = verify_frames(model, given, expected, "vectorized", tolerance(name), intermediate=True)
    assert report.ok, report.reasons


@pytest.mark.parametrize("name", [name for name in stages.names() if name not in REJECTED])
def test_a_model_gives_what_spark_does_and_spark_loads_it_again(
    name: str, frame: Any, given: LeapFrame, schema: Schema, tmp_path: Path
) -> None:
    fitted = stages.fitted(name, frame)
    model = from_spark(fitted, schema)
    if name == OTHER_HASHES:
        return
    assert_gives(model, name, given, fitted.transform(frame))
    to_spark(model, tmp_path / "written")
    written = PipelineModel.load(str(tmp_path / "written")).transform(frame)
    assert_gives(model, name, given, written)


@pytest.mark.parametrize("name", sorted(REJECTED))
def test_what_no_op_computes_is_rejected(name: str, frame: Any, schema: Schema) -> None:
    with pytest.raises(UnsupportedOpError, match=REJECTED[name]):
        from_spark(stages.fitted(name, frame), schema)


def test_hashes_that_do_not_overflow_are_those_of_spark(frame: Any, given: LeapFrame, tmp_path: Path) -> None:
    op = MinHashLSH((3, 17), (5, 11), 4)
    model = Model.from_node(Node("hash", op, (Socket("input", "features"),), (Socket("output", "hashes"),)))
    to_spark(model, tmp_path / "written")
    written = PipelineModel.load(str(tmp_path / "written")).transform(frame)
    assert_gives(model, OTHER_HASHES, given, written)


# ---- what MLeap has recorded ------------------------------------------------------------------------------------------

_OTHER_TYPES = ("boolean", "float", "int", "long", "list-input")
NOT_SPARK = {
    "sklearn/pca",  # its matrix is transposed and fits no input
    "classification/one-vs-rest-extension",  # the rest is rejected, or over types that Spark's stage does not take
    "feature/reverse-string-indexer-list",
    "feature/reverse-string-indexer-tensor",
    "feature/string-indexer-from-boolean",
    "feature/string-indexer-multi-column-casts",
    *(f"feature/binarizer-{kind}" for kind in _OTHER_TYPES),
}


def _recorded() -> list[Case]:
    """Cases of ops that Spark has stages for, that MLeap and Spark answer alike, in every row."""
    known = {op.op for op in BY_OP} | {"pipeline"}
    found = []
    for case in cases():
        info = case.info
        apart = any(info.get(key) for key in ("load_error", "error_rows", "dropped_rows", "spark_disagreements"))
        plain = case.known and not apart and set(info["ops"]) <= known and case.name not in NOT_SPARK
        if plain and case.name.split("/")[0] in FAMILIES and all(_in_spark(f.type) for f in case.input().schema):
            found.append(case)
    return found


FAMILIES = ("classification", "clustering", "feature", "pipeline", "regression", "sklearn")


def _in_spark(data_type: Any) -> bool:
    if isinstance(data_type, TensorType):
        return data_type.base is BasicType.DOUBLE and len(data_type.dimensions or ()) == 1
    return isinstance(data_type, (ScalarType, ListType))


@pytest.mark.skipif(
    pyspark.__version__.startswith("3."),
    reason="what is written is the same for all versions; Spark 3.5 loads a model of every stage above, and Spark 4 all of these",
)
@pytest.mark.parametrize("case", _recorded(), ids=lambda case: case.name)
def test_spark_gives_what_mleap_has_recorded(case: Case, spark: SparkSession, tmp_path: Path) -> None:
    to_spark(case.model(), tmp_path / "written")
    given = spark_frame(spark, case.input())
    result = PipelineModel.load(str(tmp_path / "written")).transform(given)
    added = [column for column in result.columns if column not in given.columns]
    frame = leap_frame(result, added)
    report = case.verify_answers(Answers(frame.schema, dict(enumerate(map(tuple, frame.rows))), {}))
    assert report.ok, report.reasons


# ---- the comparison with Spark ----------------------------------------------------------------------------------------


def test_a_fitted_model_is_compared_with_spark_over_the_sample(frame: Any, schema: Schema, monkeypatch: Any) -> None:
    sample = {name: [row[name] for row in frame.limit(5).collect()] for name in ("x", "target", "features")}
    given = {name: np.array([getattr(v, "values", v) for v in values]) for name, values in sample.items()}
    fitted = stages.fitted("LogisticRegression", frame)
    assert from_spark(fitted, given).nodes
    transform = type(fitted).transform
    changed = "CASE WHEN leapstream_row = 2 THEN prediction + 1 ELSE prediction END"

    def other(self: Any, dataset: Any) -> Any:
        return (
            transform(self, dataset)
            .selectExpr("*", f"{changed} AS other")
            .drop("prediction")
            .withColumnRenamed("other", "prediction")
        )

    monkeypatch.setattr(type(fitted), "transform", other)
    with pytest.raises(ExportError, match=r"'prediction' of node .*: row 2 is .* in Spark; 1 of 5 rows differ"):
        from_spark(fitted, given)
    assert from_spark(fitted, given, check=False).nodes


def test_a_saved_directory_is_compared_with_spark_in_a_session_of_its_own_if_asked(
    frame: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = frame.limit(5).collect()
    given = {"features": np.array([row["features"].toArray() for row in rows])}
    stages.fitted("LogisticRegression", frame).save((tmp_path / "saved").as_uri())
    answers: list[Any] = []

    def answering(*arguments: Any, **options: Any) -> Any:
        answers.append(call(*arguments, **options))
        return answers[-1]

    monkeypatch.setattr(live, "call", answering)
    assert from_spark(tmp_path / "saved", given, check=True).nodes
    (found,) = answers
    other = {**found, "prediction": [value + 1.0 for value in found["prediction"]]}
    # The session has answered; it takes seconds to start another one.
    monkeypatch.setattr(live, "call", lambda *_, **__: other)
    with pytest.raises(ExportError, match=r"'prediction' of node .*: row 0 is .* in Spark; 5 of 5 rows differ"):
        from_spark(tmp_path / "saved", given, check=["vectorized"])
    assert from_spark(tmp_path / "saved", given).nodes
