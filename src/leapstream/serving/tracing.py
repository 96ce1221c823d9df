"""Spans of OpenTelemetry: one for each request, with the parent that its header ``traceparent`` names.

Nothing here is imported unless the environment names an endpoint, or an application is given a ``TracerProvider``.
"""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from leapstream.installation import VERSION
from leapstream.serving.http import Request

_PROPAGATOR = TraceContextTextMapPropagator()
_HEADERS = ("traceparent", "tracestate")


class Spans:
    """Makes the spans of a server.

    Args:
        provider: what collects and exports them.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("leapstream.serving", VERSION)

    def start(self) -> None:
        """Nothing: a provider is ready when it is made."""

    def stop(self) -> None:
        """Export what is still waiting."""
        self._provider.force_flush()

    def record(
        self,
        request: Request,
        name: str,
        attributes: dict[str, Any],
        seconds: float,
        failed: str | None,
        *,
        is_ours: bool,
    ) -> None:
        """Make the span of a request that was answered.

        Args:
            request: the request.
            name: the span's name, which holds nothing that clients make up.
            attributes: what the protocol knows of it.
            seconds: how long it took.
            failed: the kind of its failure.
            is_ours: true if the failure is the server's.
        """
        end = time.time_ns()
        carrier = {name: request.header(name.encode()) for name in _HEADERS}
        parent = _PROPAGATOR.extract({name: value for name, value in carrier.items() if value})
        attributes["leapstream.request_id"] = request.id
        if request.served is not None:
            attributes["leapstream.model"] = request.served.name
            attributes["leapstream.model_version"] = request.served.version
            attributes["leapstream.rows"] = request.rows
        if failed is not None:
            attributes["error.type"] = failed
        span = self._tracer.start_span(
            name, parent, SpanKind.SERVER, attributes, start_time=end - round(seconds * 1e9), record_exception=False
        )
        if is_ours:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)


def provider_from_environment() -> TracerProvider:
    """Exports spans by OTLP over HTTP, as the variables of OpenTelemetry say."""
    named = OTELResourceDetector().detect().attributes
    provider = TracerProvider(resource=Resource.create({} if SERVICE_NAME in named else {SERVICE_NAME: "leapstream"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
