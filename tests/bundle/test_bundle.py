"""Tests of reading and writing bundles."""

from __future__ import annotations

import json
import math
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from leapstream.bundle.container import Limits, read_files
from leapstream.bundle.definition import (
    CATEGORICAL,
    CATEGORICAL_NOT,
    CONTINUOUS,
    LEAF,
    BundleDef,
    ClusterTree,
    Format,
    ModelDef,
    NodeDef,
    Socket,
    Tree,
    Value,
)
from leapstream.bundle.reader import decode_files, read_bundle
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataShape
from leapstream.bundle.values import list_of, scalar, tensor
from leapstream.bundle.writer import encode_files, write_bundle
from leapstream.errors import BundleError
from tests.bundle.strategies import bundles

TESTS = Path(__file__).resolve().parent.parent
GOLDEN = sorted([*TESTS.glob("golden/*/*/bundle"), *TESTS.glob("golden/*/*/bundle.zip"), *TESTS.glob("bench/*.zip")])
FORMATS: list[Format] = ["json", "protobuf"]
UID = "00000000-0000-0000-0000-000000000001"


def bundle_of(model: ModelDef, **more: Any) -> BundleDef:
    node = NodeDef("node", (Socket("input", "a"),), (Socket("output", "b"),), model)
    return BundleDef("name", UID, "0.25.2", "2026-01-01T00:00:00", "json", node, **more)


def files_of(model: Any, **changes: Any) -> dict[str, bytes]:
    """A bundle in JSON, as text."""
    files: dict[str, Any] = {
        "bundle.json": {"name": "name", "uid": UID, "version": "0.25.2", "format": "json", "timestamp": "now"},
        "root/node.json": {"name": "node", "shape": {"inputs": [], "outputs": []}},
        "root/model.json": model,
        **changes,
    }
    return {
        path: data if isinstance(data, bytes) else json.dumps(data).encode()
        for path, data in files.items()
        if data is not None
    }


def attribute(raw: Any) -> Value:
    """An attribute in JSON, read."""
    return decode_files(files_of({"op": "op", "attributes": {"x": raw}})).root.model.attributes["x"]


def has_infinity(definition: BundleDef) -> bool:
    try:
        encode_files(definition, "json")
    except BundleError as error:
        return "JSON cannot hold Infinity" in str(error)
    return False


# -- round trips ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("container", ["zip", pytest.param("dir", marks=pytest.mark.slow)])
def test_every_golden_bundle_is_equal_after_writing(tmp_path: Path, format: Format, container: Any) -> None:
    assert len(GOLDEN) > 370
    written = 0
    for path in GOLDEN:
        definition = read_bundle(path)
        if format == "json" and has_infinity(definition):
            continue
        write_bundle(definition, tmp_path / "copy", format=format, container=container)
        again = read_bundle(tmp_path / "copy")
        assert again.format == format
        again.format = definition.format
        assert again == definition, path
        written += 1
    assert written >= len(GOLDEN) - 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["copy"]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(bundles(finite=True))
def test_json_gives_back_attributes_of_every_kind(definition: BundleDef) -> None:
    definition.format = "json"
    assert decode_files(encode_files(definition, "json")) == definition


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(bundles(finite=False))
def test_protobuf_gives_back_attributes_of_every_kind(definition: BundleDef) -> None:
    definition.format = "protobuf"
    assert decode_files(encode_files(definition, "protobuf")) == definition


@settings(max_examples=100, deadline=None)
@given(bundles(finite=True))
def test_both_formats_say_the_same(definition: BundleDef) -> None:
    by_json = decode_files(encode_files(definition, "json"))
    by_protobuf = decode_files(encode_files(definition, "protobuf"))
    assert by_json.root == by_protobuf.root


@pytest.mark.parametrize("format", FORMATS)
def test_attributes_keep_their_order(format: Format) -> None:
    names = [f"a{(7 * i) % 50}" for i in range(50)]
    definition = bundle_of(ModelDef("op", {name: scalar("int", 1) for name in names}))
    assert list(decode_files(encode_files(definition, format)).root.model.attributes) == names


