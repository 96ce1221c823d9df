"""Elements that are picked, replaced or laid out anew."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.bundle.types import BasicType, TensorType
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import DOUBLES, NUMBER, VEC, VECTOR, Case, Fails, column
from tests.primitives.running import dense, sparse

NAN = math.nan
WIDE = 1500
SPARSE = sparse(3, {2: 5.0})
KEYS, VALUES = np.array([-1.0, 0.0, 2.0]), np.array([7.0, 8.0, 9.0])
PACKED = p.Pack(xs=(NUMBER, column(p.DOUBLE, "y")), type=p.vector(2))
SQUARE = TensorType(BasicType.DOUBLE, (2, 2), nullable=False)


def at_least(gives: str) -> p.ElementsAtLeast:
    return p.ElementsAtLeast(x=VEC, threshold=0.5, limit=3, gives=gives, type=DOUBLES)  # type: ignore[arg-type]


def recode(others: tuple[float, ...] | None) -> p.Recode:
    return p.Recode(
        x=VEC, size=3, positions=(0, 2), tables=((KEYS, VALUES), (KEYS[1:], VALUES[:2])), others=others, type=VECTOR
    )


def unknown(value: str, element: int) -> Fails:
    return Fails(f"{value} is none of the categories of element {element}")


CASES = [
    Case("an item of packed numbers", p.Item(x=PACKED, index=1, type=p.DOUBLE), [((1.0, 2.0), 2.0)]),
    Case(
        "an item beyond the vector fails",
        p.Item(x=VEC, index=2, type=p.DOUBLE),
        [
            (SPARSE, 5.0),
            (dense(1), Fails("the vector has 1 elements, and element 2 is read")),
            (sparse(3, {0: 1.0}), 0.0),
        ],
    ),
    Case(
        "elements of at least a threshold",
        at_least("elements"),
        [(dense(0.5, 0.25, 3), [0.5, 3.0]), (dense(NAN), []), (sparse(9, {1: 1.0}), [1.0])],
    ),
    Case(
        "positions of elements of at least a threshold",
        at_least("positions"),
        [
            (dense(0.5, 0.25, 3), [0.0, 2.0]),
            (dense(0, 0, 0, 0), []),
            (dense(0, 0, 0, 1), Fails("an element beyond the 3 labels is at least the threshold")),
        ],
    ),
    Case(
        "elements become the values of their tables",
        recode(None),
        [
            (dense(2, 5, -0.0), dense(9, 5, 7)),
            (sparse(3, {0: -1.0}), sparse(3, {0: 7.0})),
            (dense(1, 0, 5), unknown("1.0", 0)),
            (dense(2, 0, NAN), unknown("NaN", 2)),
            (dense(1), Fails("the vector has 1 elements, and 3 are expected")),
        ],
    ),
    Case(
        "other elements become a value of their own",
        recode((-5.0, -6.0)),
        [(dense(1, 1, NAN), dense(-5, 1, -6)), (sparse(3, {1: 4.0}), sparse(3, {1: 4.0}))],
    ),
    Case(
        "elements are taken by index",
        p.Take(x=VEC, indices=(2, 0, 2), type=p.vector(3)),
        [
            (dense(1, 2, 3), dense(3, 1, 3)),
            (sparse(3, {2: 5.0}), sparse(3, {0: 5.0, 2: 5.0})),
            (dense(1), Fails("the vector has 1 elements, and element 2 is read")),
            (dense(), Fails("the vector has 0 elements, and element 2 is read")),
            (sparse(2, {0: 4.0}), sparse(3, {1: 4.0})),
            (sparse(2, {0: 4.0, 1: 5.0}), sparse(3, {1: 4.0})),
        ],
    ),
    Case(
        "a vector that a plan makes may be short",
        p.Take(
            x=p.OneHot(x=NUMBER, categories=1, width=1, keep=False, type=p.vector(1)), indices=(1, 0), type=p.vector(2)
        ),
        [(0.0, sparse(2, {1: 1.0}))],
    ),
    Case("elements of packed numbers", p.Take(x=PACKED, indices=(1, 1), type=p.vector(2)), [((1.0, 2.0), dense(2, 2))]),
    Case(
        "of a sparse vector rising indices alone are taken",
        p.Take(x=VEC, indices=(2, 0, 3), rising=True, type=p.vector(3)),
        [
            (dense(1, 2, 3, 4), dense(3, 1, 4)),
            (sparse(4, {0: 1.0, 2: 3.0, 3: 4.0}), sparse(3, {0: 3.0, 2: 4.0})),
            (sparse(4, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}), sparse(3, {0: 3.0, 2: 4.0})),
        ],
    ),
    Case(
        "a slice of a wide vector stores what it stores",
        p.Take(x=VEC, indices=tuple(range(WIDE - 1, -1, -1)), type=p.vector(WIDE)),
        [(sparse(WIDE, {0: 0.0, 3: 2.0}), sparse(WIDE, {1496: 2.0, 1499: 0.0}))],
    ),
    Case(
        "a vector becomes a tensor of dimensions",
        p.Reshape(x=VEC, type=SQUARE),
        [
            (dense(1, 2, 3, 4), Tensor.dense([[1.0, 2.0], [3.0, 4.0]])),
            (dense(1), Fails("the tensor has 1 elements, and 4 are expected")),
        ],
    ),
    Case(
        "a tensor becomes a vector",
        p.Reshape(x=column(TensorType(BasicType.DOUBLE, nullable=False)), type=p.vector(4)),
        [(Tensor.dense([[1.0, 2.0], [3.0, 4.0]]), dense(1, 2, 3, 4))],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
