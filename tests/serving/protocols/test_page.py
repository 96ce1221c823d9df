from __future__ import annotations

import re

import pytest

from leapstream import load
from leapstream.serving import Application, Settings, app
from leapstream.serving.page import FILES, read
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH, FAILING, RECORD


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "html"), ("/assets/page.css", "css"), ("/assets/page.js", "javascript")]
)
def test_the_page_is_open_and_takes_nothing_from_elsewhere(path: str, kind: str) -> None:
    application = app({"linear": load(BENCH / "linear3.zip")}, settings=Settings(token="secret"))
    answer = ask(application, "GET", path)
    assert answer.status == 200 and kind in answer.headers["content-type"]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert "frame-ancestors 'none'" in policy and answer.headers["x-content-type-options"] == "nosniff"


def test_the_files_name_no_other_source_and_write_no_html() -> None:
    assert read("index.html").count(b"<script") == 1
    for name in FILES:
        text = read(name).decode()
        addresses = set(re.findall(r"https?://[^\s\"'`]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|style=", text)


def test_what_the_page_asks_for_needs_the_token() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")}, settings=Settings(token="secret"))
    for path in ("/v1/models/linear/schema", "/v1/models/linear/pipeline", "/v1/statistics"):
        assert ask(application, "GET", path).status == 401
        assert ask(application, "GET", path, headers={"authorization": "Bearer secret"}).status == 200


def test_a_schema_is_that_of_the_models_records(application: Application) -> None:
    schema = ask(application, "GET", "/v1/models/linear/schema").json()
    assert list(schema["properties"]) == ["feature1", "feature2", "feature3"]
    assert ask(application, "POST", "/v1/models/linear:predict", schema["examples"][0]).status == 200
    assert ask(application, "GET", "/v1/models/nobody/schema").status == 404


def test_a_pipeline_is_the_models_nodes_with_their_columns(application: Application) -> None:
    nodes = ask(application, "GET", "/v1/models/linear/pipeline").json()["nodes"]
    assert [node["op"] for node in nodes] == ["vector_assembler", "linear_regression"]
    assert nodes[0]["inputs"] == ["feature1", "feature2", "feature3"] and nodes[1]["outputs"] == ["prediction"]


def test_statistics_count_requests_rows_failures_and_seconds() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")})
    assert ask(application, "GET", "/v1/statistics").json()["models"] == {}
    ask(application, "POST", "/v1/models/linear:predict", [RECORD] * 3)
    ask(application, "POST", "/v1/models/linear:predict", FAILING)
    found = ask(application, "GET", "/v1/statistics").json()
    counted = found["models"]["linear"]
    assert (counted["requests"], counted["rows"], counted["failures"]) == (2, 4, {"prediction": 1})
    assert counted["seconds"] > 0 and sum(counted["counts"]) == 2
    assert len(counted["counts"]) == len(found["bounds"]) + 1
