"""Tests of leap frames."""

from __future__ import annotations

import builtins
import io
import json
import math
import random
import zlib
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream.bundle import frame_binary
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.frame_json import schema_from_json, schema_to_json
from leapstream.bundle.limits import Limits
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, ListType, MapType, ScalarType, Schema, TensorType
from leapstream.errors import BundleError
from tests.bundle.strategies import frames

TESTS = Path(__file__).resolve().parent.parent
GOLDEN = sorted([*TESTS.glob("golden/*/*/input.json"), *TESTS.glob("golden/*/*/expected.json")])
FORMATS = ["json", "binary", "avro"]
AVRO_NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,6}\Z")


def frame_of(data_type: Any, *values: Any) -> LeapFrame:
    return LeapFrame(Schema.of([("x", data_type)]), [[value] for value in values])


@pytest.mark.slow
def test_every_golden_frame_reads_and_keeps_its_values_in_every_format() -> None:
    assert len(GOLDEN) > 700
    for path in GOLDEN:
        frame = LeapFrame.read(path)
        assert len(frame) == len(json.loads(path.read_bytes())["rows"]), path
        for format in FORMATS:
            if format == "avro" and not all(name.isascii() and name.isidentifier() for name in frame.schema.names):
                continue
            assert LeapFrame.from_bytes(frame.to_bytes(format)) == frame, (path, format)  # type: ignore[arg-type]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(frames(in_json=True))
def test_json_gives_back_every_type(frame: Any) -> None:
    expected = LeapFrame(*frame)
    assert LeapFrame.from_bytes(expected.to_bytes("json")) == expected


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(frames(keys=tuple(BasicType)))
def test_binary_gives_back_every_type_with_nan_and_infinities(frame: Any) -> None:
    expected = LeapFrame(*frame)
    assert LeapFrame.from_bytes(expected.to_bytes("binary")) == expected


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(frames(names=AVRO_NAMES))
def test_avro_gives_back_every_type_with_nan_and_infinities(frame: Any) -> None:
    expected = LeapFrame(*frame)
    assert LeapFrame.from_bytes(expected.to_bytes("avro")) == expected


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(frames(names=AVRO_NAMES))
def test_the_same_frame_gives_the_same_bytes(frame: Any) -> None:
    for format in ("binary", "avro"):
        assert LeapFrame(*frame).to_bytes(format) == LeapFrame(*frame).to_bytes(format)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(frames())
def test_a_schema_survives_json(frame: Any) -> None:
    schema, _ = frame
    assert schema_from_json(json.loads(json.dumps(schema_to_json(schema)))) == schema


def test_an_int_is_called_integer_as_a_scalar_and_int_elsewhere() -> None:
    schema = Schema.of([("a", ScalarType(BasicType.INT)), ("b", ListType(BasicType.INT))])
    assert schema_to_json(schema)["fields"] == [
        {"name": "a", "type": "integer"},
        {"name": "b", "type": {"type": "list", "base": "int"}},
    ]


def test_null_is_nan_where_a_double_cannot_be_missing() -> None:
    kind = b'{"type": "basic", "base": "double", "isNullable": false}'
    data = b'{"schema": {"fields": [{"name": "x", "type": ' + kind + b'}]}, "rows": [[null]]}'
    assert math.isnan(LeapFrame.from_bytes(data).rows[0][0])


def test_null_is_missing_where_a_double_may_be() -> None:
    data = b'{"schema":{"fields":[{"name":"x","type":"double"}]},"rows":[[null]]}'
    assert LeapFrame.from_bytes(data).rows[0][0] is None


def test_json_writes_nan_and_infinities_as_null() -> None:
    frame = frame_of(ScalarType(BasicType.DOUBLE, False), math.nan, math.inf, -math.inf)
    assert json.loads(frame.to_bytes("json"))["rows"] == [[None], [None], [None]]


def test_json_writes_a_float_in_its_shortest_form() -> None:
    assert b"[0.1]" in frame_of(ScalarType(BasicType.FLOAT), float(np.float32(0.1))).to_bytes("json")


def test_json_writes_byte_strings_in_base64() -> None:
    assert b'["AP8="]' in frame_of(ScalarType(BasicType.BYTE_STRING), b"\x00\xff").to_bytes("json")


def test_binary_bytes_are_those_of_the_jvm() -> None:
    schema = Schema.of([("x", ScalarType(BasicType.INT, False)), ("t", TensorType(BasicType.DOUBLE, (3,)))])
    frame = LeapFrame(schema, [[7, Tensor.sparse(3, [2], [1.0])]])
    data = frame.to_bytes("binary")
    head = int.from_bytes(data[:4], "big")
    assert json.loads(data[4 : 4 + head]) == schema_to_json(schema)
    sparse = "01 0001 0001 00000003 00000001 3ff0000000000000 00000001 0001 00000002"
    assert data[4 + head :] == bytes.fromhex("00000001 00000007" + sparse)


