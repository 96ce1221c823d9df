from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

from leapstream import PredictionError, Tensor
from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, Tree
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.plan import primitives as p
from tests.executors.jvm.conftest import ORIGIN, Run, column

pytestmark = pytest.mark.flink

STRING = ScalarType(BasicType.STRING)
NULLABLE = ScalarType(BasicType.DOUBLE)
VECTOR = p.vector(None)
NAN, INF = math.nan, math.inf


def dense(*values: float) -> Tensor:
    return Tensor.dense(list(values))


def stump(kind: int = CONTINUOUS, feature: int = 0, data: tuple[float, ...] = ()) -> Tree:
    """A split at 0.5, or by categories, with leaves (1, 3) on the left and (4, 0) on the right."""
    n = len(data)
    return Tree(
        kind=np.array([kind, LEAF, LEAF], dtype=np.uint8),
        feature=np.array([feature, -1, -1], dtype=np.int32),
        threshold=np.array([0.5 if kind == CONTINUOUS else NAN, NAN, NAN]),
        right=np.array([2, -1, -1], dtype=np.int32),
        data_start=np.array([0, n, n + 2], dtype=np.int32),
        data_end=np.array([n, n + 2, n + 4], dtype=np.int32),
        data=np.array([*data, 1.0, 3.0, 4.0, 0.0]),
        num_categories=np.array([n, 0, 0], dtype=np.int32),
    )