@pytest.mark.parametrize("format", FORMATS)
def test_files_and_nested_models_and_nodes_stay(format: Format) -> None:
    inner = NodeDef("inner", (), (), ModelDef("c", files={"d/e.bin": b"\0", "f": b""}))
    model = ModelDef("a", models={"model0": ModelDef("b", models={"deep": ModelDef("d")})}, nodes={"inner": inner})
    definition = bundle_of(model, files={"notes/hello": b"hi"}, meta={"k": scalar("string", "v")})
    definition.format = format
    files = encode_files(definition, format)
    assert {"root/inner.node/d/e.bin", "notes/hello"} < files.keys()
    assert decode_files(files) == definition


@pytest.mark.parametrize("format", FORMATS)
def test_decision_trees_stay(format: Format) -> None:
    tree = Tree(
        kind=np.array([CONTINUOUS, CATEGORICAL, LEAF, LEAF, CATEGORICAL_NOT, LEAF, LEAF], np.uint8),
        feature=np.array([0, 1, -1, -1, 2, -1, -1], np.int32),
        threshold=np.array([0.5] + [math.nan] * 6),
        right=np.array([4, 3, -1, -1, 6, -1, -1], np.int32),
        data_start=np.array([0, 0, 2, 3, 4, 5, 6], np.int32),
        data_end=np.array([0, 2, 3, 4, 5, 6, 6], np.int32),
        data=np.array([1.0, 2.0, 10.0, 11.0, 3.0, 12.0]),
        num_categories=np.array([0, 3, 0, 0, 4, 0, 0], np.int32),
    )
    assert decode_files(encode_files(bundle_of(ModelDef("op", tree=tree)), format)).root.model.tree == tree


@pytest.mark.parametrize("format", FORMATS)
def test_cluster_trees_stay(format: Format) -> None:
    tree = ClusterTree(
        index=np.array([-1, 0, 1], np.int32),
        norm=np.array([1.0, 0.0, math.nan]),
        centers=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        num_children=np.array([2, 0, 0], np.int32),
    )
    model = decode_files(encode_files(bundle_of(ModelDef("op", cluster_tree=tree)), format)).root.model
    assert model.cluster_tree == tree
    assert model.tree is None


@pytest.mark.parametrize("format", FORMATS)
def test_a_sparse_tensor_is_written_dense(format: Format) -> None:
    definition = bundle_of(ModelDef("op", {"t": tensor(Tensor.sparse(3, [1], [5.0]))}))
    value = decode_files(encode_files(definition, format)).root.model.attributes["t"]
    assert value == tensor(Tensor.dense([0.0, 5.0, 0.0]))
    assert not value.data.is_sparse


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_the_same_definition_gives_the_same_archive(tmp_path: Path, format: Format) -> None:
    for path in GOLDEN[::20]:
        definition = read_bundle(path)
        if format == "json" and has_infinity(definition):
            continue
        write_bundle(definition, tmp_path / "a.zip", format=format)
        write_bundle(definition, tmp_path / "b.zip", format=format)
        assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


# -- what the JVM writes ----------------------------------------------------------------------------------------------


def test_json_is_laid_out_as_the_jvm_reads_it() -> None:
    model = ModelDef(
        "op",
        {
            "zero": scalar("double", 0.0),
            "none": list_of("string", []),
            "nan": list_of("double", [math.nan, 1.0]),
            "float": scalar("float", 0.1),
            "shape": scalar("data_shape", DataShape("tensor", False, (2,))),
            "bytes": list_of("byte_string", [b"\x00\xff"]),
            "unknown": list_of("basic_type", [None, BasicType.INT]),
            "matrix": tensor(Tensor.dense([[1, 2]], BasicType.LONG)),
        },
    )
    assert json.loads(encode_files(bundle_of(model), "json")["root/model.json"]) == {
        "op": "op",
        "attributes": {
            "zero": {},
            "none": {"type": "list"},
            "nan": {"type": "list", "double": [None, 1.0]},
            "float": {"float": 0.1},
            "shape": {
                "data_shape": {
                    "base": "tensor",
                    "isNullable": False,
                    "tensorShape": {"dimensions": [{"size": 2, "name": ""}]},
                }
            },
            "bytes": {"type": "list", "byte_string": ["AP8="]},
            "unknown": {"type": "list", "basic_type": ["unknown", "int"]},
            "matrix": {
                "type": "tensor",
                "long": [1, 2],
                "shape": {"dimensions": [{"size": 1, "name": ""}, {"size": 2, "name": ""}]},
            },
        },
    }


