"""The metrics that Prometheus reads at ``/metrics``."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from leapstream.serving.tallies import SECONDS, Tallies

if TYPE_CHECKING:
    from leapstream.serving.registry import ModelRegistry, ServedModel

_BOUNDS = (*map(str, SECONDS), "+Inf")
# Set by the server for its workers, which then add up what they count.
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
# What a request that reached no model is counted under: names that clients make up must not become labels.
_NO_MODEL = ""


class Metrics:
    """The numbers of a server. Requests are counted by protocol and model, failures by kind, too."""

    def __init__(self, models: ModelRegistry) -> None:
        self._registry = CollectorRegistry()
        directory = os.environ.get(MULTIPROCESS_VARIABLE)
        self._tallies = Tallies(Path(directory) if directory else None)
        self._counted = _Counted(self._tallies)
        self._registry.register(self._counted)
        self._failures = Counter(
            "leapstream_request_failures",
            "Requests that failed, by protocol, model and kind of failure.",
            ("protocol", "model", "kind"),
            registry=self._registry,
        )
        self._info = Gauge(
            "leapstream_model_info",
            "1 for the live version of each model.",
            ("model", "version"),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._reloads = Counter(
            "leapstream_model_changes",
            "Changes of models: loaded, unloaded, or rejected; the version before a rejected one goes on.",
            ("model", "result"),
            registry=self._registry,
        )
        self._live: dict[str, str] = {}
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
        self._tallies.count(protocol, model, seconds, rows)
        if failed is not None:
            self._failures.labels(protocol, model, failed).inc()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format; of all workers together."""
        return generate_latest(self._together())

    def statistics(self) -> dict[str, dict[str, Any]]:
        """The numbers of each model that was asked for, of all protocols and workers together.

        Returns:
            model to ``requests``, ``rows``, ``seconds``, ``counts`` (requests by the bucket of their seconds; see
            :data:`leapstream.serving.tallies.SECONDS`) and ``failures`` by kind.
        """
        found: dict[str, dict[str, Any]] = defaultdict(
            lambda: {"requests": 0, "rows": 0, "seconds": 0.0, "counts": [0] * len(_BOUNDS), "failures": {}}
        )
        for (_, model), tally in self._tallies.sums().items():
            numbers = found[model]
            numbers["requests"] += int(tally.requests)
            numbers["rows"] += int(tally.rows)
            numbers["seconds"] += tally.seconds
            numbers["counts"] = [
                before + int(more) for before, more in zip(numbers["counts"], tally.buckets, strict=True)
            ]
        for metric in self._together().collect():
            for sample in metric.samples:
                if sample.name == "leapstream_request_failures_total":
                    failures = found[sample.labels["model"]]["failures"]
                    kind = sample.labels["kind"]
                    failures[kind] = failures.get(kind, 0) + int(sample.value)
        found.pop(_NO_MODEL, None)
        return dict(found)

    def _together(self) -> CollectorRegistry:
        """The numbers of all workers."""
        if not os.environ.get(MULTIPROCESS_VARIABLE):
            return self._registry
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        together.register(self._counted)
        return together

    def count_rejected(self, name: str) -> None:
        """Count a version of a model that did not go live."""
        self._reloads.labels(name, "rejected").inc()

    def _changed(self, name: str, served: ServedModel | None) -> None:
        before = self._live.pop(name, None)
        if before is not None:
            # What workers have counted together cannot be removed.
            if os.environ.get(MULTIPROCESS_VARIABLE):
                self._info.labels(name, before).set(0)
            else:
                self._info.remove(name, before)
        if served is not None:
            self._live[name] = served.version
            self._info.labels(name, served.version).set(1)
        self._reloads.labels(name, "unloaded" if served is None else "loaded").inc()


class _Counted(Collector):
    """The requests and rows that were counted, as Prometheus wants them."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies

    def describe(self) -> list[Metric]:
        """Nothing: there are no metrics before there are requests."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        by_both = ("protocol", "model")
        requests = CounterMetricFamily("leapstream_requests", "Requests by protocol and model.", labels=by_both)
        seconds = HistogramMetricFamily(
            "leapstream_request_seconds", "Seconds from the end of a request's body to its response.", labels=by_both
        )
        rows = CounterMetricFamily("leapstream_rows", "Rows that were scored, by model.", labels=("model",))
        by_model: dict[str, float] = defaultdict(float)
        for labels, tally in sorted(self._tallies.sums().items()):
            requests.add_metric(labels, tally.requests)
            buckets = list(zip(_BOUNDS, accumulate(tally.buckets), strict=True))
            seconds.add_metric(labels, buckets, tally.seconds)
            by_model[labels[1]] += tally.rows
        for model, count in by_model.items():
            rows.add_metric([model], count)
        yield from (requests, seconds, rows)
