"""Predictions in Spark: bundles over DataFrames, without MLeap and its jars. Needs the ``spark`` extra."""

from __future__ import annotations

from importlib.util import find_spec

from leapstream.errors import BackendError

if find_spec("pyspark") is None:
    raise BackendError("leapstream.spark needs PySpark: pip install 'leapstream[spark]'")

from leapstream.spark.javafunction import register_java
from leapstream.spark.predicting import predict
from leapstream.spark.task import OnErrorInSpark
from leapstream.spark.types import VectorsAs

__all__ = ["OnErrorInSpark", "VectorsAs", "predict", "register_java"]
