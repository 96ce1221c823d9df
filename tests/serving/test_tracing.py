from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from leapstream import load
from leapstream.serving import Application, app
from leapstream.serving.proto import mleap_pb2 as pb
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH, RECORD
from tests.serving.grpc.calling import calling
from tests.serving.running import serving

PREDICT = "/v1/models/linear:predict"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(spans: InMemorySpanExporter) -> Application:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return app({"linear": load(BENCH / "linear3.zip")}, tracer_provider=provider)


def test_a_request_is_a_span_below_the_one_that_it_names(traced: Application, spans: InMemorySpanExporter) -> None:
    answer = ask(traced, "POST", PREDICT, [RECORD] * 3, HEADERS)
    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind) == ("POST /v1/models/{name}:predict", SpanKind.SERVER)
    assert span.parent is not None and f"{span.parent.span_id:016x}" == PARENT
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/v1/models/{name}:predict",
        "leapstream.request_id": answer.headers["x-request-id"],
        "leapstream.model": "linear",
        "leapstream.model_version": "1",
        "leapstream.rows": 3,
    }
    assert span.start_time is not None and span.end_time is not None and 0 < span.end_time - span.start_time < 10**10


def test_a_span_has_the_kind_of_a_failure_and_says_whose_it_is(
    traced: Application, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(traced, "POST", PREDICT, {})
    ask(traced, "GET", "/made-up")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(traced.context.models.get("linear").model), "predict_record", fail)
    ask(traced, "POST", PREDICT, RECORD)
    found = [(s.name, s.attributes["error.type"], s.status.status_code) for s in spans.get_finished_spans()]
    assert found == [
        ("POST /v1/models/{name}:predict", "schema", StatusCode.UNSET),
        ("GET", "unknown_path", StatusCode.UNSET),
        ("POST /v1/models/{name}:predict", "internal", StatusCode.ERROR),
    ]


def test_probes_make_no_spans(traced: Application, spans: InMemorySpanExporter) -> None:
    ask(traced, "GET", "/livez")
    ask(traced, "GET", "/metrics")
    assert spans.get_finished_spans() == ()


def test_a_call_of_grpc_is_a_span(traced: Application, spans: InMemorySpanExporter) -> None:
    with calling(traced) as caller:
        metadata = list(HEADERS.items())
        caller.one(
            "/ml.combust.mleap.pb.Mleap/GetModel", pb.GetModelRequest(model_name="linear"), pb.Model, metadata=metadata
        )
    (span,) = spans.get_finished_spans()
    assert span.name == "ml.combust.mleap.pb.Mleap/GetModel"
    assert span.parent is not None and f"{span.parent.span_id:016x}" == PARENT


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector's address, and what is sent to it."""
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


@pytest.mark.network
@pytest.mark.slow
def test_the_command_sends_spans_where_the_environment_says(collector: tuple[str, list[bytes]]) -> None:
    endpoint, received = collector
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
    with serving(f"linear={BENCH / 'linear3.zip'}", environment=environment) as server:
        given = Request(server.url + PREDICT, json.dumps(RECORD).encode(), {"content-type": "application/json"})
        with urlopen(given, timeout=30) as answer:
            assert answer.status == 200
        assert server.end() == 0
    (sent,) = (ExportTraceServiceRequest.FromString(body) for body in received)
    (resource,) = sent.resource_spans
    assert {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"] == "leapstream"
    (span,) = resource.scope_spans[0].spans
    assert span.name == "POST /v1/models/{name}:predict"


@pytest.mark.slow
def test_nothing_of_opentelemetry_is_imported_without_need() -> None:
    code = "import sys, leapstream.serving.server as s; assert s._tracer_provider() is None; "
    code += "assert not any(name.startswith('opentelemetry') for name in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