def test_protobuf_bytes_are_those_of_the_jvm() -> None:
    model = ModelDef("op", {"t": tensor(Tensor.dense(np.array(["é"], dtype=object), BasicType.STRING))})
    files = encode_files(bundle_of(model), "protobuf")
    assert files["root/model.pb"] == bytes.fromhex(
        "0a026f70 1219 0a17 0a0174 1212 1a10 0864 1204 0a020801 1a06 00000002c3a9"
    )
    assert files["root/node.pb"] == b"\n\x04node\x12\x19\n\n\n\x05input\x12\x01a\x12\x0b\n\x06output\x12\x01b"


@pytest.mark.slow
def test_every_golden_protobuf_file_comes_out_byte_for_byte() -> None:
    compared = 0
    for path in GOLDEN:
        given = read_files(path, Limits())[1]
        definition = decode_files(given)
        if definition.format == "protobuf":
            files = encode_files(definition, "protobuf")
            for name in given:
                if name.endswith(".pb"):
                    assert files[name] == given[name], (path, name)
                    compared += 1
    assert compared > 450


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_json_rejects_infinity_and_names_model_and_attribute(value: float) -> None:
    with pytest.raises(BundleError, match=r"\(normalizer\): attribute 'p_norm': JSON cannot hold Infinity"):
        encode_files(bundle_of(ModelDef("normalizer", {"p_norm": scalar("double", value)})), "json")


def test_a_missing_timestamp_is_written_empty_because_the_jvm_asks_for_it() -> None:
    definition = bundle_of(ModelDef("op"))
    definition.timestamp = None
    files = encode_files(definition, "json")
    assert json.loads(files["bundle.json"])["timestamp"] == ""
    assert decode_files(files) == definition


# -- JSON as others wrote it ------------------------------------------------------------------------------------------


def test_null_nan_and_infinity_tokens_are_numbers() -> None:
    data = b'{"op": "op", "attributes": {"x": {"type": "list", "double": [null, NaN, Infinity, -Infinity, 1]}}}'
    value = decode_files(files_of(data)).root.model.attributes["x"]
    assert value == list_of("double", [math.nan, math.nan, math.inf, -math.inf, 1.0])
    assert attribute({"double": None}) == scalar("double", math.nan)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, Value("scalar", None, None)),
        ({"double": 0}, Value("scalar", None, None)),
        ({"type": "list"}, Value("list", None, [])),
        ({"type": "list", "string": []}, Value("list", None, [])),
        ({"int": 1.0}, scalar("int", 1)),
        ({"tensor": None}, Value("scalar", None, None)),
        ({"data_shape": {"base": "scalar"}}, scalar("data_shape", DataShape("scalar", False))),
        ({"basic_type": "unknown"}, Value("scalar", None, None)),
        ({"model": {"op": "inner"}}, scalar("model", ModelDef("inner"))),
        # as MLeap up to 0.7 wrote them
        ({"type": "double", "value": 1.5}, scalar("double", 1.5)),
        ({"type": "short", "value": 3}, scalar("int", 3)),
        ({"type": {"type": "list", "base": "string"}, "value": ["a"]}, list_of("string", ["a"])),
        (
            {"type": {"type": "tensor", "tensor": {"base": "double", "dimensions": [-1]}}, "value": [1, 2]},
            tensor(Tensor.dense([1.0, 2.0])),
        ),
        (
            {
                "type": {"type": "tensor", "tensor": {"base": "double", "dimensions": [3]}},
                "value": {"values": [5], "indices": [[1]], "dimensions": [3]},
            },
            tensor(Tensor.sparse(3, [1], [5.0])),
        ),
        (
            {"type": {"type": "list", "base": {"type": "list", "base": "int"}}, "value": [[1, 2], []]},
            Value("list", "list", [list_of("int", [1, 2]), list_of("int", [])]),
        ),
        ({"type": "data_type", "value": "double"}, scalar("basic_type", BasicType.DOUBLE)),
        (
            {
                "type": {"type": "list", "base": "data_type"},
                "value": [{"type": "tensor", "tensor": {"dimensions": [2]}}],
            },
            list_of("data_shape", [DataShape("tensor", False, (2,))]),
        ),
    ],
)
def test_attributes_of_every_version_are_understood(raw: Any, expected: Value) -> None:
    assert attribute(raw) == expected


