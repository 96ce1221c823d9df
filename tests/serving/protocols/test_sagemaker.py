from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from leapstream import ConfigError, LeapFrame, LeapstreamError, Model, load
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import Field, MapType, ScalarType, TensorType
from leapstream.serving import Application, RequestLimits, ServedModel, Settings, SparkMLSettings, app
from leapstream.serving.scoring import TooLongForLoopError
from leapstream.serving.values import flat
from tests.golden_corpus import GOLDEN
from tests.pipelines import labelled
from tests.serving.asgi import Answer, ask
from tests.serving.conftest import BENCH
from tests.serving.goldens import golden_models, records, same_json
from tests.serving.running import serving

DOUBLES = [{"name": name, "type": "double"} for name in ("feature1", "feature2", "feature3")]
PREDICTION = {"input": DOUBLES, "output": {"name": "prediction", "type": "double"}}
FEATURES = {"input": DOUBLES, "output": {"name": "features", "type": "double", "struct": "vector"}}
VECTOR = {
    "input": [{"name": "features", "type": "double", "struct": "vector"}],
    "output": {"name": "prediction", "type": "double"},
}


@pytest.fixture(scope="module")
def linear() -> Model:
    return load(BENCH / "linear3.zip")


@pytest.fixture(scope="module")
def with_schema(linear: Model) -> Application:
    """A server of one model with a schema in its settings."""
    return app({"linear": linear}, settings=Settings(sparkml=SparkMLSettings(json.dumps(PREDICTION))))


@pytest.fixture(scope="module")
def without(linear: Model) -> Application:
    return app({"linear": linear})


@pytest.fixture(scope="module")
def forest() -> Application:
    return app({"forest": load(BENCH / "forest3-20x5.zip")})


def invoke(application: Application, body: Any, content: str = "application/json", accept: str | None = None) -> Answer:
    headers = {"content-type": content, **({} if accept is None else {"accept": accept})}
    return ask(application, "POST", "/invocations", body, headers)


CSV, LINES, TEXT_LINES = "text/csv", "application/jsonlines", "application/jsonlines;data=text"


# ---- recorded from the container --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "body", "accept", "expected", "media_type"),
    [
        ("application/json", b'{"data":[1,2.0,3]}', None, "-0.625", CSV),
        ("application/json", b'{"data":[1,2.0,3]}', "*/*", "-0.625", CSV),
        ("application/json", b'{"data":[1,2.0,3]}', LINES, "-0.625", LINES),
        ("application/json", b'{"data":[1,2.0,3]}', TEXT_LINES, "-0.625", LINES),
        (CSV, b"1,2,3", None, "-0.625", CSV),
        (CSV, b"1,2,3\r\n", None, "-0.625", CSV),
        (CSV, b'"1",2,3,"more"', None, "-0.625", CSV),
        (LINES, b'{"data":[1,2,3]}', None, "[[-0.625]]", CSV),
        (LINES, b'{"data":[[1,2,3],[4,5,6]]}\n{"data":[1,2,3]}\n', None, "[[-0.625], [-0.625], [-0.625]]", CSV),
        (LINES, b'{"data":[[1,2,3],[4,5,6]]}\n{"data":[1,2,3]}', LINES, "[[-0.625], [-0.625], [-0.625]]", LINES),
    ],
)
def test_rows_are_answered_as_the_container_answers_them(
    with_schema: Application, content: str, body: bytes, accept: str | None, expected: str, media_type: str
) -> None:
    answer = invoke(with_schema, body, content, accept)
    assert (answer.status, answer.body.decode(), answer.headers["content-type"]) == (200, expected, media_type)


@pytest.mark.parametrize(
    ("content", "body", "accept", "expected"),
    [
        ("application/json", {"schema": FEATURES, "data": [1, 2, 1e10]}, None, "1.0,2.0,1.0E10"),
        ("application/json", {"schema": FEATURES, "data": [1, 2, 1e10]}, TEXT_LINES, '{"source":"1.0 2.0 1.0E10"}'),
        (LINES, {"schema": FEATURES, "data": [1, 2, 1e10]}, TEXT_LINES, '[[{"source":"1.0 2.0 1.0E10"}]]'),
    ],
)
def test_a_schema_in_the_request_replaces_that_of_the_settings(
    with_schema: Application, content: str, body: Any, accept: str | None, expected: str
) -> None:
    assert invoke(with_schema, body, content, accept).body.decode() == expected


