"""SavedModels and frozen graphs as MLeap's op; what needs TensorFlow runs where it is installed (``make test-tensorflow``)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import leapstream
from leapstream import BackendError, BundleError, Model, SchemaError, UnsupportedOpError, from_tensorflow
from leapstream.bundle.types import BasicType, DataShape
from tests.ops.test_tensorflow import frozen

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "exporters" / "tensorflow.md"


def test_missing_library_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    for source in (b"", tmp_path):
        with pytest.raises(BackendError, match=r"leapstream\[tensorflow\]"):
            from_tensorflow(source)


# ---- with TensorFlow --------------------------------------------------------------------------------------------------


@pytest.fixture
def tf() -> Any:
    return pytest.importorskip("tensorflow")


def batches(v1: Any) -> None:
    x = v1.placeholder(v1.float32, (None, 4), name="x")
    y = v1.placeholder(v1.float32, (None, 1), name="y")
    v1.add(2.0 * x, y, name="sum")
    v1.reduce_sum(x, axis=1, name="total")


def only(model: Model) -> Any:
    (node,) = (node for node in model.nodes if node.op.op == "tensorflow")
    return node.op


# ---- frozen graphs


def test_a_frozen_graph_of_batches_is_given_rows(tf: Any, tmp_path: Path) -> None:
    (tmp_path / "sums.pb").write_bytes(frozen(tf, batches))
    model = from_tensorflow(tmp_path / "sums.pb")
    assert (model.name, model.schema.inputs.names) == ("sums", ("x", "y"))
    assert sorted(model.schema.outputs.names) == ["sum", "total"]
    leapstream.save(model, tmp_path / "b.zip")
    result = leapstream.load(tmp_path / "b.zip").predict({"x": X, "y": X[:, 0]})
    np.testing.assert_allclose(result["sum"], 2.0 * X + X[:, :1], rtol=1e-6)
    np.testing.assert_allclose(result["total"], X.sum(axis=1), rtol=1e-6)


def test_the_op_says_what_mleap_feeds_and_fetches(tf: Any) -> None:
    op = only(from_tensorflow(frozen(tf, batches), outputs=["sum"]))
    assert (op.format, op.input_names, op.output_names) == ("graph", ("x/row:0", "y/row:0"), ("sum/row:0",))
    assert op.input_shapes == (DataShape("tensor", True, (4,)), DataShape("tensor", True, ()))
    assert op.input_types == (BasicType.FLOAT, BasicType.FLOAT)
    assert op.output_shapes == (DataShape("tensor", True, (4,)),)


def test_columns_of_a_frame_are_numbers_and_lists(tf: Any) -> None:
    frame = pd.DataFrame({"x": X.astype(np.float64).tolist(), "y": X[:, 0].astype(np.float64)})
    result = from_tensorflow(frozen(tf, batches)).predict(frame, outputs=["sum"])
    np.testing.assert_allclose(np.stack(result["sum"]), 2.0 * X + X[:, :1], rtol=1e-6)


def test_a_graph_of_rows_stays_as_it_is(tf: Any) -> None:
    def build(v1: Any) -> None:
        v1.multiply(v1.placeholder(v1.float64, (4,), name="x"), 3.0, name="y")

    data = frozen(tf, build)
    model = from_tensorflow(data)
    assert only(model).input_names == ("x:0",)
    np.testing.assert_allclose(model.predict({"x": X.astype(np.float64)})["y"], 3.0 * X.astype(np.float64))


def test_tensors_can_be_named_and_called_otherwise(tf: Any) -> None:
    model = from_tensorflow(frozen(tf, batches), inputs={"features": "x"}, outputs={"result": "total:0"})
    assert (model.schema.inputs.names, model.schema.outputs.names) == (("features",), ("result",))
    np.testing.assert_allclose(model.predict({"features": X})["result"], X.sum(axis=1), rtol=1e-6)


def test_a_sample_names_the_columns_of_a_vector(tf: Any) -> None:
    frame = pd.DataFrame(X.astype(np.float64), columns=list("abcd"))
    model = from_tensorflow(frozen(tf, batches), frame, inputs=["x"], outputs=["total"])
    assert model.schema.inputs.names == ("a", "b", "c", "d")
    np.testing.assert_allclose(model.predict(frame)["total"].tolist(), X.sum(axis=1), rtol=1e-6)
    with pytest.raises(SchemaError, match="one vector of numbers"):
        from_tensorflow(frozen(tf, batches), frame)


def test_tensors_of_several_dimensions_may_come_flat(tf: Any) -> None:
    def build(v1: Any) -> None:
        v1.reduce_max(v1.placeholder(v1.float32, (None, 2, 2), name="x"), axis=2, name="y")

    model = from_tensorflow(frozen(tf, build))
    wanted = X.reshape(6, 2, 2).max(axis=2)
    np.testing.assert_allclose(model.predict({"x": X.reshape(6, 2, 2)})["y"], wanted)
    np.testing.assert_allclose(np.stack(model.predict(pd.DataFrame({"x": X.tolist()}))["y"]), wanted)


def test_vectors_of_any_size_are_taken(tf: Any) -> None:
    def build(v1: Any) -> None:
        v1.reduce_sum(v1.placeholder(v1.float32, (None, None), name="x"), axis=1, name="y")

    model = from_tensorflow(frozen(tf, build))
    assert model.predict(pd.DataFrame({"x": [[1.0, 2.0], [3.0, 4.0, 5.0]]}))["y"].explode().tolist() == [3.0, 12.0]


def test_texts_whole_numbers_and_truths_are_columns(tf: Any) -> None:
    def build(v1: Any) -> None:
        text, count = v1.placeholder(v1.string, (None,), name="text"), v1.placeholder(v1.int64, (None,), name="count")
        v1.strings.upper(text, name="upper")
        v1.greater(count, 1, name="many")

    model = from_tensorflow(frozen(tf, build))
    result = model.predict(pd.DataFrame({"text": ["a", "b"], "count": [1, 2]}))
    assert result["upper"].explode().tolist() == ["A", "B"]
    assert result["many"].explode().tolist() == [False, True]


def half(v1: Any) -> None:
    v1.identity(v1.placeholder(v1.float16, (None, 2), name="x"), name="y")


def whole(v1: Any) -> None:
    v1.reduce_sum(v1.placeholder(v1.float32, (None, 2), name="x"), name="y")


def variable(v1: Any) -> None:
    v1.add(v1.placeholder(v1.float32, (2,), name="x"), v1.get_variable("w", (2,)), name="y")


def reads(v1: Any) -> None:
    v1.read_file(v1.placeholder(v1.string, (), name="x"), name="y")


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (half, UnsupportedOpError, "'x' is of float16"),
        (whole, UnsupportedOpError, r"'y' has the shape \(\)"),
        (variable, UnsupportedOpError, "variable 'w': freeze"),
        (reads, BackendError, "ReadFile"),
    ],
)
def test_a_graph_that_cannot_run_is_rejected(tf: Any, build: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        from_tensorflow(frozen(tf, build))


def test_what_is_no_graph_and_unknown_tensors_are_rejected(tf: Any, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="graph: it is not a frozen graph"):
        from_tensorflow(b"no graph")
    with pytest.raises(BundleError, match=r"nope\.pb: No such file"):
        from_tensorflow(tmp_path / "nope.pb")
    with pytest.raises(SchemaError, match="no tensor 'nope'"):
        from_tensorflow(frozen(tf, batches), outputs=["nope"])
    with pytest.raises(SchemaError, match="no results"):
        from_tensorflow(b"")


# ---- SavedModels


@pytest.fixture
def saved(tf: Any, tmp_path: Path) -> Path:
    """A SavedModel with a variable, a table that is in the graph, and two signatures."""

    class Module(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable([2.0, 3.0, 4.0, 5.0])
            keys = tf.lookup.KeyValueTensorInitializer(["Oslo", "Bern"], [1.0, 2.0])
            self.table = tf.lookup.StaticHashTable(keys, 0.0)

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((None, 4), tf.float32, "x"), tf.TensorSpec((None, 1), tf.string, "city")]
        )
        def call(self, x: Any, city: Any) -> Any:
            return {"scaled": x * self.weight, "code": self.table.lookup(city)}

        @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, "x")])  # type: ignore[untyped-decorator]
        def sums(self, x: Any) -> Any:
            return {"sum": tf.reduce_sum(x, axis=1)}

    module = Module()
    signatures = {"serving_default": module.call, "sums": module.sums}
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=signatures)
    return tmp_path / "model"


def test_a_saved_model_is_given_rows(saved: Path, tmp_path: Path) -> None:
    model = from_tensorflow(saved)
    assert (model.name, set(model.schema.inputs.names)) == ("model", {"x", "city"})
    leapstream.save(model, tmp_path / "b.zip", format="protobuf")
    frame = pd.DataFrame({"x": X.tolist(), "city": ["Oslo", "Bern", "Rome"] * 2})
    result = leapstream.load(tmp_path / "b.zip").predict(frame)
    np.testing.assert_allclose(np.stack(result["scaled"]), X * [2.0, 3.0, 4.0, 5.0], rtol=1e-6)
    assert result["code"].explode().tolist() == [1.0, 2.0, 0.0] * 2


def test_another_signature_can_be_chosen(saved: Path) -> None:
    result = from_tensorflow(saved, signature="sums").predict({"x": X})
    np.testing.assert_allclose(result["sum"], X.sum(axis=1), rtol=1e-6)


def test_the_archive_has_what_mleap_extracts(saved: Path) -> None:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(only(from_tensorflow(saved)).graph)) as archive:
        names = archive.namelist()
    # MLeap makes no folder that has no entry before its files.
    assert names[:2] == ["saved_model.pb", "variables/"]
    assert "variables/variables.index" in names and "fingerprint.pb" not in names


def test_what_is_wrong_with_a_saved_model_is_told(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no signature 'nope'; there are: serving_default, sums"):
        from_tensorflow(saved, signature="nope")
    with pytest.raises(SchemaError, match="frozen graphs only"):
        from_tensorflow(saved, inputs=["x"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match="there is no saved_model.pb"):
        from_tensorflow(tmp_path / "empty")
    (saved / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(BundleError, match="cannot be read"):
        from_tensorflow(saved)


# ---- documentation and command line


def test_the_example_of_the_page_runs(tf: Any, tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=quiet, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.glob("*.zip")) == ["graph.zip", "iris.zip"]