def test_a_list_of_lists_stays_in_json_and_is_rejected_by_protobuf() -> None:
    value = Value("list", "list", [list_of("double", [1.0]), list_of("double", [])])
    definition = bundle_of(ModelDef("op", {"x": value}))
    assert decode_files(encode_files(definition, "json")) == definition
    with pytest.raises(BundleError, match="attribute 'x': protobuf cannot hold a list of lists"):
        encode_files(definition, "protobuf")


def test_a_bundle_without_timestamp_version_or_ports_loads() -> None:
    info = {"name": "old", "uid": UID, "format": "json"}
    definition = decode_files(files_of({"op": "op"}, **{"bundle.json": info, "root/node.json": {"name": "node"}}))
    assert (definition.timestamp, definition.version, definition.root.inputs) == (None, "", ())


def test_nodes_may_be_in_another_format_than_the_bundle_says() -> None:
    definition = bundle_of(ModelDef("op", nodes={"a": NodeDef("a", (), (), ModelDef("x", {"k": scalar("int", 1)}))}))
    by_json, by_protobuf = encode_files(definition, "json"), encode_files(definition, "protobuf")
    mixed = {path: data for path, data in by_json.items() if "a.node" not in path}
    mixed |= {path: data for path, data in by_protobuf.items() if "a.node" in path}
    assert decode_files(mixed) == definition


@pytest.mark.parametrize(("ending", "format"), [("json", "json"), ("pb", "protobuf")])
def test_a_bundle_that_calls_itself_mixed_takes_its_root_s_format(ending: str, format: Format) -> None:
    files = encode_files(bundle_of(ModelDef("op")), format)
    files["bundle.json"] = json.dumps({"name": "n", "uid": UID, "format": "mixed"}).encode()
    assert decode_files(files).format == format


def test_where_a_model_is_there_in_both_formats_that_of_the_bundle_counts() -> None:
    files = encode_files(bundle_of(ModelDef("by_json")), "json")
    files["root/model.pb"] = encode_files(bundle_of(ModelDef("by_protobuf")), "protobuf")["root/model.pb"]
    assert decode_files(files).root.model.op == "by_json"


def test_tree_files_may_be_called_nodes_as_0_20_0_did() -> None:
    tree = b'{"type":"leaf","values":[1.0]}\n'
    assert decode_files(files_of({"op": "op"}, **{"root/nodes.json": tree})).root.model.tree is not None


# -- malformed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"double": "1"}, 'expected double, got "1"'),
        ({"int": 2**31}, "does not fit into int"),
        ({"double": 1.0, "long": 2}, "sets long and double at once"),
        ({"type": "list", "double": [1.0], "long": [2]}, "at once"),
        ({"type": "list", "double": {}}, "not an array"),
        ({"type": "map"}, "neither list nor tensor"),
        ({"type": "tensor", "double": [1.0]}, "shape"),
        ({"type": "tensor", "double": [1.0], "shape": {"dimensions": [{"size": 2}]}}, "has 1 values"),
        ({"type": "tensor", "shape": {"dimensions": []}}, "sets 0 types"),
        ({"type": "tensor", "double": [], "shape": {"dimensions": [{"size": -1}, {"size": 0}]}}, "negative"),
        ({"basic_type": "decimal"}, "not a basic type"),
        ({"data_shape": {"base": "cube"}}, "not a data shape"),
        ({"model": {"attributes": {}}}, "op"),
        ({"byte_string": "%"}, "not base64"),
        ([], "not an object"),
        ({"type": "decimal", "value": 1}, "not a basic type"),
    ],
)
def test_a_malformed_attribute_is_an_error_that_names_it(raw: Any, message: str) -> None:
    with pytest.raises(BundleError, match=f"bundle: root/model.json: attribute 'x': .*{message}"):
        attribute(raw)


