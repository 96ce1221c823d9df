"""Spark ML's pipelines, saved in directories, as models of MLeap's ops, and back; without Spark and without Java.

``stages`` has the tables: a declaration for each class of Spark ML, which serves both directions. They are kept by family, in
modules called like it.
"""

from leapstream.exporters.spark.reader import from_spark
from leapstream.exporters.spark.saved import is_spark_directory
from leapstream.exporters.spark.writer import to_spark

__all__ = ["from_spark", "is_spark_directory", "to_spark"]