def check(found: list[Any], expected: list[Any]) -> None:
    """Values agree; a string that is expected where an error is found is part of its reason."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        if isinstance(ours, PredictionError):
            assert isinstance(theirs, str) and theirs in ours.reason, (ours, theirs)
        elif isinstance(ours, Tensor) and ours.base is BasicType.DOUBLE:
            np.testing.assert_allclose(ours.to_dense(), theirs.to_dense(), rtol=1e-12)
        elif isinstance(theirs, float) and isinstance(ours, float):
            assert ours == pytest.approx(theirs, rel=1e-12, abs=0, nan_ok=True)
        else:
            assert ours == theirs and type(ours) is type(theirs)


# ---- inputs, types and missing values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        (ScalarType(BasicType.BOOLEAN), [True, None]),
        (ScalarType(BasicType.BYTE), [-3, None]),
        (ScalarType(BasicType.SHORT), [300, None]),
        (ScalarType(BasicType.LONG), [2**62 + 1, None]),
        (ScalarType(BasicType.FLOAT), [0.5, None]),
        (STRING, ["ä𝄞", None]),
        (ScalarType(BasicType.BYTE_STRING), [b"\x00\xff", None]),
        (ListType(BasicType.STRING), [["a", "b"], [], None]),
        (MapType(BasicType.STRING, BasicType.INT), [{"a": 1}, None]),
        (TensorType(BasicType.DOUBLE), [Tensor.dense([[1.0, 2.0]]), Tensor.sparse(5, [3, 1], [1.0, 2.0]), None]),
        (TensorType(BasicType.LONG), [Tensor.dense([2**62 + 1], BasicType.LONG)]),
        (TensorType(BasicType.STRING), [Tensor.dense(["a", "b"], BasicType.STRING)]),
    ],
)
def test_input_comes_through_as_it_is(run: Run, data_type: DataType, values: list[Any]) -> None:
    x = column(data_type)
    assert run(x, x, rows=[[v] for v in values]) == values


@pytest.mark.parametrize(
    ("given", "wanted", "values", "expected"),
    [
        ("double", "int", [NAN, 1e300, -1.9, -INF], [0, 2**31 - 1, -1, -(2**31)]),
        ("double", "long", [1e300], [2**63 - 1]),
        ("double", "byte", [300.7], [44]),
        ("long", "double", [2**62 + 1], [float(2**62)]),
        ("long", "int", [2**32 + 5], [5]),
        ("int", "boolean", [0, 7], [False, True]),
        ("boolean", "double", [True, False], [1.0, 0.0]),
        ("boolean", "string", [True, False], ["1", "0"]),
        ("double", "string", [1e7, 0.1, NAN], ["1.0E7", "0.1", "NaN"]),
        ("float", "string", [0.1], ["0.1"]),
        ("short", "string", [-5], ["-5"]),
        ("string", "double", [" 1.5 ", "", "null", "x"], [1.5, 0.0, 0.0, "'x' is no double"]),
        ("string", "int", ["+7", "1.0", "99999999999"], [7, "'1.0' is no int", "is no int"]),
        ("string", "long", ["9223372036854775807"], [2**63 - 1]),
        ("string", "byte", ["-128", "128"], [-128, "is no byte"]),
        ("string", "short", ["1"], [1]),
        ("string", "float", ["0.5"], [0.5]),
        ("string", "boolean", ["true", "no", "", "0", "10", "x"], [True, False, False, False, True, True]),
    ],
)
def test_cast_of_scalars_is_that_of_java(
    run: Run, given: str, wanted: str, values: list[Any], expected: list[Any]
) -> None:
    x = column(ScalarType(BasicType(given), nullable=False))
    cast = p.Cast(x=x, type=ScalarType(BasicType(wanted), nullable=False), origin=ORIGIN)
    check(run(cast, x, rows=[[v] for v in values]), expected)


@pytest.mark.parametrize("wanted", [b for b in BasicType if b is not BasicType.BYTE_STRING])
@pytest.mark.parametrize("given", [BasicType.STRING, BasicType.INT, BasicType.BOOLEAN])
def test_missing_value_stays_missing_in_a_cast(run: Run, given: BasicType, wanted: BasicType) -> None:
    x = column(ScalarType(given))
    assert run(p.Cast(x=x, type=ScalarType(wanted)), x, rows=[[None]]) == [None]


def test_string_without_a_number_is_missing_where_the_type_allows(run: Run) -> None:
    x = column(STRING)
    assert run(p.Cast(x=x, type=NULLABLE), x, rows=[[""], ["null"], ["2"]]) == [None, None, 2.0]


FLOATS = TensorType(BasicType.FLOAT, nullable=False)
TEXTS = TensorType(BasicType.STRING, nullable=False)


@pytest.mark.parametrize(
    ("given", "wanted", "values", "expected"),
    [
        (ListType(BasicType.INT), ListType(BasicType.STRING), [[1, 2], None], [["1", "2"], None]),
        (ListType(BasicType.STRING), VECTOR, [["1", ""], ["x"]], [dense(1, 0), "is no double"]),
        (ListType(BasicType.INT), TEXTS, [[1]], [Tensor.dense(["1"], BasicType.STRING)]),
        (VECTOR, ListType(BasicType.INT), [dense(1.5), Tensor.sparse(2, [0], [1.0])], [[1], "sparse tensor"]),
        (TEXTS, ListType(BasicType.DOUBLE), [Tensor.dense(["1"], BasicType.STRING)], [[1.0]]),
        (FLOATS, VECTOR, [Tensor.dense([0.5], BasicType.FLOAT)], [dense(0.5)]),
        (VECTOR, FLOATS, [Tensor.dense([[0.1]])], [Tensor.dense([[0.1]], BasicType.FLOAT)]),
        (VECTOR, TEXTS, [dense(1, 2)], [Tensor.dense(["1.0", "2.0"], BasicType.STRING)]),
        (TEXTS, VECTOR, [Tensor.dense(["1", "null"], BasicType.STRING)], [dense(1, 0)]),
        (
            TEXTS,
            TensorType(BasicType.LONG),
            [Tensor.dense(["7"], BasicType.STRING)],
            [Tensor.dense([7], BasicType.LONG)],
        ),
        (p.vector(1), p.DOUBLE, [dense(3), Tensor.sparse(1, [], [])], [3.0, "does not store a first"]),
        (TensorType(BasicType.STRING, (1,)), NULLABLE, [Tensor.dense([""], BasicType.STRING), None], [None, None]),
        (TensorType(BasicType.LONG, (1,)), STRING, [Tensor.dense([7], BasicType.LONG), None], ["7", None]),
        (TensorType(BasicType.INT, (1,)), NULLABLE, [Tensor.dense([7], BasicType.INT), None], [7.0, None]),
        (p.INT, TensorType(BasicType.DOUBLE, (), nullable=False), [3], [Tensor.dense(3.0)]),
        (p.INT, TensorType(BasicType.STRING, ()), [3], [Tensor.dense("3", BasicType.STRING)]),
        (
            MapType(BasicType.STRING, BasicType.INT),
            MapType(BasicType.STRING, BasicType.DOUBLE),
            [{"a": 1}, None],
            [{"a": 1.0}, None],
        ),
    ],
)
def test_cast_of_lists_tensors_and_maps_goes_by_element(
    run: Run, given: DataType, wanted: DataType, values: list[Any], expected: list[Any]
) -> None:
    x = column(given)
    if given.nullable and not wanted.nullable:
        kept = p.NotNull(x=x, type=given)
        check(run(p.Cast(x=kept, type=wanted), x, kept, rows=[[v] for v in values]), expected)
    else:
        check(run(p.Cast(x=x, type=wanted), x, rows=[[v] for v in values]), expected)


def test_sparse_tensor_stays_sparse_in_a_cast(run: Run) -> None:
    x = column(VECTOR)
    (found,) = run(p.Cast(x=x, type=FLOATS), x, rows=[[Tensor.sparse(9, [4], [0.5])]])
    assert found.indices.tolist() == [[4]]


@pytest.mark.parametrize(
    ("data_type", "value"), [(NULLABLE, 1.0), (STRING, "a"), (TensorType(BasicType.DOUBLE), dense(1))]
)
def test_not_null_fails_with_node_op_and_column_where_a_value_is_missing(
    run: Run, data_type: DataType, value: Any
) -> None:
    x = column(data_type)
    found, error = run(p.NotNull(x=x, type=data_type, origin=ORIGIN), x, rows=[[value], [None]])
    assert found == value
    assert isinstance(error, PredictionError)
    assert (error.model, error.node, error.op, error.column, error.row) == ("model", "node", "op", "x", 0)
    assert "missing" in error.reason


def test_impute_fills_missing_nan_and_the_value_that_counts_as_missing(run: Run) -> None:
    x = column(NULLABLE)
    impute = p.Impute(x=x, surrogate=9.0, missing=-1.0, type=p.DOUBLE)
    assert run(impute, x, rows=[[None], [NAN], [-1.0], [2.0]]) == [9.0, 9.0, 9.0, 2.0]


# ---- categories -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("invalid", "expected"),
    [
        ("keep", [2.0, 1.0, 3.0, 3.0]),
        ("skip", [2.0, 1.0, "dropped", "missing"]),
        ("error", [2.0, 1.0, "unseen label 'z'", "missing"]),
    ],
)
def test_lookup_takes_the_last_of_equal_labels(run: Run, invalid: Any, expected: list[Any]) -> None:
    x = column(STRING)
    lookup = p.Lookup(x=x, labels=("a", "ü", "a"), invalid=invalid, type=p.DOUBLE)
    check(run(lookup, x, rows=[["a"], ["ü"], ["z"], [None]]), expected)


def test_label_cuts_its_index_and_fails_outside(run: Run) -> None:
    x = column(p.DOUBLE)
    label = p.Label(x=x, labels=("a", "b"), type=STRING)
    check(run(label, x, rows=[[1.9], [-0.5], [NAN], [2.0]]), ["b", "a", "a", "outside of the 2 labels"])


def test_label_of_lists_and_vectors_goes_by_element(run: Run) -> None:
    x = column(ListType(BasicType.DOUBLE, nullable=False))
    check(run(p.Label(x=x, labels=("a", "b"), type=ListType(BasicType.STRING)), x, rows=[[[1.0, 0.0]]]), [["b", "a"]])
    v = column(VECTOR)
    label = p.Label(x=v, labels=("a", "b"), type=TensorType(BasicType.STRING))
    check(run(label, v, rows=[[Tensor.sparse(2, [1], [1.0])]]), [Tensor.dense(["a", "b"], BasicType.STRING)])


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (False, [dense(0, 1), dense(0, 0), "outside of [0, 3)", "no integer", "no integer"]),
        (True, [dense(0, 1), dense(0, 0), dense(0, 0), "no integer", "no integer"]),
    ],
)
def test_one_hot_stores_a_one_within_its_width(run: Run, keep: bool, expected: list[Any]) -> None:
    x = column(p.DOUBLE)
    one_hot = p.OneHot(x=x, categories=3, width=2, keep=keep, type=p.vector(2))
    check(run(one_hot, x, rows=[[1.0], [2.0], [-1.0], [0.5], [NAN]]), expected)


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (False, [20.0, 0.0, "outside of [0, 3)", "no integer", "no integer"]),
        (True, [20.0, 0.0, 0.0, "no integer", "no integer"]),
    ],
)
def test_weight_of_a_category_is_0_beyond_the_width(run: Run, keep: bool, expected: list[Any]) -> None:
    x = column(p.DOUBLE)
    weight = p.CategoryWeight(x=x, weights=np.array([10.0, 20.0]), categories=3, keep=keep, type=p.DOUBLE)
    check(run(weight, x, rows=[[1.0], [2.0], [-1.0], [0.5], [NAN]]), expected)


@pytest.mark.parametrize(("invalid", "of_nan"), [("keep", 3.0), ("skip", "dropped"), ("error", "NaN")])
def test_bucketize_includes_the_last_bound_alone(run: Run, invalid: Any, of_nan: Any) -> None:
    x = column(p.DOUBLE)
    bucket = p.Bucketize(x=x, splits=np.array([-1.0, 1.0, 2.0, 3.0]), invalid=invalid, type=p.DOUBLE)
    rows = [[-1.0], [1.0], [3.0], [3.1], [-INF], [NAN]]
    check(run(bucket, x, rows=rows), [0.0, 1.0, 2.0, "outside of the splits", "outside of the splits", of_nan])


def test_binarize_leaves_alone_what_is_not_stored(run: Run) -> None:
    x = column(VECTOR)
    binarize = p.Binarize(x=x, threshold=-1.0, type=VECTOR)
    rows = [[dense(0, -2)], [Tensor.sparse(3, [1, 2], [0.0, -3.0])]]
    check(run(binarize, x, rows=rows), [dense(1, 0), dense(0, 1, 0)])


def test_binarize_of_numbers_compares_strictly(run: Run) -> None:
    x = column(p.DOUBLE)
    assert run(p.Binarize(x=x, threshold=1.0, type=p.DOUBLE), x, rows=[[1.0], [1.5], [NAN]]) == [0.0, 1.0, 0.0]


# ---- vectors ----------------------------------------------------------------------------------------------------------

SPARSE = Tensor.sparse(3, [2], [5.0])


def test_concat_takes_numbers_and_vectors_of_any_size(run: Run) -> None:
    x, y = column(p.DOUBLE), column(VECTOR, "y")
    concat = p.Concat(xs=(x, y), type=VECTOR)
    check(run(concat, x, y, rows=[[1.0, SPARSE], [2.0, dense(3)]]), [dense(1, 0, 0, 5), dense(2, 3)])


def test_concat_is_sparse_where_that_is_smaller(run: Run) -> None:
    x = column(VECTOR)
    rows = [[Tensor.sparse(6, [2], [5.0])], [dense(1, 2, 3)], [Tensor.sparse(3, [2], [5.0])]]
    found = run(p.Concat(xs=(x,), type=VECTOR), x, rows=rows)
    assert [f.is_sparse for f in found] == [True, False, False]


def test_pack_and_item_of_numbers(run: Run) -> None:
    x, y = column(p.DOUBLE), column(p.DOUBLE, "y")
    pack = p.Pack(xs=(x, y), type=p.vector(2))
    check(run(pack, x, y, rows=[[1.0, NAN]]), [dense(1, NAN)])
    assert run(p.Item(x=pack, index=1, type=p.DOUBLE), x, y, pack, rows=[[1.0, 2.0]]) == [2.0]


def test_item_beyond_the_vector_fails(run: Run) -> None:
    x = column(VECTOR)
    check(run(p.Item(x=x, index=2, type=p.DOUBLE), x, rows=[[SPARSE], [dense(1)]]), [5.0, "has 1 elements"])


def test_affine_does_its_steps_in_order(run: Run) -> None:
    x = column(VECTOR)
    a = np.array([1.0, 2.0, 4.0])
    affine = p.Affine(x=x, size=3, shift=a, divisor=a, factor=2 * a, offset=a, type=VECTOR)
    rows = [[dense(3, 4, 5)], [SPARSE], [dense(3)], [dense(1, 2, 3, 4)]]
    check(run(affine, x, rows=rows), [dense(5, 6, 6), dense(-1, -2, 6), dense(5), "has 4 elements, and 3 are expected"])


def test_affine_by_a_factor_alone_keeps_what_is_stored(run: Run) -> None:
    x = column(VECTOR)
    (found,) = run(p.Affine(x=x, size=3, factor=np.array([INF, INF, 2.0]), type=VECTOR), x, rows=[[SPARSE]])
    assert found == Tensor.sparse(3, [2], [10.0]) and found.is_sparse


@pytest.mark.parametrize(("keep", "first"), [(True, NAN), (False, 7.0)])
def test_affine_with_fixed_values_keeps_nan_on_demand(run: Run, keep: bool, first: float) -> None:
    x = column(VECTOR)
    affine = p.Affine(x=x, size=2, fixed=np.array([7.0, NAN]), keep_nan=keep, type=VECTOR)
    check(run(affine, x, rows=[[dense(NAN, 1)], [dense(0, 1)]]), [dense(first, 1), dense(7, 1)])


def test_clip_keeps_nan_and_moves_elements_that_are_not_stored(run: Run) -> None:
    x = column(VECTOR)
    check(run(p.Clip(x=x, low=-1.0, high=1.0, type=VECTOR), x, rows=[[dense(NAN, 5, -5)]]), [dense(NAN, 1, -1)])
    check(run(p.Clip(x=x, low=1.0, high=2.0, type=VECTOR), x, rows=[[SPARSE]]), [dense(1, 1, 2)])


@pytest.mark.parametrize(("power", "norm"), [(1.0, 7.0), (2.0, 5.0), (INF, 4.0), (3.0, 91.0 ** (1 / 3))])
def test_normalize_divides_by_the_norm(run: Run, power: float, norm: float) -> None:
    x = column(VECTOR)
    found = run(p.Normalize(x=x, p=power, type=VECTOR), x, rows=[[dense(3, -4)], [dense(0, 0)]])
    check(found, [dense(3 / norm, -4 / norm), dense(0, 0)])


@pytest.mark.parametrize("power", [0.5, NAN])
def test_normalize_fails_for_a_power_below_one(run: Run, power: float) -> None:
    x = column(VECTOR)
    check(run(p.Normalize(x=x, p=power, type=VECTOR), x, rows=[[SPARSE]]), ["at least 1"])


ROWS = [[dense(1, 2, 3)], [SPARSE], [dense(1)], [Tensor.dense([[1.0, 2.0, 3.0]])]]
REFUSED = ["has 1 elements, and 3 are expected", "tensor of 2 dimensions"]


def test_dot_takes_vectors_of_its_size_alone(run: Run) -> None:
    x = column(VECTOR)
    dot = p.Dot(x=x, weights=np.array([1.0, 10.0, 100.0]), intercept=0.5, type=p.DOUBLE)
    check(run(dot, x, rows=ROWS), [321.5, 500.5, *REFUSED])


def test_mat_vec_takes_vectors_of_its_width_alone(run: Run) -> None:
    x = column(VECTOR)
    matrix = p.MatVec(x=x, matrix=np.arange(6.0).reshape(2, 3), intercepts=np.array([1.0, 2.0]), type=p.vector(2))
    check(run(matrix, x, rows=ROWS), [dense(9, 28), dense(11, 27), *REFUSED])


def test_nearest_takes_the_first_of_equals_and_0_for_nan(run: Run) -> None:
    x = column(VECTOR)
    centers = np.array([[0.0, 0.0, 9.0], [0.0, 0.0, 5.0], [0.0, 0.0, 5.0], [1.0, 2.0, 3.0]])
    nearest = p.Nearest(x=x, centers=centers, type=p.INT)
    check(run(nearest, x, rows=[*ROWS, [dense(NAN, 0, 0)]]), [3, 1, *REFUSED, 0])


def test_linear_sum_reads_numbers_and_vectors(run: Run) -> None:
    x, v = column(p.DOUBLE), column(VECTOR, "v")
    weights = (np.array([2.0]), np.array([1.0, 1.0, 100.0]))
    total = p.LinearSum(xs=(x, v), weights=weights, intercept=0.5, type=p.DOUBLE)
    check(
        run(total, x, v, rows=[[1.0, SPARSE], [1.0, dense(1, 1, 0)], [1.0, dense(1)]]), [502.5, 4.5, "has 1 elements"]
    )


# ---- arithmetic and classes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        ("negate", 2.0, -2.0),
        ("logistic", 1.0, 1 / (1 + math.exp(-1))),
        ("one_minus", 0.25, 0.75),
        ("double", 3.0, 6.0),
        ("exp", 2.0, math.exp(2)),
        ("reciprocal", 4.0, 0.25),
        ("square", 3.0, 9.0),
        ("complementary_log_log", 0.5, 1 - math.exp(-math.exp(0.5))),
        ("normal_cdf", NAN, NAN),
    ],
)
def test_unary_function_of_numbers_and_vectors(run: Run, function: Any, value: float, expected: float) -> None:
    x, v = column(p.DOUBLE), column(VECTOR)
    check(run(p.Unary(x=x, function=function, type=p.DOUBLE), x, rows=[[value]]), [expected])
    check(run(p.Unary(x=v, function=function, type=VECTOR), v, rows=[[dense(value)]]), [dense(expected)])


@pytest.mark.parametrize(
    ("value", "expected"), [(-INF, -1.0), (-1.5, -1.0), (-0.0, -0.0), (0.5, 0.5), (INF, 2.0), (NAN, NAN)]
)
def test_clip_holds_numbers_and_vectors_within_bounds(run: Run, value: float, expected: float) -> None:
    x, v = column(p.DOUBLE), column(VECTOR)
    check(run(p.Clip(x=x, low=-1.0, high=2.0, type=p.DOUBLE), x, rows=[[value]]), [expected])
    check(run(p.Clip(x=v, low=-1.0, high=2.0, type=VECTOR), v, rows=[[dense(value)]]), [dense(expected)])


def test_normal_cdf_is_accurate_everywhere(run: Run) -> None:
    x = column(p.DOUBLE)
    values = np.concatenate([np.linspace(-40, 40, 161), [-INF, INF, 0.0]])
    found = np.array(run(p.Unary(x=x, function="normal_cdf", type=p.DOUBLE), x, rows=[[float(v)] for v in values]))
    expected = 0.5 * (1.0 + special.erf(values / np.sqrt(2.0)))
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=2.3e-16)


def test_greater_is_strict_and_0_for_nan(run: Run) -> None:
    x = column(p.DOUBLE)
    assert run(p.Binarize(x=x, threshold=0.5, type=p.DOUBLE), x, rows=[[0.5], [0.6], [NAN]]) == [0.0, 1.0, 0.0]


def test_softmax_survives_large_and_infinite_margins(run: Run) -> None:
    x = column(VECTOR)
    rows = [[dense(1000, 1000)], [dense(-1, 0)], [dense(0, INF)]]
    e = math.exp(-1)
    check(
        run(p.Softmax(x=x, type=VECTOR), x, rows=rows), [dense(0.5, 0.5), dense(e / (1 + e), 1 / (1 + e)), dense(0, 1)]
    )


def test_normalize_sum_leaves_a_sum_of_zero(run: Run) -> None:
    x = column(VECTOR)
    check(
        run(p.NormalizeSum(x=x, type=VECTOR), x, rows=[[dense(1, 3)], [dense(1, -1)]]),
        [dense(0.25, 0.75), dense(1, -1)],
    )


def test_arg_max_takes_the_first_of_equals_and_a_nan_in_front(run: Run) -> None:
    x = column(VECTOR)
    rows = [[dense(1, 3, 3)], [dense(NAN, 3)], [dense(1, NAN, 3)], [SPARSE]]
    assert run(p.ArgMax(x=x, type=p.DOUBLE), x, rows=rows) == [1.0, 0.0, 2.0, 2.0]


def test_arg_max_divides_by_thresholds(run: Run) -> None:
    x = column(VECTOR)
    arg_max = p.ArgMax(x=x, thresholds=np.array([0.5, 0.1]), type=p.DOUBLE)
    check(run(arg_max, x, rows=[[dense(0.6, 0.4)], [dense(1)]]), [1.0, "has 1 elements"])
    zero = p.ArgMax(x=x, thresholds=np.array([0.5, 0.0]), type=p.DOUBLE)
    assert run(zero, x, rows=[[dense(1, 0)]]) == [1.0]


@pytest.mark.parametrize(
    ("combine", "left", "right"),
    [
        ("leaf", dense(1, 3), dense(4, 0)),
        ("votes", dense(0.5, 1.5), dense(2, 0)),
        ("sum", 3.0, 12.0),
        ("mean", 1.5, 6.0),
    ],
)
def test_trees_go_left_up_to_the_threshold_and_right_for_nan(run: Run, combine: Any, left: Any, right: Any) -> None:
    x = column(VECTOR)
    vectors = combine in ("leaf", "votes")
    trees = (stump(),) * (1 if combine == "leaf" else 2)
    weights = None if vectors else np.array([1.0, 2.0])
    kind = p.vector(2) if vectors else p.DOUBLE
    forest = p.Trees(x=x, trees=trees, combine=combine, width=2 if vectors else 1, weights=weights, type=kind)
    rows = [[dense(0.5)], [dense(0.6)], [dense(NAN)], [Tensor.sparse(3, [1], [1.0])], [dense()]]
    check(run(forest, x, rows=rows), [left, right, right, left, "beyond the vector's 0 elements"])


@pytest.mark.parametrize(
    ("kind", "expected"), [(CATEGORICAL, [1.0, 4.0, 1.0, 4.0]), (CATEGORICAL_NOT, [4.0, 1.0, 4.0, 1.0])]
)
def test_trees_split_by_categories_in_any_order(run: Run, kind: int, expected: list[float]) -> None:
    x = column(VECTOR)
    tree = stump(kind, 1, (5.0, 2.0, 7.0))
    forest = p.Trees(x=x, trees=(stump(), tree), combine="sum", width=1, weights=np.array([0.0, 1.0]), type=p.DOUBLE)
    rows = [[dense(0, 5)], [dense(0, 3)], [dense(0, 7)], [dense(0, NAN)], [dense(0)]]
    check(run(forest, x, rows=rows), [*expected, "beyond the vector's 1 elements"])


def test_trees_over_assembled_numbers(run: Run) -> None:
    x, y = column(p.DOUBLE), column(p.DOUBLE, "y")
    concat = p.Concat(xs=(x, y), type=p.vector(2))
    forest = p.Trees(x=concat, trees=(stump(feature=1),), combine="sum", width=1, type=p.DOUBLE)
    assert run(forest, x, y, concat, rows=[[9.0, 0.0], [0.0, 9.0]]) == [1.0, 4.0]


# ---- whole plans ------------------------------------------------------------------------------------------------------


def test_plan_too_long_for_one_method_is_computed_in_several(run: Run) -> None:
    columns = [column(NULLABLE, f"x{i}") for i in range(450)]
    kept = [p.NotNull(x=x, type=p.DOUBLE, origin=ORIGIN) for x in columns]
    parts = [p.Unary(x=x, function="double", type=p.DOUBLE) for x in kept]
    pack = p.Pack(xs=tuple(parts), type=p.vector(450))
    missing = [1.0] * 449 + [None]
    found = run(pack, *columns, *kept, *parts, rows=[[float(i) for i in range(450)], missing])
    check(found, [dense(*(2.0 * i for i in range(450))), "missing"])


def test_drop_before_a_failure_counts_first(run: Run) -> None:
    s, x = column(STRING, "s"), column(NULLABLE)
    lookup = p.Lookup(x=s, labels=("a",), invalid="skip", type=p.DOUBLE)
    kept = p.NotNull(x=x, type=p.DOUBLE)
    pack = p.Pack(xs=(lookup, kept), type=p.vector(2))
    found = run(pack, s, x, lookup, kept, rows=[["z", None], ["a", None], ["a", 1.0]])
    check(found, ["dropped", "missing", dense(0, 1)])