def test_a_number_of_silly_length_is_an_error() -> None:
    with pytest.raises(BundleError, match=r"root/model\.json"):
        decode_files(files_of(b'{"op": "op", "attributes": {"x": {"long": 1' + b"0" * 5000 + b"}}}"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bundle.json": None}, "has no bundle.json"),
        ({"bundle.json": None, "inner/bundle.json": b"{}"}, "there is one in the folder 'inner'"),
        ({"bundle.json": b"{"}, "bundle.json: not JSON"),
        ({"bundle.json": b"[]"}, "bundle.json: the bundle is an array"),
        ({"bundle.json": {"name": "n", "uid": UID, "format": "yaml"}}, "format is"),
        ({"root/node.json": None}, "has no root/node.json"),
        ({"root/model.json": None}, "root: has no model.json"),
        ({"root/node.json": b"[" * 200_000}, "root/node.json: nested too deeply"),
        ({"root/node.json": {"name": "n", "shape": {"inputs": [{"port": "p"}]}}}, "root/node.json: name is null"),
        (
            {
                "root/node.json": {
                    "name": "n",
                    "shape": {"inputs": [{"port": "p", "name": "a"}, {"port": "p", "name": "b"}]},
                }
            },
            "the port 'p' is twice among the inputs",
        ),
        ({"root/model.json": b"\xff"}, "root/model.json: not UTF-8"),
        ({"root/tree.json": b""}, "root/tree.json: the tree is incomplete"),
        ({"root/tree.json": b'{"type":"leaf","values":[1]}\n{"type":"leaf","values":[1]}\n'}, "tree is complete"),
        ({"root/tree.json": b'{"type":"internal","split":{"type":"x","featureIndex":0}}'}, "a split of type"),
        ({"root/tree.pb": b"\0\0\0\1"}, "root/tree.pb: ends inside a node"),
        ({"root/tree.pb": b"\x7f\xff\xff\xff"}, "root/tree.pb: ends inside a node"),
        ({"root/a.node/node.json": b"{}", "root/a.node/model.json": b"{}"}, "root/a.node/node.json: name is null"),
    ],
)
def test_a_malformed_bundle_is_an_error_that_names_the_file(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        decode_files(files_of({"op": "op"}, **changes))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("model.pb", b"", "truncated"),
        ("model.pb", b"\x0a\x02op", "truncated"),
        ("model.pb", b"\xff\xff", "not a protobuf message"),
        ("model.pb", b"\x0a\x02op\x12\x05\x0a\x03\x0a\x01x", "attribute 'x': a value is neither"),
        ("node.pb", b"\x0a\x01n", "truncated"),
    ],
)
def test_a_malformed_protobuf_file_is_an_error_that_names_it(name: str, data: bytes, message: str) -> None:
    files = encode_files(bundle_of(ModelDef("op")), "protobuf") | {f"root/{name}": data}
    with pytest.raises(BundleError, match=rf"root/{name}: .*{message}"):
        decode_files(files)


def test_an_old_model_split_over_two_formats_is_an_error_that_says_so() -> None:
    info = {"name": "n", "uid": UID, "format": "mixed"}
    with pytest.raises(BundleError, match="MLeap gave up with 0.8"):
        decode_files(files_of({"op": "op"}, **{"bundle.json": info, "root/model.pb": b""}))


# -- places -----------------------------------------------------------------------------------------------------------


