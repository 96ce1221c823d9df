"""The metrics that Prometheus reads at ``/metrics``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from leapstream.serving.registry import ModelRegistry, ServedModel

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# Set by the server for its workers, which then add up what they count.
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
# What a request that reached no model is counted under: names that clients make up must not become labels.
_NO_MODEL = ""


class Metrics:
    """The numbers of a server. Requests are counted by protocol and model, failures by kind, too."""

    def __init__(self, models: ModelRegistry) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "leapstream_requests", "Requests by protocol and model.", ("protocol", "model"), registry=self._registry
        )
        self._failures = Counter(
            "leapstream_request_failures",
            "Requests that failed, by protocol, model and kind of failure.",
            ("protocol", "model", "kind"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "leapstream_request_seconds",
            "Seconds from the end of a request's body to its response.",
            ("protocol", "model"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._rows = Counter("leapstream_rows", "Rows that were scored, by model.", ("model",), registry=self._registry)
        self._info = Gauge(
            "leapstream_model_info",
            "1 for the live version of each model.",
            ("model", "version"),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._reloads = Counter(
            "leapstream_model_changes",
            "Changes of models: loaded or unloaded.",
            ("model", "result"),
            registry=self._registry,
        )
        self._live: dict[str, str] = {}
        # The labels of each pair are looked up once.
        self._children: dict[tuple[str, str], tuple[Counter, Histogram, Counter]] = {}
        for served in models:
            self._changed(served.name, served)
        models.listen(self._changed)

    def count(self, protocol: str, served: ServedModel | None, rows: int, seconds: float, failed: str | None) -> None:
        """Count a request that was answered.

        Args:
            protocol: its protocol.
            served: the model that answered.
            rows: the number of rows scored.
            seconds: how long it took.
            failed: the kind of its failure.
        """
        model = _NO_MODEL if served is None else served.name
        try:
            requests, histogram, scored = self._children[protocol, model]
        except KeyError:
            requests, histogram, scored = self._children[protocol, model] = (
                self._requests.labels(protocol, model),
                self._seconds.labels(protocol, model),
                self._rows.labels(model),
            )
        requests.inc()
        histogram.observe(seconds)
        if rows:
            scored.inc(rows)
        if failed is not None:
            self._failures.labels(protocol, model, failed).inc()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format; of all workers together."""
        if not os.environ.get(MULTIPROCESS_VARIABLE):
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _changed(self, name: str, served: ServedModel | None) -> None:
        before = self._live.pop(name, None)
        if before is not None:
            self._info.labels(name, before).set(0)
        if served is not None:
            self._live[name] = served.version
            self._info.labels(name, served.version).set(1)
        self._reloads.labels(name, "unloaded" if served is None else "loaded").inc()
