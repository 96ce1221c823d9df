"""Ops of leapstream's own: estimators of scikit-learn that MLeap has no op for are made of them.

Every executor runs them, in Flink too; MLeap's own runtime does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import BasicType, DataType, ListType, ScalarType
from leapstream.errors import BundleError
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.functions import check_function
from leapstream.plan.primitives import Expr

STRING = ScalarType(BasicType.STRING, nullable=False)
STRINGS = ListType(BasicType.STRING, nullable=False)

Doubles = npt.NDArray[np.float64]

Metric = Literal["euclidean", "squared", "manhattan", "chebyshev"]
Weighting = Literal["uniform", "inverse", "distance"]


class OwnOp(Op):
    """An op that MLeap does not have."""

    def mleap_gap(self) -> str | None:
        return "MLeap has no such op"


def _known(function: str, arity: int) -> None:
    try:
        check_function(function, arity)
    except ValueError as error:
        raise BundleError(str(error)) from error


@dataclass(frozen=True, eq=False)
class VectorFunction(OwnOp):
    """A function of each element of a vector.

    Attributes:
        size: number of elements.
        function: a function of one number, of :data:`leapstream.plan.functions.FUNCTIONS`.
    """

    op: ClassVar[str] = "leapstream.function"
    size: int = attribute("long")
    function: str = attribute("string")

    def __post_init__(self) -> None:
        _known(self.function, 1)

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        x = inputs[0]
        return {"output": lowering.add(p.Unary(x=x, function=self.function, type=doubles(self.size)))}


@dataclass(frozen=True, eq=False)
class VectorArithmetic(OwnOp):
    """A function of the elements of two vectors at the same place, or of each element of a vector and a constant.

    Attributes:
        size: number of elements.
        function: a function of two numbers, of :data:`leapstream.plan.functions.FUNCTIONS`.
        b: the constant second argument; with it there is no port ``input_b``.
    """

    op: ClassVar[str] = "leapstream.arithmetic"
    size: int = attribute("long")
    function: str = attribute("string")
    b: float | None = attribute("double", default=None)

    def __post_init__(self) -> None:
        _known(self.function, 2)

    def inputs(self) -> dict[str, DataType]:
        given: dict[str, DataType] = {"input_a": doubles(self.size)}
        return given if self.b is not None else {**given, "input_b": doubles(self.size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        a = inputs[0]
        b = inputs[1] if self.b is None else lowering.add(p.Constant(value=self.b, type=DOUBLE))
        return {"output": lowering.add(p.Binary(a=a, b=b, function=self.function, type=doubles(self.size)))}


def _distances(lowering: Lowering, x: Expr, rows: Doubles, metric: str) -> Expr:
    """The distances of a vector from rows, a vector."""
    primitive = "squared" if metric == "euclidean" else metric
    kind = doubles(len(rows))
    found: Expr = lowering.add(
        p.Distances(x=x, centers=rows, metric=cast(Literal["squared", "manhattan", "chebyshev"], primitive), type=kind)
    )
    return lowering.add(p.Unary(x=found, function="sqrt", type=kind)) if metric == "euclidean" else found


def _one_of(value: str, known: tuple[str, ...], name: str) -> None:
    require(value in known, f"{name} {value!r} is none of {', '.join(known)}")


@dataclass(frozen=True, eq=False)
class Distances(OwnOp):
    """The distances of a vector from rows, a vector.

    Attributes:
        rows: float64 (k, size).
        metric: euclidean, squared (euclidean), manhattan or chebyshev.
    """

    op: ClassVar[str] = "leapstream.distances"
    rows: Doubles = attribute("matrix")
    metric: str = attribute("string")

    def __post_init__(self) -> None:
        _one_of(self.metric, get_args(Metric), "metric")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.rows.shape[1])}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(len(self.rows))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": _distances(lowering, inputs[0], self.rows, self.metric)}


_KERNELS = ("linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine")


@dataclass(frozen=True, eq=False)
class Kernel(OwnOp):
    """The kernel of a vector and of each row, a vector.

    With x the vector and y the row: ``linear`` is x · y; ``polynomial`` is (gamma x · y + coef0) to the power of degree; ``rbf``
    is exp(-gamma |x - y|²); ``laplacian`` is exp(-gamma times the manhattan distance); ``sigmoid`` is tanh(gamma x · y + coef0);
    ``cosine`` is x · y divided by both norms.

    Attributes:
        rows: float64 (k, size).
        kernel: the name of the kernel.
        gamma: a factor.
        coef0: a summand.
        degree: the power.
    """

    op: ClassVar[str] = "leapstream.kernel"
    rows: Doubles = attribute("matrix")
    kernel: str = attribute("string")
    gamma: float = attribute("double", default=1.0)
    coef0: float = attribute("double", default=0.0)
    degree: float = attribute("double", default=3.0)

    def __post_init__(self) -> None:
        _one_of(self.kernel, _KERNELS, "kernel")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.rows.shape[1])}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(len(self.rows))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        x, count = inputs[0], len(self.rows)
        kind = doubles(count)
        if self.kernel in ("rbf", "laplacian"):
            far = _distances(lowering, x, self.rows, "squared" if self.kernel == "rbf" else "manhattan")
            scaled = lowering.add(p.Affine(x=far, size=count, factor=np.full(count, -self.gamma), type=kind))
            return {"output": lowering.add(p.Unary(x=scaled, function="exp", type=kind))}
        rows, offset = self.rows, np.zeros(count)
        if self.kernel == "cosine":
            x = lowering.add(p.Normalize(x=x, p=2.0, type=doubles(rows.shape[1])))
            norms = np.sqrt((rows * rows).sum(axis=1))[:, None]
            rows = rows / np.where(norms == 0.0, 1.0, norms)
        elif self.kernel != "linear":
            rows, offset = rows * self.gamma, np.full(count, self.coef0)
        product = lowering.add(p.MatVec(x=x, matrix=np.ascontiguousarray(rows), intercepts=offset, type=kind))
        if self.kernel == "sigmoid":
            return {"output": lowering.add(p.Unary(x=product, function="tanh", type=kind))}
        if self.kernel == "polynomial":
            power = lowering.add(p.Constant(value=self.degree, type=DOUBLE))
            return {"output": lowering.add(p.Binary(a=product, b=power, function="pow", type=kind))}
        return {"output": product}


@dataclass(frozen=True, eq=False)
class Neighbors(OwnOp):
    """For each row its weight as a neighbour of a vector, 0 if it is none; the vector ``weights`` has an element per row.

    Of rows at equal distances, the first ones are neighbours.

    Attributes:
        rows: float64 (k, size).
        metric: euclidean, squared (euclidean), manhattan or chebyshev.
        weighting: ``uniform`` gives each neighbour 1, ``distance`` its distance, ``inverse`` the reciprocal; but where
            neighbours are at no distance, these get 1 and the others 0.
        count: the number of neighbours; by default all rows within the radius.
        radius: the greatest distance of a neighbour; by default there is no limit.
        required: true if a row without neighbours fails.
    """

    op: ClassVar[str] = "leapstream.neighbors"
    rows: Doubles = attribute("matrix")
    metric: str = attribute("string")
    weighting: str = attribute("string", default="uniform")
    count: int | None = attribute("long", default=None)
    radius: float | None = attribute("double", default=None)
    required: bool = attribute("boolean", default=False)

    def __post_init__(self) -> None:
        _one_of(self.metric, get_args(Metric), "metric")
        _one_of(self.weighting, get_args(Weighting), "weighting")
        require(self.count is None or 0 < self.count < 2**31, "count is out of range")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.rows.shape[1])}

    def outputs(self) -> dict[str, DataType]:
        return {"weights": doubles(len(self.rows))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        count = len(self.rows)
        far = _distances(lowering, inputs[0], self.rows, self.metric)
        weights: Expr = lowering.add(
            p.NeighborWeights(
                x=far,
                count=count if self.count is None else self.count,
                radius=math.inf if self.radius is None else self.radius,
                weighting=cast(Weighting, self.weighting),
                type=doubles(count),
            )
        )
        if self.required:
            sum_of = p.Dot(x=weights, weights=np.ones(count), intercept=0.0, type=DOUBLE)
            total = lowering.add(p.RequireWithin(x=lowering.add(sum_of), low=5e-324, high=math.inf, type=DOUBLE))
            weights = lowering.add(p.After(x=weights, others=(total,), type=weights.type))
        return {"weights": weights}


@dataclass(frozen=True, eq=False)
class WeightedMedian(OwnOp):
    """The element of a vector at which the weights, added up by rising elements, reach half of their sum.

    Attributes:
        weights: float64 (size,).
    """

    op: ClassVar[str] = "leapstream.weighted_median"
    weights: Doubles = attribute("vector")

    def __post_init__(self) -> None:
        require(len(self.weights) > 0, "there are no weights")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(len(self.weights))}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"prediction": lowering.add(p.WeightedMedian(x=inputs[0], weights=self.weights, type=DOUBLE))}


@dataclass(frozen=True, eq=False)
class Spline(OwnOp):
    """Piecewise polynomials of a number: a vector with the value of each.

    Attributes:
        breaks: float64 (m,), ascending: where a new interval of the number begins.
        origins: float64 (m + 1,): what is subtracted from the number, for each interval.
        coefficients: float64 (m + 1 times outputs, degree + 1): a row for each interval and polynomial, the highest power first.
        outputs: the number of polynomials of an interval.
        low: with ``period``, the number from which on periods are counted; without, the least number that does not fail.
        high: the greatest number that does not fail.
        period: if it is given, the number is taken modulo it.
    """

    op: ClassVar[str] = "leapstream.spline"
    breaks: Doubles = attribute("vector")
    origins: Doubles = attribute("vector")
    coefficients: Doubles = attribute("matrix")
    outputs_count: int = attribute("long", name="outputs")
    low: float | None = attribute("double", default=None)
    high: float | None = attribute("double", default=None)
    period: float | None = attribute("double", default=None)

    def __post_init__(self) -> None:
        require(len(self.origins) == len(self.breaks) + 1, "there is not one origin per interval")
        rows = len(self.origins) * self.outputs_count
        require(self.outputs_count > 0 and len(self.coefficients) == rows, f"there are not {rows} rows of coefficients")

    def inputs(self) -> dict[str, DataType]:
        return {"input": DOUBLE}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.outputs_count)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        x = inputs[0]
        if self.period is not None and self.low is not None:
            x = self._within_period(lowering, x, self.low, self.period)
        elif self.low is not None and self.high is not None:
            x = lowering.add(p.RequireWithin(x=x, low=self.low, high=self.high, type=DOUBLE))
        pieces = self.coefficients.reshape(len(self.origins), self.outputs_count, -1)
        return {
            "output": lowering.add(
                p.Polynomials(
                    x=x,
                    breaks=self.breaks,
                    origins=self.origins,
                    coefficients=np.ascontiguousarray(pieces),
                    type=doubles(self.outputs_count),
                )
            )
        }

    @staticmethod
    def _within_period(lowering: Lowering, x: Expr, low: float, period: float) -> Expr:
        """``low + (x - low) % period``, where the remainder is not negative."""

        def constant(value: float) -> Expr:
            return lowering.add(p.Constant(value=value, type=DOUBLE))

        def binary(function: str, a: Expr, b: Expr) -> Expr:
            return lowering.add(p.Binary(a=a, b=b, function=function, type=DOUBLE))

        length = constant(period)
        rest = binary("rem", binary("sub", x, constant(low)), length)
        positive = binary("rem", binary("add", rest, length), length)
        return binary("add", positive, constant(low))


@dataclass(frozen=True, eq=False)
class NeighborImputer(OwnOp):
    """A vector with each NaN replaced by the mean of the element in the nearest rows that have it.

    The distance is euclidean over the elements that are present in both, scaled to all of them. Without a distance to any row
    that has the element, it becomes its mean over all rows.

    Attributes:
        rows: float64 (k, size), with NaN.
        count: the number of neighbours.
        weighting: ``uniform``, or ``inverse`` for weights by the reciprocal of the distance.
    """

    op: ClassVar[str] = "leapstream.neighbor_imputer"
    rows: Doubles = attribute("matrix")
    count: int = attribute("long")
    weighting: str = attribute("string", default="uniform")

    def __post_init__(self) -> None:
        _one_of(self.weighting, ("uniform", "inverse"), "weighting")
        require(0 < self.count < 2**31, "count is out of range")
        require(not np.isnan(self.rows).all(axis=0).any(), "an element is NaN in all rows")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.rows.shape[1])}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.rows.shape[1])}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        x, (count, size) = inputs[0], self.rows.shape
        squared = lowering.add(p.Distances(x=x, centers=self.rows, metric="present", type=doubles(count)))
        far = lowering.add(p.Unary(x=squared, function="sqrt", type=doubles(count)))
        elements = [self._element(lowering, x, far, place) for place in range(size)]
        return {"output": lowering.add(p.Pack(xs=tuple(elements), type=doubles(size)))}

    def _element(self, lowering: Lowering, x: Expr, far: Expr, place: int) -> Expr:
        """An element, or the mean of those of the neighbours: ``(x or 0) + missing * mean``."""
        donors = np.flatnonzero(~np.isnan(self.rows[:, place]))
        values, kind = self.rows[donors, place], doubles(len(donors))
        near = lowering.add(p.Take(x=far, indices=tuple(donors.tolist()), type=kind))
        weights = lowering.add(
            p.NeighborWeights(
                x=near, count=self.count, radius=math.inf, weighting=cast(Weighting, self.weighting), type=kind
            )
        )
        sums, total = (
            lowering.add(p.Dot(x=weights, weights=part, intercept=0.0, type=DOUBLE))
            for part in (values, np.ones(len(donors)))
        )
        quotient = lowering.add(p.Binary(a=sums, b=total, function="div", type=DOUBLE))
        mean = lowering.add(p.Impute(x=quotient, surrogate=float(values.mean()), missing=math.nan, type=DOUBLE))
        item = lowering.add(p.Item(x=x, index=place, type=DOUBLE))
        present = lowering.add(p.Impute(x=item, surrogate=0.0, missing=math.nan, type=DOUBLE))
        marked = lowering.add(p.Impute(x=item, surrogate=-math.inf, missing=math.nan, type=DOUBLE))
        there = lowering.add(p.Binarize(x=marked, threshold=-math.inf, type=DOUBLE))
        missing = lowering.add(p.Unary(x=there, function="one_minus", type=DOUBLE))
        filled = lowering.add(p.Binary(a=missing, b=mean, function="mul", type=DOUBLE))
        return lowering.add(p.Binary(a=present, b=filled, function="add", type=DOUBLE))


@dataclass(frozen=True, eq=False)
class AccentStripper(OwnOp):
    """A text without accents: in compatibility decomposition, without combining characters.

    Attributes:
        ascii: true if all characters but those of ASCII are left out.
    """

    op: ClassVar[str] = "leapstream.strip_accents"
    ascii: bool = attribute("boolean")

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRING}

    def outputs(self) -> dict[str, DataType]:
        return {"output": STRING}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.StripAccents(x=inputs[0], ascii=self.ascii, type=STRING))}


@dataclass(frozen=True, eq=False)
class LowerCase(OwnOp):
    """A text in lower case, as by Java's ``toLowerCase`` in the root locale."""

    op: ClassVar[str] = "leapstream.lower_case"

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRING}

    def outputs(self) -> dict[str, DataType]:
        return {"output": STRING}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.LowerCase(x=inputs[0], type=STRING))}


