"""KServe's own clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.clients.conftest import Served
from tests.serving.conftest import RECORD

kserve = pytest.importorskip("kserve")


def request(datatype: str = "FP64", *, is_binary: bool = False) -> Any:
    inputs = []
    for name, value in RECORD.items():
        tensor = kserve.InferInput(name, [1], datatype)
        tensor.set_data_from_numpy(np.array([value], np.float64), binary_data=is_binary)
        inputs.append(tensor)
    return kserve.InferRequest("linear", inputs, request_id="7")


def rest(served: Served, ask: Callable[[Any], Any]) -> Any:
    """The answer to a question that a function asks KServe's REST client."""

    async def asked() -> Any:
        async with kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2")) as client:
            return await ask(client)

    return asyncio.run(asked())


def test_the_server_and_its_models_are_live_and_ready(served: Served) -> None:
    assert rest(served, lambda client: client.is_server_live(served.url))
    assert rest(served, lambda client: client.is_server_ready(served.url))
    assert rest(served, lambda client: client.is_model_ready(served.url, "linear"))
    assert not rest(served, lambda client: client.is_model_ready(served.url, "nobody"))


@pytest.mark.parametrize("is_binary", [False, True])
def test_a_model_is_asked_over_rest(served: Served, is_binary: bool) -> None:
    answer = rest(served, lambda client: client.infer(served.url, request(is_binary=is_binary), model_name="linear"))
    assert (answer.id, answer.model_name) == ("7", "linear")
    assert answer.outputs[0].as_numpy().tolist() == [-0.625]


def test_an_error_has_its_message(served: Served) -> None:
    with pytest.raises(Exception, match="there is no model 'nobody'"):
        rest(served, lambda client: client.infer(served.url, request(), model_name="nobody"))


@pytest.mark.parametrize("is_raw", [False, True])
def test_a_model_is_asked_over_grpc(served: Served, is_raw: bool) -> None:
    async def asked() -> Any:
        async with kserve.InferenceGRPCClient(served.grpc) as client:
            ready = [
                await client.is_server_live(),
                await client.is_server_ready(),
                await client.is_model_ready("linear"),
            ]
            return ready, await client.infer(request(is_binary=is_raw)), await client.is_model_ready("nobody")

    ready, answer, is_nobody_ready = asyncio.run(asked())
    assert ready == [True, True, True] and not is_nobody_ready
    assert answer.outputs[0].as_numpy().tolist() == [-0.625]


def test_texts_come_in_and_go_out(served: Served) -> None:
    tensor = kserve.InferInput("text", [1], "BYTES")
    tensor.set_data_from_numpy(np.array(["Zwei Wörter"], object), binary_data=False)
    given = kserve.InferRequest("texts", [tensor])
    answer = rest(served, lambda client: client.infer(served.url, given, model_name="texts"))
    assert answer.outputs[0].as_numpy().tolist() == [["zwei", "wörter"]]