def test_vectors_are_json_lines_of_features(with_schema: Application) -> None:
    answer = invoke(with_schema, {"schema": FEATURES, "data": [1, 2, 1e10]}, accept=LINES)
    assert answer.json() == {"features": [1.0, 2.0, 1e10]} and answer.headers["content-type"] == LINES


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ({"type": "double"}, 1, b"1.0"),
        ({"type": "int"}, 1, b"1"),
        ({"type": "boolean"}, "True", b"true"),
        ({"type": "float"}, 0.1, b"0.1"),
        ({"type": "string", "struct": "array"}, ["a", "b"], b"a,b"),
        ({"type": "float", "struct": "array"}, [0.1, 2], b"0.1,2.0"),
        ({"type": "double", "struct": "vector"}, [1, 2], b"1.0,2.0"),
    ],
)
def test_an_input_can_be_the_output(with_schema: Application, column: Any, value: Any, expected: bytes) -> None:
    echoed = {"name": "echoed", **column}
    schema = {"input": [echoed, *DOUBLES], "output": echoed}
    assert invoke(with_schema, {"schema": schema, "data": [value, 2, 3, 4]}).body == expected
    assert invoke(with_schema, {"schema": schema, "data": [[value, 2, 3, 4]]}, LINES).body == b"[[%b]]" % expected


def test_values_are_of_the_types_of_the_schema(with_schema: Application) -> None:
    types = [{**column, "type": kind} for column, kind in zip(DOUBLES, ("int", "float", "double"), strict=True)]
    schema = {**PREDICTION, "input": types}
    assert invoke(with_schema, {"schema": schema, "data": [1, 2, 1e10]}).body == b"7.499999997125E9"
    answer = invoke(with_schema, {"schema": schema, "data": [1.0, 2, 1e10]})
    assert (answer.status, answer.body.decode()) == (400, "column 'feature1': '1.0' is not a valid int")


def test_a_float_is_not_the_double_of_its_digits() -> None:
    """The text of a float is short in Java, and so is the label that an indexer has for it."""
    application = app({"m": load(GOLDEN / "feature/string-indexer-from-float/bundle.zip")})
    for kind, expected in (("float", b"5.0"), ("double", b"8.0")):
        schema = {"input": [{"name": "float", "type": kind}], "output": {"name": "idx", "type": "double"}}
        assert invoke(application, {"schema": schema, "data": [0.10000000149011612]}).body == expected


def test_json_lines_have_the_digits_of_floats(without: Application) -> None:
    echoed = {"name": "echoed", "type": "float", "struct": "array"}
    body = {"schema": {"input": [echoed], "output": echoed}, "data": [[0.1, 1e30]]}
    assert invoke(without, body, accept=LINES).json() == {"features": [0.1, 1e30]}


def test_vectors_are_lists(forest: Application) -> None:
    assert invoke(forest, {"schema": VECTOR, "data": [[1.0, 2.0, 3.0]]}).body == b"51.499535792842856"
    lines = {"schema": VECTOR, "data": [[[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]]]}
    assert invoke(forest, lines, LINES).body == b"[[51.499535792842856], [51.499535792842856]]"


@pytest.mark.parametrize(
    ("content", "body", "reason"),
    [
        (CSV, b"1,2", "3 inputs"),
        (CSV, b"1,2,x", "column 'feature3': 'x' is not a number"),
        (CSV, b'1,2,"3', "not CSV"),
        (CSV, b"\xff", "not CSV"),
        (CSV, b"", "no row"),
        ("application/json", b"", "not JSON"),
        ("application/json", b"null", "data"),
        ("application/json", b'{"data":[1,2]}', "3 inputs"),
        ("application/json", b'{"data":[1,2,null]}', "column 'feature3': the value is missing"),
        ("application/json", b'{"data":[1,2,[3]]}', "column 'feature3': the value is not a single one"),
        ("application/json", b'{"data":[1,2,1' + b"0" * 400 + b"]}", "column 'feature3'"),
        ("application/json", b'{"data":[1,2,3],"x":1}', "no field 'x'"),
        ("application/json", b'{"dat', "not JSON"),
        ("application/json", b"{}", "data"),
        ("application/json", b"[1]", "data"),
        (LINES, b"", "no row"),
        (LINES, b'{"data":[]}', "no row"),
        (LINES, b'{"data":[1,2,3]}\n{', "not JSON"),
    ],
)
def test_what_the_container_rejects_is_rejected_with_its_reason(
    with_schema: Application, content: str, body: bytes, reason: str
) -> None:
    answer = invoke(with_schema, body, content)
    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert reason in answer.body.decode()


def test_other_media_types_are_415(with_schema: Application) -> None:
    assert invoke(with_schema, b"a", "text/plain").status == 415