@dataclass(frozen=True, eq=False)
class CharacterGrams(OwnOp):
    """The substrings of a text, or of its words with a blank before and after each.

    Two and more whitespace characters count as one blank.

    Attributes:
        least: the least number of characters.
        greatest: the greatest number of characters.
        words: true for the substrings of words.
    """

    op: ClassVar[str] = "leapstream.character_grams"
    least: int = attribute("int")
    greatest: int = attribute("int")
    words: bool = attribute("boolean")

    def __post_init__(self) -> None:
        require(0 < self.least <= self.greatest, "the numbers of characters are out of range")

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRING}

    def outputs(self) -> dict[str, DataType]:
        return {"output": STRINGS}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        grams = p.CharacterGrams(x=inputs[0], least=self.least, greatest=self.greatest, words=self.words, type=STRINGS)
        return {"output": lowering.add(grams)}


@dataclass(frozen=True, eq=False)
class HashingVectorizer(OwnOp):
    """The number of occurrences of each token's hash, with the hash's sign: scikit-learn's ``HashingVectorizer``.

    Attributes:
        size: number of elements.
        signed: true if a token of a negative hash counts as -1.
        binary: true if the result has 1 for each hash that occurs.
    """

    op: ClassVar[str] = "leapstream.hashing_vectorizer"
    size: int = attribute("long")
    signed: bool = attribute("boolean")
    binary: bool = attribute("boolean")

    def __post_init__(self) -> None:
        require(0 < self.size < 2**31, "size is out of range")

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRINGS}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        hashes = p.SignedHashes(
            x=inputs[0], size=self.size, signed=self.signed, binary=self.binary, type=doubles(self.size)
        )
        return {"output": lowering.add(hashes)}