def test_directories_archives_and_uris_are_the_same_bundle(tmp_path: Path) -> None:
    definition = bundle_of(ModelDef("op"))
    folder = tmp_path / "with space"
    folder.mkdir()
    write_bundle(definition, folder / "dir")
    write_bundle(definition, folder / "b.zip")
    inner = folder / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        for path, data in encode_files(definition, "json").items():
            archive.writestr(f"models/a/{path}", data)
    uri = (folder / "b.zip").as_uri()
    for source in (
        folder / "dir",
        str(folder / "b.zip"),
        (folder / "b.zip").read_bytes(),
        bytearray((folder / "b.zip").read_bytes()),
        uri,
        uri.replace("file:///", "file:/"),
        (folder / "dir").as_uri(),
        f"jar:{uri}",
        f"jar:{uri}!/",
        f"jar:{inner.as_uri()}!/models/a",
    ):
        assert read_bundle(source) == definition, source


def test_a_jar_uri_is_written_as_an_archive(tmp_path: Path) -> None:
    write_bundle(bundle_of(ModelDef("op")), f"jar:{(tmp_path / 'bundle').as_uri()}")
    assert zipfile.is_zipfile(tmp_path / "bundle")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/no/such/place", "No such file"),
        ("http://host/b.zip", "only paths, file: and jar:file:"),
        ("jar:http://host/b.zip", "only paths, file: and jar:file:"),
        ("file://host/b.zip", "another host"),
        ("a\0b", "NUL"),
        ("file:/a%00b", "names no file"),
        (b"", "corrupt zip archive"),
        (b"PK\x05\x06" + b"\0" * 18, "has no bundle.json"),
    ],
)
def test_a_source_that_is_no_bundle_is_an_error(source: Any, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        read_bundle(source)


def test_writing_replaces_a_bundle_and_leaves_no_old_file(tmp_path: Path) -> None:
    first = bundle_of(ModelDef("op", files={"old": b"x"}))
    for name in ("b", "b.zip"):
        write_bundle(first, tmp_path / name)
        write_bundle(bundle_of(ModelDef("new")), tmp_path / name)
        assert read_bundle(tmp_path / name) == bundle_of(ModelDef("new"))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["b", "b.zip"]


def test_writing_leaves_a_directory_of_other_things_alone(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "diary").write_text("dear")
    with pytest.raises(BundleError, match="left alone"):
        write_bundle(bundle_of(ModelDef("op")), tmp_path / "home", container="dir")
    with pytest.raises(BundleError, match="cannot be written"):
        write_bundle(bundle_of(ModelDef("op")), tmp_path / "home", container="zip")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["home", "diary"]


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(bundle_of(ModelDef("first")), tmp_path / name)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        patch.setattr(Path, "write_bytes", fail)
        with pytest.raises(BundleError, match="No space left"):
            write_bundle(bundle_of(ModelDef("second")), tmp_path / name)
    assert read_bundle(tmp_path / name).root.model.op == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "model",
    [
        ModelDef("op", files={"../evil": b""}),
        ModelDef("op", files={"/evil": b""}),
        ModelDef("op", files={"model.json": b""}),
        ModelDef("op", files={"a": b"", "a/b": b""}),
        ModelDef("op", models={"../evil": ModelDef("x")}),
        ModelDef("op", models={"..": ModelDef("x")}),
        ModelDef("op", nodes={"a/b": NodeDef("x", (), (), ModelDef("x"))}),
        ModelDef("op", models={"a.node": ModelDef("x")}, nodes={"a": NodeDef("x", (), (), ModelDef("x"))}),
    ],
)
def test_a_definition_with_unsafe_or_clashing_names_is_not_written(tmp_path: Path, model: ModelDef) -> None:
    with pytest.raises(BundleError):
        write_bundle(bundle_of(model), tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(BundleError, match="known: json, protobuf"):
        encode_files(bundle_of(ModelDef("op")), "yaml")  # type: ignore[arg-type]


def test_a_directory_that_was_copied_by_hand_reads(tmp_path: Path) -> None:
    shutil.copytree(TESTS / "golden" / "classification" / "decision-tree-prediction-only" / "bundle", tmp_path / "b")
    assert read_bundle(tmp_path / "b").root.model.tree is not None