def test_accept_has_to_be_a_type_of_the_container(with_schema: Application) -> None:
    answer = invoke(with_schema, {"data": [1, 2, 3]}, accept="application/json")
    assert answer.status == 400 and "application/jsonlines;data=text" in answer.body.decode()
    # The container rejects the space.
    assert invoke(with_schema, {"data": [1, 2, 3]}, accept="application/jsonlines; data=text").status == 200


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (None, "SAGEMAKER_SPARKML_SCHEMA"),
        ({"input": DOUBLES}, "malformed"),
        ({**PREDICTION, "more": 1}, "malformed"),
        ({**PREDICTION, "input": [*DOUBLES, DOUBLES[0]]}, "two inputs have one name"),
        ({**PREDICTION, "input": [{"name": "feature1", "type": "integer"}]}, "malformed"),
        ({**PREDICTION, "input": [{"name": "feature1", "type": "int", "struct": "vector"}]}, "vectors are doubles"),
        ({**PREDICTION, "input": DOUBLES[:2]}, "feature3"),
        ({**PREDICTION, "output": {"name": "feature1", "type": "int"}}, "feature1"),
        ({**PREDICTION, "output": {"name": "nothing", "type": "double"}}, "no output 'nothing'"),
        ({**PREDICTION, "output": {"name": "prediction", "type": "int"}}, "prediction"),
        ({**PREDICTION, "output": {"name": "prediction", "type": "double", "struct": "vector"}}, "prediction"),
        ({**PREDICTION, "output": {"name": "prediction", "type": "double", "struct": "array"}}, "prediction"),
    ],
)
def test_a_schema_that_does_not_fit_is_400(without: Application, schema: Any, reason: str) -> None:
    answer = invoke(without, {"schema": schema, "data": [1, 2, 3]})
    assert answer.status == 400 and reason in answer.body.decode()


def test_csv_needs_the_schema_of_the_settings(without: Application) -> None:
    # Without one it is MLflow's, which has a header.
    assert invoke(without, b"1,2,3", CSV).json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_row_that_fails_names_node_and_column(without: Application) -> None:
    schema = {**PREDICTION, "input": [{**DOUBLES[0], "type": "string"}, *DOUBLES[1:]]}
    answer = invoke(without, {"schema": schema, "data": ["x", 2, 3]})
    assert answer.status == 400
    assert "cannot cast 'x' to double" in answer.body.decode() and "feature1" in answer.body.decode()


def test_a_row_that_the_model_drops_is_400() -> None:
    columns = [{"name": "y", "type": "string"}, {"name": "x", "type": "double", "struct": "vector"}]
    schema = {"input": columns, "output": {"name": "label", "type": "double"}}
    application = app({"labelled": labelled("skip")})
    assert invoke(application, {"schema": schema, "data": ["no", [1.0]]}).body == b"0.0"
    answer = invoke(application, {"schema": schema, "data": ["maybe", [1.0]]})
    assert (answer.status, answer.body) == (400, b"the model drops the row")


# ---- beyond the container ---------------------------------------------------------------------------------------------


def test_each_row_of_csv_has_a_line(with_schema: Application, linear: Model) -> None:
    rows = [[float(i), 2.0, 3.5] for i in range(500)]
    answer = invoke(with_schema, "\n".join(",".join(map(str, row)) for row in rows).encode(), CSV)
    expected = [linear.predict(dict(zip(linear.schema.inputs.names, row, strict=True))) for row in rows]
    assert [float(line) for line in answer.body.splitlines()] == [found["prediction"] for found in expected]


@pytest.mark.parametrize(("content", "body"), [(CSV, b"1,2,3\n" * 1000), (LINES, b'{"data":[1,2,3]}\n' * 1000)])
def test_many_rows_are_converted_in_threads(with_schema: Application, content: str, body: bytes) -> None:
    with pytest.raises(TooLongForLoopError):
        with_schema.answer_small("POST", "/invocations", b"", {b"content-type": content.encode()}, body)
    assert invoke(with_schema, body, content).body.count(b"-0.625") == 1000


def test_whole_numbers_are_elements_of_vectors_of_doubles(forest: Application) -> None:
    assert invoke(forest, {"schema": VECTOR, "data": [[1, 2.0, 3]]}).body == b"51.499535792842856"


@pytest.mark.parametrize("data", [[1.0], [["1", 2.0, 3.0]], [None], [[1.0, 2.0]], [[True, 2.0, 3.0]]])
def test_a_value_that_is_no_vector_is_400(forest: Application, data: Any) -> None:
    assert invoke(forest, {"schema": VECTOR, "data": data}).status == 400


def test_the_settings_may_have_another_default_for_accept(linear: Model) -> None:
    settings = Settings(sparkml=SparkMLSettings(json.dumps(FEATURES), accept=LINES))
    answer = invoke(app({"linear": linear}, settings=settings), {"data": [1, 2, 3]})
    assert answer.json() == {"features": [1.0, 2.0, 3.0]}


def test_a_malformed_schema_of_the_settings_stops_the_start(linear: Model) -> None:
    with pytest.raises(ConfigError, match="SAGEMAKER_SPARKML_SCHEMA: the schema is malformed"):
        app({"linear": linear}, settings=Settings(sparkml=SparkMLSettings("{}")))


