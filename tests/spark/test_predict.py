"""Predictions in Spark (``make test-spark``): one session, and the recorded cases side by side in few jobs."""

from __future__ import annotations

import datetime
import json
import pickle
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("pyspark")

from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql import types as t

import leapstream
from leapstream import Model, SchemaError, Tensor
from leapstream.bundle.types import BasicType, DataType, Field, MapType, ScalarType, Schema, TensorType
from leapstream.contract import Answers
from leapstream.frames.leaptypes import arrow_type_of
from leapstream.ops.feature import StringIndexer
from leapstream.spark import predict
from leapstream.spark.batches import VECTOR
from leapstream.spark.task import Source, Task
from leapstream.spark.types import is_vector_of_doubles, leap_type, spark_type
from tests.golden_corpus import GOLDEN, Case, cases
from tests.pipelines import node

# Py4J and PySpark leave sockets, pools and processes to the end of the process.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

BENCH = GOLDEN.parent / "bench"
LINEAR, FOREST = BENCH / "linear3.zip", BENCH / "forest3-20x5.zip"
ROWS = [(0.5, 3, 0.25), (None, 0, 1.0), (2.0, 1, -1.0)]


@pytest.fixture(scope="module")
def numbers(spark: SparkSession) -> DataFrame:
    """Three rows, of which the second fails."""
    frame = spark.createDataFrame(ROWS, "feature1 double, feature2 int, feature3 double").coalesce(1)
    return frame.withColumn("feature3", f.col("feature3").cast("decimal(10, 2)"))


def predicted(*rows: tuple[Any, ...]) -> list[Any]:
    records = [dict(zip(("feature1", "feature2", "feature3"), map(float, row), strict=True)) for row in rows]
    return [record["prediction"] for record in leapstream.load(LINEAR).predict(records)]


# ---- columns and rows -------------------------------------------------------------------------------------------------


def test_outputs_are_added_and_a_row_that_fails_tells_why(numbers: DataFrame) -> None:
    result = predict(numbers, LINEAR, outputs=["features", "prediction"], on_error="row")
    assert result.columns == [*numbers.columns, "features", "prediction", "error"]
    assert [field.nullable for field in result.schema.fields] == [True] * 6
    first, failed, last = result.collect()
    assert [first.prediction, last.prediction] == predicted(ROWS[0], ROWS[2])
    assert first.features == Vectors.dense(0.5, 3.0, 0.25)
    assert (first.error, last.error) == (None, None)
    assert (failed.feature2, failed.features, failed.prediction) == (0, None, None)
    assert "node 'assemble'" in failed.error
    assert "column 'feature1'" in failed.error


def test_a_row_that_fails_has_missing_values_or_fails_the_job(numbers: DataFrame) -> None:
    result = predict(numbers, LINEAR, on_error="null", load_on="executor").select("prediction").collect()
    assert [row[0] for row in result] == [*predicted(ROWS[0]), None, *predicted(ROWS[2])]
    with pytest.raises(Exception, match=r"PredictionError: a missing value is not allowed here \(model 'linear3'"):
        predict(numbers, LINEAR).collect()


def test_vectors_of_spark_and_arrays_are_inputs(spark: SparkSession) -> None:
    vectors = [Vectors.dense(1, 2, 3), Vectors.sparse(3, [1], [5.0]), None, Vectors.sparse(3, [], [])]
    arrays = [None if v is None else v.toArray().tolist() for v in vectors]
    schema = t.StructType([t.StructField("features", VectorUDT())])
    frame = spark.createDataFrame([(v,) for v in vectors], schema).coalesce(1)
    listed = spark.createDataFrame([(a,) for a in arrays], "features array<double>").coalesce(1)
    expected = [
        leapstream.load(FOREST).predict({"features": a})["prediction"] if a is not None else None for a in arrays
    ]
    for given in (frame, listed):
        rows = predict(given, leapstream.load(FOREST), on_error="null").collect()
        assert [row.prediction for row in rows] == expected
    assert [row.features for row in predict(frame, FOREST, on_error="null").collect()] == vectors


