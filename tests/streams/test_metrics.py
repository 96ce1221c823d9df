"""The metrics that Prometheus scrapes of a job with a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flink.cluster import Cluster
from tests.streams.conftest import add_function
from tests.streams.jobs import Job, session
from tests.streams.prometheus import Sample, scrape


@pytest.fixture
def job(cluster: Cluster, jars: dict[str, Path]) -> Job:
    """A job that predicts random rows."""
    columns = ", ".join(f"{name} DOUBLE" for name in ("feature1", "feature2", "feature3"))
    table_env = session(cluster, {"parallelism.default": 2})
    return Job.run(
        cluster,
        table_env,
        *add_function(jars["v1"]),
        f"CREATE TEMPORARY TABLE Applications ({columns}) WITH ('connector' = 'datagen', 'rows-per-second' = '5000')",
        "CREATE TEMPORARY TABLE Nowhere (prediction DOUBLE) WITH ('connector' = 'blackhole')",
        "INSERT INTO Nowhere SELECT Predict(feature1, feature2, feature3) FROM Applications",
    )


def test_prometheus_scrapes_the_metrics_of_a_model(cluster: Cluster, job: Job) -> None:
    def predictions() -> list[Sample]:
        return [sample for sample in scrape(cluster, "leapstream_model_version_predictions") if sample.value > 0]

    job.until(lambda: len(predictions()) == 2, "counts predictions in both of its tasks")
    job.cancel()
    for sample in predictions():
        assert sample.name == "flink_taskmanager_job_task_operator_leapstream_model_version_predictions"
        assert sample.labels["model"] == "linear" and sample.labels["version"]
