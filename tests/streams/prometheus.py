"""Flink's Prometheus reporter, scraped."""

from __future__ import annotations

import random
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from tests.flink.cluster import Cluster

_PORT = "metrics.reporter.prom.port"
_PARTS = 6


@dataclass(frozen=True)
class Sample:
    """A value of a metric.

    Attributes:
        name: its name.
        labels: its labels.
        value: its value.
    """

    name: str
    labels: dict[str, str]
    value: float


def prometheus_settings() -> dict[str, object]:
    """The settings of a cluster that Prometheus scrapes; each process takes the first free port of a range."""
    # Below the ports that the system gives to those who ask for any.
    while True:
        first = random.randrange(20_000, 30_000)
        if all(_is_free(port) for port in range(first, first + _PARTS + 1)):
            break
    factory = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
    return {"metrics.reporter.prom.factory.class": factory, _PORT: f"{first}-{first + _PARTS}"}


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def scrape(cluster: Cluster, suffix: str = "") -> list[Sample]:
    """The values of the metrics of all processes whose names end like this."""
    settings = {item["key"]: item["value"] for item in cluster.list("jobmanager/config")}
    first, _, last = settings[_PORT].partition("-")
    return [
        sample for port in range(int(first), int(last) + 1) for sample in _scraped(port) if sample.name.endswith(suffix)
    ]


def _scraped(port: int) -> Iterator[Sample]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except urllib.error.URLError:
        return
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield Sample(sample.name, dict(sample.labels), sample.value)