def test_binary_has_missing_elements_only_where_that_is_asked_for() -> None:
    schema = Schema.of(
        [
            ("list", ListType(BasicType.DOUBLE, nullable=False)),
            ("map", MapType(BasicType.STRING, BasicType.INT, nullable=False)),
            ("tensor", TensorType(BasicType.STRING, nullable=False)),
        ]
    )
    tensor = Tensor.dense(np.array(["a", None], dtype=object), BasicType.STRING)
    row = [[1.5, None], {"a": None, "b": 2}, tensor]
    _, (found,) = frame_binary.decode(frame_binary.encode(schema, [row], own=True), own=True)
    assert found[:2] == row[:2] and found[2].values.tolist() == ["a", None]
    with pytest.raises(ValueError, match="got None"):
        frame_binary.encode(schema, [row])


def test_binary_has_half_of_a_surrogate_pair_only_in_leapstreams_own_form() -> None:
    schema = Schema.of([("text", ScalarType(BasicType.STRING)), ("list", ListType(BasicType.STRING))])
    row = ["\ud83d", ["\ude00\ud83d", "😀"]]
    _, (found,) = frame_binary.decode(frame_binary.encode(schema, [row], own=True), own=True)
    assert list(found) == row
    with pytest.raises(ValueError, match="surrogates not allowed"):
        frame_binary.encode(schema, [row])


def test_an_avro_file_without_the_leap_schema_is_read_by_its_avro_schema() -> None:
    import fastavro

    frame = LeapFrame(
        Schema.of(
            [
                ("a", ScalarType(BasicType.INT, False)),
                ("b", ScalarType(BasicType.STRING)),
                ("c", TensorType(BasicType.DOUBLE)),
                ("d", ListType(BasicType.LONG)),
                ("e", MapType(BasicType.STRING, BasicType.DOUBLE)),
                ("f", TensorType(BasicType.DOUBLE)),
            ]
        ),
        [[1, None, Tensor.dense([1.0, 2.0]), [3], {"k": 4.0}, Tensor.sparse(3, [1], [5.0])]],
    )
    import io

    reader = fastavro.reader(io.BytesIO(frame.to_bytes("avro")))
    out = io.BytesIO()
    fastavro.writer(out, reader.writer_schema, list(reader))
    assert LeapFrame.from_bytes(out.getvalue()) == frame


def test_avro_without_its_extra_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **keywords: Any) -> Any:
        if name == "fastavro":
            raise ImportError(name)
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(BundleError, match=r"leapstream\[avro\]"):
        frame_of(ScalarType(BasicType.INT), 1).to_bytes("avro")


@pytest.mark.parametrize("suffix", [".json", ".bin", ".binary", ".leap", ".avro"])
def test_the_suffix_tells_the_format(tmp_path: Path, suffix: str) -> None:
    frame = frame_of(ScalarType(BasicType.INT), 1, None)
    frame.write(tmp_path / f"frame{suffix}")
    assert LeapFrame.read(tmp_path / f"frame{suffix}") == frame


def test_an_unknown_suffix_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"\.json, \.avro"):
        frame_of(ScalarType(BasicType.INT), 1).write(tmp_path / "frame.txt")


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(BundleError, match="known: json, binary, avro"):
        frame_of(ScalarType(BasicType.INT), 1).to_bytes("xml")  # type: ignore[arg-type]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="row 0, column 'x'"):
        frame_of(ScalarType(BasicType.INT), "text").write(tmp_path / "frame.json")
    with pytest.raises(BundleError, match="cannot be written"):
        frame_of(ScalarType(BasicType.INT), 1).write(tmp_path / "no" / "frame.json")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"absent\.json"):
        LeapFrame.read(tmp_path / "absent.json")


def test_a_file_over_the_limit_is_an_error(tmp_path: Path) -> None:
    frame_of(ScalarType(BasicType.INT), 1).write(tmp_path / "frame.json")
    with pytest.raises(BundleError, match="max_file_size"):
        LeapFrame.read(tmp_path / "frame.json", limits=Limits(max_file_size=10))


