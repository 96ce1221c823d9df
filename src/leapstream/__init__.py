"""MLeap pipelines, in Python, inside Apache Flink."""
