from __future__ import annotations

import gzip
import re
import zlib
from typing import Any

import pytest

from leapstream import load
from leapstream.serving import Application, RequestLimits, Settings, app
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH, RECORD

PREDICT = "/v1/models/linear:predict"


def small(**limits: float) -> Application:
    return app({"linear": load(BENCH / "linear3.zip")}, settings=Settings(limits=RequestLimits(**limits)))


def test_a_body_in_parts_is_put_together(application: Application) -> None:
    parts = [b'{"feature1": 1.0, "fea', b'ture2": 2.0, "feature3"', b": 3.0}"]
    assert ask(application, "POST", PREDICT, parts).json() == ask(application, "POST", PREDICT, RECORD).json()


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_body_is_read(application: Application, encoding: str, compress) -> None:  # type: ignore[no-untyped-def]
    body = compress(b'{"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}')
    assert ask(application, "POST", PREDICT, body, {"content-encoding": encoding}).status == 200


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"no gzip"), ("gzip", gzip.compress(b"{}", mtime=0)[:-9]), ("br", b"")],
    ids=["no gzip", "cut off", "unknown"],
)
def test_a_body_that_cannot_be_decompressed_is_refused(application: Application, encoding: str, body: bytes) -> None:
    assert ask(application, "POST", PREDICT, body, {"content-encoding": encoding}).status == 400


def test_a_body_over_the_limit_is_413() -> None:
    application = small(max_body=1000)
    assert ask(application, "POST", PREDICT, b" " * 1001).status == 413
    assert ask(application, "POST", PREDICT, [b" " * 600, b" " * 600]).status == 413
    assert ask(application, "POST", PREDICT, gzip.compress(b" " * 1001), {"content-encoding": "gzip"}).status == 413


def test_a_token_is_asked_for() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")}, settings=Settings(token="secret"))
    refused = ask(application, "POST", PREDICT, RECORD)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert ask(application, "POST", PREDICT, RECORD, {"authorization": "Bearer other"}).status == 401
    assert ask(application, "POST", PREDICT, RECORD, {"authorization": "Bearer secret"}).status == 200
    assert ask(application, "GET", "/livez").status == 200


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(Settings(token="secret"))


def test_a_request_has_an_id(application: Application) -> None:
    given = ask(application, "POST", PREDICT, RECORD, {"x-request-id": "mine-1"})
    assert given.headers["x-request-id"] == "mine-1"
    made = ask(application, "POST", PREDICT, RECORD, {"x-request-id": "forged\r\nline"})
    assert made.headers["x-request-id"].isprintable() and "forged" not in made.headers["x-request-id"]


def test_the_trace_is_passed_on(application: Application) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert ask(application, "POST", PREDICT, RECORD, {"traceparent": trace}).headers["traceparent"] == trace
    assert "traceparent" not in ask(application, "POST", PREDICT, RECORD, {"traceparent": "x"}).headers


def test_an_unknown_path_is_404_and_another_method_405(application: Application) -> None:
    assert ask(application, "GET", "/nowhere").status == 404
    answer = ask(application, "DELETE", PREDICT)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert ask(application, "DELETE", "/livez").headers["allow"] == "GET, HEAD"


def test_a_request_that_takes_too_long_is_504() -> None:
    application = small(timeout=0.001)
    assert ask(application, "POST", PREDICT, [RECORD] * 20_000).status == 504


def test_more_requests_than_allowed_are_503() -> None:
    application = small(max_concurrent=1)
    application._active = 1
    answer = ask(application, "POST", PREDICT, RECORD)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_an_error_of_our_own_is_told_by_its_request_alone(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = application.context.models.get("linear")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(type(served.model), "predict_record", fail)
    answer = ask(application, "POST", PREDICT, RECORD)
    assert answer.status == 500 and b"hunter2" not in answer.body
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]


def test_requests_are_counted_by_model_and_failures_by_kind() -> None:
    application = small()
    ask(application, "POST", PREDICT, [RECORD] * 3)
    ask(application, "POST", PREDICT, {})
    ask(application, "GET", "/made-up-by-a-client")
    text = ask(application, "GET", "/metrics").body.decode()
    assert 'leapstream_requests_total{model="linear",protocol="plain"} 2.0' in text
    assert 'leapstream_rows_total{model="linear"} 4.0' in text
    assert 'leapstream_request_failures_total{kind="schema",model="linear",protocol="plain"} 1.0' in text
    assert 'leapstream_model_info{model="linear",version="1"} 1.0' in text
    assert "made-up" not in text


def test_an_application_may_be_mounted_under_a_path(application: Application) -> None:
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "root_path": "/ml"}, receive, send)

    assert ask(mounted, "POST", f"/ml{PREDICT}", RECORD).status == 200
    assert ask(mounted, "POST", PREDICT, RECORD).status == 200  # a server may take the root away
    page = ask(mounted, "GET", "/ml/").body.decode()
    assert not re.search(r'(href|src)="/', page)
    assert ask(mounted, "GET", "/ml/openapi.json").json()["servers"] == [{"url": "/ml"}]
    assert ask(application, "GET", "/openapi.json").json()["servers"] == [{"url": "/"}]