def test_rows_that_the_model_drops_are_not_in_the_result_and_texts_take_times(spark: SparkSession) -> None:
    op = StringIndexer((("2026-01-02 03:04:05.12", "2026-01-03"),), "skip")
    model = Model.from_node(node("index", op, {"input": "x"}, {"output": "index"}))
    time = datetime.datetime(2026, 1, 2, 3, 4, 5, 120000)
    frame = spark.createDataFrame([(0, time), (1, datetime.datetime(2020, 1, 1))], "n int, x timestamp").coalesce(1)
    assert [tuple(row) for row in predict(frame, model).collect()] == [(0, time, 0.0)]
    days = frame.select("n", f.lit(datetime.date(2026, 1, 3)).alias("x"))
    assert [row["index"] for row in predict(days, model).collect()] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("change", "options", "reason"),
    [
        (lambda df: df.drop("feature2"), {}, "feature2"),
        (lambda df: df.withColumn("feature2", f.lit("x").cast("timestamp")), {}, "column 'feature2' is timestamp"),
        (lambda df: df.withColumn("prediction", f.lit(1.0)), {}, "has a column 'prediction' already"),
        (lambda df: df.withColumn("error", f.lit(1.0)), {"on_error": "row"}, "has a column 'error' already"),
        (lambda df: df, {"on_error": "fail"}, "on_error is 'fail'"),
        (lambda df: df, {"outputs": ["nothing"]}, "nothing"),
    ],
)
def test_what_does_not_fit_is_an_error_before_the_job(
    numbers: DataFrame, change: Any, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SchemaError, match=reason):
        predict(change(numbers), LINEAR, **options)


# ---- the recorded cases -----------------------------------------------------------------------------------------------


def given_type(kind: DataType) -> t.DataType:
    return spark_type(kind, "vectors")


def given_value(value: Any, kind: DataType) -> Any:
    if not isinstance(value, Tensor):
        return value
    if not isinstance(given_type(kind), VectorUDT):
        return value.to_dense().reshape(-1).tolist()
    if value.indices is None:
        return Vectors.dense(value.values.tolist())
    places = value.indices.reshape(-1).tolist()
    return Vectors.sparse(value.size, sorted(zip(places, value.values.tolist(), strict=True)))


def fits(case: Case) -> bool:
    """True for a case whose columns a DataFrame can hold: it has no tensors of several dimensions."""
    if not case.known or case.info.get("load_error"):
        return False
    schema, model = case.input().schema, case.model()
    flat = all(len(x.type.dimensions or (0,)) == 1 for x in schema if isinstance(x.type, TensorType))
    clash = any(name in schema for name in model.schema.outputs.names)
    try:
        told = Schema(tuple(Field(x.name, leap_type(given_type(x.type)) or x.type) for x in schema))
        model.plan(told, case.info["outputs"] or model.schema.outputs.names)
    except SchemaError:
        return False
    return flat and not clash


@cache
def for_ops() -> list[Case]:
    """Few cases that have every op."""
    seen: set[str] = set()
    picked = []
    for case in cases():
        if not set(case.info["ops"]) <= seen and fits(case):
            seen |= set(case.info["ops"])
            picked.append(case)
    return picked


def for_types() -> list[Case]:
    """Those of them that have every type of inputs and outputs."""
    seen: set[str] = set()
    picked = []
    for case in for_ops():
        schema = case.model().schema
        fields = [*(("in", x) for x in schema.inputs), *(("out", x) for x in schema.outputs)]
        kinds = {f"{side} {type(x.type).__name__} of {x.type.base}" for side, x in fields}
        if not kinds <= seen:
            seen |= kinds
            picked.append(case)
    return picked


def scored(spark: SparkSession, number: int, case: Case) -> tuple[DataFrame, list[Field]]:
    """The results of a case as rows of one text each."""
    frame, model = case.input(), case.model()
    fields = [t.StructField("n", t.IntegerType()), *(t.StructField(x.name, given_type(x.type)) for x in frame.schema)]
    rows = [(n, *map(given_value, row, [x.type for x in frame.schema])) for n, row in enumerate(frame.rows)]
    # A partition for each case: the tasks of a job come one after the other, and share a Python worker.
    given = spark.createDataFrame(rows, t.StructType(fields))
    # MLeap adds no columns where it takes none of the rows.
    outputs = list(case.info["outputs"] or model.schema.outputs.names)
    result = predict(given, model, outputs=outputs, on_error="row", vectors="arrays")
    columns = f.to_json(f.struct(*(f.col(f"`{name}`") for name in outputs)), {"ignoreNullFields": "false"})
    added = model.plan(frame.schema, outputs).output_schema
    return result.select(f.lit(number).alias("case"), "n", columns.alias("values"), "error"), list(added)


