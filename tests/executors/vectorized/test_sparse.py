"""Wide vectors are held sparse, and nobody can tell but by the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from leapstream import LeapFrame, Model, SchemaError, Tensor
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import Schema, TensorType
from leapstream.executors.columns import WIDE, Column, column_of, joined, to_python
from leapstream.executors.contract import Outcome
from leapstream.executors.vectorized.executor import MOST_ELEMENTS_OF_BATCH, VectorizedPlan
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node
from leapstream.plan import primitives as p
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan

SIZE = WIDE + 3
X = p.Input(name="x", type=p.vector(SIZE))
N = p.Input(name="n", type=p.DOUBLE)
WEIGHTS = np.linspace(-1.0, 2.0, SIZE)
# Sums of very large and very small numbers depend on their order.
moderate = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: x if abs(x) > 1e-6 else 0.0)
numbers = moderate | st.sampled_from([0.0, -0.0, 1.0])
rows_of_numbers = st.lists(st.dictionaries(st.integers(0, SIZE - 1), numbers, max_size=4), min_size=1, max_size=5)


def plan_of(*exprs: p.Expr) -> Plan:
    """A plan whose last expression is the output."""
    inputs = [x for x in exprs if isinstance(x, p.Input)]
    return make_plan("model", Schema.of([(x.name, x.type) for x in inputs]), exprs, [("out", exprs[-1])])


def sparse_of(rows: list[dict[int, float]]) -> Column:
    tensors = [Tensor.sparse(SIZE, list(row), list(row.values())) for row in rows]
    return column_of(tensors, TensorType(p.DOUBLE.base, (SIZE,), False))


SPARSE_CAPABLE: dict[str, Callable[[], p.Expr]] = {
    "affine": lambda: p.Affine(x=X, size=SIZE, divisor=np.full(SIZE, 3.0), factor=WEIGHTS, type=p.vector(SIZE)),
    "affine that shifts": lambda: p.Affine(x=X, size=SIZE, shift=WEIGHTS, type=p.vector(SIZE)),
    "clip": lambda: p.Clip(x=X, low=-1.0, high=1.0, type=p.vector(SIZE)),
    "clip above zero": lambda: p.Clip(x=X, low=0.5, high=1.0, type=p.vector(SIZE)),
    "1-norm": lambda: p.Normalize(x=X, p=1.0, type=p.vector(SIZE)),
    "2-norm": lambda: p.Normalize(x=X, p=2.0, type=p.vector(SIZE)),
    "3-norm": lambda: p.Normalize(x=X, p=3.0, type=p.vector(SIZE)),
    "greatest": lambda: p.Normalize(x=X, p=np.inf, type=p.vector(SIZE)),
    "binarize": lambda: p.Binarize(x=X, threshold=0.5, type=p.vector(SIZE)),
    "item": lambda: p.Item(x=X, index=7, type=p.DOUBLE),
    "concat": lambda: p.Concat(xs=(X, N, X), type=p.vector(2 * SIZE + 1)),
    "dot": lambda: p.Dot(x=X, weights=WEIGHTS, intercept=1.0, type=p.DOUBLE),
    "matrix": lambda: p.MatVec(x=X, matrix=np.stack([WEIGHTS, -WEIGHTS]), intercepts=np.ones(2), type=p.vector(2)),
    "cast": lambda: p.Cast(x=X, type=TensorType(p.INT.base, (SIZE,), False)),
    "negate": lambda: p.Unary(x=X, function="negate", type=p.vector(SIZE)),
}


@pytest.mark.parametrize("name", SPARSE_CAPABLE)
@settings(max_examples=25)
@given(rows=rows_of_numbers)
def test_sparse_vectors_give_what_dense_ones_give(name: str, rows: list[dict[int, float]]) -> None:
    plan = plan_of(X, N, SPARSE_CAPABLE[name]())
    sparse = sparse_of(rows)
    n = Column(np.arange(float(len(rows))))
    found = VectorizedPlan(plan).run({"x": sparse, "n": n}, len(rows)).columns["out"].to_dense().values
    wanted = VectorizedPlan(plan).run({"x": sparse.to_dense(), "n": n}, len(rows)).columns["out"].values
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0, equal_nan=True)


def test_stored_zeros_of_a_wide_vector_are_stored_still() -> None:
    column = sparse_of([{3: 0.0, 1: 2.0}])
    (tensor,) = to_python(column, X.type)
    assert tensor.indices.tolist() == [[1], [3]]
    binarize = p.Binarize(x=X, threshold=-1.0, type=p.vector(SIZE))
    result = VectorizedPlan(plan_of(X, binarize)).run({"x": column}, 1).columns["out"].to_dense().values
    assert np.flatnonzero(result).tolist() == [1, 3]


def test_last_value_of_an_index_that_repeats_counts() -> None:
    tensor = Tensor.sparse(SIZE, [5, 2, 5], [1.0, 2.0, 3.0])
    values = column_of([tensor, None], TensorType(p.DOUBLE.base)).to_dense().values
    np.testing.assert_array_equal(values[0], tensor.to_dense())


def test_wide_one_hot_vector_takes_no_memory_for_its_zeros() -> None:
    width = 2**31 - 2
    hot = p.OneHot(x=N, categories=width, width=width, keep=False, type=p.vector(width))
    run = VectorizedPlan(plan_of(N, hot)).run({"n": Column(np.array([5.0, width - 1.0]))}, 2)
    assert run.columns["out"].values.nnz == 2


# ---- batches that are cut ---------------------------------------------------------------------------------------------


def cut(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, columns: dict[str, Column], rows: int
) -> tuple[Outcome[Column], Outcome[Column]]:
    """The result of a batch as a whole and in pieces of three rows."""
    whole = VectorizedPlan(plan).run(columns, rows)
    pieces = VectorizedPlan(plan)
    monkeypatch.setattr(pieces, "rows_at_once", 3)
    return whole, pieces.run(columns, rows)


def test_batch_in_pieces_has_the_outcome_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = p.Bucketize(x=N, splits=np.array([0.0, 1.0, 2.0]), invalid="skip", type=p.DOUBLE)
    column = Column(np.array([0.5, 1.5, np.nan, 9.0, 1.0, 8.0, 0.0]))
    whole, pieces = cut(monkeypatch, plan_of(N, bucket), {"n": column}, 7)
    assert pieces.dropped.tolist() == whole.dropped.tolist() == [False, False, True, False, False, False, False]
    assert [(e.row, e.reason) for e in map(pieces.error, np.flatnonzero(pieces.failed))] == [
        (3, "9.0 is outside of the splits"),
        (5, "8.0 is outside of the splits"),
    ]
    np.testing.assert_array_equal(pieces.columns["out"].values[whole.kept], whole.columns["out"].values[whole.kept])


@pytest.mark.parametrize(
    "parts",
    [
        [Column(pa.array(["a", None])), Column(pa.array(["b"]))],
        [Column(np.ones(2), np.array([True, False])), Column(np.zeros(1))],
        [Column(np.ones((1, 2)), stored=np.array([[True, False]])), Column(np.zeros((2, 2)))],
        [Column(csr_array(np.eye(2))), Column(np.ones((1, 2)))],
    ],
)
def test_columns_are_joined_with_their_flags(parts: list[Column]) -> None:
    whole = joined(parts)
    assert len(whole) == sum(map(len, parts))
    for row in range(len(whole)):
        part, at = (parts[0], row) if row < len(parts[0]) else (parts[1], row - len(parts[0]))
        one, other = whole.take(np.array([row])), part.take(np.array([at]))
        assert (one.present() is None or one.present().all()) == (other.present() is None or other.present().all())  # type: ignore[union-attr]
        np.testing.assert_array_equal(np.asarray(one.to_dense().values), np.asarray(other.to_dense().values))
        if whole.stored is not None:
            expected = np.ones(2, dtype=bool) if part.stored is None else part.stored[at]
            assert whole.stored[row].tolist() == expected.tolist()


def test_rows_at_once_shrink_where_wide_vectors_have_to_be_dense() -> None:
    stays = plan_of(X, p.Dot(x=X, weights=WEIGHTS, intercept=0.0, type=p.DOUBLE))
    wide = p.Input(name="x", type=p.vector(2**20))
    dense = plan_of(wide, p.Unary(x=wide, function="negate", type=p.vector(2**20)))
    assert VectorizedPlan(stays).rows_at_once > 10_000
    assert 1 <= VectorizedPlan(dense).rows_at_once <= MOST_ELEMENTS_OF_BATCH // 2**20


# ---- tables -----------------------------------------------------------------------------------------------------------


def hot_model(width: int) -> Model:
    """A one-hot encoder that gives wide vectors."""
    from leapstream.ops.feature import OneHotEncoder

    node = Node("hot", OneHotEncoder((width,), "error", False), (Socket("input0", "n"),), (Socket("output0", "v"),))
    return Model.from_node(node)


def test_dict_of_arrays_takes_and_gives_sparse_arrays() -> None:
    made = hot_model(SIZE).predict({"n": np.array([3.0, 5.0])})["v"]
    assert issparse(made) and made.indices.tolist() == [3, 5]
    line = LinearRegression(WEIGHTS, 0.0)
    model = Model.from_node(Node("line", line, (Socket("features", "v"),), (Socket("prediction", "y"),)))
    np.testing.assert_allclose(model.predict({"v": made})["y"], WEIGHTS[[3, 5]])


def test_leap_frame_gets_sparse_tensors() -> None:
    frame = LeapFrame(Schema.of([("n", p.DOUBLE)]), [(3.0,)])
    (tensor,) = hot_model(SIZE).transform(frame).column("v")
    assert tensor.is_sparse and tensor.indices.tolist() == [[3]]


@pytest.mark.parametrize("kind", ["arrow", "records", "pandas"])
def test_lists_have_the_zeros_unless_they_are_too_many(kind: str) -> None:
    def frame_of(values: list[float]) -> Any:
        if kind == "records":
            return [{"n": v} for v in values]
        table = pa.table({"n": values})
        return table if kind == "arrow" else table.to_pandas()

    (vector,) = (
        list(hot_model(SIZE).predict(frame_of([3.0]))["v"])
        if kind != "records"
        else [hot_model(SIZE).predict(frame_of([3.0]))[0]["v"]]
    )
    assert len(vector) == SIZE
    with pytest.raises(SchemaError, match="do not fit into lists"):
        hot_model(2**28).predict(frame_of([3.0, 4.0]))
