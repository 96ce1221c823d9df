"""The metrics that Prometheus reads at ``/metrics``."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from leapstream.serving.shadowmetrics import ShadowMetrics
from leapstream.serving.tallies import SECONDS, Tallies, Tally

if TYPE_CHECKING:
    from leapstream.serving.registry import ModelRegistry, ServedModel

_BOUNDS = (*map(str, SECONDS), "+Inf")
# Set by the server for its workers, which then add up what they count.
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
# What a request that reached no model is counted under: names that clients make up must not become labels.
_NO_MODEL = ""


def metrics_directory() -> Path | None:
    """The directory in which the workers of a server add up what they count; ``None`` in a single process."""
    directory = os.environ.get(MULTIPROCESS_VARIABLE)
    return Path(directory) if directory else None


class Metrics:
    """The numbers of a server. Requests are counted by protocol and model, failures by kind, too.

    Args:
        models: the served models.
        collectors: further metrics.
        directory: where the workers of a server add up what they count; ``None`` for a single process.
    """

    def __init__(
        self, models: ModelRegistry, collectors: Sequence[Collector] = (), directory: Path | None = None
    ) -> None:
        self._registry = CollectorRegistry()
        self._tallies = Tallies(directory)
        self._counted = _Counted(self._tallies, models)
        # These add up what the workers count by themselves.
        self._collectors = (self._counted, *collectors)
        for collector in self._collectors:
            self._registry.register(collector)
        self._failures = Counter(
            "leapstream_request_failures",
            "Requests that failed, by protocol, model and kind of failure.",
            ("protocol", "model", "kind"),
            registry=self._registry,
        )
        self._info = Gauge(
            "leapstream_model_info",
            "1 for the live version of each model; of several that are live together, for each.",
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
        self._shares = Gauge(
            "leapstream_version_share",
            "The share of requests without a key that each live version answers; 0 for a shadow.",
            ("model", "version"),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._shadows = ShadowMetrics(self._registry)
        self._live: dict[str, tuple[str, ...]] = {}
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
        if served is None:
            model, version = _NO_MODEL, ""
        else:
            model, version = served.name, served.version
        self._tallies.count((protocol, model, version), seconds, rows, failed is not None)
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
        for model, tally in self._tallies.sums(lambda labels: labels[1]).items():
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

    def versions(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The numbers of each version that requests can name, by model and version; of shadows, too."""
        found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for (model, version), tally in self._counted.by_version().items():
            found[model][version] = {
                "requests": int(tally.requests),
                "rows": int(tally.rows),
                "failed": int(tally.failed),
                "seconds": tally.seconds,
                "counts": [int(count) for count in tally.buckets],
            }
        for metric in self._together().collect():
            for sample in metric.samples:
                model, version = sample.labels.get("model", ""), sample.labels.get("version", "")
                name = sample.name.removeprefix("leapstream_shadow_").removesuffix("_total")
                if sample.name.startswith("leapstream_shadow_") and sample.name.endswith("_total") and model in found:
                    shadow = found[model].setdefault(version, {}).setdefault("shadow", {})
                    # Of several outputs, that which differs most.
                    shadow[name] = max(shadow.get(name, 0.0), sample.value)
        return dict(found)

    def _together(self) -> CollectorRegistry:
        """The numbers of all workers."""
        if not os.environ.get(MULTIPROCESS_VARIABLE):
            return self._registry
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        for collector in self._collectors:
            together.register(collector)
        return together

    def count_rejected(self, name: str) -> None:
        """Count a version of a model that did not go live."""
        self._reloads.labels(name, "rejected").inc()

    def _changed(self, name: str, served: ServedModel | None) -> None:
        for before in self._live.pop(name, ()):
            for gauge in (self._info, self._shares):
                # What workers have counted together cannot be removed.
                if os.environ.get(MULTIPROCESS_VARIABLE):
                    gauge.labels(name, before).set(0)
                else:
                    gauge.remove(name, before)
        if served is not None:
            shares = {served.version: 1.0}
            if served.group is not None:
                served.group.counted = self._shadows.count
                shares = served.group.shares()
            self._live[name] = tuple(shares)
            for version, share in shares.items():
                self._info.labels(name, version).set(1)
                self._shares.labels(name, version).set(share)
        self._reloads.labels(name, "unloaded" if served is None else "loaded").inc()


class _Counted(Collector):
    """The requests and rows that were counted, as Prometheus wants them."""

    def __init__(self, tallies: Tallies, models: ModelRegistry) -> None:
        self._tallies = tallies
        self._models = models

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
        for labels, tally in sorted(self._tallies.sums(lambda labels: labels[:2]).items()):
            requests.add_metric(labels, tally.requests)
            buckets = list(zip(_BOUNDS, accumulate(tally.buckets), strict=True))
            seconds.add_metric(labels, buckets, tally.seconds)
            by_model[labels[1]] += tally.rows
        for model, count in by_model.items():
            rows.add_metric([model], count)
        yield from (requests, seconds, rows)
        yield from self._by_version()

    def _by_version(self) -> Iterator[Metric]:
        """The numbers of the versions that requests can name; those of versions that are gone would become ever more."""
        by_both = ("model", "version")
        requests = CounterMetricFamily("leapstream_version_requests", "Requests by model and version.", labels=by_both)
        failures = CounterMetricFamily(
            "leapstream_version_failures", "Requests that failed, by model and version.", labels=by_both
        )
        rows = CounterMetricFamily(
            "leapstream_version_rows", "Rows that were scored, by model and version.", labels=by_both
        )
        seconds = HistogramMetricFamily(
            "leapstream_version_seconds", "Seconds of requests, by model and version.", labels=by_both
        )
        for labels, tally in sorted(self.by_version().items()):
            requests.add_metric(labels, tally.requests)
            failures.add_metric(labels, tally.failed)
            rows.add_metric(labels, tally.rows)
            buckets = list(zip(_BOUNDS, accumulate(tally.buckets), strict=True))
            seconds.add_metric(labels, buckets, tally.seconds)
        yield from (requests, failures, rows, seconds)

    def by_version(self) -> dict[tuple[str, str], Tally]:
        """The tally of each version that requests can name."""
        names = {
            (served.name, version.version) for served in self._models for version in self._models.versions(served.name)
        }
        return {key: tally for key, tally in self._tallies.sums(lambda labels: labels[1:]).items() if key in names}
