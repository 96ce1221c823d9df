"""Strings and numbers as categories, and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.bundle.types import BasicType, ListType, TensorType
from leapstream.escaping import printable
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import (
    DOUBLES,
    MAYBE_DOUBLE,
    MAYBE_STRING,
    NUMBER,
    STRING,
    VEC,
    VECTOR,
    Case,
    Fails,
    column,
    together,
)
from tests.primitives.running import DROPPED, dense, sparse

NAN, INF = math.nan, math.inf
MISSING = Fails("a missing value is not allowed here")


def lookup(invalid: Any, *last: Any) -> Case:
    expr = p.Lookup(x=column(MAYBE_STRING), labels=("a", "ü", "a"), invalid=invalid, type=p.DOUBLE)
    rows = zip(["a", "ü", "z", None], [2.0, 1.0, *last], strict=True)
    return Case(f"lookup takes the last of equal labels, {invalid}", expr, list(rows))


def no_integer(category: str) -> Fails:
    return Fails(f"the category {category} is not an integer")


def outside(category: str) -> Fails:
    return Fails(f"the category {category} is outside of [0, 3)")


def one_hot(keep: bool, negative: Any) -> Case:
    return Case(
        f"one-hot stores a 1 within its width, {keep=}",
        p.OneHot(x=NUMBER, categories=3, width=2, keep=keep, type=p.vector(2)),
        [
            (1.0, sparse(2, {1: 1.0})),
            (2.0, sparse(2, {})),
            (-0.0, sparse(2, {0: 1.0})),
            (-1.0, negative),
            (0.5, no_integer("0.5")),
            (NAN, no_integer("NaN")),
        ],
    )


def weight(keep: bool, negative: Any) -> Case:
    return Case(
        f"the weight of a category is 0 beyond the width, {keep=}",
        p.CategoryWeight(x=NUMBER, weights=np.array([10.0, 20.0]), categories=3, keep=keep, type=p.DOUBLE),
        [(1.0, 20.0), (2.0, 0.0), (-1.0, negative), (0.5, no_integer("0.5")), (NAN, no_integer("NaN"))],
    )


def bucketize(invalid: Any, of_nan: Any) -> Case:
    return Case(
        f"the last bucket alone includes its upper bound, {invalid}",
        p.Bucketize(x=NUMBER, splits=np.array([-1.0, 1.0, 2.0, 3.0]), invalid=invalid, type=p.DOUBLE),
        [
            (-1.0, 0.0),
            (1.0, 1.0),
            (3.0, 2.0),
            (3.1, Fails("3.1 is outside of the splits")),
            (-INF, Fails("-Infinity is outside of the splits")),
            (NAN, of_nan),
        ],
    )


LABEL_BEYOND = Fails("the index is outside of the 2 labels")
LABELS = ("a", "b")
SKIPPED = p.Lookup(x=column(MAYBE_STRING, "s"), labels=("a",), invalid="skip", type=p.DOUBLE)
KEPT = p.NotNull(x=column(MAYBE_DOUBLE), type=p.DOUBLE)


def beyond_32_bits() -> Iterator[Case]:
    rows = [(2.0**31, no_integer("2.147483648E9")), (-(2.0**31) - 1, no_integer("-2.147483649E9"))]
    rows.append((1e20, no_integer("1.0E20")))
    for keep in (True, False):
        encoded = p.OneHot(x=NUMBER, categories=3, width=3, keep=keep, type=p.vector(3))
        weight = p.CategoryWeight(x=NUMBER, weights=np.ones(3), categories=3, keep=keep, type=p.DOUBLE)
        yield from (
            Case(f"{type(e).__name__} takes no category beyond 32 bits, {keep=}", e, rows) for e in (encoded, weight)
        )


ONLY_SECOND = Tensor(BasicType.STRING, np.array(["b"], dtype=object), (2,), np.array([[1]], dtype=np.int32))

CASES = [
    lookup("keep", 3.0, 3.0),
    lookup("skip", DROPPED, MISSING),
    lookup("error", Fails("unseen label 'z'"), MISSING),
    Case(
        "no labels",
        p.Lookup(x=column(STRING), labels=(), invalid="keep", type=p.DOUBLE),
        [("a", 0.0)],
    ),
    Case(
        "a label is named with escapes for what is not shown",
        p.Lookup(x=column(STRING), labels=("a",), invalid="error", type=p.DOUBLE),
        [
            (text, Fails(f"unseen label '{printable(text)}'"))
            for text in ("it's", "a\n\x1b[31m", "", "\ud800", "x\u202e", "é\U0001d4b3")
        ],
    ),
    Case(
        "a label's index is cut towards 0",
        p.Label(x=NUMBER, labels=LABELS, type=STRING),
        [(1.9, "b"), (-0.5, "a"), (NAN, "a"), (2.0, LABEL_BEYOND), (-1.0, LABEL_BEYOND), (INF, LABEL_BEYOND)],
    ),
    Case(
        "labels of a list go by element",
        p.Label(x=column(DOUBLES), labels=LABELS, type=ListType(BasicType.STRING, False)),
        [([1.0, 0.0], ["b", "a"]), ([], []), ([0.0, 2.0], LABEL_BEYOND), ([None, 1.0], ["a", "b"])],
    ),
    Case(
        "labels of a vector go by element, without those that a sparse one does not store",
        p.Label(x=VEC, labels=LABELS, type=TensorType(BasicType.STRING, nullable=False)),
        [
            (dense(0, 1), Tensor.dense(["a", "b"], BasicType.STRING)),
            (sparse(2, {1: 1.0}), ONLY_SECOND),
            (sparse(2, {0: 2.0}), LABEL_BEYOND),
        ],
    ),
    one_hot(False, outside("-1.0")),
    one_hot(True, sparse(2, {})),
    Case(
        "a wide one-hot vector is sparse",
        p.OneHot(x=NUMBER, categories=5000, width=5000, keep=False, type=p.vector(5000)),
        [(4999.0, sparse(5000, {4999: 1.0})), (5000.0, Fails("the category 5000.0 is outside of [0, 5000)"))],
    ),
    weight(False, outside("-1.0")),
    weight(True, 0.0),
    bucketize("keep", 3.0),
    bucketize("skip", DROPPED),
    bucketize("error", Fails("the value is NaN")),
    Case(
        "-0.0 lies below a split at 0",
        p.Bucketize(x=NUMBER, splits=np.array([-1.0, 0.0, 1.0]), invalid="error", type=p.DOUBLE),
        [(-0.0, 0.0), (0.0, 1.0), (1.0, 1.0)],
    ),
    Case(
        "among splits that do not rise Java's binary search decides",
        p.Bucketize(x=NUMBER, splits=np.array([5.0, 1.0, 0.25, 2.0**31, -5.0]), invalid="error", type=p.DOUBLE),
        [(1.394, 2.0), (0.25, 2.0), (-5.0, 3.0), (-6.0, Fails("-6.0 is outside of the splits")), (1.0, 2.0)],
    ),
    Case(
        "a split at -0.0 is found",
        p.Bucketize(x=NUMBER, splits=np.array([-0.0, 0.8]), invalid="keep", type=p.DOUBLE),
        [(-0.0, 0.0), (0.0, 0.0), (0.8, 0.0), (NAN, 1.0), (-1.0, Fails("-1.0 is outside of the splits"))],
    ),
    Case(
        "binarize leaves alone what is not stored",
        p.Binarize(x=VEC, threshold=-1.0, type=VECTOR),
        [
            (dense(0, -2), dense(1, 0)),
            (sparse(3, {1: 0.0, 2: -3.0}), dense(0, 1, 0)),
            (sparse(5, {1: 0.0, 2: -3.0}), sparse(5, {1: 1.0})),
        ],
    ),
    Case(
        "binarize compares strictly",
        p.Binarize(x=NUMBER, threshold=1.0, type=p.DOUBLE),
        [(1.0, 0.0), (1.5, 1.0), (NAN, 0.0)],
    ),
    Case(
        "a drop before a failure counts first",
        p.Pack(xs=(SKIPPED, KEPT), type=p.vector(2)),
        [
            (("z", None), DROPPED),
            (("a", None), Fails(MISSING.reason, at=p.NotNull)),
            (("a", 1.0), dense(0, 1)),
        ],
    ),
    Case(
        "the first of several failures counts",
        p.Pack(
            xs=(
                p.Bucketize(x=NUMBER, splits=np.array([0.0, 1.0]), invalid="error", type=p.DOUBLE),
                p.CategoryWeight(x=NUMBER, weights=np.ones(1), categories=1, keep=False, type=p.DOUBLE),
            ),
            type=p.vector(2),
        ),
        [
            (7.5, Fails("7.5 is outside of the splits", at=p.Bucketize)),
            (0.0, dense(0, 1)),
            (0.5, Fails("the category 0.5 is not an integer", at=p.CategoryWeight)),
        ],
    ),
    *beyond_32_bits(),
    Case(
        "a category of 32 bits beyond the known ones is kept",
        p.CategoryWeight(x=NUMBER, weights=np.array([1.0, 2.0, 3.0, 4.0]), categories=3, keep=True, type=p.DOUBLE),
        [(2.0**31 - 1, 4.0), (-(2.0**31), 4.0), (3.0, 4.0), (-0.0, 1.0)],
    ),
    Case(
        "a negative threshold is less than the stored elements of numbers put together",
        p.Binarize(x=together(6), threshold=-1.0, type=p.vector(6)),
        [(1.0, sparse(6, {0: 1.0})), (-2.0, sparse(6, {}))],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
