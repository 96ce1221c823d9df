"""Spark ML's pipelines, saved in directories, as models of MLeap's ops, and back; without Spark and without Java."""

from leapstream.exporters.spark.saved import is_spark_directory

__all__ = ["is_spark_directory"]
