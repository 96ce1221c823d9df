"""Converts saved Spark ML pipelines to models of MLeap's ops and back, without Spark and Java.

Each class of Spark ML has one declaration, a :class:`~leapstream.exporters.spark.stage.Stage`, for both directions. The module
of its family (``vectors``, ``trees``, …) holds it, and ``stages`` collects all of them.
"""

from leapstream.exporters.spark.reader import from_spark
from leapstream.exporters.spark.saved import is_spark_directory
from leapstream.exporters.spark.writer import to_spark

__all__ = ["from_spark", "is_spark_directory", "to_spark"]
