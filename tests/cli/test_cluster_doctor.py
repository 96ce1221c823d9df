"""``leapstream doctor --cluster``, against recorded answers of JobManagers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

pytestmark = pytest.mark.network

Run = Callable[..., Result]
Answers = dict[str, Any]

LIB = ("flink-dist-{0}", "flink-table-runtime-{0}", "flink-table-planner-loader-{0}", "flink-json-{0}", "flink-csv-{0}")
LOG = "".join(
    f"2026-11-27 11:31:51,228 INFO  org.apache.flink.core.plugin.DefaultPluginManager [] - {text}: {plugin}\n"
    for plugin in ("metrics-prometheus", "s3-fs-hadoop")
    for text in ("Plugin loader with ID not found, creating it", "Plugin loader with ID found, reusing it")
)


def answers(version: str = "2.3.0", *jars: str) -> Answers:
    """The answers of the JobManager of a good cluster, by path."""
    return {
        "/overview": {"taskmanagers": 2, "slots-total": 4, "slots-available": 3, "flink-version": version},
        "/jobmanager/environment": {
            "jvm": {"version": "OpenJDK 64-Bit Server VM - Debian - 17/17.0.15+6-Debian-1deb12u1"},
            "classpath": [f"/opt/flink/lib/{name.format(version)}.jar" for name in (*LIB, *jars)],
        },
        "/jobmanager/config": [
            {"key": "execution.checkpointing.dir", "value": "s3://flink/checkpoints"},
            {"key": "execution.checkpointing.interval", "value": "10 s"},
            {"key": "high-availability.type", "value": "kubernetes"},
            {"key": "metrics.reporter.prom.factory.class", "value": "PrometheusReporterFactory"},
        ],
        "/jobmanager/log": LOG,
    }


def findings(result: Result) -> dict[str, dict[str, Any]]:
    """The findings by name."""
    return {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}


def test_a_good_cluster_has_what_models_need(run: Run, serve: Callable[[Answers], str]) -> None:
    url = serve(answers("2.3.0", "flink-sql-connector-kafka-5.0.0-2.2", "flink-sql-avro-{0}", "flink-python-{0}"))
    result = run("doctor", "--cluster", url, "--json")
    assert result.exit_code == 0
    found = findings(result)
    assert found["flink"]["detail"].startswith(f"2.3.0 at {url}") and "ML_PREDICT" in found["flink"]["detail"]
    assert found["janino"]["detail"] == "in flink-table-runtime 2.3.0"
    assert found["slots"]["detail"] == "3 of 4 free, on 2 TaskManagers"
    assert found["connectors"]["detail"].startswith("kafka 5.0.0-2.2, blackhole, datagen, print")
    assert found["formats"]["detail"].startswith("avro 2.3.0, csv 2.3.0, json 2.3.0, raw")
    assert found["file systems"] | {"ok": True} == found["file systems"]
    assert found["file systems"]["detail"] == "s3-fs-hadoop"
    assert found["checkpoints"]["detail"] == "every 10 s, in s3://flink/checkpoints"
    assert found["high availability"]["detail"] == "kubernetes"
    assert found["metrics"]["detail"] == "prom"


def test_the_lacks_of_a_cluster_are_named_with_what_adds_them(run: Run, serve: Callable[[Answers], str]) -> None:
    bad = answers("1.18.1")
    bad["/overview"] |= {"taskmanagers": 0, "slots-total": 0, "slots-available": 0}
    bad["/jobmanager/environment"]["classpath"] = ["/opt/flink/lib/flink-dist-1.18.1.jar"]
    bad["/jobmanager/config"] = []
    bad["/jobmanager/log"] = "Plugin loader with ID not found, creating it: metrics-jmx\n"
    result = run("doctor", "--cluster", serve(bad))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    missing = [line for line in lines if line.startswith("MISSING")]
    assert len(missing) == 2
    assert "a cluster of Flink 1.20 or later" in missing[0] and "flink-table-runtime in the cluster's lib" in missing[1]
    absent = "\n".join(line for line in lines if line.startswith("absent"))
    for text in ("taskmanager.sh start", "only file://", "high-availability.type", "execution.checkpointing.dir"):
        assert text in absent


def test_the_client_is_compared_with_the_cluster(run: Run, serve: Callable[[Answers], str]) -> None:
    pytest.importorskip("pyflink")
    url = serve(answers("2.1.0", "flink-sql-connector-kafka-4.0.1-2.0"))
    found = findings(run("doctor", "--cluster", url, "--json"))
    assert not found["pyflink"]["ok"] and found["pyflink"]["fix"] == "pip install 'apache-flink==2.1.0'"
    assert found["connectors of pyflink"]["detail"] == "lacks kafka 4.0.1-2.0"
    assert "flink-sql-gateway" in found["sql gateway"]["detail"]


def test_what_the_endpoint_does_not_show_is_said_so(run: Run, serve: Callable[[Answers], str]) -> None:
    hidden = {path: answer for path, answer in answers().items() if path == "/overview"}
    result = run("doctor", "--cluster", serve(hidden), "--json")
    assert result.exit_code == 0
    found = findings(result)
    for name in ("cluster java", "janino", "connectors", "formats", "file systems"):
        assert found[name]["detail"].startswith("not seen: the REST endpoint does not show"), name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:1", "http://127.0.0.1:1 does not answer: "),
        ("ftp://cluster:8081", "--cluster is 'ftp://cluster:8081', and has to be the http:// URL"),
    ],
)
def test_a_url_without_a_job_manager_is_an_error(run: Run, url: str, message: str) -> None:
    result = run("doctor", "--cluster", url)
    assert result.exit_code == 1
    assert message in result.stderr


@pytest.mark.parametrize("answer", ["<html>", {"status": "ok"}])
def test_another_server_is_told_from_a_job_manager(
    run: Run, serve: Callable[[Answers], str], answer: str | dict[str, str]
) -> None:
    result = run("doctor", "--cluster", serve({"/overview": answer}))
    assert result.exit_code == 1
    assert "the answer is not that of a Flink JobManager" in result.stderr
