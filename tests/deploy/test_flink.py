"""The files of ``deploy/flink/`` fit each other, the code, and Flink; ``make test-streams`` runs the job."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from leapstream.cli.statements import split
from tests.deploy.manifests import DEPLOY, instructions

FLINK = DEPLOY / "flink"
JAVA = DEPLOY.parent / "java" / "src" / "main" / "java" / "leapstream" / "flink"
OPERATOR = "flink_taskmanager_job_task_operator_"


def manifest(name: str) -> dict[str, Any]:
    """A manifest of the folder."""
    return dict(yaml.safe_load((FLINK / f"{name}.yaml").read_text()))


def test_the_image_has_what_the_deployment_names() -> None:
    spec = manifest("deployment")["spec"]
    copies = (text.rpartition(" ") for text in instructions("COPY", FLINK / "Dockerfile"))
    copied = {target: sources for sources, _, target in copies}
    script = spec["job"]["args"][1].removeprefix("file://")
    assert copied[script] == (FLINK / "job.sql").name
    assert "models.jar" in copied["/opt/flink/lib/"].split()
    (base,) = instructions("FROM", FLINK / "Dockerfile")
    version = base.partition(":")[2]
    assert spec["flinkVersion"] == f"v{version.replace('.', '_')}"
    assert f"-{version}." in spec["job"]["jarURI"]


def test_the_job_asks_for_a_function_of_a_compiled_jar() -> None:
    statements = [statement.text for statement in split((FLINK / "job.sql").read_text(), "job.sql")]
    assert any("'leapstream.models.Predict' LANGUAGE JAVA" in statement for statement in statements)
    assert statements[-1].startswith("INSERT INTO")


def test_the_monitor_scrapes_the_port_of_the_reporter() -> None:
    spec = manifest("deployment")["spec"]
    (container,) = spec["podTemplate"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    monitor = manifest("podmonitor")["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert str(ports[endpoint["port"]]) == spec["flinkConfiguration"]["metrics.reporter.prom.port"]
    assert monitor["selector"]["matchLabels"]["app"] == manifest("deployment")["metadata"]["name"]


def expressions() -> list[str]:
    """The queries of the dashboard."""
    dashboard = json.loads((FLINK / "grafana.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def registered(path: Path, variable: str) -> set[str]:
    """The names that a Java class gives to its metrics."""
    return set(re.findall(rf'\b{variable}\.(?:counter|gauge|histogram|meter)\("(\w+)"', path.read_text()))


def test_the_dashboard_asks_for_metrics_that_models_have() -> None:
    asked = {name for text in expressions() for name in re.findall(rf"{OPERATOR}leapstream_model_version_(\w+)", text)}
    assert {"predictions", "failures", "latencyNanos"} <= asked <= registered(JAVA / "ModelMetrics.java", "group")


def test_the_dashboard_asks_for_metrics_that_stores_have() -> None:
    asked = {name for text in expressions() for name in re.findall(rf"{OPERATOR}leapstream_store_(\w+)", text)}
    assert {"reloads", "reloadFailures"} <= asked <= registered(JAVA / "live" / "LiveFunction.java", "own")


@pytest.mark.parametrize("text", expressions())
def test_the_dashboard_asks_for_one_job_where_a_metric_is_of_a_job(text: str) -> None:
    assert ("job_name=~" in text) == ("_job_" in text)


def test_panels_do_not_overlap() -> None:
    panels = json.loads((FLINK / "grafana.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)) and all(x < 24 for x, _ in cells)
