"""Make docs/images/flink-job.png: a job that follows a model, in Flink's web interface. ``make screenshot`` runs it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from leapstream.executors.jvm.gateway import ensure_java
from leapstream.flink import predict_stream
from tests.flink.cluster import Cluster, remote, running_cluster, streams
from tests.flink.versions import INPUTS, Versions
from tests.web.conftest import chromium

IMAGE = Path(__file__).parents[2] / "docs/images/flink-job.png"
SECONDS = 20


def main() -> None:
    """Run the job for a while, and take the picture."""
    path = chromium()
    with tempfile.TemporaryDirectory() as name, running_cluster(Path(name) / "cluster") as cluster:
        versions = Versions(Path(name) / "models")
        versions.publish(8, aliases=["live"])
        job = _start(cluster, versions)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1180, "height": 860}, color_scheme="light")
            page.goto(f"http://{cluster.target}/#/job/running/{job}/overview")
            page.wait_for_selector("flink-job-overview svg")
            page.wait_for_timeout(SECONDS * 1000)
            page.screenshot(path=IMAGE)
            browser.close()


def _start(cluster: Cluster, versions: Versions) -> str:
    """Start a job of made-up rows on a cluster; returns its id."""
    ensure_java()
    table_env = streams(remote(cluster, {"pipeline.name": "Score applications"}))
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
