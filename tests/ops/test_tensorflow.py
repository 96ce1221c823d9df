"""TensorFlow graphs: reading, writing, errors without the library; running them where it is (``make test-tensorflow``)."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from leapstream import BackendError, BundleError, LeapFrame, Model, PredictionError, Tensor, UnsupportedOpError
from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef, Socket
from leapstream.bundle.reader import decode_files
from leapstream.bundle.types import BasicType, DataShape
from leapstream.bundle.writer import encode_files
from leapstream.executors.jvm.emitter import emit
from leapstream.executors.vectorized import external
from leapstream.executors.vectorized.external import _check
from leapstream.ops.pipeline import Node
from leapstream.ops.tensorflow import TensorFlowModel

FLOAT, DOUBLE, STRING = BasicType.FLOAT, BasicType.DOUBLE, BasicType.STRING
Port = tuple[str, BasicType, tuple[int, ...] | None]
A, B, SUM = ("a", FLOAT, (2,)), ("b", FLOAT, (2,)), ("sum", FLOAT, (2,))


def op_of(graph: bytes, inputs: tuple[Port, ...] = (A, B), outputs: tuple[Port, ...] = (SUM,), **options: Any) -> Any:
    def parts(ports: tuple[Port, ...]) -> tuple[Any, Any, Any]:
        return tuple(zip(*((n, t, DataShape("tensor", True, d)) for n, t, d in ports), strict=True))  # type: ignore[return-value]

    return TensorFlowModel(*parts(inputs), *parts(outputs), graph, **options)


def model_of(op: TensorFlowModel) -> Model:
    ports = [[Socket(port, port) for port in names] for names in (op.input_names, op.output_names)]
    return Model.from_node(Node("tf", op, tuple(ports[0]), tuple(ports[1])))


def frame(model: Model, *rows: list[Any]) -> LeapFrame:
    return LeapFrame(model.schema.inputs, list(rows))


def floats(*numbers: float) -> Tensor:
    return Tensor.dense(list(numbers), FLOAT)


# ---- without TensorFlow -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "protobuf"])
@pytest.mark.parametrize(
    ("options", "name"), [({}, "graph.pb"), ({"format": "saved_model", "nodes": ("init",)}, "saved_model.zip")]
)
def test_op_that_is_written_reads_back_equal(form: Any, options: dict[str, Any], name: str) -> None:
    op = op_of(b"\x00graph", **options)
    files = encode_files(model_of(op).definition, form)
    assert files[f"root/{name}"] == b"\x00graph"
    read = Model(decode_files(files))
    assert read.root.op == op  # type: ignore[union-attr]


def test_attributes_are_those_that_mleap_writes() -> None:
    attributes = op_of(b"", format="graph").to_model().attributes
    assert set(attributes) == {
        *("input_names", "input_types", "input_shapes", "output_names", "output_types", "output_shapes", "format")
    }
    assert attributes["input_types"] == values.list_of("basic_type", [FLOAT, FLOAT])


def test_unknown_format_and_missing_graph_are_rejected() -> None:
    model = op_of(b"").to_model()
    with pytest.raises(BundleError, match=r"'graph.pb' is missing"):
        TensorFlowModel.from_model(ModelDef(model.op, model.attributes), "bundle 'b'")
    model.attributes["format"] = values.scalar("string", "keras")
    with pytest.raises(UnsupportedOpError, match="'keras'"):
        TensorFlowModel.from_model(model, "bundle 'b'")


def test_missing_library_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    model = model_of(op_of(b""))
    with pytest.raises(BackendError, match=r"leapstream\[tensorflow\]"):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


def test_jvm_backend_says_that_it_does_not_run_graphs() -> None:
    model = model_of(op_of(b""))
    with pytest.raises(BackendError, match="the jvm executor lacks primitive TensorFlow for model 'tf'"):
        emit(model.plan(model.schema.inputs), "a.B")


# ---- with TensorFlow --------------------------------------------------------------------------------------------------


@pytest.fixture
def tf() -> Any:
    return pytest.importorskip("tensorflow")


def frozen(tf: Any, build: Any) -> bytes:
    graph = tf.Graph()
    with graph.as_default():
        build(tf.compat.v1)
    return bytes(graph.as_graph_def().SerializeToString())


def add(v1: Any) -> None:
    a, b = (v1.placeholder(v1.float32, (2,), name=name) for name in "ab")
    v1.add(a, b, name="sum")
    v1.reduce_sum(a * b, name="dot")
    v1.debugging.check_numerics(a, "odd", name="checked")


def test_graph_runs_row_by_row_and_gives_all_that_is_asked_for(tf: Any) -> None:
    dot = ("dot:0", FLOAT, ())
    model = model_of(op_of(frozen(tf, add), outputs=(SUM, dot)))
    rows = [[floats(1, 2), floats(3, 4)], [floats(0, 1), floats(5, 6)]]
    result = model.transform(frame(model, *rows))
    assert [v.to_dense().tolist() for v in result.column("sum")] == [[4, 6], [5, 7]]
    assert [v.to_dense().tolist() for v in result.column("dot:0")] == [11, 6]


def test_row_for_which_the_library_raises_fails_alone(tf: Any) -> None:
    model = model_of(op_of(frozen(tf, add), nodes=("checked",)))
    bad, good = [floats(float("nan"), 2), floats(3, 4)], [floats(1, 2), floats(3, 4)]
    with pytest.raises(PredictionError, match="TensorFlow") as caught:
        model.transform(frame(model, good, bad))
    assert caught.value.row == 1
    assert model.transform(frame(model, bad, good), on_error="null").column("sum")[1].to_dense().tolist() == [4, 6]


def test_strings_and_bytes_go_through_a_graph(tf: Any) -> None:
    def build(v1: Any) -> None:
        v1.strings.upper(v1.placeholder(v1.string, (2,), name="s"), encoding="utf-8", name="upper")
        v1.identity(v1.placeholder(v1.uint8, (2,), name="n"), name="same")

    ports = (("s", STRING, (2,)), ("n", BasicType.BYTE, (2,)))
    model = model_of(op_of(frozen(tf, build), ports, (("upper", STRING, (2,)), ("same", BasicType.BYTE, (2,)))))
    row = [Tensor.dense(["aé", ""], STRING), Tensor.dense([-1, 7], BasicType.BYTE)]
    result = model.transform(frame(model, row))
    assert result.column("upper")[0].values.tolist() == ["AÉ", ""]
    assert result.column("same")[0].values.tolist() == [-1, 7]


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def test_saved_model_runs_with_its_variables(tf: Any, tmp_path: Path) -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (2,), name="a")
        weight = v1.get_variable("w", initializer=[2.0, 3.0], use_resource=True)
        y = tf.multiply(x, weight, name="sum")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "m"), {"x": x}, {"y": y})
    model = model_of(op_of(zipped(tmp_path / "m"), (A,), format="saved_model"))
    assert model.transform(frame(model, [floats(1, 2)])).column("sum")[0].to_dense().tolist() == [2, 6]


@pytest.mark.parametrize("writes", [False, True])
def test_saved_model_of_a_module_runs_unless_a_function_that_it_calls_writes(
    tf: Any, tmp_path: Path, writes: bool
) -> None:
    class Module(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable([2.0, 3.0])

        @tf.function(input_signature=[tf.TensorSpec((2,), tf.float32)])  # type: ignore[untyped-decorator]
        def call(self, x: Any) -> Any:
            if writes:
                tf.io.write_file("/tmp/never", "x")
            return {"y": x * self.weight}

    module = Module()
    tf.saved_model.save(module, str(tmp_path), signatures=module.call)
    ports = (("serving_default_x", FLOAT, (2,)),), (("StatefulPartitionedCall", FLOAT, (2,)),)
    model = model_of(op_of(zipped(tmp_path), *ports, format="saved_model"))
    given = frame(model, [floats(1, 2)])
    if writes:
        with pytest.raises(BackendError, match="WriteFile"):
            model.transform(given)
    else:
        assert model.transform(given).column("StatefulPartitionedCall")[0].to_dense().tolist() == [2, 6]


@pytest.mark.parametrize("kind", ["ReadFile", "WriteFile", "PyFunc"])
def test_graph_that_would_do_more_than_compute_is_rejected(tf: Any, kind: str) -> None:
    def build(v1: Any) -> None:
        add(v1)
        if kind == "ReadFile":
            v1.read_file("/etc/hostname")
        elif kind == "WriteFile":
            v1.io.write_file("/tmp/never", "x")
        else:
            v1.py_func(lambda: np.zeros(1), [], tf.float64)

    model = model_of(op_of(frozen(tf, build)))
    with pytest.raises(BackendError, match="may not hold"):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


HARMFUL = (
    *(
        "DumpTensor",
        "RecordInput",
        "GenerateVocabRemapping",
        "FixedUnigramCandidateSampler",
        "Print",
        "PrintV2",
        "RemoteCall",
    ),
    *(
        "XlaCustomCallV2",
        "QueueDequeueV2",
        "ReadFile",
        "WriteFile",
        "MatchingFiles",
        "DecodeCompressed",
        "PyFunc",
        "NewOp",
    ),
    *("RestoreV2", "SaveV2", "InitializeTableFromTextFileV2", "IteratorGetNext", "OptimizeDatasetV2", "Abort", "_Recv"),
)


@pytest.mark.parametrize("kind", HARMFUL)
def test_only_listed_operations_are_allowed(kind: str) -> None:
    with pytest.raises(BackendError, match=f"'x' is a {kind}, which a bundle's graph may not hold"):
        _check([SimpleNamespace(name="x", op=kind)], frozenset())


def nested(tf: Any, place: str) -> bytes:
    """A graph with a node that dumps a tensor into a file, inside of a function that another operation calls."""
    definition = tf.compat.v1.GraphDef.FromString(frozen(tf, add))
    body = definition.library.function.add()
    body.signature.name = "body"
    body.signature.input_arg.add(name="x", type=tf.float32.as_datatype_enum)
    body.signature.output_arg.add(name="y", type=tf.float32.as_datatype_enum)
    body.node_def.add(name="dump", op="DumpTensor", input=["x"])
    body.ret["y"] = "x"
    node = definition.node.add(name="call", op="body" if place == "op" else place, input=["a"])
    if place == "While":
        node.attr["cond"].func.name = node.attr["body"].func.name = "body"
    elif place == "Case":
        node.attr["branches"].list.func.add(name="body")
    elif place == "PartitionedCall":
        node.attr["f"].func.name = "body"
    return bytes(definition.SerializeToString())


@pytest.mark.parametrize("place", ["While", "Case", "PartitionedCall", "op"])
def test_operations_are_checked_inside_of_functions(tf: Any, place: str) -> None:
    model = model_of(op_of(nested(tf, place)))
    with pytest.raises(BackendError, match="'dump' is a DumpTensor"):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


def test_function_may_not_have_the_name_of_an_operation(tf: Any) -> None:
    data = nested(tf, "op").replace(b"body", b"Send")
    model = model_of(op_of(data.replace(b"DumpTensor", b"Identity\x3a\x00")))
    with pytest.raises(BackendError):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


def test_constant_may_not_be_a_resource(tf: Any) -> None:
    definition = tf.compat.v1.GraphDef.FromString(frozen(tf, add))
    definition.node.add(name="handle", op="Const").attr["dtype"].type = tf.resource.as_datatype_enum
    model = model_of(op_of(definition.SerializeToString()))
    with pytest.raises(BackendError, match="'handle' is a constant of a type"):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


@pytest.mark.parametrize("functional", [False, True])
def test_loop_that_does_not_end_fails_its_row(tf: Any, monkeypatch: pytest.MonkeyPatch, functional: bool) -> None:
    monkeypatch.setattr(external, "SECONDS", 1.0)

    def build(v1: Any) -> None:
        a, b = (v1.placeholder(v1.float32, (2,), name=name) for name in "ab")
        v1.while_loop(lambda x: x[0] < float("inf"), lambda x: (x * 0.0 + a,), (b,))
        v1.add(v1.while_loop(lambda x: x[0] < float("inf"), lambda x: (x * 0.0 + a,), (b,))[0], b, name="sum")

    (tf.compat.v1.enable_control_flow_v2 if functional else tf.compat.v1.disable_control_flow_v2)()
    model = model_of(op_of(frozen(tf, build)))
    with pytest.raises(PredictionError, match="TensorFlow: the graph takes more than 1 seconds"):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


@pytest.mark.parametrize("kind", ["fill", "tile", "broadcast", "matmul"])
def test_a_tensor_whose_known_size_is_above_the_limit_is_rejected_before_the_graph_runs(tf: Any, kind: str) -> None:
    side = 1 << 15

    def build(v1: Any) -> None:
        a, b = (v1.placeholder(v1.float32, (2,), name=name) for name in "ab")
        if kind == "fill":
            large = v1.fill((side, side), 1.0, name="large")
        elif kind == "tile":
            large = v1.tile(v1.ones((1, side)), (side, 1), name="large")
        elif kind == "broadcast":
            large = v1.add(v1.ones((side, 1)), v1.ones((1, side)), name="large")
        else:
            large = v1.matmul(v1.ones((side, 2)), v1.ones((2, side)), name="large")
        v1.add(a, b * v1.reduce_max(large), name="sum")

    model = model_of(op_of(frozen(tf, build)))
    with pytest.raises(BackendError, match=r"node 'large.*' makes a tensor of the shape \(32768, 32768\)"):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


def test_variables_are_restored_from_files_of_the_model_alone(tf: Any, tmp_path: Path) -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (2,), name="a")
        y = tf.multiply(x, v1.get_variable("w", initializer=[2.0, 3.0], use_resource=True), name="sum")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "m"), {"x": x}, {"y": y})
    from tensorflow.core.protobuf import saved_model_pb2

    path = tmp_path / "m" / "saved_model.pb"
    content = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graph = content.meta_graphs[0].graph_def
    other = graph.node.add(name="other", op="Const")
    other.attr["dtype"].type = tf.string.as_datatype_enum
    other.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/etc/other"))
    (restore,) = (node for node in graph.node if node.op == "RestoreV2")
    restore.input[0] = "other"
    path.write_bytes(content.SerializeToString())
    model = model_of(op_of(zipped(tmp_path / "m"), (A,), format="saved_model"))
    with pytest.raises(BackendError, match="from a file of its own choice"):
        model.transform(frame(model, [floats(1, 2)]))


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff", b"no graph"])
@pytest.mark.parametrize("form", ["graph", "saved_model"])
def test_what_is_not_a_graph_is_rejected(tf: Any, data: bytes, form: Any) -> None:
    model = model_of(op_of(data, format=form))
    with pytest.raises((BackendError, BundleError)):
        model.transform(frame(model, [floats(1, 2), floats(3, 4)]))


# ---- many rows in one call --------------------------------------------------------------------------------------------


def network(v1: Any) -> None:
    rng = np.random.default_rng(1)
    x = v1.placeholder(v1.float32, (None, 4), name="x")
    hidden = v1.nn.relu(
        v1.nn.bias_add(v1.matmul(x, rng.normal(size=(4, 8)).astype(np.float32)), np.ones(8, np.float32))
    )
    v1.nn.softmax(v1.matmul(hidden, rng.normal(size=(8, 3)).astype(np.float32)), name="y")


def rows_of(model: Model, count: int) -> LeapFrame:
    numbers = np.random.default_rng(2).normal(size=(count, 4)).astype(np.float32)
    return frame(model, *([Tensor.dense([row], FLOAT)] for row in numbers))


def counted_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    run = external._Session.run

    def counted(session: Any, values: list[Any]) -> list[Any]:
        calls.append(len(values[0]))
        return run(session, values)

    monkeypatch.setattr(external._Session, "run", counted)
    return calls


def test_rows_of_a_free_dimension_are_computed_in_one_call_as_one_by_one(
    tf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = (("x", FLOAT, (1, 4)),), (("y", FLOAT, (1, 3)),)
    model = model_of(op_of(frozen(tf, network), *ports))
    calls = counted_calls(monkeypatch)
    given = rows_of(model, external.ROWS + 44)
    together = [row[-1].to_dense() for row in model.transform(given).rows]
    assert calls == [external.ROWS, 44]
    for row, found in zip(given.rows, together, strict=True):
        (alone,) = model.transform(frame(model, row)).rows
        np.testing.assert_allclose(alone[-1].to_dense(), found, rtol=1e-5, atol=1e-7)


def centred(v1: Any) -> None:
    x = v1.placeholder(v1.float32, (None, 4), name="x")
    v1.subtract(x, v1.reduce_mean(x, axis=0), name="y")


def fixed(v1: Any) -> None:
    x = v1.placeholder(v1.float32, (1, 4), name="x")
    v1.identity(v1.nn.relu(x), name="y")


@pytest.mark.parametrize("build", [centred, fixed])
def test_rows_that_depend_on_each_other_or_have_a_fixed_dimension_are_computed_one_by_one(
    tf: Any, monkeypatch: pytest.MonkeyPatch, build: Any
) -> None:
    model = model_of(op_of(frozen(tf, build), (("x", FLOAT, (1, 4)),), (("y", FLOAT, (1, 4)),)))
    calls = counted_calls(monkeypatch)
    model.transform(rows_of(model, 5))
    assert calls == [1] * 5
