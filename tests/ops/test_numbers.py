"""Ops over numbers and vectors: their attributes in bundles, and what they compute that surprises."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream import BundleError, LeapFrame, Model, Tensor, load, save
from leapstream.bundle.definition import ModelDef, NodeDef, Socket
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.types import DataShape, Schema
from leapstream.bundle.values import list_of, scalar
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    DCT,
    PCA,
    BucketedRandomProjectionLSH,
    ChiSqSelector,
    ElementwiseProduct,
    Interaction,
    MathBinary,
    MathUnary,
    MinHashLSH,
    MinMaxScaler,
    PolynomialExpansion,
    SklearnPolynomialExpansion,
    VectorIndexer,
    VectorSlicer,
)
from leapstream.ops.pipeline import read_node
from leapstream.ops.recommendation import ALS
from leapstream.ops.regression import IsotonicRegression
from tests.golden_corpus import Case, cases
from tests.ops.numbers import OPS, SCALAR, floats, model_of, rows_of, run, shape

NAMES = {op.op for op in OPS}
RECORDED = [
    case for case in cases() if case.known and not case.info.get("load_error") and NAMES & set(case.info["ops"])
]
NAN, INF = math.nan, math.inf


def dense(*values: float) -> Tensor:
    return Tensor.dense(list(values))


def models(node: NodeDef) -> list[ModelDef]:
    return [node.model, *(model for child in node.model.nodes.values() for model in models(child))]


# ---- bundles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.name)
def test_model_is_written_with_the_attributes_that_mleap_wrote(case: Case) -> None:
    ours = {node.name: node.op for node in case.model().nodes}
    for name, op in ours.items():
        if op.op not in NAMES:
            continue
        theirs = next(n for n in nodes(read_bundle(case.bundle).root) if n.name == name).model.attributes
        attributes = op.to_model().attributes
        # A bundle without it is older; attributes that leapstream does not know are left out.
        attributes = {k: v for k, v in attributes.items() if k in theirs or k != "handle_invalid"}
        assert attributes == {k: v for k, v in theirs.items() if k in attributes}
        assert case.name == "handmade/unknown-attribute" or attributes.keys() == theirs.keys()


def nodes(node: NodeDef) -> list[NodeDef]:
    return [node, *(inner for child in node.model.nodes.values() for inner in nodes(child))]


@pytest.mark.parametrize("file_format", ["json", "protobuf"])
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
def test_op_is_read_back_equal(op: Op, file_format: Any, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    save(model_of(op), path, format=file_format)
    assert load(path).nodes[0].op == op


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: MathUnary("sinh"), "operation 'sinh' is none of log, exp"),  # type: ignore[arg-type]
        (lambda: MathBinary("logn"), "operation 'logn' is none of add, sub"),  # type: ignore[arg-type]
        (lambda: Interaction(((1, 1),), (SCALAR,)), "one number of categories"),
        (lambda: Interaction(((0,),), (SCALAR,)), "have to be positive"),
        (lambda: Interaction(((1,),), (SCALAR, SCALAR)), "differ"),
        (lambda: Interaction(((1,),), (DataShape("list"),)), "scalars and vectors"),
        (lambda: Interaction(((2**20,), (2**20,)), (SCALAR, SCALAR)), "too many elements"),
        (lambda: PCA(np.ones(3)), "has to be a matrix"),
        (lambda: PolynomialExpansion(-1, 3), "may not be negative"),
        (lambda: PolynomialExpansion(2**62, 2**62), "too large"),
        (lambda: PolynomialExpansion(9, 1000), "too many elements"),
        (lambda: SklearnPolynomialExpansion("[x0^4294967296]"), "too large"),
        (lambda: VectorIndexer(2, {2: {}}), "no element 2"),
        (lambda: VectorIndexer(-1, {}), "out of range"),
        (lambda: VectorIndexer(2, {}, "ignore"), "handle_invalid 'ignore'"),  # type: ignore[arg-type]
        (lambda: VectorSlicer((), ("a",), (), 3), "differ in length"),
        (lambda: VectorSlicer((-1,), (), (), 3), "index -1 is out of range"),
        (lambda: ChiSqSelector((2**31,), 3), "out of range"),
        (lambda: MinHashLSH((1,), (), 3), "differ in length"),
        (lambda: BucketedRandomProjectionLSH((np.ones(2), np.ones(3)), 1.0, 2), "differ in size"),
        (lambda: IsotonicRegression((1.0,), (), True), "differ in length"),
        (lambda: IsotonicRegression((), (), True), "no boundaries"),
        (lambda: IsotonicRegression((1.0,), (1.0,), True, -1), "out of range"),
        (lambda: ALS(1, (1,), (), (), ()), "1 users, and factors of 0"),
        (lambda: ALS(2, (), (), (1,), (floats(1),)), "fewer factors than rank"),
        (lambda: ALS(-1, (), (), (), ()), "may not be negative"),
    ],
)
def test_attributes_that_do_not_fit_are_rejected(make: Any, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        make()


@pytest.mark.parametrize(
    ("op", "attributes", "missing"),
    [
        ("interaction", {"num_inputs": scalar("int", 1), "input_shapes": list_of("data_shape", [])}, "num_features0"),
        ("interaction", {"num_inputs": scalar("int", 1)}, "input_shapes"),
        ("vector_indexer", {"num_features": scalar("long", 1)}, "keys"),
        ("vector_indexer", {"num_features": scalar("long", 1), "keys": list_of("long", [0])}, "key_0_keys"),
    ],
)
def test_missing_attribute_is_named(op: str, attributes: Any, missing: str) -> None:
    node = NodeDef("n", (Socket("input", "x"), Socket("input0", "x")), (), ModelDef(op, attributes))
    with pytest.raises(BundleError, match=f"attribute '{missing}' is missing"):
        read_node(node, "bundle 'b'")


# ---- what is computed -------------------------------------------------------------------------------------------------


def test_min_max_scaler_gives_nan_where_the_middle_of_its_range_is_nan() -> None:
    op = MinMaxScaler(np.array([1.0, 0.0]), np.array([1.0, 2.0]), math.inf, 0.0)
    (found,) = run(op, [Tensor.dense([0.0, 1.0])])
    assert np.isnan(found.to_dense()).all()


def test_product_leaves_what_is_not_stored() -> None:
    op = ElementwiseProduct(np.array([INF, NAN, 2.0]))
    sparse, stored = run(op, [Tensor.sparse(3, [2], [5.0])], [dense(0, 0, 5)])
    np.testing.assert_equal(sparse.to_dense(), [0, 0, 10])
    np.testing.assert_equal(stored.to_dense(), [NAN, NAN, 10])


def test_port_vanishes_when_its_number_is_given() -> None:
    assert list(MathBinary("add").inputs()) == ["input_a", "input_b"]
    assert list(MathBinary("add", da=0.0).inputs()) == ["input_b"]
    assert list(MathBinary("add", db=1.0).inputs()) == ["input_a"]
    assert model_of(MathBinary("div", 7.0, 2.0)).transform(LeapFrame(Schema(), [(), ()])).rows == [(3.5,), (3.5,)]


def test_interaction_takes_the_position_among_stored_elements_for_the_index() -> None:
    op = Interaction(((1, 1, 1), (1, 1)), (shape(3), shape(2)))
    found = run(op, [Tensor.sparse(3, [2], [5.0]), dense(1, 10)], [dense(0, 0, 5), dense(1, 10)])
    assert [f.to_dense().tolist() for f in found] == [[5, 50, 0, 0, 0, 0], [0, 0, 0, 0, 5, 50]]


def test_interaction_of_elements_with_one_place_keeps_the_last() -> None:
    op = Interaction(((1, 1, 3, 1),), (shape(4),))
    # Element 2, the first that is stored, lies at 0 + 1; element 3, the second, at 1.
    (found,) = run(op, [Tensor.sparse(4, [2, 3], [1.0, 7.0])])
    assert found.to_dense().tolist() == [0, 7, 0, 0, 0, 0]


def test_interaction_is_sparse_when_it_is_wide() -> None:
    op = Interaction(((1000,), (1000,)), (SCALAR, SCALAR))
    (found,) = run(op, [3.0, 5.0])
    assert (found.indices.tolist(), found.values.tolist(), found.dimensions) == ([[3005]], [1.0], (1000000,))


def test_expansion_goes_from_the_last_element_and_ends_at_zero() -> None:
    op = PolynomialExpansion(2, 2)
    rows = [[dense(NAN, 0.0)], [dense(0.0, NAN)], [Tensor.sparse(2, [1], [NAN])]]
    found = [f.to_dense().tolist() for f in run(op, *rows)]
    # x0, x0 x0, x1, x0 x1, x1 x1
    np.testing.assert_equal(found, [[NAN, NAN, 0, 0, 0], [0, 0, NAN, NAN, NAN], [0, 0, NAN, 0, NAN]])


def test_expansion_has_the_declared_size_for_dense_vectors_and_their_own_for_sparse_ones() -> None:
    rows = [[dense(2)], [dense(2, 3, 0)], [dense(2, 3, 1)], [Tensor.sparse(1, [0], [2.0])]]
    shorter, longer, too_long, sparse = run(PolynomialExpansion(2, 2), *rows)
    assert shorter.to_dense().tolist() == [2, 4, 0, 0, 0]
    assert longer.to_dense().tolist() == [2, 4, 3, 6, 9]
    assert too_long is None
    assert sparse.to_dense().tolist() == [2, 4]


@pytest.mark.parametrize(("size", "degree"), [(1, 4), (5, 1), (4, 3), (45, 2)])
def test_expansion_has_every_product_once(size: int, degree: int) -> None:
    # Of distinct primes no two products are equal; degree counts the factors.
    primes = [n for n in range(2, 200) if all(n % d for d in range(2, n))][:size]
    op = PolynomialExpansion(degree, size)
    (found,) = run(op, [dense(*primes)])
    values = found.to_dense().tolist()
    assert len(set(values)) == len(values) == math.comb(size + degree, degree) - 1
    assert max(values) == primes[-1] ** degree


@pytest.mark.parametrize(
    ("combinations", "terms"),
    [
        ("[x0,x0 x12^3]", [[(0, 1)], [(0, 1), (12, 3)]]),
        ("1,x1,,", [[], [(1, 1)]]),
        ("", [[]]),
        (",,", []),
        (",x1", [[], [(1, 1)]]),
    ],
)
def test_combinations_are_split_as_java_splits(combinations: str, terms: Any) -> None:
    assert [list(term) for term in SklearnPolynomialExpansion(combinations).terms] == terms


def test_indexer_leaves_what_is_not_stored() -> None:
    op = VectorIndexer(2, {0: {1.0: 5}}, "keep")
    found = run(op, [dense(0, 0)], [Tensor.sparse(2, [], [])], [Tensor.sparse(2, [0], [0.0])], [dense(NAN, 2)])
    assert [f.to_dense().tolist() for f in found] == [[1, 0], [0, 0], [1, 0], [1, 2]]


def test_indexer_fails_under_skip_too() -> None:
    assert run(VectorIndexer(1, {0: {1.0: 0}}, "skip"), [dense(2)], [dense(1)])[0] is None


@pytest.mark.parametrize("op", [VectorSlicer((0, 2), (), (), 3), ChiSqSelector((0, 2), 3)], ids=["slicer", "selector"])
def test_index_beyond_a_vector_fails_where_it_is_dense(op: Op) -> None:
    short, sparse = run(op, [dense(1, 2)], [Tensor.sparse(2, [0], [1.0])])
    assert short is None
    assert sparse.to_dense().tolist() == [1, 0]


def test_selector_with_falling_indices_gives_of_a_sparse_vector_the_rising_ones() -> None:
    found = run(ChiSqSelector((2, 0, 3), 4), [dense(1, 2, 3, 4)], [Tensor.sparse(4, [0, 2, 3], [1.0, 3.0, 4.0])])
    assert [f.to_dense().tolist() for f in found] == [[3, 1, 4], [3, 0, 4]]


def test_min_hash_overflows_and_counts_nan_as_an_element() -> None:
    op = MinHashLSH((1568779488, 3), (379250092, 4), 3)
    found = run(op, [dense(0, 2, NAN)], [Tensor.sparse(3, [0], [0.0])])
    # (2 * a + b) and (3 * a + b) in 32 bits, divided towards zero.
    wrapped = [(k * 1568779488 + 379250092 + 2**31) % 2**32 - 2**31 for k in (2, 3)]
    assert found[0].to_dense().tolist() == [[min(int(math.fmod(w, 2038074743)) for w in wrapped)], [10.0]]
    assert found[0].dimensions == (2, 1)
    assert found[1] is None


def test_isotonic_regression_at_a_repeated_boundary_is_where_the_search_hits() -> None:
    op = IsotonicRegression((-1.0, 0.0, 0.0, 0.0, 0.5), (-4.0, -1.0, 0.0, 1.0, 2.0), True)
    # 0.0 is found in the middle; -0.0 lies before the first 0.0.
    assert run(op, [0.0], [-0.0], [-2.0], [0.25], [NAN]) == [0.0, -1.0, -4.0, 1.5, 2.0]


def test_isotonic_regression_fails_without_its_element() -> None:
    op = IsotonicRegression((0.0, 2.0), (1.0, 0.5), False, feature_index=1)
    assert run(op, [dense(9, 1)], [dense(1)], [Tensor.sparse(2, [], [])]) == [0.75, None, 1.0]


def test_factors_are_multiplied_in_single_precision() -> None:
    op = ALS(2, (1,), (floats(16777216, 1),), (7,), (floats(1, 1),))
    assert run(op, [1, 7]) == [16777216.0]
    assert math.isnan(run(op, [1, 8])[0])


def test_cosine_transform_is_undone_by_its_inverse() -> None:
    values = np.linspace(-3, 5, 17)
    (there,) = run(DCT(False, 17), [dense(*values)])
    (back,) = run(DCT(True, 17), [there])
    np.testing.assert_allclose(back.to_dense(), values, atol=1e-12)


@pytest.mark.parametrize("special", [NAN, INF, -INF])
def test_cosine_transform_of_nan_or_infinity_is_nan(special: float) -> None:
    single, several, none = run(DCT(False, 1), [dense(special)], [dense(1, special, 2)], [dense()])
    np.testing.assert_equal(single.to_dense(), [special])
    assert np.isnan(several.to_dense()).all()
    assert none is None


# ---- properties -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_row_does_not_depend_on_the_rows_around_it(op: Op, data: st.DataObject) -> None:
    rows = data.draw(rows_of(op))
    batch = run(op, *rows)
    for row, together in zip(rows, batch, strict=True):
        (alone,) = run(op, row)
        assert (alone is None) == (together is None)
        if isinstance(alone, Tensor):
            np.testing.assert_array_equal(alone.to_dense(), together.to_dense())
        elif alone is not None:
            np.testing.assert_array_equal(alone, together)


def test_examples_have_every_op_of_the_family() -> None:
    assert len(NAMES) == 15
    assert all(isinstance(model_of(op), Model) for op in OPS)
