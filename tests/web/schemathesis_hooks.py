"""Bodies that schemathesis cannot make from a schema; loaded by ``schemathesis.toml``."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import schemathesis
from hypothesis import strategies as st

from leapstream.serving.proto import mleap_pb2 as pb

_SCHEMA = pa.schema(
    [
        *((f"feature{i}", pa.float64()) for i in (1, 2, 3)),
        *((name, pa.string()) for name in ("state", "home")),
        ("amount", pa.float64()),
        ("age", pa.int32()),
        ("flag", pa.bool_()),
        ("tokens", pa.list_(pa.string())),
    ]
)
_number = st.floats(allow_nan=False, allow_infinity=False)
_record = st.fixed_dictionaries(
    {
        **dict.fromkeys(("feature1", "feature2", "feature3", "amount"), _number),
        **{name: st.sampled_from(["CA", "rent", "other"]) for name in ("state", "home")},
        "age": st.integers(0, 99),
        "flag": st.booleans(),
        "tokens": st.lists(st.sampled_from("abc"), max_size=4),
    }
)
_records = st.lists(_record, max_size=5)


def _arrow(rows: list[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA) as writer:
        writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
    return bytes(sink.getvalue().to_pybytes())


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _message(name: str) -> bytes:
    """A message whose bytes any of MLeap's requests may have."""
    return pb.LoadModelRequest(model_name=name, uri="file:/nowhere").SerializeToString()


schemathesis.openapi.media_type("application/vnd.apache.arrow.stream", _records.map(_arrow))
schemathesis.openapi.media_type("application/jsonl", _records.map(_lines))
schemathesis.openapi.media_type("application/x-protobuf", st.sampled_from(["linear", "loans", "none"]).map(_message))


def as_it_is(context: Any, value: Any) -> Any:
    """The body, which is bytes where a strategy above made it."""
    return value if isinstance(value, bytes) else str(value).encode()


def as_message(context: Any, value: Any) -> Any:
    """A message, also in a chain of requests, which puts the name of a model that it has seen into a dict."""
    return _message(str(value.get("modelName"))) if isinstance(value, dict) else as_it_is(context, value)


schemathesis.serializer("application/jsonl", "application/vnd.apache.arrow.stream")(as_it_is)
schemathesis.serializer("application/x-protobuf")(as_message)
