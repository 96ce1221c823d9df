from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from leapstream import BundleError, LeapFrame
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, Field, ListType, MapType, ScalarType, Schema, TensorType
from leapstream.serving.failures import RequestError
from leapstream.serving.mleap.layouts import decode, encode, format_of, layout_of

SCALARS: dict[BasicType, Any] = {
    BasicType.BOOLEAN: True,
    BasicType.BYTE: -128,
    BasicType.SHORT: 32767,
    BasicType.INT: -(2**31),
    BasicType.LONG: 2**63 - 1,
    BasicType.FLOAT: 0.10000000149011612,
    BasicType.DOUBLE: 0.1,
    BasicType.STRING: "Grüße, 世界 😀",
    BasicType.BYTE_STRING: b"\x00\xff",
}


def everything() -> LeapFrame:
    """A frame with a column of each type, once with values and once without."""
    fields, values = [], []
    for base, value in SCALARS.items():
        fields += [
            Field(f"{base}", ScalarType(base, True)),
            Field(f"{base}s", ListType(base, True)),
            Field(f"map of {base}", MapType(BasicType.STRING, base, True)),
        ]
        values += [value, [value, value], {"a": value}]
        if base not in (BasicType.STRING, BasicType.BYTE_STRING):
            fields.append(Field(f"matrix of {base}", TensorType(base, (1, 2), True)))
            values.append(Tensor.dense([[value, value]], base))
    fields += [
        Field("vector", TensorType(BasicType.DOUBLE, None, True)),
        Field("sparse", TensorType(BasicType.DOUBLE, (4,))),
    ]
    values += [Tensor.dense([1.5, math.nan]), Tensor.sparse(4, [1, 3], [2.0, 3.0])]
    return LeapFrame(Schema(tuple(fields)), [values, [None] * len(fields)])


def without_maps(frame: LeapFrame) -> LeapFrame:
    kept = [i for i, f in enumerate(frame.schema) if not isinstance(f.type, MapType)]
    schema = Schema(tuple(frame.schema.fields[i] for i in kept))
    return LeapFrame(schema, [[row[i] for i in kept] for row in frame.rows])


@pytest.mark.parametrize("format", ["json", "binary", "avro"])
@pytest.mark.parametrize("frame", [everything(), without_maps(everything())], ids=["maps", "no maps"])
def test_frames_are_read_and_written_like_files(format: Any, frame: LeapFrame) -> None:
    if format == "avro":
        frame = LeapFrame(Schema(frame.schema.fields[:1]), [row[:1] for row in frame.rows])
    layout, rows = decode(frame.to_bytes(format), format)
    assert LeapFrame(layout.schema, layout.leap_rows(rows)) == frame
    assert LeapFrame.from_bytes(encode(layout, rows, format)) == frame


@pytest.mark.parametrize("format", ["json", "binary"])
def test_rows_are_read_and_written_without_their_schema(format: str) -> None:
    frame = without_maps(everything())
    layout = layout_of(frame.schema)
    for row in frame.rows:
        if format == "json":
            found = layout.row_of_json(layout.json_of_row(row))
        else:
            found = layout.row_of_bytes(layout.bytes_of_row(row))
        assert LeapFrame(frame.schema, layout.leap_rows([found])) == LeapFrame(frame.schema, [row])


def test_the_same_schema_has_the_same_layout_however_it_is_written() -> None:
    frame = without_maps(everything())
    as_json = frame.to_bytes("json")
    assert decode(as_json, "json")[0] is decode(as_json.replace(b": ", b":"), "json")[0]
    assert decode(as_json, "json")[0] is decode(frame.to_bytes("binary"), "binary")[0]


def test_large_schemas_are_not_remembered() -> None:
    schema = Schema(tuple(Field(f"f{i}", ScalarType(BasicType.DOUBLE)) for i in range(5000)))
    data = LeapFrame(schema, [[float(i) for i in range(5000)]]).to_bytes("json")
    first, second = decode(data, "json")[0], decode(data, "json")[0]
    assert first is not second
    assert first.is_large
    assert first.schema == second.schema == schema


@pytest.mark.parametrize("given", ["1", "1.0", "1e0"])
def test_numbers_are_read_in_all_their_forms(given: str) -> None:
    text = '{"schema": {"fields": [{"name": "i", "type": "integer"}, {"name": "d", "type": "double"}]}, "rows": [[%s, %s]]}'
    assert [list(row) for row in decode((text % (given, given)).encode(), "json")[1]] == [[1, 1.0]]


def test_infinities_and_nan_are_null_in_json() -> None:
    layout = layout_of(
        Schema((Field("d", ScalarType(BasicType.DOUBLE, False)), Field("f", ScalarType(BasicType.FLOAT))))
    )
    data = encode(layout, [[math.inf, -math.inf]], "json")
    assert msgspec.json.decode(data)["rows"] == [[None, None]]
    assert math.isnan(decode(data, "json")[1][0][0])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"{}", "schema"),
        (b'{"schema": {"fields": []}, "rows": [[1]]}', "row 0 has 1 values, the schema 0 fields"),
        (b'{"schema": {"fields": [{"name": "a", "type": "nothing"}]}, "rows": []}', "nothing"),
        (b'{"schema": {"fields": [{"name": "a", "type": "string"}]}, "rows": [["x"], [1]]}', "row 1, column 'a'"),
        (b'{"schema": {"fields": [{"name": "a", "type": "byte"}]}, "rows": [[128]]}', "128 does not fit"),
        (
            b'{"schema": {"fields": [{"name": "a", "type": {"type": "tensor", "base": "double"}}]},'
            b'"rows": [[{"values": [1], "dimensions": [2]}]]}',
            "row 0, column 'a'",
        ),
    ],
)
def test_a_frame_that_is_damaged_says_where(data: bytes, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        decode(data, "json")


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\0\x02{}", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff\0"])
def test_bytes_that_are_no_frame_fail(data: bytes) -> None:
    with pytest.raises(BundleError, match="frame"):
        decode(data, "binary")


def test_a_row_that_is_cut_off_names_its_column() -> None:
    layout = layout_of(
        Schema((Field("a", ScalarType(BasicType.INT, False)), Field("b", ScalarType(BasicType.INT, False))))
    )
    with pytest.raises(BundleError, match="column 'b'"):
        layout.row_of_bytes(b"\0\0\0\1\0")
    with pytest.raises(BundleError, match="1 bytes after"):
        layout.row_of_bytes(b"\0\0\0\1\0\0\0\1\0")


def test_an_unknown_format_fails() -> None:
    with pytest.raises(RequestError, match=r"ml\.combust\.mleap\.json or"):
        format_of("json")
