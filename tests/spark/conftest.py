"""The session of the tests of Spark's exporter, here too."""

from tests.exporters.spark.conftest import spark as spark
