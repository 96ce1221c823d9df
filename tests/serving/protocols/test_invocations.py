from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leapstream import load
from leapstream.serving import Application, Settings, SparkMLSettings, app
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH, RECORD

DOUBLES = [{"name": name, "type": "double"} for name in RECORD]
SCHEMA = {"input": DOUBLES, "output": {"name": "prediction", "type": "double"}}
MLFLOWS = {"dataframe_records": [RECORD]}
SAGEMAKERS = {"schema": SCHEMA, "data": [1, 2, 3]}
CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def single() -> Application:
    return app({"linear": load(BENCH / "linear3.zip")})


@pytest.fixture(scope="module")
def with_schema() -> Application:
    settings = Settings(token="t", sparkml=SparkMLSettings(json.dumps(SCHEMA)))
    return app({"linear": load(BENCH / "linear3.zip")}, settings=settings)


TOKEN = {"authorization": "Bearer t"}


def test_a_body_tells_the_protocol(single: Application) -> None:
    assert ask(single, "POST", "/invocations", MLFLOWS).json() == {"predictions": [{"prediction": -0.625}]}
    assert ask(single, "POST", "/invocations", SAGEMAKERS).body == b"-0.625"
    assert ask(single, "POST", "/invocations", {"x": 1}).json()["error_code"] == "BAD_REQUEST"


def test_with_a_schema_what_mlflow_does_not_have_is_sagemakers(with_schema: Application) -> None:
    assert ask(with_schema, "POST", "/invocations", MLFLOWS, TOKEN).json() == {"predictions": [{"prediction": -0.625}]}
    assert ask(with_schema, "POST", "/invocations", {"data": [1, 2, 3]}, TOKEN).body == b"-0.625"
    assert ask(with_schema, "POST", "/invocations", {"x": 1}, TOKEN).body.startswith(b"data has to be")
    assert ask(with_schema, "POST", "/invocations", b"1,2,3", TOKEN | CSV).body == b"-0.625"


def test_a_body_that_is_not_json_is_400_and_a_missing_token_401(single: Application, with_schema: Application) -> None:
    assert ask(single, "POST", "/invocations", b"{").json()["error_code"] == "BAD_REQUEST"
    answer = ask(with_schema, "POST", "/invocations", b"{", TOKEN)
    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert ask(with_schema, "POST", "/invocations", b"{").status == 401


@pytest.mark.parametrize("body", [MLFLOWS, SAGEMAKERS])
def test_a_server_of_several_models_needs_a_name(application: Application, body: object) -> None:
    answer = ask(application, "POST", "/invocations", body)
    assert answer.status == 404 and b"/endpoints/{name}/invocations" in answer.body
    expected = ask(application, "POST", "/endpoints/linear/invocations", body)
    assert expected.status == 200
    named = ask(application, "POST", "/invocations", body, {"X-Amzn-SageMaker-Target-Model": "linear"})
    assert named.body == expected.body
    assert ask(application, "POST", "/endpoints/nobody/invocations", body).status == 404


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_probes_are_answered_without_a_token_once_the_models_are_loaded(with_schema: Application, path: str) -> None:
    assert ask(with_schema, "GET", path).status == 503
    with_schema.context.keeper.start()
    answer = ask(with_schema, "GET", path)
    assert (answer.status, answer.body) == (200, b"\n")
    with_schema.context.keeper.stop()


def test_requests_are_counted_by_the_protocol_that_answers(single: Application) -> None:
    ask(single, "POST", "/invocations", MLFLOWS)
    ask(single, "POST", "/invocations", SAGEMAKERS)
    text = ask(single, "GET", "/metrics").body.decode()
    for protocol in ("mlflow", "sagemaker"):
        assert f'leapstream_requests_total{{model="linear",protocol="{protocol}"}}' in text


# ---- odd bodies -------------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(["1", "a", "", "feature1", "features", "NaN", "\u2028"]),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(st.sampled_from([*RECORD, "features", "columns", "data", "index", "x"]), parts, max_size=4)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from(["feature1", "features", "prediction", "x"])
TYPES = st.sampled_from(["double", "int", "string", "float"])
STRUCTS = st.sampled_from(["basic", "vector", "array"])
COLUMNS = st.fixed_dictionaries({"name": NAMES, "type": TYPES}, optional={"struct": STRUCTS})
SCHEMAS = st.fixed_dictionaries({"input": st.lists(COLUMNS, max_size=3), "output": COLUMNS})
FIELDS = st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs", "data", "params", "schema"])
BODIES = (
    VALUES
    | st.dictionaries(FIELDS, VALUES, max_size=2)
    | st.fixed_dictionaries({"schema": SCHEMAS, "data": st.lists(VALUES, max_size=4)})
)


@pytest.mark.slow
@given(BODIES, st.sampled_from(["linear", "forest"]), st.sampled_from(["application/json", "application/jsonlines"]))
def test_no_json_is_an_internal_error(application: Application, body: object, name: str, content: str) -> None:
    answer = ask(
        application, "POST", f"/endpoints/{name}/invocations", json.dumps(body).encode(), {"content-type": content}
    )
    assert answer.status in (200, 400), answer.body


@pytest.mark.slow
@given(st.text(st.sampled_from("feature123s,\n\r\"'x. -é\0"), max_size=60), st.booleans())
def test_no_csv_is_an_internal_error(single: Application, with_schema: Application, text: str, sparkml: bool) -> None:
    answer = ask(with_schema if sparkml else single, "POST", "/invocations", text.encode(), TOKEN | CSV)
    assert answer.status in (200, 400), answer.body
