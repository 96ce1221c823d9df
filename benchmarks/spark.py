"""Spark jobs without a model, with ``predict``, with a Java function, and with other transforms of the same model: CPU a row.

``python benchmarks/spark.py [--rounds N] [--rows FEW MANY] [--works WORK …]``, in an environment with
PySpark. A job reads rows that Spark makes, and writes the prediction nowhere, with one thread. Spark's own transform is of the
pipeline that ``to_spark`` writes; Maven Central does not have the jars of MLeap for Spark. The figure is the difference of the
CPU times of Spark's processes for many rows and for few, divided by the difference of the rows; the variants take turns in one
session.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from measure import cpu_seconds, nanos_of_a_row
from pyspark.errors import PySparkException
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from workloads import Work, works

import leapstream
from leapstream.bundle.types import BasicType, ScalarType
from leapstream.errors import LeapstreamError
from leapstream.exporters import to_spark
from leapstream.spark import predict, register_java

NOTHING = "no model"


def columns(work: Work) -> list[Any]:
    """Expressions of Spark that make the inputs of a model from the column ``id``."""
    frame = work.frame(1000)
    made = []
    for number, field in enumerate(frame.schema):
        values = sorted({value for value in frame.column(field.name) if value is not None})
        share = f.pmod(f.col("id") * (2 * number + 7919), f.lit(9973)) / 9973
        assert isinstance(field.type, ScalarType)
        if field.type.base is BasicType.STRING:
            texts = f.array(*map(f.lit, values))
            made.append(f.element_at(texts, (share * len(values)).cast("int") + 1).alias(field.name))
        else:
            made.append((f.lit(values[0]) + share * (values[-1] - values[0])).cast("double").alias(field.name))
    return made


def variants(spark: SparkSession, work: Work, directory: Path) -> dict[str, Callable[[DataFrame], DataFrame]]:
    """Each variant's transform of the rows."""
    model = leapstream.load(work.bundle)
    names = [field.name for field in work.frame(1).schema]
    register_java(spark, "by_java", model, inputs=names, outputs=[work.prediction])
    found: dict[str, Callable[[DataFrame], DataFrame]] = {
        NOTHING: lambda df: df.select(f.hash(*names)),
        "leapstream, Java function": lambda df: df.select(f.expr(f"by_java({', '.join(names)})")),
        "leapstream, predict": lambda df: predict(df, model, outputs=[work.prediction]).select(work.prediction),
    }
    try:
        to_spark(model, directory / work.name)
        own = PipelineModel.load(str(directory / work.name))
        own.transform(spark.range(1).select(*columns(work)))
        found["Spark's own transform"] = lambda df: own.transform(df).select(work.prediction)
    except (LeapstreamError, PySparkException) as error:
        print(f"{work.name}: not by Spark's own stages: {error}")
    return found


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs=2, default=(500_000, 2_500_000), metavar=("FEW", "MANY"))
    parser.add_argument("--works", nargs="+", choices=list(works()), default=list(works()), metavar="WORK")
    given = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")

    def run(transform: Callable[[DataFrame], DataFrame], work: Work, rows: int) -> float:
        began = cpu_seconds()
        transform(spark.range(rows).select(*columns(work))).write.format("noop").mode("overwrite").save()
        return cpu_seconds() - began

    print(f"Spark {spark.version}")
    print("| model | one job | CPU, µs a row: least | median | median without that of the rows |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as directory:
        for work in (works()[name] for name in given.works):
            transforms = variants(spark, work, Path(directory))
            found: dict[str, list[float]] = {variant: [] for variant in transforms}
            jobs = {variant: partial(run, transform, work) for variant, transform in transforms.items()}
            for variant, nanos in nanos_of_a_row(jobs, given.rows, given.rounds):
                found[variant].append(nanos / 1000)
            base = median(found[NOTHING])
            for variant, samples in found.items():
                middle = median(samples)
                print(
                    f"| {work.name} | {variant} | {min(samples):.2f} | {middle:.2f} | {middle - base:.2f} |", flush=True
                )
    spark.stop()


if __name__ == "__main__":
    main()
