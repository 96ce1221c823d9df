"""``predict`` over Spark Connect (``make test-spark4``), in a process of its own: one process has one kind of sessions."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pyspark = pytest.importorskip("pyspark")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("grpc") is None or pyspark.__version__.startswith("3."),
        reason="needs Spark 4 with the extra connect; the package of Spark 3.5 lacks the server",
    ),
]

BENCH = Path(__file__).parents[1] / "bench"
SCRIPT = """
import sys

from pyspark.sql import SparkSession

import leapstream
from leapstream.spark import predict, register_java

linear, forest = sys.argv[1:]
spark = SparkSession.builder.remote("local[1]").getOrCreate()
assert "connect" in type(spark).__module__
rows = [(0.5, 3.0, 0.25), (None, 0.0, 1.0), (2.0, 1.0, -1.0)]
frame = spark.createDataFrame(rows, "feature1 double, feature2 double, feature3 double").coalesce(1)
for load_on in ("driver", "executor"):
    found = predict(frame, linear, outputs=["features", "prediction"], on_error="row", load_on=load_on).collect()
    names = ("feature1", "feature2", "feature3")
    wanted = leapstream.load(linear).predict([dict(zip(names, row)) for row in (rows[0], rows[2])])
    assert [found[0].prediction, found[2].prediction] == [row["prediction"] for row in wanted], found
    assert found[0].features.toArray().tolist() == list(rows[0]) and "feature1" in found[1].error, found
frame = spark.createDataFrame([([0.5, 0.25, 0.75],), ([0.1, 0.9, 0.3],)], "features array<double>")
found = sorted(row.prediction for row in predict(frame, forest).collect())
wanted = leapstream.load(forest).predict([{"features": [0.5, 0.25, 0.75]}, {"features": [0.1, 0.9, 0.3]}])
assert found == sorted(row["prediction"] for row in wanted), found
try:
    register_java(spark, "f", linear)
except leapstream.BackendError as error:
    print(error)
spark.stop()
"""


def test_predict_runs_over_spark_connect() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(BENCH / "linear3.zip"), str(BENCH / "forest3-20x5.zip")],
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert "a session of Spark Connect has no JVM to compile in" in done.stdout
