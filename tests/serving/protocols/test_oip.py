from __future__ import annotations

import gzip
import json
import math
import re
import shutil
import struct
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema.validators import Draft202012Validator

from leapstream import load
from leapstream.serving import Application, ModelRegistry, RequestLimits, Settings, app
from leapstream.serving.keeper import Keeper
from leapstream.serving.loading import ModelSpec
from leapstream.serving.oip.datatypes import read_elements, write_elements
from leapstream.serving.oip.tensors import Result
from leapstream.serving.values import encode_exactly
from tests.golden_corpus import GOLDEN
from tests.serving.asgi import Answer, ask
from tests.serving.conftest import BENCH, FAILING, RECORD
from tests.serving.oip.golden import FailedError, Output, problems

INFER = "/v2/models/linear/infer"
FOREST = "/v2/models/forest/infer"
LENGTH = "inference-header-content-length"
EXPECTED = -0.625


def tensor(name: str, values: Sequence[Any], datatype: str = "FP64", **more: Any) -> dict[str, Any]:
    shape = more.pop("shape", [len(values)])
    return {"name": name, "shape": shape, "datatype": datatype, "data": list(values), **more}


def inputs(*records: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [tensor(name, [record[name] for record in records]) for name in RECORD]


def binary(head: dict[str, Any], *arrays: Any) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a request whose inputs have these arrays as their binary data."""
    parts = [array if isinstance(array, bytes) else array.tobytes() for array in arrays]
    for given, part in zip(head["inputs"], parts, strict=True):
        given.pop("data", None)
        given["parameters"] = {**given.get("parameters", {}), "binary_data_size": len(part)}
    text = json.dumps(head).encode()
    return text + b"".join(parts), {LENGTH: str(len(text))}


def parts_of(answer: Answer) -> tuple[dict[str, Any], list[bytes]]:
    """The JSON of an answer, and the binary data of its outputs."""
    size = int(answer.headers[LENGTH])
    head = json.loads(answer.body[:size])
    parts = []
    for output in head["outputs"]:
        length = output["parameters"]["binary_data_size"]
        parts.append(answer.body[size : size + length])
        size += length
    assert size == len(answer.body)
    return head, parts


# ---- server and models ------------------------------------------------------------------------------------------------------


def test_the_server_says_what_it_is(application: Application) -> None:
    found = ask(application, "GET", "/v2").json()
    assert found["name"] == "leapstream" and found["extensions"] == [
        "binary_tensor_data",
        "model_configuration",
        "model_repository",
    ]


def test_the_server_is_ready_when_its_models_are_loaded() -> None:
    application = app({})
    assert ask(application, "GET", "/v2/health/live").json() == {"live": True}
    answer = ask(application, "GET", "/v2/health/ready")
    assert answer.status == 503 and list(answer.json()) == ["error"]
    application.context.keeper.start()
    assert ask(application, "GET", "/v2/health/ready").json() == {"ready": True}


@pytest.mark.parametrize("path", ["forest", "forest/versions/1", "forest/versions/latest", "FOREST"])
def test_a_model_is_described_by_its_tensors(application: Application, path: str) -> None:
    assert ask(application, "GET", f"/v2/models/{path}").json() == {
        "name": "forest",
        "versions": ["1"],
        "platform": "mleap_bundle",
        "inputs": [{"name": "features", "datatype": "FP64", "shape": [-1, 3]}],
        "outputs": [{"name": "prediction", "datatype": "FP64", "shape": [-1]}],
    }
    assert ask(application, "GET", f"/v2/models/{path}/ready").json() == {"name": "forest", "ready": True}


def test_a_model_has_a_configuration_as_triton_has_it(application: Application) -> None:
    found = ask(application, "GET", "/v2/models/forest/versions/latest/config").json()
    assert found["input"] == [{"name": "features", "data_type": "TYPE_FP64", "dims": [3]}]
    assert found["output"] == [{"name": "prediction", "data_type": "TYPE_FP64", "dims": [1]}]
    assert found["max_batch_size"] == RequestLimits().max_rows


@pytest.mark.parametrize("path", ["nobody", "forest/versions/2"])
def test_a_model_that_is_not_there_is_404(application: Application, path: str) -> None:
    for method, end in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        answer = ask(application, method, f"/v2/models/{path}{end}", {"inputs": inputs(RECORD)})
        assert answer.status == 404 and list(answer.json()) == ["error"]


def test_a_name_in_another_case_is_found_only_if_one_model_has_it() -> None:
    model = load(BENCH / "linear3.zip")
    application = app({"Loans": model, "loans": model, "Other": model})
    assert ask(application, "GET", "/v2/models/loans").json()["name"] == "loans"
    assert ask(application, "GET", "/v2/models/OTHER").json()["name"] == "Other"
    assert ask(application, "GET", "/v2/models/LOANS").status == 404


# ---- JSON -------------------------------------------------------------------------------------------------------------------


def test_a_row_is_answered_with_its_outputs(application: Application) -> None:
    answer = ask(application, "POST", INFER, {"id": "7", "inputs": inputs(RECORD)})
    assert (answer.status, answer.headers["content-type"], LENGTH in answer.headers) == (200, "application/json", False)
    output = {"name": "prediction", "datatype": "FP64", "shape": [1], "data": [EXPECTED]}
    assert answer.json() == {"model_name": "linear", "model_version": "1", "id": "7", "outputs": [output]}


@pytest.mark.parametrize("rows", [0, 2, 300])
def test_rows_are_answered_in_their_order(application: Application, rows: int) -> None:
    records = [{**RECORD, "feature1": float(row)} for row in range(rows)]
    (output,) = ask(application, "POST", INFER, {"inputs": inputs(*records)}).json()["outputs"]
    model = application.context.models.get("linear").model
    assert output["shape"] == [rows]
    assert output["data"] == [answer["prediction"] for answer in model.predict(records)]


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([1, 3], [1.0, 2.0, 3.0]),
        ([1, 3], [[1.0, 2.0, 3.0]]),
        ([3], [1.0, 2.0, 3.0]),
        ([2, 3], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ([2, 3], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    ],
)
def test_vectors_may_be_nested_or_flat_and_a_single_one_without_its_axis(
    application: Application, shape: list[int], data: list[Any]
) -> None:
    given = {"inputs": [tensor("features", data, shape=shape)]}
    (output,) = ask(application, "POST", FOREST, given).json()["outputs"]
    rows = np.reshape(data, (-1, 3)).tolist()
    model = application.context.models.get("forest").model
    assert output["data"] == [model.predict({"features": row})["prediction"] for row in rows]


@pytest.mark.parametrize("shape", [[], [1], [1, 1]])
def test_a_scalar_may_have_an_axis_of_its_own(application: Application, shape: list[int]) -> None:
    given = [tensor(name, [value], shape=shape) for name, value in RECORD.items()]
    assert ask(application, "POST", INFER, {"inputs": given}).json()["outputs"][0]["data"] == [EXPECTED]


def test_outputs_are_those_that_are_asked_for_by_the_names_of_the_request(application: Application) -> None:
    given = {"inputs": inputs(RECORD, RECORD), "outputs": [{"name": "FEATURES"}, {"name": "prediction"}]}
    features, prediction = ask(application, "POST", INFER, given).json()["outputs"]
    assert features == {"name": "FEATURES", "datatype": "FP64", "shape": [2, 3], "data": [1.0, 2.0, 3.0] * 2}
    assert prediction["data"] == [EXPECTED] * 2


def test_numbers_that_json_lacks_are_texts_in_both_directions(application: Application) -> None:
    given = inputs({"feature1": "NaN", "feature2": "-Infinity", "feature3": 1})
    answer = ask(application, "POST", INFER, {"inputs": given, "outputs": [{"name": "features"}]})
    assert answer.json()["outputs"][0]["data"] == ["NaN", "-Infinity", 1.0]
    literal = json.dumps({"inputs": inputs({**RECORD, "feature1": math.nan}), "outputs": [{"name": "features"}]})
    assert ask(application, "POST", INFER, literal.encode()).json()["outputs"][0]["data"] == ["NaN", 2.0, 3.0]


@pytest.mark.parametrize("datatype", ["INT8", "UINT64", "FP16", "FP32"])
def test_other_numbers_become_those_of_the_model(application: Application, datatype: str) -> None:
    given = [tensor(name, [int(value or 0)], datatype) for name, value in RECORD.items()]
    assert ask(application, "POST", INFER, {"inputs": given}).json()["outputs"][0]["data"] == [EXPECTED]


def test_a_number_has_the_precision_of_its_datatype(application: Application) -> None:
    given = [tensor(name, [0.1], "FP32") for name in RECORD]
    answer = ask(application, "POST", INFER, {"inputs": given, "outputs": [{"name": "features"}]})
    assert answer.json()["outputs"][0]["data"] == [float(np.float32(0.1))] * 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "inputs"),
        ({"inputs": []}, "feature1"),
        ({"inputs": [tensor("nothing", [1.0])]}, "no input 'nothing'"),
        ({"inputs": [*inputs(RECORD), tensor("FEATURE1", [1.0])]}, "same input"),
        ({"inputs": [tensor("feature1", [1.0, 2.0], shape=[1])]}, "2 elements"),
        ({"inputs": [tensor("feature1", [1.0], shape=[1, 3])]}, r"shape \[1, 3\]"),
        ({"inputs": [tensor("feature1", [1.0], shape=[-1])]}, r"shape \[-1\]"),
        ({"inputs": [tensor("feature1", ["x"])]}, "not all of its datatype FP64"),
        ({"inputs": [tensor("feature1", [1.5], "INT32")]}, "not all of its datatype INT32"),
        ({"inputs": [tensor("feature1", [1.0], "FP8")]}, "FP8"),
        ({"inputs": [tensor("feature1", [1.0, [2.0]], shape=[2])]}, "not all of its datatype"),
        ({"inputs": [tensor("feature1", [[1.0], 2.0], shape=[2])]}, "different depths"),
        ({"inputs": [{**tensor("feature1", []), "data": None}]}, "neither data"),
        ({"inputs": [tensor("feature1", [1.0]), tensor("feature2", [1.0, 2.0])]}, "2 rows"),
        ({"inputs": inputs(RECORD), "outputs": [{"name": "nothing"}]}, "no output 'nothing'"),
        ({"inputs": inputs(RECORD), "outputs": [{"name": "prediction", "parameters": {"classification": 1}}]}, "class"),
        ({"inputs": inputs(RECORD), "parameters": {"on_error": "maybe"}}, "on_error"),
        ({"inputs": [tensor("feature1", [1.0], parameters={"missing_rows": "1"})]}, "missing_rows"),
        ({"inputs": "text"}, "array"),
        ([1], "object"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_a_reason(
    application: Application, given: Any, message: str
) -> None:
    answer = ask(application, "POST", INFER, given)
    assert answer.status == 400 and list(answer.json()) == ["error"]
    assert re.search(message, answer.json()["error"])


def test_a_row_that_fails_is_named(application: Application) -> None:
    answer = ask(application, "POST", INFER, {"inputs": inputs(RECORD, FAILING)})
    assert answer.status == 422
    assert "feature1" in answer.json()["error"] and "row 1" in answer.json()["error"]


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_rows_that_fail_may_be_missing_in_the_outputs(application: Application, rows: int) -> None:
    given = [RECORD] * (rows - 1) + [FAILING]
    answer = ask(application, "POST", INFER, {"inputs": inputs(*given), "parameters": {"on_error": "null"}})
    (output,) = answer.json()["outputs"]
    assert output["data"] == [EXPECTED] * (rows - 1) + [None]
    assert output["parameters"] == {"missing_rows": str(rows - 1)}


def test_more_rows_than_allowed_are_413() -> None:
    model = load(BENCH / "linear3.zip")
    application = app({"linear": model}, settings=Settings(limits=RequestLimits(max_rows=2)))
    assert ask(application, "POST", INFER, {"inputs": inputs(RECORD, RECORD)}).status == 200
    assert ask(application, "POST", INFER, {"inputs": inputs(RECORD, RECORD, RECORD)}).status == 413
    nothing = [tensor(name, [], shape=[10**12, 0]) for name in ("features",)]
    application = app({"linear": load(BENCH / "forest3-20x5.zip")})
    assert ask(application, "POST", INFER, {"inputs": nothing}).status == 413


def test_a_scalar_of_another_datatype_is_cast_as_spark_does(application: Application) -> None:
    given = [tensor("feature1", [True], "BOOL"), tensor("feature2", ["2"], "BYTES"), tensor("feature3", [3], "INT8")]
    answer = ask(application, "POST", INFER, {"inputs": given, "outputs": [{"name": "features"}]})
    assert answer.json()["outputs"][0]["data"] == [1.0, 2.0, 3.0]


def test_a_vector_of_texts_is_refused(application: Application) -> None:
    answer = ask(application, "POST", FOREST, {"inputs": [tensor("features", ["1"] * 3, "BYTES", shape=[1, 3])]})
    assert answer.status == 400 and "the model takes FP64" in answer.json()["error"]


# ---- binary tensors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_binary_tensors_come_in_and_go_out(application: Application, rows: int) -> None:
    records = [{**RECORD, "feature1": float(row)} for row in range(rows)]
    head = {"id": "b", "inputs": inputs(*records), "parameters": {"binary_data_output": True}}
    arrays = [np.array([record[name] for record in records]) for name in RECORD]
    body, headers = binary(head, *arrays)
    answer = ask(application, "POST", INFER, body, headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    found, (part,) = parts_of(answer)
    assert found["id"] == "b" and found["outputs"][0]["shape"] == [rows]
    model = application.context.models.get("linear").model
    assert np.frombuffer(part).tolist() == [one["prediction"] for one in model.predict(records)]


@pytest.mark.parametrize("dtype", ["<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"])
@pytest.mark.parametrize("rows", [1, 2, 300])
def test_binary_numbers_of_all_datatypes_become_those_of_the_model(
    application: Application, dtype: str, rows: int
) -> None:
    kind = np.dtype(dtype)
    name = {"i": "INT", "u": "UINT", "f": "FP"}[kind.kind] + str(kind.itemsize * 8)
    given = [tensor(column, [0] * rows, name) for column in RECORD]
    body, headers = binary({"inputs": given}, *(np.full(rows, value, kind) for value in RECORD.values()))
    assert ask(application, "POST", INFER, body, headers).json()["outputs"][0]["data"] == [EXPECTED] * rows


def test_bfloat16_is_the_upper_half_of_a_float32(application: Application) -> None:
    given = [tensor(column, [0], "BF16") for column in RECORD]
    halves = [(np.array([value], "<f4").view("<u4") >> 16).astype("<u2") for value in RECORD.values()]
    body, headers = binary({"inputs": given}, *halves)
    assert ask(application, "POST", INFER, body, headers).json()["outputs"][0]["data"] == [EXPECTED]


def test_each_output_chooses_whether_it_is_binary(application: Application) -> None:
    wanted = [{"name": "features"}, {"name": "prediction", "parameters": {"binary_data": True}}]
    answer = ask(application, "POST", INFER, {"inputs": inputs(RECORD), "outputs": wanted})
    size = int(answer.headers[LENGTH])
    features, prediction = json.loads(answer.body[:size])["outputs"]
    assert features["data"] == [1.0, 2.0, 3.0] and "data" not in prediction
    assert struct.unpack("<d", answer.body[size:]) == (EXPECTED,)


def test_a_missing_value_fails_a_binary_output_unless_it_is_to_be_filled(application: Application) -> None:
    given = {"inputs": inputs(FAILING, RECORD), "parameters": {"on_error": "null", "binary_data_output": True}}
    answer = ask(application, "POST", INFER, given)
    assert answer.status == 400 and "row 0 has no value" in answer.json()["error"]
    given["parameters"]["on_missing"] = "fill"
    head, (part,) = parts_of(ask(application, "POST", INFER, given))
    assert head["outputs"][0]["parameters"]["missing_rows"] == "0"
    assert str(np.frombuffer(part).tolist()) == f"[nan, {EXPECTED}]"


def test_a_parameter_says_which_rows_of_a_binary_tensor_are_missing(application: Application) -> None:
    given = inputs(RECORD, RECORD)
    given[1]["parameters"] = {"missing_rows": "1"}
    body, headers = binary({"inputs": given}, *(np.full(2, value) for value in RECORD.values()))
    answer = ask(application, "POST", INFER, body, headers)
    assert answer.status == 422 and "feature2" in answer.json()["error"] and "row 1" in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body, length: (body, str(len(body) + 1)), "Inference-Header-Content-Length"),
        (lambda body, length: (body, "x"), "Inference-Header-Content-Length"),
        (lambda body, length: (body[:-1], length), "binary_data_size 8, and 7"),
        (lambda body, length: (body + b"x", length), "1 bytes that belong to no tensor"),
    ],
)
def test_binary_data_of_another_length_are_refused(application: Application, change: Any, message: str) -> None:
    body, headers = binary({"inputs": inputs(RECORD)}, *(np.full(1, value) for value in RECORD.values()))
    body, length = change(body, headers[LENGTH])
    answer = ask(application, "POST", INFER, body, {LENGTH: length})
    assert answer.status == 400 and message in answer.json()["error"]


# ---- compression ------------------------------------------------------------------------------------------------------------


def test_bodies_are_compressed_in_both_directions(application: Application) -> None:
    body = gzip.compress(json.dumps({"inputs": inputs(*[RECORD] * 2000)}).encode())
    headers = {"content-encoding": "gzip", "accept-encoding": "gzip, deflate"}
    answer = ask(application, "POST", INFER, body, headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))["outputs"][0]["data"] == [EXPECTED] * 2000
    answer = ask(application, "POST", INFER, {"inputs": inputs(RECORD)}, {"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers


# ---- repository -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def loading() -> Application:
    """An application without models, which requests may load."""
    return app({}, settings=Settings(allow_load=(f"{BENCH}",)))


URI = str(BENCH / "linear3.zip")


@pytest.mark.parametrize(
    "parameters", [{"uri": URI}, {"config": json.dumps({"parameters": {"uri": {"string_value": URI}}})}]
)
def test_a_model_is_loaded_unloaded_and_loaded_again(loading: Application, parameters: dict[str, str]) -> None:
    def index(**given: Any) -> Any:
        return ask(loading, "POST", "/v2/repository/index", given).json()

    assert ask(loading, "POST", "/v2/repository/models/lin/load", {"parameters": parameters}).status == 200
    (entry,) = index()
    assert (entry["name"], entry["state"]) == ("lin", "READY") and len(entry["version"]) == 12
    assert ask(loading, "POST", "/v2/models/lin/infer", {"inputs": inputs(RECORD)}).status == 200
    assert ask(loading, "POST", "/v2/repository/models/lin/unload", b"").status == 200
    assert ask(loading, "POST", "/v2/models/lin/infer", {"inputs": inputs(RECORD)}).status == 404
    assert index() == [{"name": "lin", "version": "", "state": "UNAVAILABLE", "reason": "unloaded"}]
    assert index(ready=True) == []
    assert ask(loading, "POST", "/v2/repository/models/lin/load", b"").status == 200
    assert index() == [entry]


@pytest.mark.parametrize(
    ("parameters", "status", "message"),
    [
        ({"uri": "/etc/passwd"}, 403, "allow-load"),
        ({}, 400, "no bundle is known"),
        ({"uri": 1}, 400, "uri is 1"),
        ({"uri": str(BENCH / "nothing.zip")}, 502, "nothing.zip"),
        ({"config": "{}"}, 400, "string_value"),
        ({"file:1/model.zip": "eA=="}, 400, "files within the request"),
    ],
)
def test_a_load_that_fails_says_why(loading: Application, parameters: Any, status: int, message: str) -> None:
    answer = ask(loading, "POST", "/v2/repository/models/lin/load", {"parameters": parameters})
    assert answer.status == status and message in answer.json()["error"]


def test_requests_load_and_unload_nothing_unless_that_is_allowed(application: Application) -> None:
    for path in ("linear/load", "linear/unload", "nobody/load"):
        assert ask(application, "POST", f"/v2/repository/models/{path}", b"").status == 403
    assert len(ask(application, "POST", "/v2/repository/index", b"").json()) == 2


def test_a_version_that_does_not_go_live_is_in_the_index_with_the_reason(tmp_path: Path) -> None:
    bundle = tmp_path / "m.zip"
    shutil.copy(BENCH / "linear3.zip", bundle)
    models, settings = ModelRegistry(), Settings()
    keeper = Keeper(models, settings, [ModelSpec("m", str(bundle))])
    keeper.start()
    shutil.copy(BENCH / "forest3-20x5.zip", bundle)
    keeper.reload()
    application = app(models, settings=settings, keeper=keeper)
    live, rejected = ask(application, "POST", "/v2/repository/index", b"").json()
    assert (live["name"], live["state"]) == ("m", "READY")
    assert (rejected["name"], rejected["state"]) == ("m", "UNAVAILABLE")
    assert rejected["version"] != live["version"] and "signature" in rejected["reason"]


# ---- Flink's triton provider ------------------------------------------------------------------------------------------------


def flink(name: str, datatype: str, shape: str, data: str, output: str) -> bytes:
    """The bytes that Flink's provider sends: one input and one output, whose names it writes in upper case."""
    return (
        f'{{"inputs":[{{"name":"{name}","datatype":"{datatype}","shape":{shape},"data":{data}}}],"outputs":[{{"name":"{output}"}}]}}'
    ).encode()


@pytest.mark.parametrize("shape", ["[1,3]", "[3]"])
def test_a_row_of_flinks_provider_is_scored(application: Application, shape: str) -> None:
    body = gzip.compress(flink("FEATURES", "FP64", shape, "[1.0,2.0,3.0]", "PREDICTION"))
    headers = {"content-type": "application/json; charset=utf-8", "content-encoding": "gzip"}
    answer = ask(application, "POST", "/v2/models/FOREST/versions/latest/infer", body, headers)
    model = application.context.models.get("forest").model
    expected = model.predict({"features": [1.0, 2.0, 3.0]})["prediction"]
    assert answer.json()["outputs"] == [{"name": "PREDICTION", "datatype": "FP64", "shape": [1], "data": [expected]}]


@pytest.mark.slow
def test_an_array_that_flinks_provider_lacks_is_missing(application: Application) -> None:
    answer = ask(application, "POST", FOREST, flink("FEATURES", "FP64", "[1,0]", "[null]", "PREDICTION"))
    assert answer.status == 422 and "missing" in answer.json()["error"]


# ---- description ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bundle",
    ["recommendation/als-long-ids", "feature/map-entry-selector-long", "sklearn/tfidf", "feature/min-hash-lsh"],
)
def test_the_example_of_the_document_is_answered_as_described(bundle: str) -> None:
    application = app({"m": load(GOLDEN / bundle / "bundle.zip")})
    document = ask(application, "GET", "/openapi.json").json()
    components = {"components": document["components"]}
    operation = document["paths"]["/v2/models/m/infer"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    Draft202012Validator({**body["schema"], **components}).validate(body["example"])
    answer = ask(application, "POST", "/v2/models/m/infer", body["example"])
    assert answer.status == 200
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, **components}).validate(answer.json())


