"""The metrics of shadows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter

from leapstream.serving.observing import ShadowCounts

if TYPE_CHECKING:
    from leapstream.serving.registry import ServedModel


class ShadowMetrics:
    """Counters of what shadows compute, and of how far it is from the answers.

    Args:
        registry: where they are read.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        version = ("model", "version")
        output = (*version, "output")
        self._rows = Counter("leapstream_shadow_rows", "Rows that a shadow computed.", version, registry=registry)
        self._failures = Counter(
            "leapstream_shadow_failures", "Rows that fail in a shadow.", version, registry=registry
        )
        self._left_out = Counter(
            "leapstream_shadow_left_out", "Rows that a shadow left out: too many waited.", version, registry=registry
        )
        self._seconds = Counter("leapstream_shadow_seconds", "Seconds that a shadow took.", version, registry=registry)
        self._differing = Counter(
            "leapstream_shadow_differing_rows",
            "Rows whose output is not that of the answer.",
            output,
            registry=registry,
        )
        self._difference = Counter(
            "leapstream_shadow_difference",
            "The sum of the distances of a shadow's output from that of the answers.",
            output,
            registry=registry,
        )

    def count(self, served: ServedModel, counts: ShadowCounts) -> None:
        """Count what a shadow has computed."""
        version = (served.name, served.version)
        self._rows.labels(*version).inc(counts.rows)
        self._failures.labels(*version).inc(counts.failures)
        self._left_out.labels(*version).inc(counts.left_out)
        self._seconds.labels(*version).inc(counts.seconds)
        for output, rows in (counts.differing or {}).items():
            self._differing.labels(*version, output).inc(rows)
        for output, distance in (counts.difference or {}).items():
            self._difference.labels(*version, output).inc(distance)
