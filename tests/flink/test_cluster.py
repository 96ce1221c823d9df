"""Tests of models on a standalone cluster whose processes do not have leapstream."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pyflink.version
import pytest
from typer.testing import CliRunner

import leapstream
from leapstream import demo
from leapstream.cli import app

from .cluster import Cluster
from .conftest import LINEAR

pytestmark = pytest.mark.flink

LEAPSTREAM = str(Path(sys.executable).with_name("leapstream"))


def test_the_example_of_sql_runs_functions_of_its_configuration_on_a_cluster(cluster: Cluster) -> None:
    folder = Path(__file__).parents[2] / "examples" / "sql"
    command = [LEAPSTREAM, "sql", "-c", "application.conf", "score_loans.sql", "--target", cluster.target, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{cluster.log()}"
    recorded = json.loads((demo.FOLDER / "loans.expected.json").read_text("utf-8"))
    granted = sorted((loan["probability"][1], loan["id"]) for loan in recorded if loan["prediction"] == 1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == [number for _, number in granted[:5]]
    assert [row["granted"] for row in rows] == pytest.approx([probability for probability, _ in granted[:5]], rel=1e-12)
    assert re.search(r"note: score_loans.sql: line 6: .* look for /.*/demo/loans.csv on their own disks", done.stderr)
    jobs = cluster.get("jobs/overview")["jobs"]
    assert isinstance(jobs, list)
    assert jobs and all(job["state"] != "FAILED" for job in jobs)


def test_a_table_of_a_file_that_the_cluster_lacks_is_an_error_with_the_file(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "query.sql").write_text(
        "CREATE TEMPORARY TABLE t (i INT) WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = 'lacking.csv');\n"
        "SELECT * FROM t;\n"
    )
    result = CliRunner().invoke(app, ["sql", str(tmp_path / "query.sql"), "--batch", "--target", cluster.target])
    assert result.exit_code == 1
    assert "lacking.csv" in result.stderr.splitlines()[-1]


# Before a job of Python functions is cancelled, at which Beam may end the TaskManager: "Reference count must not be negative".
def test_doctor_finds_what_the_cluster_has(cluster: Cluster) -> None:
    result = CliRunner().invoke(app, ["doctor", "--cluster", cluster.target, "--json"])
    assert result.exit_code == 0, result.output
    found = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    version = pyflink.version.__version__
    assert found["flink"]["detail"].startswith(f"{version} at http://{cluster.target}")
    assert found["janino"]["detail"] == f"in flink-table-runtime {version}"
    assert found["slots"]["detail"].endswith("on 1 TaskManager")
    assert f"flink-python {version}" in found["python functions"]["detail"]
    assert f"json {version}" in found["formats"]["detail"]
    assert found["file systems"]["detail"] == "only file://"
    assert found["pyflink"]["ok"] and "connectors of pyflink" not in found


@pytest.mark.parametrize("backend", ["jvm", "python"])
def test_a_model_tells_its_metrics(cluster: Cluster, tmp_path: Path, backend: str) -> None:
    (tmp_path / "application.conf").write_text(
        f'mleap.udfRegistry = [{{ udfName = "Predict", bundlePath = "{LINEAR}", backend = "{backend}", onError = "null" }}]'
    )
    (tmp_path / "query.sql").write_text(
        "CREATE TEMPORARY TABLE Features (a DOUBLE, b DOUBLE, c DOUBLE) WITH "
        "('connector' = 'datagen', 'rows-per-second' = '20000', 'fields.b.null-rate' = '0.1');\n"
        "CREATE TEMPORARY TABLE Nowhere (p DOUBLE) WITH ('connector' = 'blackhole');\n"
        "INSERT INTO Nowhere SELECT Predict(a, b, c) FROM Features;\n"
    )
    settings = ["--set", "python.fn-execution.bundle.size=1000", "--set", "python.fn-execution.bundle.time=100"]
    command = [LEAPSTREAM, "sql", "-c", "application.conf", "query.sql", "--target", cluster.target, *settings]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as client:
        try:
            found = _metrics(cluster, client)
        finally:
            _cancel(cluster)
            client.wait(60)
    model = leapstream.load(LINEAR)
    group = f"leapstream.model.{model.name}.version.{model.definition.uid}"
    assert all(group in name for name in found)
    values = {name.rpartition(f"{group}.")[2]: value for name, value in found.items()}
    assert int(values["predictions"]) > int(values["failures"]) > 0
    assert abs(float(values["lastErrorTime"]) / 1000 - time.time()) < 120
    assert backend == "python" or "column 'feature2'" in values["lastError"]
    assert float(values["loadTimeMs"]) >= 0
    assert any(name.startswith("latencyNanos") for name in values)


def _running(cluster: Cluster) -> list[str]:
    jobs = cluster.get("jobs/overview")["jobs"]
    assert isinstance(jobs, list)
    return [job["jid"] for job in jobs if job["state"] == "RUNNING"]


def _metrics(cluster: Cluster, client: subprocess.Popen[str]) -> dict[str, str]:
    """The model's metrics of the running job, once a row has failed."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert client.poll() is None, f"{client.communicate()[1]}\n{cluster.log()}"
        for job in _running(cluster):
            vertices = cluster.get(f"jobs/{job}")["vertices"]
            assert isinstance(vertices, list)
            for vertex in vertices:
                path = f"jobs/{job}/vertices/{vertex['id']}/subtasks/0/metrics"
                names = [entry["id"] for entry in cluster.list(path) if "leapstream" in entry["id"]]
                found = (
                    {e["id"]: e["value"] for e in cluster.list(f"{path}?get={quote(','.join(names))}")} if names else {}
                )
                if any(name.endswith(".failures") and int(value) for name, value in found.items()):
                    return found
        time.sleep(0.5)
    raise AssertionError(f"no failures are counted\n{cluster.log()}")


def _cancel(cluster: Cluster) -> None:
    for job in _running(cluster):
        request = urllib.request.Request(f"http://{cluster.target}/jobs/{job}", method="PATCH")
        with urllib.request.urlopen(request, timeout=5):
            pass
