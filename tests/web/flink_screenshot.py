"""Make docs/images/flink-job.png: a job that follows a model, in Flink's web interface. ``make screenshot`` runs it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

from leapstream.executors.jvm.gateway import ensure_java
from leapstream.flink import predict_stream
from tests.flink.cluster import Cluster, running_cluster
from tests.flink.versions import INPUTS, Versions

IMAGE = Path(__file__).parents[2] / "docs/images/flink-job.png"
SECONDS = 20


def main() -> None:
    """Run the job for a while, and take the picture."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as name, running_cluster(Path(name) / "cluster") as cluster:
        versions = Versions(Path(name) / "models")
        versions.publish(8, aliases=["live"])
        job = _start(cluster, versions)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1180, "height": 860}, color_scheme="light")
            page.goto(f"http://{cluster.target}/#/job/running/{job}/overview")
            page.wait_for_selector("flink-job-overview svg")
            page.wait_for_timeout(SECONDS * 1000)
            page.screenshot(path=IMAGE)
            browser.close()


def _start(cluster: Cluster, versions: Versions) -> str:
    """Start a job of made-up rows on a cluster; returns its id."""
    ensure_java()
    host, _, port = cluster.target.rpartition(":")
    configuration = Configuration()
    for key, value in {
        "execution.target": "remote",
        "jobmanager.rpc.address": host,
        "rest.address": host,
        "rest.port": port,
        "pipeline.name": "Score applications",
    }.items():
        configuration.set_string(key, value)
    environment = get_gateway().jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    table_env = StreamTableEnvironment.create(StreamExecutionEnvironment(environment(configuration._j_configuration)))
    columns = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE Applications ({columns}) WITH ('connector' = 'datagen', 'rows-per-second' = '2000')"
    )
    table_env.execute_sql("CREATE TEMPORARY TABLE Scores (prediction DOUBLE) WITH ('connector' = 'blackhole')")
    rows = table_env.to_data_stream(table_env.from_path("Applications"))
    scored = predict_stream(rows, store=versions.uri, alias="live", outputs=["prediction"], table_env=table_env)
    table_env.create_temporary_view("Scored", scored)
    started = table_env.execute_sql("INSERT INTO Scores SELECT prediction FROM Scored")
    return str(started.get_job_client().get_job_id())


if __name__ == "__main__":
    main()
