from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from leapstream import load
from leapstream.serving import Application, Settings, app
from leapstream.serving.loading import example
from leapstream.serving.protocols import PROTOCOLS
from leapstream.serving.registry import ServedModel
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH

FILES_OF_THE_PAGE = {"/", "/assets/page.css", "/assets/page.js"}
GOLDEN = Path(__file__).parents[1] / "golden"


def document_of(application: Application) -> dict[str, Any]:
    answer = ask(application, "GET", "/openapi.json")
    assert answer.status == 200
    return answer.json()


@pytest.fixture(scope="module")
def document(application: Application) -> dict[str, Any]:
    return document_of(application)


@pytest.mark.slow
def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.NAME)
def test_every_route_is_described(application: Application, protocol: ModuleType) -> None:
    described = [route for route in application.routes if route.protocol == protocol.NAME]
    assert described
    assert {route.path for route in described if route.operation is None} <= FILES_OF_THE_PAGE


def test_a_model_has_a_path_of_its_own_with_its_columns(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/models/linear:predict"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["anyOf"][0] == {"$ref": "#/components/schemas/linear.Record"}
    record = document["components"]["schemas"]["linear.Record"]
    assert list(record["properties"]) == record["required"] == ["feature1", "feature2", "feature3"]


def test_names_of_models_are_those_of_the_path(document: dict[str, Any]) -> None:
    (parameter,) = document["paths"]["/v1/models/{name}"]["get"]["parameters"]
    assert parameter["schema"]["enum"] == ["linear", "forest"]


def test_models_that_come_and_go_change_the_document() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")})
    models = application.context.models
    assert "/v1/models/linear:predict" in document_of(application)["paths"]
    models.put(ServedModel("forest", "2", load(BENCH / "forest3-20x5.zip")))
    assert "/v1/models/forest:predict" in document_of(application)["paths"]
    models.remove("linear")
    paths = document_of(application)["paths"]
    assert "/v1/models/linear:predict" not in paths and "/v1/models/forest:predict" in paths


@pytest.mark.slow
def test_without_models_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(document_of(app({}))).validate()


def test_a_token_is_part_of_the_document() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")}, settings=Settings(token="secret"))
    assert ask(application, "GET", "/openapi.json").status == 401
    document = ask(application, "GET", "/openapi.json", headers={"authorization": "Bearer secret"}).json()
    assert document["security"] == [{"token": []}]
    assert document["paths"]["/livez"]["get"]["security"] == []
    assert "401" in document["paths"]["/v1/models"]["get"]["responses"]


def test_names_that_differ_in_signs_alone_do_not_clash() -> None:
    linear = load(BENCH / "linear3.zip")
    document = document_of(app({"a@b": linear, "a+b": load(BENCH / "forest3-20x5.zip")}))
    assert {"a_b.Record", "a_b.Record_2"} <= document["components"]["schemas"].keys()


@pytest.mark.parametrize(
    "bundle",
    [
        "pipeline/loans-hashed/bundle.zip",
        "recommendation/als-long-ids/bundle.zip",
        "feature/map-entry-selector-long/bundle.zip",
        "sklearn/tfidf/bundle.zip",
        "sklearn/imputer-missing-value/bundle.zip",
        "feature/reverse-string-indexer-list/bundle.zip",
        "feature/min-hash-lsh/bundle.zip",
    ],
)
def test_records_and_answers_fit_the_schemas(bundle: str) -> None:
    application = app({"model": load(GOLDEN / bundle)})
    document = document_of(application)
    components = {"components": document["components"]}
    operation = document["paths"]["/v1/models/model:predict"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    answers = operation["responses"]["200"]["content"]["application/json"]["schema"]
    inputs = application.context.models.get("model").model.schema.inputs
    record = {f.name: example(f.type) for f in inputs}
    for given in (record, [record], []):
        Draft202012Validator({**body, **components}).validate(given)
        for options in ("", "?on_error=row", "?on_error=null"):
            answer = ask(application, "POST", f"/v1/models/model:predict{options}", given)
            assert answer.status == 200
            Draft202012Validator({**answers, **components}).validate(answer.json())
