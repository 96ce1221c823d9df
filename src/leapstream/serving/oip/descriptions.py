"""Descriptions of the protocol's requests, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from leapstream.bundle.types import ScalarType
from leapstream.serving.oip.datatypes import BYTES, DATATYPES
from leapstream.serving.oip.inference import PLATFORM
from leapstream.serving.oip.signature import Column, signature_of
from leapstream.serving.operations import BINARY, Content, Operation, Parameter, Shared
from leapstream.serving.registry import ServedModel
from leapstream.serving.schemas import answered_schema, example_record, given_schema

_JSON = "application/json"
_BINARY = "application/octet-stream"

FAILURE = Content(
    "",
    {
        _JSON: Shared(
            "oip.Failure",
            {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
        )
    },
)
"""The form of the answer to a request that fails."""

_TEXT = {"type": "string"}
_PARAMETERS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
_SHAPE = {"type": "array", "items": {"type": "integer", "minimum": 0}}
_TENSOR = Shared(
    "oip.TensorMetadata",
    {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "datatype": {"enum": [*DATATYPES, BYTES]},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": -1}},
        },
        "required": ["name", "datatype", "shape"],
    },
)


def _object(**properties: Any) -> dict[str, Any]:
    return {_JSON: {"type": "object", "properties": properties, "required": list(properties)}}


SERVER = Operation(
    "server",
    "The server's name and version",
    {200: Content("The server.", _object(name=_TEXT, version=_TEXT, extensions={"type": "array", "items": _TEXT}))},
    FAILURE,
)
LIVE = Operation(
    "live", "True while the server runs", {200: Content("It runs.", _object(live={"const": True}))}, FAILURE
)
READY = Operation(
    "ready",
    "True when every model is loaded",
    {200: Content("Every model is loaded.", _object(ready={"const": True}))},
    FAILURE,
    (503,),
)
MODEL = Operation(
    "model",
    "A model's inputs and outputs as tensors",
    {
        200: Content(
            "The model.",
            _object(
                name=_TEXT,
                versions={"type": "array", "items": _TEXT},
                platform={"const": PLATFORM},
                inputs={"type": "array", "items": _TENSOR},
                outputs={"type": "array", "items": _TENSOR},
            ),
        )
    },
    FAILURE,
    (404,),
)
MODEL_READY = Operation(
    "model_ready",
    "True for a model that is served",
    {200: Content("It is served.", _object(name=_TEXT, ready={"const": True}))},
    FAILURE,
    (404,),
)
_CONFIGURED = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "data_type": _TEXT,
            "dims": {"type": "array", "items": {"type": "integer", "minimum": -1}},
        },
        "required": ["name", "data_type", "dims"],
    },
}
CONFIG = Operation(
    "config",
    "A model's configuration, as Triton has it",
    {
        200: Content(
            "The configuration.",
            _object(
                name=_TEXT,
                platform={"const": PLATFORM},
                max_batch_size={"type": "integer"},
                input=_CONFIGURED,
                output=_CONFIGURED,
            ),
        )
    },
    FAILURE,
    (404,),
)
INDEX = Operation(
    "index",
    "The models that are served, and those that requests unloaded",
    {
        200: Content(
            "The models.",
            {
                _JSON: {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": _TEXT,
                            "version": _TEXT,
                            "state": {"enum": ["READY", "UNAVAILABLE"]},
                            "reason": _TEXT,
                        },
                    },
                }
            },
        )
    },
    FAILURE,
    body=Content(
        "Which of them.", {_JSON: {"type": "object", "properties": {"ready": {"type": "boolean"}}}}, required=False
    ),
)
_EMPTY = {_JSON: {"type": "object", "maxProperties": 0}}
LOAD = Operation(
    "load",
    "Load a model, or load it again",
    {200: Content("It is loaded.", _EMPTY)},
    FAILURE,
    (403, 422, 500, 501, 502),
    body=Content(
        "The place of its bundle; without one, that from which the server had it.",
        {
            _JSON: {
                "type": "object",
                "properties": {
                    "parameters": {
                        "type": ["object", "null"],
                        "properties": {"uri": {"type": "string", "minLength": 1}, "config": _TEXT},
                    }
                },
            }
        },
        required=False,
    ),
)
UNLOAD = Operation(
    "unload", "Serve a model no longer", {200: Content("It is unloaded.", _EMPTY)}, FAILURE, (403, 404, 500)
)


def infer_operation(served: ServedModel) -> Operation:
    """The description of the inference with a model."""
    signature = signature_of(served)
    tensors = [_input(column) for column in signature.inputs]
    body = {
        "type": "object",
        "properties": {
            "id": _TEXT,
            "parameters": {
                **_PARAMETERS,
                "properties": {"on_error": {"enum": ["raise", "null"]}, "binary_data_output": {"type": "boolean"}},
            },
            "inputs": {"type": "array", "items": {"anyOf": tensors} if tensors else {}},
            "outputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": _TEXT, "parameters": _PARAMETERS},
                    "required": ["name"],
                },
            },
        },
        "required": ["inputs"],
    }
    answer = {
        "type": "object",
        "properties": {
            "model_name": {"const": served.name},
            "model_version": _TEXT,
            "id": _TEXT,
            "parameters": _PARAMETERS,
            "outputs": {"type": "array", "items": {"anyOf": [_output(column) for column in signature.known_outputs]}},
        },
        "required": ["model_name", "model_version", "outputs"],
    }
    return Operation(
        "infer",
        f"Infer with {served.name}",
        {200: Content("The outputs.", {_JSON: answer, _BINARY: BINARY})},
        FAILURE,
        (404, 422, 500),
        description="The first axis of each tensor has the rows. Binary tensors stand behind the JSON of the request.",
        parameters=(
            Parameter(
                "Inference-Header-Content-Length",
                "The length of the JSON in a body that has binary tensors, too.",
                {"type": "integer", "minimum": 0},
                "header",
            ),
        ),
        body=Content("The inputs.", {_JSON: body, _BINARY: BINARY}, _examples(served)),
    )


def _input(column: Column) -> dict[str, Any]:
    return _tensor(column, given_schema(ScalarType(column.type.base)))


def _output(column: Column) -> dict[str, Any]:
    return _tensor(column, answered_schema(ScalarType(column.type.base)))


def _tensor(column: Column, element: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "shape": _SHAPE,
            "datatype": {"const": column.datatype},
            "parameters": _PARAMETERS,
            "data": {"type": "array", "items": _TEXT if column.is_map else element},
        },
        "required": ["name", "shape", "datatype"],
    }


def _examples(served: ServedModel) -> dict[str, Any]:
    record = example_record(served)
    if record is None:
        return {}
    found = [column.result(column.name, [record[column.name]]) for column in signature_of(served).inputs]
    inputs = [{"name": r.name, "shape": [*r.shape], "datatype": r.datatype, "data": [*r.elements]} for r in found]
    return {_JSON: {"inputs": inputs}}
