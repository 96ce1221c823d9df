"""Models as Java functions of Spark SQL give what ``predict`` gives (``make test-spark``)."""

from __future__ import annotations

import pytest

pytest.importorskip("pyspark")

from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql import types as t

import leapstream
from leapstream import BackendError, Model, SchemaError, demo
from leapstream.bundle.types import DataShape
from leapstream.ops.feature import StringIndexer, VectorAssembler
from leapstream.spark import predict, register_java
from tests.golden_corpus import GOLDEN
from tests.pipelines import node

# Py4J and PySpark leave sockets, pools and processes to the end of the process.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

BENCH = GOLDEN.parent / "bench"
LINEAR, FOREST = BENCH / "linear3.zip", BENCH / "forest3-20x5.zip"


@pytest.fixture(scope="module")
def numbers(spark: SparkSession) -> DataFrame:
    """Rows of doubles, integers and decimals, of which one has a missing value."""
    rows = [(0.5, 3, 0.25), (None, 0, 1.0), (2.0, 1, -1.0)] + [(i / 7, i, 0.01 * i) for i in range(100)]
    frame = spark.createDataFrame(rows, "feature1 double, feature2 int, feature3 double").coalesce(2)
    return frame.withColumn("feature3", f.col("feature3").cast("decimal(10, 2)"))


def test_a_java_function_gives_what_predict_gives(spark: SparkSession, numbers: DataFrame) -> None:
    expected = [row.prediction for row in predict(numbers, LINEAR, on_error="null").collect()]
    register_java(spark, "linear", LINEAR, on_error="null")
    numbers.createOrReplaceTempView("numbers")
    found = spark.sql("SELECT linear(feature1, feature2, feature3) AS p FROM numbers")
    assert [row.p for row in found.collect()] == expected and len(set(expected)) > 10
    plan = found._jdf.queryExecution().executedPlan().toString()
    assert "Python" not in plan and "MapInArrow" not in plan


def test_several_outputs_and_the_reason_of_a_failure_are_a_struct(spark: SparkSession, numbers: DataFrame) -> None:
    register_java(spark, "explained", LINEAR, outputs=["features", "prediction"], on_error="row")
    found = [row[0] for row in numbers.selectExpr("explained(feature1, feature2, feature3)").collect()]
    expected = predict(numbers, LINEAR, outputs=["features", "prediction"], on_error="row").collect()
    assert [(row.features, row.prediction, row.error) for row in found] == [
        (row.features, row.prediction, row.error) for row in expected
    ]
    assert "node 'assemble'" in found[1].error and found[0].features == Vectors.dense(0.5, 3.0, 0.25)


def test_vectors_and_arrays_are_taken(spark: SparkSession) -> None:
    vectors = [
        Vectors.dense(1, 2, 3),
        Vectors.sparse(3, [1], [5.0]),
        Vectors.sparse(3, [], []),
        Vectors.dense(0.1, 0.7, 0.4),
    ]
    schema = t.StructType([t.StructField("features", VectorUDT()), t.StructField("a", t.ArrayType(t.DoubleType()))])
    frame = spark.createDataFrame([(vector, vector.toArray().tolist()) for vector in vectors], schema)
    expected = [row.prediction for row in predict(frame, FOREST).collect()]
    register_java(spark, "forest", FOREST)
    found = frame.selectExpr("forest(features) AS v", "forest(a) AS a").collect()
    assert [row.v for row in found] == [row.a for row in found] == expected and len(set(expected)) > 2


def test_texts_are_taken_and_arrays_given(spark: SparkSession) -> None:
    model = leapstream.load(demo.bundle("loans"))
    columns = ("state", "home", "amount", "income", "age", "late", "flag")
    rows = [("CA", "rent", 100.0 * i, 2000.0 + i, 20.0 + i, float(i % 3), 0.0) for i in range(50)]
    frame = spark.createDataFrame(rows, list(columns)).coalesce(1)
    outputs = ["probability", "prediction"]
    register_java(spark, "loans", model, inputs=columns, outputs=outputs, vectors="arrays")
    found = [row[0] for row in frame.selectExpr(f"loans({', '.join(columns)})").collect()]
    expected = predict(frame, model, outputs=outputs, vectors="arrays").collect()
    assert [row.prediction for row in found] == [row.prediction for row in expected]
    # Java's exp may differ in its last digit.
    for one, other in zip(found, expected, strict=True):
        assert one.probability == pytest.approx(other.probability, rel=1e-14)


def test_a_row_that_fails_fails_the_query_and_a_wrong_type_is_named(spark: SparkSession, numbers: DataFrame) -> None:
    register_java(spark, "strict", LINEAR)
    with pytest.raises(Exception, match="a missing value is not allowed here"):
        numbers.selectExpr("strict(feature1, feature2, feature3)").collect()
    with pytest.raises(Exception, match=r"column 'feature1' is java\.lang\.String"):
        spark.sql("SELECT strict('x', 1, 2)").collect()


def test_a_dropped_row_is_null(spark: SparkSession) -> None:
    model = Model.from_node(node("index", StringIndexer((("a", "b"),), "skip"), {"input": "s"}, {"output": "y"}))
    register_java(spark, "indexed", model, outputs=["y"])
    frame = spark.createDataFrame([("b",), ("z",), ("a",)], "s string").coalesce(1)
    assert [row[0] for row in frame.selectExpr("indexed(s)").collect()] == [1.0, None, 0.0]


def test_a_model_of_many_inputs_takes_a_struct(spark: SparkSession) -> None:
    names = [f"x{i}" for i in range(24)]
    assemble = VectorAssembler((DataShape("scalar"),) * len(names))
    ports = {f"input{i}": name for i, name in enumerate(names)}
    model = Model.from_node(node("assemble", assemble, ports, {"output": "features"}))
    register_java(spark, "wide", model, outputs=["features"])
    frame = spark.createDataFrame([tuple(map(float, range(24)))], names)
    (found,) = frame.selectExpr(f"wide(struct({', '.join(names)}))").collect()
    assert found[0] == Vectors.dense(range(24))


def test_what_does_not_fit_is_an_error_at_once(spark: SparkSession) -> None:
    with pytest.raises(SchemaError, match="'x' is no input"):
        register_java(spark, "x", LINEAR, inputs=["x"])
    with pytest.raises(BackendError, match="Spark Connect has no JVM"):
        register_java(object(), "x", LINEAR)  # type: ignore[arg-type]
