"""Vectors: put together and scaled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from leapstream.plan.graph import Expr
from tests.primitives.cases import MAYBE_DOUBLE, NUMBER, VEC, VECTOR, Case, Fails, column, together
from tests.primitives.running import dense, sparse

NAN, INF = math.nan, math.inf
V = column(VECTOR, "v")
SPARSE = sparse(3, {2: 5.0})
STEPS = np.array([1.0, 2.0, 4.0])


def fixed(keep: bool, first: float) -> Case:
    return Case(
        f"affine has fixed values, {keep=}",
        p.Affine(x=VEC, size=2, fixed=np.array([7.0, NAN]), keep_nan=keep, type=VECTOR),
        [(dense(NAN, 1), dense(first, 1)), (dense(0, 1), dense(7, 1))],
    )


def longer(keep: bool, *rows: tuple[Tensor, Tensor | Fails]) -> Case:
    steps = {"shift": np.array([1.0, 2.0]), "factor": np.array([2.0, 3.0]), "fixed": np.array([NAN, 9.0])}
    return Case(
        f"affine of longer vectors, {keep=}", p.Affine(x=VEC, size=2, keep_nan=keep, type=VECTOR, **steps), rows
    )


def normalize(power: float, norm: float) -> Case:
    return Case(
        f"a vector is divided by its {power}-norm",
        p.Normalize(x=VEC, p=power, type=VECTOR),
        [
            (dense(3, -4), dense(3 / norm, -4 / norm)),
            (dense(0, 0), dense(0, 0)),
            (sparse(4, {1: -2.0}), sparse(4, {1: -1.0})),
        ],
    )


def no_norm(power: float, text: str) -> Case:
    reason = f"the norm's p is {text}, and it has to be at least 1"
    return Case(f"there is no {power}-norm", p.Normalize(x=VEC, p=power, type=VECTOR), [(SPARSE, Fails(reason))])


MANY = [column(MAYBE_DOUBLE, f"x{i}") for i in range(450)]
DOUBLED = [p.Unary(x=p.NotNull(x=x, type=p.DOUBLE), function="double", type=p.DOUBLE) for x in MANY]

ZERO = p.Constant(value=0.0, type=p.DOUBLE)
NO_VECTOR = Fails("a vector is expected, not a tensor of 2 dimensions")

LONG = p.OneHot(x=NUMBER, categories=70, width=70, keep=True, type=p.vector(70))
"""A long vector of one element, or of none."""
LONGER = p.Concat(xs=(LONG, NUMBER), type=p.vector(71))
ROWS = np.arange(1.0, 71.0)


def of_long_vector(expr: Expr, *results: Any) -> Case:
    """A case of :data:`LONG` or :data:`LONGER` for an element at 3, and for none."""
    name = f"a long vector of few elements, by {type(expr).__name__} of {getattr(expr, 'type', None)}"
    return Case(name, expr, list(zip((3.0, 70.0), results, strict=True)))


CASES = [
    of_long_vector(LONG, sparse(70, {3: 1.0}), sparse(70, {})),
    of_long_vector(LONGER, sparse(71, {3: 1.0, 70: 3.0}), sparse(71, {70: 70.0})),
    of_long_vector(p.Affine(x=LONG, size=70, factor=-ROWS, type=p.vector(70)), sparse(70, {3: -4.0}), sparse(70, {})),
    of_long_vector(
        p.Affine(x=LONGER, size=71, factor=np.full(71, -1.0), type=p.vector(71)),
        sparse(71, {3: -1.0, 70: -3.0}),
        sparse(71, {70: -70.0}),
    ),
    of_long_vector(
        p.Affine(x=LONG, size=70, offset=ROWS, type=p.vector(70)),
        dense(*(ROWS + (np.arange(70) == 3))),
        dense(*ROWS),
    ),
    of_long_vector(p.Clip(x=LONG, low=0.0, high=0.5, type=p.vector(70)), sparse(70, {3: 0.5}), sparse(70, {})),
    of_long_vector(
        p.Clip(x=LONG, low=0.5, high=2.0, type=VECTOR),
        dense(*np.where(np.arange(70) == 3, 1.0, 0.5)),
        dense(*[0.5] * 70),
    ),
    of_long_vector(
        p.Normalize(x=LONGER, p=1.0, type=p.vector(71)), sparse(71, {3: 0.25, 70: 0.75}), sparse(71, {70: 1.0})
    ),
    of_long_vector(p.NormalizeSum(x=LONG, type=p.vector(70)), sparse(70, {3: 1.0}), sparse(70, {})),
    of_long_vector(p.Binarize(x=LONGER, threshold=2.0, type=p.vector(71)), *[sparse(71, {70: 1.0})] * 2),
    of_long_vector(p.Binarize(x=LONG, threshold=-1.0, type=VECTOR), sparse(70, {3: 1.0}), sparse(70, {})),
    of_long_vector(p.RequireElements(x=LONG, allowed="zero_or_one", type=VECTOR), sparse(70, {3: 1.0}), sparse(70, {})),
    of_long_vector(p.Item(x=LONG, index=3, type=p.DOUBLE), 1.0, 0.0),
    of_long_vector(
        p.Take(x=LONGER, indices=(70, 3), type=p.vector(2)), sparse(2, {0: 3.0, 1: 1.0}), sparse(2, {0: 70.0})
    ),
    of_long_vector(p.Dot(x=LONG, weights=ROWS, intercept=0.5, type=p.DOUBLE), 4.5, 0.5),
    of_long_vector(p.Dot(x=LONG, weights=np.where(ROWS == 4, 2.0, INF), intercept=0.5, type=p.DOUBLE), 2.5, 0.5),
    of_long_vector(p.LinearSum(xs=(NUMBER, LONG), weights=(np.ones(1), ROWS), intercept=0.5, type=p.DOUBLE), 7.5, 70.5),
    *(
        of_long_vector(
            p.MatVec(x=LONG, matrix=np.outer(np.arange(n), ROWS), intercepts=np.ones(n), type=p.vector(n)),
            dense(*(4.0 * np.arange(n) + 1.0)),
            dense(*np.ones(n)),
        )
        for n in (2, 9)
    ),
    of_long_vector(p.ArgMax(x=LONG, type=p.DOUBLE), 3.0, 0.0),
    Case(
        "concat takes numbers and vectors of any size",
        p.Concat(xs=(NUMBER, V), type=VECTOR),
        [((1.0, SPARSE), dense(1, 0, 0, 5)), ((2.0, dense(3)), dense(2, 3)), ((2.0, dense()), dense(2))],
    ),
    Case(
        "concat has no -0.0",
        p.Concat(xs=(NUMBER, V), type=VECTOR),
        [((-0.0, dense(-0.0, 1)), dense(0, 0, 1)), ((1.0, sparse(2, {0: -0.0})), dense(1, 0, 0))],
    ),
    Case(
        "concat of packed numbers has no -0.0",
        p.Concat(xs=(p.Pack(xs=(NUMBER,), type=p.vector(1)), NUMBER), type=p.vector(2)),
        [(-0.0, dense(0, 0)), (2.0, dense(2, 2))],
    ),
    Case(
        "concat is sparse where that is smaller",
        p.Concat(xs=(VEC,), type=VECTOR),
        [
            (sparse(6, {2: 5.0}), sparse(6, {2: 5.0})),
            (dense(1, 2, 3), dense(1, 2, 3)),
            (SPARSE, dense(0, 0, 5)),
            (dense(0, 0, 0, 0), sparse(4, {})),
        ],
    ),
    Case(
        "pack makes a vector of numbers",
        p.Pack(xs=(NUMBER, column(p.DOUBLE, "y")), type=p.vector(2)),
        [((1.0, NAN), dense(1, NAN))],
    ),
    Case(
        "affine does its steps in order",
        p.Affine(x=VEC, size=3, shift=STEPS, divisor=STEPS, factor=2 * STEPS, offset=STEPS, type=VECTOR),
        [
            (dense(3, 4, 5), dense(5, 6, 6)),
            (SPARSE, dense(-1, -2, 6)),
            (dense(3), dense(5)),
            (dense(1, 2, 3, 4), Fails("the vector has 4 elements, and 3 are expected")),
        ],
    ),
    Case(
        "affine by a factor alone keeps what is stored",
        p.Affine(x=VEC, size=3, factor=np.array([INF, INF, 2.0]), type=VECTOR),
        [(SPARSE, sparse(3, {2: 10.0})), (dense(0, 1, 2), dense(NAN, INF, 4))],
    ),
    longer(
        True,
        (dense(3, 4, NAN), dense(4, 9, NAN)),
        (dense(NAN, 4, NAN, NAN), dense(NAN, 9, NAN, NAN)),
        (dense(3, 4, NAN, 0), Fails("the vector has 4 elements, and 2 are expected")),
        (sparse(3, {2: NAN}), dense(-2, 9, NAN)),
        (sparse(4, {2: NAN}), Fails("the vector has 4 elements, and 2 are expected")),
    ),
    Case(
        "affine of a longer vector skips NaN, and fails where a sparse vector stores it",
        p.Affine(x=VEC, size=2, divisor=np.array([2.0, 4.0]), keep_nan=True, type=VECTOR),
        [
            (dense(3, 4, NAN), dense(1.5, 1, NAN)),
            (dense(3, 4, NAN, 5), Fails("the vector has 4 elements, and 2 are expected")),
            (sparse(4, {0: 3.0}), sparse(4, {0: 1.5})),
            (sparse(3, {2: NAN}), Fails("the vector has 3 elements, and 2 are expected")),
        ],
    ),
    longer(False, (dense(3, 4, NAN), Fails("the vector has 3 elements, and 2 are expected"))),
    fixed(True, NAN),
    fixed(False, 7.0),
    Case(
        "clip keeps NaN",
        p.Clip(x=VEC, low=-1.0, high=1.0, type=VECTOR),
        [(dense(NAN, 5, -5), dense(NAN, 1, -1)), (SPARSE, sparse(3, {2: 1.0}))],
    ),
    Case(
        "clip moves elements that are not stored",
        p.Clip(x=VEC, low=1.0, high=2.0, type=VECTOR),
        [(SPARSE, dense(1, 1, 2))],
    ),
    Case(
        "a number is clipped",
        p.Clip(x=NUMBER, low=-1.0, high=1e-16, type=p.DOUBLE),
        [(NAN, NAN), (-INF, -1.0), (INF, 1e-16), (-0.0, -0.0)],
    ),
    Case(
        "elements that clip moves are stored",
        p.Take(x=p.Clip(x=VEC, low=1.0, high=2.0, type=VECTOR), indices=(0, 2), rising=True, type=p.vector(2)),
        [(SPARSE, dense(1, 2))],
    ),
    Case(
        "a negative factor leaves alone what is not stored",
        p.Affine(x=VEC, size=3, factor=np.array([-1.0, 1.0, 2.0]), type=VECTOR),
        [(SPARSE, sparse(3, {2: 10.0})), (dense(0, 0, 1), dense(-0.0, 0, 2))],
    ),
    *(
        Case(
            f"a negative factor leaves alone the zeros among {size} numbers put together if they are many",
            p.Affine(x=together(size), size=size, factor=np.full(size, -2.0), type=p.vector(size)),
            [(1.0, sparse(size, {0: -2.0})), (0.0, sparse(size, {})), (NAN, sparse(size, {0: NAN}))],
        )
        for size in (6, 70)
    ),
    Case(
        "a negative factor makes -0.0 of a zero among few numbers put together",
        p.Affine(x=p.Concat(xs=(NUMBER, ZERO), type=p.vector(2)), size=2, factor=np.full(2, -2.0), type=p.vector(2)),
        [(1.0, dense(-2.0, -0.0)), (0.0, dense(-0.0, -0.0))],
    ),
    Case(
        "affine without an offset keeps -0.0",
        p.Affine(
            x=p.Concat(xs=(VEC,), type=VECTOR), size=1, shift=np.array([9.0]), factor=np.array([0.0]), type=VECTOR
        ),
        [(dense(4), dense(-0.0)), (dense(10), dense(0))],
    ),
    Case(
        "a tensor that is no vector is not scaled",
        p.Affine(x=VEC, size=1, factor=np.ones(1), type=VECTOR),
        [(Tensor.dense([[1.0]]), Fails("a vector is expected, not a tensor of 2 dimensions"))],
    ),
    normalize(1.0, 7.0),
    normalize(2.0, 5.0),
    normalize(INF, 4.0),
    normalize(3.0, 91.0 ** (1 / 3)),
    no_norm(0.5, "0.5"),
    no_norm(NAN, "NaN"),
    Case(
        "a plan too long for one method of Java is computed in several",
        p.Pack(xs=tuple(DOUBLED), type=p.vector(450)),
        [
            (tuple(float(i) for i in range(450)), dense(*(2.0 * i for i in range(450)))),
            ((*[1.0] * 449, None), Fails("a missing value is not allowed here", at=p.NotNull)),
        ],
    ),
    *(
        Case(
            f"a zero at a bound of 0 keeps its sign, {low} to {high}",
            p.Clip(x=VEC, low=low, high=high, type=VECTOR),
            [(dense(-0.0, 0.0), dense(-0.0, 0.0))],
        )
        for low, high in ((0.0, 1.0), (-1.0, 0.0), (-0.0, 1.0), (-1.0, -0.0))
    ),
    *(
        Case(f"{type(expr).__name__} takes vectors alone", expr, [(Tensor.dense([[1.0, 2.0]]), NO_VECTOR)])
        for expr in (
            p.Concat(xs=(VEC, VEC), type=VECTOR),
            p.Affine(x=VEC, size=2, factor=np.ones(2), type=VECTOR),
            p.Clip(x=VEC, low=0.0, high=1.0, type=VECTOR),
            p.Normalize(x=VEC, p=2.0, type=VECTOR),
            p.Softmax(x=VEC, type=VECTOR),
            p.NormalizeSum(x=VEC, type=VECTOR),
            p.ExpNormalize(x=VEC, type=VECTOR),
            p.SquareSums(x=VEC, size=1, type=VECTOR),
            p.Greatest(x=VEC, position=True, type=p.DOUBLE),
            p.ArgMax(x=VEC, type=p.DOUBLE),
            p.ArgMax(x=VEC, thresholds=np.ones(1), type=p.DOUBLE),
            p.Binarize(x=VEC, threshold=0.0, type=VECTOR),
            p.Unary(x=VEC, function="abs", type=VECTOR),
            p.LinearSum(xs=(VEC,), weights=(np.ones(1),), intercept=0.0, type=p.DOUBLE),
        )
    ),
    Case(
        "elements that are not stored stay 0 under a norm of NaN",
        p.Normalize(x=VEC, p=2.0, type=VECTOR),
        [
            (sparse(3, {0: NAN, 1: 1.0}), sparse(3, {0: NAN, 1: NAN})),
            (dense(NAN, 0.0), dense(NAN, NAN)),
            (dense(3, 4), dense(0.6, 0.8)),
        ],
    ),
    Case(
        "assembled zeros are not stored, and stay 0 under a norm of NaN",
        p.Normalize(x=p.Concat(xs=(NUMBER, *[ZERO] * 5), type=p.vector(6)), p=1.0, type=p.vector(6)),
        [(NAN, sparse(6, {0: NAN})), (2.0, sparse(6, {0: 1.0}))],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