# ---- other requests ---------------------------------------------------------------------------------------------------


def test_a_batch_transform_is_told_the_parameters(linear: Model) -> None:
    found = ask(app({"linear": linear}), "GET", "/execution-parameters").json()
    assert found.keys() == {"MaxConcurrentTransforms", "BatchStrategy", "MaxPayloadInMB"}
    assert (found["BatchStrategy"], found["MaxPayloadInMB"]) == ("SINGLE_RECORD", 5)
    settings = Settings(limits=RequestLimits(max_body=3 << 20))
    found = ask(app({"linear": linear}, settings=settings), "GET", "/execution-parameters").json()
    assert found["MaxPayloadInMB"] == 3


@pytest.mark.slow
def test_sagemakers_own_client_gets_answers() -> None:
    boto3 = pytest.importorskip("boto3")
    environment = {"SAGEMAKER_SPARKML_SCHEMA": json.dumps(PREDICTION)}
    with serving(f"linear={BENCH / 'linear3.zip'}", environment=environment) as server:
        client = boto3.client(
            "sagemaker-runtime",
            endpoint_url=server.url,
            region_name="eu-central-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        answer = client.invoke_endpoint(EndpointName="linear", ContentType=CSV, Body=b"1,2,3")
        assert (answer["Body"].read(), answer["ContentType"]) == (b"-0.625", CSV)
        answer = client.invoke_endpoint(
            EndpointName="linear", ContentType="application/json", Accept=LINES, Body=json.dumps({"data": [1, 2, 3]})
        )
        assert (answer["Body"].read(), answer["ContentType"]) == (b"-0.625", LINES)


# ---- golden corpus ----------------------------------------------------------------------------------------------------

FIRST_ROWS = 5
SCALARS = ("boolean", "byte", "short", "int", "long", "float", "double", "string")


def column(field: Field) -> dict[str, str] | None:
    """A column as SageMaker's schemas describe it, or ``None`` if they cannot."""
    base = str(field.type.base)
    if base not in SCALARS or isinstance(field.type, MapType):
        return None
    if isinstance(field.type, TensorType):
        known = {"name": field.name, "type": base, "struct": "vector"}
        dimensions = field.type.dimensions
        return known if base == "double" and (dimensions is None or len(dimensions) == 1) else None
    return {"name": field.name, "type": base, "struct": "basic" if isinstance(field.type, ScalarType) else "array"}


def elements(value: Any) -> Any:
    return list(flat(value)) if isinstance(value, list) else value


def dense(row: Sequence[Any]) -> list[Any]:
    """A row with dense tensors, as all vectors are in the container."""
    return [Tensor.dense(value.to_dense(), value.base) if isinstance(value, Tensor) else value for value in row]


def predicted(model: Model, row: LeapFrame, output: str) -> Any:
    """The value of an output for a frame of one row, whose types are declared; ``None`` if there is none."""
    try:
        found = records(model.predict(row, outputs=(output,)))
    except LeapstreamError:
        return None
    return found[0][output] if found else None


def parsed(text: bytes, output: dict[str, str]) -> Any:
    """A value of an answer as JSON lines."""
    if output["struct"] != "basic":
        return [float(v) if v in ("NaN", "Infinity", "-Infinity") else v for v in json.loads(text)["features"]]
    if output["type"] in ("float", "double"):
        number = float(text)
        return number if output["type"] == "double" else float(np.float32(number))
    return text.decode() if output["type"] == "string" else json.loads(text)


@pytest.mark.slow
def test_the_golden_corpus_passes_through_the_protocol() -> None:
    compared, differing = 0, []
    application = app({})
    for case, model, rows in golden_models():
        given = case.input()
        inputs = [column(field) for field in given.schema]
        outputs = [
            found
            for field in (*model.schema.outputs, *model.schema.intermediate)
            if (found := column(field)) is not None
        ]
        # A vector in the place of a number is a list here, which no port for numbers takes.
        if None in inputs or case.name.startswith("frame/tensor-"):
            continue
        application.context.models.put(ServedModel("m", "1", model))
        for row, record in enumerate(rows[:FIRST_ROWS]):
            # The container has no missing values.
            if any(value is None for value in record.values()):
                continue
            for output in outputs:
                schema = {"input": inputs, "output": output}
                answer = invoke(application, {"schema": schema, "data": list(record.values())}, accept=LINES)
                expected = predicted(model, LeapFrame(given.schema, [dense(given.rows[row])]), output["name"])
                if expected is None:
                    same = answer.status == 400
                else:
                    same = answer.status == 200 and same_json(parsed(answer.body, output), elements(expected))
                compared += 1
                if not same:
                    differing.append(f"{case.name} row {row}: {output} {answer.body[:200]!r}")
    assert (differing, compared > 1000) == ([], True)