@pytest.mark.parametrize(
    ("type_json", "row", "message"),
    [
        ('"double"', '["1"]', "row 0, column 'x' .*expected double, got \"1\""),
        ('"byte"', "[128]", "128 does not fit into byte"),
        ('"integer"', "[1.5]", "expected int, got 1.5"),
        ('"integer"', "[true]", "expected int, got true"),
        ('"string"', "[1]", "expected string, got 1"),
        ('"byte_string"', '["%"]', "not base64"),
        ('"double"', "[1, 2]", "row 0 has 2 values, the schema 1 fields"),
        ('"double"', "[]", "row 0 has 0 values"),
        ('"double"', "{}", "row 0 is not a list"),
        ('{"type": "basic", "base": "string", "isNullable": false}', "[null]", "expected string, got null"),
        ('{"type": "list", "base": "int", "isNullable": false}', "[null]", "expected an array of int, got null"),
        ('{"type": "list", "base": "int"}', "[[null]]", "expected int, got null"),
        ('{"type": "tensor", "base": "double"}', '[{"values": [1], "dimensions": [2]}]', "has 1 values"),
        ('{"type": "tensor", "base": "double"}', '[{"values": [], "dimensions": [-1, 0]}]', "negative dimensions"),
        (
            '{"type": "tensor", "base": "double"}',
            '[{"values": [1], "indices": [[2]], "dimensions": [2]}]',
            "out of bounds",
        ),
        (
            '{"type": "tensor", "base": "double"}',
            '[{"values": [1], "indices": [[0, 0]], "dimensions": [2]}]',
            "index of another length",
        ),
        ('{"type": "map", "key": "int", "base": "int"}', "[{}]", "keys of type int"),
        ('"decimal"', "[1]", "is not a basic type"),
        ('{"type": "struct", "base": "int"}', "[1]", "is not a kind of type"),
    ],
)
def test_a_malformed_row_is_an_error_that_says_where_and_why(type_json: str, row: str, message: str) -> None:
    data = f'{{"schema": {{"fields": [{{"name": "x", "type": {type_json}}}]}}, "rows": [{row}]}}'
    with pytest.raises(BundleError, match=message):
        LeapFrame.from_bytes(data.encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "truncated"),
        (b"{", "not JSON"),
        (b"{}", "schema"),
        (b'{"schema": {"fields": []}}', "rows"),
        (b'{"schema": {"fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}, "rows": []}', "repeat"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "not UTF-8"),
        (b"Obj\x01garbage", "corrupt Avro"),
        (b"\x7f\xff\xff\xff", "a length of 2147483647"),
        (b'\x00\x00\x00\x0e{"fields": []}\x7f\xff\xff\xff', "2147483647 rows"),
    ],
)
def test_bytes_that_are_no_frame_are_an_error(data: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        LeapFrame.from_bytes(data)


@pytest.mark.parametrize("format", FORMATS)
def test_damage_gives_an_error_or_another_frame_but_no_other_exception(format: Any) -> None:
    schema = Schema.of(
        [
            ("a", ScalarType(BasicType.DOUBLE)),
            ("b", ListType(BasicType.STRING)),
            ("c", TensorType(BasicType.FLOAT)),
            ("d", MapType(BasicType.STRING, BasicType.LONG, False)),
            ("e", TensorType(BasicType.STRING)),
        ]
    )
    texts = Tensor.dense(np.array(["p", "qq"], dtype=object), BasicType.STRING)
    row = [1.5, ["x", "yy"], Tensor.dense([1, 2, 3], BasicType.FLOAT), {"k": 3}, texts]
    data = LeapFrame(schema, [row, [None, None, None, {}, None]]).to_bytes(format)
    chance = random.Random(0)
    damaged = [data[:size] for size in range(len(data) - 2)]
    for _ in range(1500):
        flipped = bytearray(data)
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(flipped))
    outcomes = []
    for item in damaged:
        try:
            LeapFrame.from_bytes(item)
            outcomes.append("loaded")
        except BundleError:
            outcomes.append("error")
    assert set(outcomes[: len(data) - 2]) == {"error"}
    assert set(outcomes) == {"error", "loaded"}


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        (ScalarType(BasicType.INT), 2**31),
        (ScalarType(BasicType.INT), 1.0),
        (ScalarType(BasicType.INT), True),
        (ScalarType(BasicType.BOOLEAN), 1),
        (ScalarType(BasicType.STRING), b"x"),
        (ScalarType(BasicType.STRING, False), None),
        (ListType(BasicType.DOUBLE), "text"),
        (ListType(BasicType.DOUBLE), ["text"]),
        (TensorType(BasicType.DOUBLE), [1.0]),
        (TensorType(BasicType.DOUBLE), Tensor.dense([1], BasicType.INT)),
        (TensorType(BasicType.DOUBLE, None, False), None),
        (MapType(BasicType.STRING, BasicType.INT), {"a": "b"}),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_a_value_that_does_not_fit_its_column_is_not_written(data_type: Any, value: Any, format: Any) -> None:
    with pytest.raises(BundleError, match="row 0, column 'x'"):
        frame_of(data_type, value).to_bytes(format)


