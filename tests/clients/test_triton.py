"""Triton's own clients, over HTTP and gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from queue import Queue
from typing import Any

import numpy as np
import pytest

from tests.clients.conftest import Served
from tests.serving.conftest import BENCH, RECORD

pytest.importorskip("tritonclient")

import tritonclient.grpc as over_grpc
import tritonclient.grpc.aio as over_grpc_aio
import tritonclient.http as over_http
import tritonclient.http.aio as over_http_aio
from tritonclient.utils import InferenceServerException

EXPECTED = -0.625
CONFIG = json.dumps({"parameters": {"uri": {"string_value": str(BENCH / "linear3.zip")}}})


@pytest.fixture
def http(served: Served) -> Iterator[Any]:
    with over_http.InferenceServerClient(served.http) as client:
        yield client


@pytest.fixture
def grpc(served: Served) -> Iterator[Any]:
    with over_grpc.InferenceServerClient(served.grpc) as client:
        yield client


@pytest.fixture(params=["http", "grpc"])
def client(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def of(client: Any) -> Any:
    """The module of a client."""
    return over_http if isinstance(client, over_http.InferenceServerClient) else over_grpc


def inputs(client: Any, rows: int = 1, **more: Any) -> list[Any]:
    made = []
    for name, value in RECORD.items():
        tensor = of(client).InferInput(name, [rows], "FP64")
        tensor.set_data_from_numpy(np.full(rows, value), **more)
        made.append(tensor)
    return made


def test_the_server_and_its_models_are_live_and_ready(client: Any) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("linear") and client.is_model_ready("linear", "latest")
    assert not client.is_model_ready("nobody")


def test_the_server_and_its_models_are_described(http: Any, grpc: Any) -> None:
    for metadata in (http.get_server_metadata(), grpc.get_server_metadata(as_json=True)):
        assert metadata["name"] == "leapstream" and "binary_tensor_data" in metadata["extensions"]
    metadata = http.get_model_metadata("forest")
    assert metadata["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, 3]}]
    found = grpc.get_model_metadata("forest")
    assert (found.inputs[0].name, list(found.inputs[0].shape)) == ("features", [-1, 3])
    assert list(found.versions) == metadata["versions"]


def test_a_model_has_a_configuration(http: Any, grpc: Any) -> None:
    found = http.get_model_config("texts")
    assert found["input"] == [{"name": "text", "data_type": "TYPE_STRING", "dims": [1]}]
    config = grpc.get_model_config("texts", as_json=True)["config"]
    assert config["output"] == [{"name": "words", "data_type": "TYPE_STRING", "dims": ["-1"]}]
    assert config["max_batch_size"] == found["max_batch_size"]


@pytest.mark.parametrize("rows", [1, 5, 2000])
def test_rows_are_scored(client: Any, rows: int) -> None:
    answer = client.infer("linear", inputs(client, rows), request_id="7")
    assert answer.as_numpy("prediction").tolist() == [EXPECTED] * rows


@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_tensors_over_http_are_binary_or_json(http: Any, binary_in: bool, binary_out: bool) -> None:
    wanted = [over_http.InferRequestedOutput("prediction", binary_data=binary_out)]
    answer = http.infer("linear", inputs(http, 3, binary_data=binary_in), outputs=wanted, request_id="7")
    assert answer.as_numpy("prediction").tolist() == [EXPECTED] * 3
    assert answer.get_response()["id"] == "7"
    assert ("data" in answer.get_output("prediction")) is not binary_out


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_bodies_over_http_are_compressed(http: Any, algorithm: str) -> None:
    answer = http.infer(
        "linear",
        inputs(http, 4000),
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    assert answer.as_numpy("prediction").tolist() == [EXPECTED] * 4000


def test_messages_over_grpc_are_compressed(grpc: Any) -> None:
    answer = grpc.infer("linear", inputs(grpc, 4000), compression_algorithm="gzip")
    assert answer.as_numpy("prediction").tolist() == [EXPECTED] * 4000


@pytest.mark.parametrize("more", [{}, {"binary_data": False}])
def test_texts_come_in_and_go_out_as_bytes(client: Any, more: dict[str, bool]) -> None:
    if more and of(client) is over_grpc:
        pytest.skip("gRPC has binary data only")
    tensor = of(client).InferInput("text", [2, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([["Rot Grün"], ["two words"]], object), **more)
    wanted = [of(client).InferRequestedOutput("words", **more)]
    found = client.infer("texts", [tensor], outputs=wanted).as_numpy("words")
    texts = [x.decode() if isinstance(x, bytes) else x for x in found.reshape(-1)]
    assert (found.shape, texts) == ((2, 2), ["rot", "grün", "two", "words"])


def test_requests_run_at_once(client: Any) -> None:
    if of(client) is over_http:
        waiting = [client.async_infer("linear", inputs(client)) for _ in range(20)]
        answers = [one.get_result() for one in waiting]
    else:
        done: Queue[Any] = Queue()
        for _ in range(20):
            client.async_infer("linear", inputs(client), lambda result, error: done.put(error or result))
        answers = [done.get(timeout=30) for _ in range(20)]
    assert [answer.as_numpy("prediction").tolist() for answer in answers] == [[EXPECTED]] * 20


def test_a_stream_goes_on_after_a_request_that_fails(grpc: Any) -> None:
    done: Queue[Any] = Queue()
    grpc.start_stream(lambda result, error: done.put((result, error)))
    for name in ("linear", "nobody", "linear"):
        grpc.async_stream_infer(name, inputs(grpc, 2), request_id=name)
    found = [done.get(timeout=30) for _ in range(3)]
    grpc.stop_stream()
    assert [result is None for result, _ in found] == [False, True, False]
    assert found[2][0].as_numpy("prediction").tolist() == [EXPECTED] * 2
    assert "there is no model 'nobody'" in found[1][1].message()


def test_an_error_has_its_message(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="there is no model 'nobody'"):
        client.infer("nobody", inputs(client))
    with pytest.raises(InferenceServerException, match="'prediction'|feature3"):
        client.infer("linear", inputs(client)[:2])


def test_models_are_loaded_and_unloaded(client: Any) -> None:
    def index() -> dict[str, str]:
        found = client.get_model_repository_index()
        models = found if isinstance(found, list) else [{"name": m.name, "state": m.state} for m in found.models]
        return {model["name"]: model["state"] for model in models}

    client.load_model("lin", config=CONFIG)
    assert index()["lin"] == "READY"
    assert client.infer("lin", inputs(client)).as_numpy("prediction").tolist() == [EXPECTED]
    client.unload_model("lin")
    assert index()["lin"] == "UNAVAILABLE" and not client.is_model_ready("lin")
    client.load_model("lin")
    assert client.is_model_ready("lin")
    client.unload_model("lin")


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_clients_of_event_loops_are_answered(served: Served, protocol: str) -> None:
    module = over_http_aio if protocol == "http" else over_grpc_aio
    address = served.http if protocol == "http" else served.grpc

    async def asked() -> list[Any]:
        async with module.InferenceServerClient(address) as client:
            assert await client.is_server_ready() and await client.is_model_ready("linear")
            tensors = []
            for name, value in RECORD.items():
                tensor = module.InferInput(name, [1], "FP64")
                tensor.set_data_from_numpy(np.full(1, value))
                tensors.append(tensor)
            return await asyncio.gather(*(client.infer("linear", tensors) for _ in range(20)))

    assert [answer.as_numpy("prediction").tolist() for answer in asyncio.run(asked())] == [[EXPECTED]] * 20
