"""JSON schemas of the records that a model takes, and of those that it answers with.

They promise less than the server takes: as in Spark, a value of another type is cast where that is possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from leapstream.bundle.types import BasicType, DataType, Field, ListType, MapType, ScalarType, TensorType
from leapstream.ops.feature.categories import StringIndexer
from leapstream.ops.feature.maps import StringMap
from leapstream.serving.loading import example
from leapstream.serving.operations import JsonSchema, Shared
from leapstream.serving.registry import ServedModel

NUMBER = Shared(
    "Number",
    {
        "description": "A number; a text stands for one that JSON lacks.",
        "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}],
    },
)
"""The schema of a number of an answer."""

_BITS = {BasicType.BYTE: 8, BasicType.SHORT: 16, BasicType.INT: 32, BasicType.LONG: 64}
# Longer examples would make up most of a document.
_LONGEST_EXAMPLE = 64
# Validators and generators work through every element that a schema asks for.
_LONGEST_EXACT = 10_000


def record_schema(served: ServedModel) -> Shared:
    """The schema of a record that a model takes."""
    inputs = served.model.schema.inputs
    schema: dict[str, Any] = {
        "type": "object",
        "title": f"A record for {served.name}",
        "properties": {f.name: given_schema(f.type) for f in inputs},
        "required": list(inputs.names),
    }
    found = example_record(served)
    return Shared(f"{served.name}.Record", schema if found is None else {**schema, "examples": [found]})


def outputs_schema(served: ServedModel) -> Shared:
    """The schema of the outputs of a record; a request may choose any columns that the model computes."""
    return Shared(
        f"{served.name}.Outputs",
        {
            "type": "object",
            "title": f"Outputs of {served.name}",
            "properties": {f.name: answered_schema(f.type) for f in computed_columns(served)},
        },
    )


def computed_columns(served: ServedModel) -> Sequence[Field]:
    """The columns that a request may ask for, final outputs first."""
    final = served.model.schema.outputs
    return [*final, *(f for f in served.model.plan().output_schema if f.name not in final.names)]


def example_record(served: ServedModel) -> dict[str, Any] | None:
    """A record with a value for each column: a text that the model knows if there is one, else a made-up value.

    Returns:
        ``None`` if a value would be very long, or is not JSON.
    """
    inputs = served.model.schema.inputs
    if any(_is_long(f.type) or f.type.base is BasicType.BYTE_STRING for f in inputs):
        return None
    known = dict(_known_texts(served))
    return {
        f.name: known.get(f.name, example(f.type))
        if isinstance(f.type, ScalarType) and f.type.base is BasicType.STRING
        else example(f.type)
        for f in inputs
    }


def _known_texts(served: ServedModel) -> Iterator[tuple[str, str]]:
    """A text for each column of labels."""
    for node in served.model.nodes:
        labels: Sequence[Sequence[str]] = ()
        if isinstance(node.op, StringIndexer):
            labels = node.op.labels_array
        elif isinstance(node.op, StringMap):
            labels = [node.op.labels]
        for column, texts in zip(node.input_columns().values(), labels, strict=False):
            if text := next(filter(None, texts), None):
                yield column, text


def given_schema(data_type: DataType) -> JsonSchema:
    """The schema of a value of a request."""
    return _schema(data_type, _GIVEN)


def answered_schema(data_type: DataType) -> JsonSchema:
    """The schema of a value of an answer."""
    return _schema(data_type, _ANSWERED)


def _schema(data_type: DataType, elements: dict[BasicType, JsonSchema]) -> JsonSchema:
    element = elements[data_type.base]
    schema: JsonSchema
    if isinstance(data_type, ScalarType):
        schema = element
    elif isinstance(data_type, ListType):
        schema = {"type": "array", "items": element}
    elif isinstance(data_type, MapType):
        schema = {"type": "object", "additionalProperties": element}
    else:
        schema = element
        for size in reversed(data_type.dimensions or (-1,)):
            length = {"minItems": size, "maxItems": size} if 0 <= size <= _LONGEST_EXACT else {}
            schema = {"type": "array", "items": schema, **length}
    return _or_null(schema) if data_type.nullable else schema


def _or_null(schema: JsonSchema) -> JsonSchema:
    if isinstance(schema, Shared) or "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _is_long(data_type: DataType) -> bool:
    size = data_type.size if isinstance(data_type, TensorType) else 1
    return size is not None and size > _LONGEST_EXAMPLE


_GIVEN: dict[BasicType, JsonSchema] = {
    BasicType.BOOLEAN: {"type": "boolean"},
    **{
        base: {"type": "integer", "minimum": -(1 << (bits - 1)), "maximum": (1 << (bits - 1)) - 1}
        for base, bits in _BITS.items()
    },
    BasicType.FLOAT: {"type": "number", "format": "float"},
    BasicType.DOUBLE: {"type": "number", "format": "double"},
    BasicType.STRING: {"type": "string"},
    BasicType.BYTE_STRING: {"type": "string"},
}
_ANSWERED: dict[BasicType, JsonSchema] = {
    **_GIVEN,
    BasicType.FLOAT: NUMBER,
    BasicType.DOUBLE: NUMBER,
    BasicType.BYTE_STRING: {"type": "string", "contentEncoding": "base64"},
}