def test_numpy_scalars_and_arrays_are_written() -> None:
    schema = Schema.of([("a", ScalarType(BasicType.INT)), ("b", ListType(BasicType.DOUBLE))])
    frame = LeapFrame(schema, [[np.int32(1), np.array([1.0, 2.0])]])
    assert LeapFrame.from_bytes(frame.to_bytes("json")).rows == [[1, [1.0, 2.0]]]


def test_frames_with_nan_at_the_same_places_are_equal() -> None:
    double = ScalarType(BasicType.DOUBLE)
    assert frame_of(double, math.nan) == frame_of(double, float("nan"))
    assert frame_of(double, math.nan) != frame_of(double, None)
    assert frame_of(double, 1.0) != frame_of(double, 1.0, 2.0)
    assert frame_of(ListType(BasicType.DOUBLE), [math.nan]) == frame_of(ListType(BasicType.DOUBLE), [float("nan")])


def test_a_sparse_tensor_equals_the_dense_one_of_the_same_values() -> None:
    kind = TensorType(BasicType.DOUBLE)
    assert frame_of(kind, Tensor.sparse(2, [1], [5.0])) == frame_of(kind, Tensor.dense([0.0, 5.0]))


def test_repr_shows_names_types_and_the_first_rows() -> None:
    shown = repr(frame_of(ScalarType(BasicType.DOUBLE), *map(float, range(12))))
    assert shown.splitlines()[:4] == ["LeapFrame of 12 rows", "x", "double", "0.0"]
    assert shown.endswith("… 2 more")


def _avro(fields: list[dict[str, Any]], *blocks: bytes, codec: str = "deflate") -> bytes:
    """An Avro file with blocks that are given as they are, each with its number of rows and its size."""
    head = io.BytesIO()
    schema = {"type": "record", "name": "LeapFrame", "namespace": "ml.combust.mleap.avro", "fields": fields}
    fastavro.writer(head, schema, [], codec=codec, sync_marker=b"0" * 16)
    return head.getvalue() + b"".join(block + b"0" * 16 for block in blocks)


def _block(rows: int, data: bytes, codec: str = "deflate") -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush() if codec == "deflate" else data
    out = io.BytesIO()
    fastavro.schemaless_writer(out, {"type": "long"}, rows)
    fastavro.schemaless_writer(out, {"type": "long"}, len(packed))
    return out.getvalue() + packed


DOUBLE = [{"name": "x", "type": "double"}]


def test_an_avro_frame_that_compresses_well_is_read() -> None:
    frame = LeapFrame.from_bytes(_avro(DOUBLE, _block(10_000, bytes(80_000))))
    assert frame.column("x") == [0.0] * 10_000


@pytest.mark.parametrize(
    "data",
    [
        _avro(DOUBLE, _block(8_000_000, bytes(64_000_000))),
        _avro(DOUBLE, *[_block(500_000, bytes(4_000_000))] * 20),
        _avro([{"name": "x", "type": "boolean"}], _block(30_000_000, bytes(30_000_000))),
        _avro(DOUBLE, _block(2**40, bytes(80_000))),
    ],
    ids=["one block", "many blocks", "rows of one byte", "more rows than bytes"],
)
def test_an_avro_bomb_is_rejected_before_its_rows_are_made(data: bytes) -> None:
    with pytest.raises(BundleError, match=r"max_ratio"):
        LeapFrame.from_bytes(data)


def test_items_that_take_no_bytes_are_rejected_in_an_avro_tensor() -> None:
    empty = {"type": "array", "items": "null"}
    tensor = {"type": "record", "name": "DoubleTensor", "fields": [{"name": "values", "type": empty}]}
    count = bytes([0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0])
    with pytest.raises(BundleError, match="the dimensions of a tensor are of another type"):
        LeapFrame.from_bytes(_avro([{"name": "x", "type": tensor}], _block(1, count)))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_an_avro_block_with_another_marker_is_rejected(codec: str) -> None:
    data = _avro(DOUBLE, _block(2, bytes(16), codec), codec=codec)
    with pytest.raises(BundleError, match="marker"):
        LeapFrame.from_bytes(data[:-1] + b"1")


@pytest.mark.parametrize(
    ("dimensions", "values"),
    [([1] * 33, [1.0]), ([0, *[2**31 - 1] * 3], [])],
    ids=["many", "none of very many elements"],
)
def test_dimensions_that_no_array_can_have_are_rejected(dimensions: list[int], values: list[float]) -> None:
    fields = [{"name": "x", "type": {"type": "tensor", "base": "double"}}]
    rows = [[{"values": values, "dimensions": dimensions}]]
    with pytest.raises(BundleError, match=r"row 0, column 'x'.*(33 dimensions|is too large)"):
        LeapFrame.from_bytes(json.dumps({"schema": {"fields": fields}, "rows": rows}).encode())