def value_of(value: Any, kind: DataType) -> Any:
    """A value as JSON has it: NaN and infinities are texts."""
    if value is None or isinstance(kind, MapType) or kind.base not in (BasicType.FLOAT, BasicType.DOUBLE):
        return value
    return float(value) if isinstance(kind, ScalarType) else np.array(value, dtype=np.float64)


def test_spark_gives_what_mleap_gave_for_each_type(spark: SparkSession) -> None:
    picked = for_types()
    frames, fields = zip(*(scored(spark, n, case) for n, case in enumerate(picked)), strict=True)
    together = frames[0]
    for frame in frames[1:]:
        together = together.union(frame)
    answers = [Answers(Schema(tuple(added)), {}, {}) for added in fields]
    for row in together.collect():
        if row.error is not None:
            answers[row.case].errors[row.n] = row.error
        else:
            told = json.loads(row["values"])
            answers[row.case].rows[row.n] = tuple(value_of(told[x.name], x.type) for x in fields[row.case])
    reports = {case.name: case.verify_answers(found) for case, found in zip(picked, answers, strict=True)}
    assert not {name: report.reasons for name, report in reports.items() if not report.ok}


# ---- every op, over the batches that Spark gives to its workers ---------------------------------------------------------


def arrow(values: Sequence[Any], kind: DataType) -> pa.Array:
    """A column as Spark gives it to a worker."""
    if isinstance(given_type(kind), VectorUDT):
        return pa.array([None if v is None else struct_of(v) for v in values], VECTOR)
    return pa.array([given_value(v, kind) for v in values], arrow_type_of(kind))


def struct_of(value: Tensor) -> dict[str, Any]:
    if value.indices is None:
        return {"type": 1, "size": None, "indices": None, "values": value.values.tolist()}
    pairs = sorted(zip(value.indices.reshape(-1).tolist(), value.values.tolist(), strict=True))
    return {"type": 0, "size": value.size, "indices": [i for i, _ in pairs], "values": [v for _, v in pairs]}


def in_worker(case: Case) -> Answers:
    """The answers of the function that runs in Spark's workers."""
    frame, model = case.input(), case.model()
    outputs = model.plan(frame.schema, case.info["outputs"] or model.schema.outputs.names).output_schema
    names = [x.name for x in frame.schema]
    task = Task(
        source=Source(case.name, pickle.dumps(model)),
        given=len(names) + 1,
        inputs={name: n for n, name in enumerate(names) if name in model.schema.inputs},
        outputs=outputs,
        vectors=frozenset(x.name for x in outputs if is_vector_of_doubles(x.type)),
        on_error="row",
    )
    columns = [arrow([row[n] for row in frame.rows], x.type) for n, x in enumerate(frame.schema)]
    batch = pa.RecordBatch.from_arrays([*columns, pa.array(range(len(frame.rows)))], [*names, "n"])
    found = Answers(outputs, {}, {})
    for result in task(iter([batch])):
        for row in result.to_pylist():
            if row["error"] is not None:
                found.errors[row["n"]] = row["error"]
            else:
                found.rows[row["n"]] = tuple(from_arrow(row[x.name], x.type) for x in outputs)
    return found


def from_arrow(value: Any, kind: DataType) -> Any:
    if isinstance(value, dict) and "indices" in value:
        if value["type"] == 1:
            return np.array(value["values"])
        return Tensor.sparse(value["size"], value["indices"], value["values"])
    if isinstance(kind, MapType) and value is not None:
        return dict(value)
    return (
        np.array(value)
        if isinstance(kind, TensorType) and kind.base is BasicType.DOUBLE and value is not None
        else value
    )


def test_workers_give_what_mleap_gave_for_every_op() -> None:
    loaded = [case for case in cases() if case.known and not case.info.get("load_error")]
    assert {op for case in for_ops() for op in case.info["ops"]} == {op for case in loaded for op in case.info["ops"]}
    reports = {case.name: case.verify_answers(in_worker(case)) for case in for_ops()}
    assert not {name: report.reasons for name, report in reports.items() if not report.ok}
