"""A TensorFlow graph in a Flink job; runs where both are installed (``make test-tensorflow``)."""

from __future__ import annotations

from typing import Any

import pytest
from pyflink.table import DataTypes, StreamTableEnvironment

from leapstream import BackendError, from_tensorflow
from tests.exporters.tensorflow.test_graphs import batches
from tests.ops.test_tensorflow import add, frozen, model_of, op_of

from .conftest import collect

pytestmark = pytest.mark.flink

FLOATS = DataTypes.ARRAY(DataTypes.FLOAT())
ROW = DataTypes.ROW([DataTypes.FIELD("a", FLOATS), DataTypes.FIELD("b", FLOATS)])


@pytest.fixture
def tf() -> Any:
    return pytest.importorskip("tensorflow")


def test_a_graph_runs_in_the_vectorized_executor_and_the_reason_is_told(
    tf: Any, table_env: StreamTableEnvironment, register: Any, table: Any
) -> None:
    model = model_of(op_of(frozen(tf, add)))
    function = register(model)
    assert function.backend == "vectorized"
    assert "lacks primitive TensorFlow" in function.reason
    view = table([([1.0, 2.0], [3.0, 4.0]), ([0.0, 1.0], [5.0, 6.0])], ROW)
    assert collect(table_env, f"SELECT {function.name}(a, b) FROM {view}") == [([4.0, 6.0],), ([5.0, 7.0],)]


def test_a_graph_of_batches_is_given_the_columns_of_rows(
    tf: Any, table_env: StreamTableEnvironment, register: Any, table: Any
) -> None:
    model = from_tensorflow(frozen(tf, batches), outputs=["sum"])
    assert model.schema.inputs.names == ("x", "y")
    function = register(model)
    arrays = DataTypes.ROW([DataTypes.FIELD("x", FLOATS), DataTypes.FIELD("y", FLOATS)])
    view = table([([1.0, 2.0, 3.0, 4.0], [0.5]), ([0.0, 1.0, 0.0, 1.0], [-1.0])], arrays)
    found = collect(table_env, f"SELECT {function.name}(x, y) FROM {view}")
    assert found == [([2.5, 4.5, 6.5, 8.5],), ([-1.0, 1.0, -1.0, 1.0],)]


def test_the_jvm_executor_rejects_a_graph(tf: Any, register: Any) -> None:
    with pytest.raises(BackendError, match="the jvm executor lacks primitive TensorFlow"):
        register(model_of(op_of(frozen(tf, add))), backend="jvm")