# ---- golden corpus ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_golden_corpus_passes_through_the_protocol() -> None:
    application = app({})

    def asked(given: Sequence[Result], wanted: Sequence[str], *, is_binary: bool) -> tuple[list[Output], str]:
        head: dict[str, Any] = {"inputs": [], "outputs": [{"name": name} for name in wanted]}
        for one in given:
            described: dict[str, Any] = {"name": one.name, "shape": list(one.shape), "datatype": one.datatype}
            described["parameters"] = one.parameters()
            head["inputs"].append(described)
        if is_binary:
            head["parameters"] = {"binary_data_output": True, "on_missing": "fill"}
            body, headers = binary(head, *(write_elements(one.datatype, one.filled()) for one in given))
        else:
            for described, one in zip(head["inputs"], given, strict=True):
                described["data"] = list(one.elements)
            body, headers = encode_exactly(head), {}
        answer = ask(application, "POST", "/v2/models/m/infer", body, headers)
        if answer.status != 200:
            raise FailedError(f"{answer.status}: {answer.json()['error']}")
        found, parts = parts_of(answer) if is_binary else (answer.json(), [])
        for output, part in zip(found["outputs"], parts, strict=False):
            output["data"] = read_elements(output["name"], output["datatype"], part, math.prod(output["shape"]))
        outputs = [
            Output(o["name"], o["shape"], o["data"], o.get("parameters", {}).get("missing_rows", ""))
            for o in found["outputs"]
        ]
        return outputs, found.get("parameters", {}).get("dropped_rows", "")

    asks = {32: partial(asked, is_binary=False), 256: partial(asked, is_binary=True)}
    assert problems(application, asks) == []
