"""Draws plans of one to three primitives, and rows for them: a strategy per primitive builds it over what is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from hypothesis import strategies as st

from leapstream import Tensor
from leapstream.bundle.definition import LEAF
from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.plan import primitives as p
from leapstream.plan.functions import FLOAT_FUNCTIONS, FUNCTIONS
from leapstream.plan.graph import Expr, Plan
from tests.ops.classes import clusters
from tests.primitives.cases import (
    DOUBLES,
    MAYBE_DOUBLE,
    MAYBE_STRING,
    STRING,
    STRINGS,
    TEXTS,
    VECTOR,
    column,
    plan_of,
)
from tests.primitives.running import EXACT
from tests.primitives.sources import case_source
from tests.primitives.tolerances import tolerance
from tests.trees import ENSEMBLES, ensemble

Kind: TypeAlias = Literal["number", "vector", "floats", "string", "tokens"]
"""The kinds of operands: a double, a vector of doubles, one of single precision, a string, or a list of strings."""

# ---- values -----------------------------------------------------------------------------------------------------------

EDGES = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, 3.0, 0.1, 1e-3, 1e7, 1e16, 1e300, -1e300, 5e-324, -2.2e-308, 2.0**-30),
    *(
        2.0**31 - 1,
        2.0**31,
        -(2.0**31),
        2.0**32,
        2.0**53,
        2.0**53 + 2,
        2.0**63,
        -(2.0**63),
        math.nan,
        math.inf,
        -math.inf,
    ),
]
MOST_DRAWN = 40
NUMBERS = st.sampled_from(EDGES) | st.integers(-3, 6).map(float) | st.floats()
INTEGERS = {
    base: np.iinfo(NUMPY_DTYPES[base]) for base in (BasicType.BYTE, BasicType.SHORT, BasicType.INT, BasicType.LONG)
}
WORDS = ("a", "the", "été", "Straße", "ΣΑΣ", "日本語", "😀", "")
LETTERS = st.sampled_from(
    [*"aAbé ÉßΣς12.,-_\t\n'İKſ日", "\x85", "\u2028", "\u0301", "\u0000", "😀", "𝔘", "𐐀", "٣", "߁", "\ud83d", "\ude00"]
)
NUMERALS = st.sampled_from(
    [
        *("1", " 1.5 ", "-0", "1e400", "0x1p3", "١", "１", "NaN", "+Infinity", "null", "true", "no", "99999999999"),
        *("1d", "1_0", ".5", "007", "1e-46", "-", "+", "0x", "1f", "3.4028236e38", "00000000000000000001"),
    ]
)
STRINGS_OF_ROWS = st.sampled_from(WORDS) | NUMERALS | st.text(LETTERS, max_size=8)


def scalars(base: BasicType) -> st.SearchStrategy[Any]:
    """Values of a basic type."""
    if base is BasicType.BOOLEAN:
        return st.booleans()
    if base is BasicType.DOUBLE:
        return NUMBERS
    if base is BasicType.FLOAT:
        return st.floats(width=32) | st.sampled_from([0.0, -0.0, float(np.float32(0.1)), 1e30])  # type: ignore[return-value]
    if base is BasicType.STRING:
        return STRINGS_OF_ROWS
    if base is BasicType.BYTE_STRING:
        return st.binary(max_size=4)
    low, high = int(INTEGERS[base].min), int(INTEGERS[base].max)
    return st.sampled_from([0, 1, -1, low, high]) | st.integers(low, high) | st.integers(-6, 6)


def elements(base: BasicType) -> st.SearchStrategy[Any]:
    """Values of a basic type, of which few are missing."""
    return st.integers(0, 9).flatmap(lambda draw: st.none() if draw == 9 else scalars(base))


def many(elements: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[list[Any]]:
    """A list of a length; a long one repeats few values, since drawing each takes too long."""
    if count <= MOST_DRAWN:
        return st.lists(elements, min_size=count, max_size=count)
    few = st.lists(elements, min_size=1, max_size=MOST_DRAWN)
    return few.map(lambda values: (values * (count // len(values) + 1))[:count])


@st.composite
def tensors(draw: st.DrawFn, base: BasicType, size: int) -> Tensor:
    """Mostly vectors of a size; sparse ones list what they store in any order, zeros too."""
    shape: tuple[int, ...] = (draw(st.sampled_from([size] * 12 + [max(size - 1, 0), size + 1, 0, 1])),)
    if draw(st.integers(0, 29)) == 0:
        shape = draw(st.sampled_from([(), (1, size), (size, 1)]))
    elements = scalars(base)
    total = math.prod(shape)
    if base in (BasicType.STRING, BasicType.BYTE_STRING) or len(shape) != 1 or draw(st.booleans()):
        values = draw(many(elements, total))
        array = np.empty(total, dtype=NUMPY_DTYPES[base])
        array[:] = values
        return Tensor(base, array, shape)
    places = draw(st.lists(st.integers(0, total - 1), unique=True, max_size=min(total, MOST_DRAWN))) if total else []
    stored = draw(st.lists(elements, min_size=len(places), max_size=len(places)))
    indices = np.array(places, dtype=np.int32).reshape(-1, 1)
    return Tensor(base, np.array(stored, dtype=NUMPY_DTYPES[base]), shape, indices)


def values_of(data_type: DataType, size: int) -> st.SearchStrategy[Any]:
    """Values of a column."""
    if isinstance(data_type, ScalarType):
        values = scalars(data_type.base)
    elif isinstance(data_type, ListType):
        values = st.lists(elements(data_type.base), max_size=5)
    elif isinstance(data_type, MapType):
        values = st.dictionaries(st.sampled_from(["a", "é", "", "😀"]), elements(data_type.base), max_size=3)
    else:
        values = tensors(data_type.base, size)
    return st.none() | values if data_type.nullable else values


# ---- plans ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """An expression that others may read.

    Attributes:
        size: the number of elements of most values of a vector.
        certain: whether all values have that size.
    """

    expr: Expr
    kind: Kind
    size: int = 0
    certain: bool = False


_TYPES: dict[Kind, DataType] = {"number": p.DOUBLE, "vector": VECTOR, "string": STRING, "tokens": STRINGS}


@dataclass
class Bench:
    """The expressions and the columns of a plan in the making."""

    draw: st.DrawFn
    size: int
    made: list[Made] = field(default_factory=list)
    inputs: list[p.Input] = field(default_factory=list)

    def input(self, data_type: DataType) -> p.Input:
        """A new column."""
        x = column(data_type, f"x{len(self.inputs)}")
        self.inputs.append(x)
        return x

    def pick(self, kind: Kind, certain: bool = False) -> Made:
        """An operand: mostly the newest that fits, else a new column."""
        fitting = [m for m in self.made if m.kind == kind and (m.certain or not certain)]
        if fitting and self.draw(st.integers(0, 3)):
            return fitting[-1] if self.draw(st.booleans()) else self.draw(st.sampled_from(fitting))
        if kind == "floats":
            return self.floats()
        if certain:
            count = self.draw(st.integers(1, 4))
            packed = p.Pack(xs=tuple(self.pick("number").expr for _ in range(count)), type=p.vector(count))
            return self.add(packed, "vector", count, certain=True)
        return self.add(self.input(_TYPES[kind]), kind, self.size)

    def floats(self) -> Made:
        """A vector of single precision."""
        x = self.pick("vector")
        count = self.draw(st.integers(1, 4))
        expr = p.FloatFeatures(
            x=x.expr,
            elements=np.array(self.draw(st.lists(st.integers(0, x.size + 1), min_size=count, max_size=count))),
            missing=self.singles(count).astype(np.float64),
            whole=np.array(self.draw(st.lists(st.booleans(), min_size=count, max_size=count))),
            size=x.size + self.draw(st.integers(0, 1)),
            type=p.vector(count),
        )
        return self.add(expr, "floats", count, certain=True)

    def add(self, expr: Expr, kind: Kind | None = None, size: int = 0, certain: bool = False) -> Made:
        """Keep an expression; others may read it if its values are exact."""
        made = Made(expr, kind or "number", size, certain)
        if kind is not None and tolerance(expr) == EXACT:
            self.made.append(made)
        return made

    def doubles(self, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Parameters."""
        return np.array(self.draw(many(NUMBERS, count)), dtype=np.float64)

    def singles(self, count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Parameters of single precision."""
        return np.array(self.draw(many(st.floats(width=32), count)), dtype=np.float32)

    def sorted_doubles(self, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Distinct numbers, without NaN and -0.0, in order."""
        numbers = st.lists(
            NUMBERS.filter(lambda x: x == x).map(lambda x: x + 0.0), min_size=count, max_size=count, unique=True
        )
        return np.array(sorted(self.draw(numbers)))

    def one(self, *choices: Any) -> Any:
        """One of some things."""
        return self.draw(st.sampled_from(choices))


Builder: TypeAlias = Callable[[Bench], Expr]
BUILDERS: dict[type[Expr], Builder] = {}


def builds(primitive: type[Expr]) -> Callable[[Builder], Builder]:
    """Mark the function that builds a primitive and keeps it."""

    def mark(builder: Builder) -> Builder:
        BUILDERS[primitive] = builder
        return builder

    return mark


NULLABLE_BASES = [base for base in BasicType if base is not BasicType.BYTE_STRING]


@builds(p.Cast)
def _cast(b: Bench) -> Expr:
    given, wanted = b.one(*NULLABLE_BASES), b.one(*NULLABLE_BASES)
    nullable = b.one(True, False)
    shape = b.one(
        "scalar", "scalar", "list", "tensor", "list to tensor", "tensor to list", "to tensor", "to scalar", "map"
    )
    types: dict[str, tuple[DataType, DataType]] = {
        "scalar": (ScalarType(given, nullable), ScalarType(wanted, nullable)),
        "list": (ListType(given, nullable), ListType(wanted, nullable)),
        "tensor": (TensorType(given, None, nullable), TensorType(wanted, None, nullable)),
        "list to tensor": (ListType(given, nullable), TensorType(wanted, None, nullable)),
        "tensor to list": (TensorType(given, None, nullable), ListType(wanted, nullable)),
        "to tensor": (ScalarType(given, nullable), TensorType(wanted, (), nullable)),
        "to scalar": (TensorType(given, (1,), nullable), ScalarType(wanted, nullable)),
        "map": (MapType(BasicType.STRING, given, nullable), MapType(BasicType.STRING, wanted, nullable)),
    }
    source, target = types[shape]
    expr = p.Cast(x=b.input(source), type=target)
    kinds: dict[DataType, Kind] = {p.DOUBLE: "number", STRING: "string", VECTOR: "vector", STRINGS: "tokens"}
    b.add(expr, kinds.get(target), b.size)
    return expr


@builds(p.NotNull)
def _not_null(b: Bench) -> Expr:
    kind: Kind = b.one("number", "vector", "string", "tokens")
    types: dict[Kind, DataType] = {
        "number": MAYBE_DOUBLE,
        "vector": TensorType(BasicType.DOUBLE),
        "string": MAYBE_STRING,
        "tokens": ListType(BasicType.STRING),
    }
    return b.add(p.NotNull(x=b.input(types[kind]), type=_TYPES[kind]), kind, b.size).expr


@builds(p.After)
def _after(b: Bench) -> Expr:
    kind: Kind = b.one("number", "vector", "string")
    x = b.pick(kind)
    others = tuple(b.pick(b.one("number", "vector", "string")).expr for _ in range(b.draw(st.integers(1, 2))))
    return b.add(p.After(x=x.expr, others=others, type=x.expr.type), kind, x.size, x.certain).expr


@builds(p.Impute)
def _impute(b: Bench) -> Expr:
    x = b.input(MAYBE_DOUBLE) if b.one(True, False) else b.pick("number").expr
    numbers = b.doubles(2)
    return b.add(p.Impute(x=x, surrogate=float(numbers[0]), missing=float(numbers[1]), type=p.DOUBLE), "number").expr


@builds(p.Lookup)
def _lookup(b: Bench) -> Expr:
    x = b.input(MAYBE_STRING) if b.one(True, False) else b.pick("string").expr
    labels = tuple(b.draw(st.lists(STRINGS_OF_ROWS, max_size=5)))
    return b.add(p.Lookup(x=x, labels=labels, invalid=b.one("error", "skip", "keep"), type=p.DOUBLE), "number").expr


@builds(p.Label)
def _label(b: Bench) -> Expr:
    labels = tuple(b.draw(st.lists(STRINGS_OF_ROWS, max_size=4)))
    form = b.one("number", "list", "vector")
    if form == "list":
        expr = p.Label(x=b.input(DOUBLES), labels=labels, type=STRINGS)
        return b.add(expr, "tokens").expr
    if form == "vector":
        return b.add(p.Label(x=b.pick("vector").expr, labels=labels, type=TEXTS)).expr
    return b.add(p.Label(x=b.pick("number").expr, labels=labels, type=STRING), "string").expr


@builds(p.OneHot)
def _one_hot(b: Bench) -> Expr:
    categories = b.one(1, 3, 2000)
    width = categories + b.one(-1, 0, 1)
    expr = p.OneHot(
        x=b.pick("number").expr, categories=categories, width=width, keep=b.one(True, False), type=p.vector(width)
    )
    return b.add(expr, "vector", width, certain=True).expr


@builds(p.CategoryWeight)
def _category_weight(b: Bench) -> Expr:
    categories = b.one(1, 3)
    expr = p.CategoryWeight(
        x=b.pick("number").expr,
        weights=b.doubles(b.one(0, 2, 4)),
        categories=categories,
        keep=b.one(True, False),
        type=p.DOUBLE,
    )
    return b.add(expr, "number").expr


@builds(p.Bucketize)
def _bucketize(b: Bench) -> Expr:
    count = b.one(2, 3, 5)
    splits = b.doubles(count) if b.draw(st.integers(0, 3)) == 0 else b.sorted_doubles(count)
    expr = p.Bucketize(x=b.pick("number").expr, splits=splits, invalid=b.one("error", "skip", "keep"), type=p.DOUBLE)
    return b.add(expr, "number").expr


@builds(p.Binarize)
def _binarize(b: Bench) -> Expr:
    threshold = float(b.doubles(1)[0])
    if b.one(True, False):
        return b.add(p.Binarize(x=b.pick("number").expr, threshold=threshold, type=p.DOUBLE), "number").expr
    x = b.pick("vector")
    return b.add(p.Binarize(x=x.expr, threshold=threshold, type=VECTOR), "vector", x.size, x.certain).expr


@builds(p.Concat)
def _concat(b: Bench) -> Expr:
    xs = [b.pick(b.one("number", "vector")) for _ in range(b.one(1, 2, 3))]
    size = sum(1 if x.kind == "number" else x.size for x in xs)
    certain = all(x.certain or x.kind == "number" for x in xs)
    kind = p.vector(size) if certain else VECTOR
    return b.add(p.Concat(xs=tuple(x.expr for x in xs), type=kind), "vector", size, certain).expr


@builds(p.Pack)
def _pack(b: Bench) -> Expr:
    xs = tuple(b.pick("number").expr for _ in range(b.one(0, 1, 2, 4)))
    return b.add(p.Pack(xs=xs, type=p.vector(len(xs))), "vector", len(xs), certain=True).expr


@builds(p.Item)
def _item(b: Bench) -> Expr:
    x = b.pick("vector")
    return b.add(p.Item(x=x.expr, index=b.draw(st.integers(0, x.size)), type=p.DOUBLE), "number").expr


@builds(p.Affine)
def _affine(b: Bench) -> Expr:
    x = b.pick("vector")
    steps = {
        name: b.doubles(x.size)
        for name in ("shift", "divisor", "factor", "offset", "fixed")
        if b.one(True, False, False)
    }
    expr = p.Affine(x=x.expr, size=x.size, keep_nan=b.one(True, False), type=VECTOR, **steps)  # type: ignore[arg-type]
    return b.add(expr, "vector", x.size, x.certain).expr


@builds(p.Clip)
def _clip(b: Bench) -> Expr:
    low, high = b.sorted_doubles(2).tolist()
    if b.one(True, False):
        return b.add(p.Clip(x=b.pick("number").expr, low=low, high=high, type=p.DOUBLE), "number").expr
    x = b.pick("vector")
    return b.add(p.Clip(x=x.expr, low=low, high=high, type=VECTOR), "vector", x.size, x.certain).expr


@builds(p.Normalize)
def _normalize(b: Bench) -> Expr:
    x = b.pick("vector")
    power = b.one(1.0, 2.0, math.inf, 3.0, 0.5)
    return b.add(p.Normalize(x=x.expr, p=power, type=VECTOR), "vector", x.size, x.certain).expr


@builds(p.Dot)
def _dot(b: Bench) -> Expr:
    x = b.pick("vector")
    expr = p.Dot(x=x.expr, weights=b.doubles(x.size), intercept=float(b.doubles(1)[0]), type=p.DOUBLE)
    return b.add(expr, "number").expr


@builds(p.MatVec)
def _mat_vec(b: Bench) -> Expr:
    x = b.pick("vector")
    rows = b.one(1, 2, 3)
    matrix = b.doubles(rows * x.size).reshape(rows, x.size)
    expr = p.MatVec(x=x.expr, matrix=matrix, intercepts=b.doubles(rows), type=p.vector(rows))
    return b.add(expr, "vector", rows, certain=True).expr


@builds(p.LinearSum)
def _linear_sum(b: Bench) -> Expr:
    xs = [b.pick("number") if b.one(True, False) else b.pick("vector", certain=True) for _ in range(b.one(1, 2, 3))]
    weights = tuple(b.doubles(1 if x.kind == "number" else x.size) for x in xs)
    expr = p.LinearSum(xs=tuple(x.expr for x in xs), weights=weights, intercept=float(b.doubles(1)[0]), type=p.DOUBLE)
    return b.add(expr, "number").expr


@builds(p.CosineTransform)
def _cosine_transform(b: Bench) -> Expr:
    # Near the greatest double the steps of one transform overflow, and those of another do not.
    x = p.Clip(x=b.pick("vector").expr, low=-1e150, high=1e150, type=VECTOR)
    return b.add(p.CosineTransform(x=x, inverse=b.one(True, False), type=VECTOR), "vector").expr


@builds(p.Nearest)
def _nearest(b: Bench) -> Expr:
    x = b.pick("vector")
    return b.add(p.Nearest(x=x.expr, centers=b.doubles(3 * x.size).reshape(3, x.size), type=p.INT)).expr


@builds(p.ScaledDistances)
def _scaled_distances(b: Bench) -> Expr:
    x = b.pick("vector")
    centers, scales = (b.doubles(2 * x.size).reshape(2, x.size) for _ in range(2))
    expr = p.ScaledDistances(x=x.expr, centers=centers, scales=scales, type=p.vector(2))
    return b.add(expr, "vector", 2, certain=True).expr


@builds(p.Distances)
def _distances(b: Bench) -> Expr:
    x = b.pick("vector")
    metric = b.one("squared", "manhattan", "chebyshev", "present")
    expr = p.Distances(x=x.expr, centers=b.doubles(3 * x.size).reshape(3, x.size), metric=metric, type=p.vector(3))
    return b.add(expr, "vector", 3, certain=True).expr


@builds(p.NeighborWeights)
def _neighbor_weights(b: Bench) -> Expr:
    x = b.pick("vector")
    expr = p.NeighborWeights(
        x=x.expr,
        count=b.one(0, 1, 2, 9),
        radius=b.one(math.inf, 1.0),
        weighting=b.one("uniform", "inverse", "distance"),
        type=VECTOR,
    )
    return b.add(expr, "vector", x.size, x.certain).expr


@builds(p.NearestLeaf)
def _nearest_leaf(b: Bench) -> Expr:
    return b.add(p.NearestLeaf(x=b.pick("vector").expr, tree=clusters(), type=p.INT)).expr


@builds(p.TopicMixture)
def _topic_mixture(b: Bench) -> Expr:
    # Counts: inference is chaotic for others, where the last digit decides when it ends.
    x = p.Binarize(x=b.pick("vector").expr, threshold=b.one(0.5, 1.5), type=VECTOR)
    terms = np.linspace(0.1, 1.0, 2 * b.size).reshape(b.size, 2)
    return b.add(p.TopicMixture(x=x, weights=terms, alpha=np.full(2, 0.1), start=np.ones(2), type=p.vector(2))).expr


@builds(p.Unary)
def _unary(b: Bench) -> Expr:
    function = b.one(*(name for name, f in FUNCTIONS.items() if len(f.parameters) == 1))
    if b.one(True, False):
        return b.add(p.Unary(x=b.pick("number").expr, function=function, type=p.DOUBLE), "number").expr
    x = b.pick("vector")
    return b.add(p.Unary(x=x.expr, function=function, type=VECTOR), "vector", x.size, x.certain).expr


@builds(p.Binary)
def _binary(b: Bench) -> Expr:
    function = b.one(*(name for name, f in FUNCTIONS.items() if len(f.parameters) == 2))
    if b.one(True, False):
        x, y = b.pick("vector"), b.pick(b.one("vector", "number"))
        a, other = (x, y) if b.one(True, False) else (y, x)
        return b.add(p.Binary(a=a.expr, b=other.expr, function=function, type=VECTOR), "vector", x.size).expr
    expr = p.Binary(a=b.pick("number").expr, b=b.pick("number").expr, function=function, type=p.DOUBLE)
    return b.add(expr, "number").expr


@builds(p.Constant)
def _constant(b: Bench) -> Expr:
    return b.add(p.Constant(value=float(b.doubles(1)[0]), type=p.DOUBLE), "number").expr


@builds(p.Polynomials)
def _polynomials(b: Bench) -> Expr:
    breaks = b.sorted_doubles(b.one(0, 1, 3))
    outputs, terms = b.one(1, 2), b.one(1, 2, 4)
    expr = p.Polynomials(
        x=b.pick("number").expr,
        breaks=breaks,
        origins=b.doubles(len(breaks) + 1),
        coefficients=b.doubles((len(breaks) + 1) * outputs * terms).reshape(-1, outputs, terms),
        type=p.vector(outputs),
    )
    return b.add(expr, "vector", outputs, certain=True).expr


@builds(p.WeightedMedian)
def _weighted_median(b: Bench) -> Expr:
    x = b.pick("vector")
    if not x.size:
        x = b.pick("vector", certain=True)
    return b.add(p.WeightedMedian(x=x.expr, weights=b.doubles(x.size), type=p.DOUBLE), "number").expr


@builds(p.RequireWithin)
def _require_within(b: Bench) -> Expr:
    low, high = b.sorted_doubles(2).tolist()
    return b.add(p.RequireWithin(x=b.pick("number").expr, low=low, high=high, type=p.DOUBLE), "number").expr


@builds(p.Interpolate)
def _interpolate(b: Bench) -> Expr:
    count = b.one(1, 2, 4)
    boundaries = np.sort(b.doubles(count)[:count])
    boundaries = boundaries[np.isfinite(boundaries)]
    boundaries = boundaries if len(boundaries) else np.zeros(1)
    expr = p.Interpolate(
        x=b.pick("number").expr, boundaries=boundaries, predictions=b.doubles(len(boundaries)), type=p.DOUBLE
    )
    return b.add(expr, "number").expr


@builds(p.Softmax)
def _softmax(b: Bench) -> Expr:
    return b.add(p.Softmax(x=b.pick("vector").expr, type=VECTOR)).expr


@builds(p.NormalizeSum)
def _normalize_sum(b: Bench) -> Expr:
    x = b.pick("vector")
    return b.add(p.NormalizeSum(x=x.expr, type=VECTOR), "vector", x.size, x.certain).expr


@builds(p.ArgMax)
def _arg_max(b: Bench) -> Expr:
    x = b.pick("vector")
    thresholds = np.abs(b.doubles(x.size)) if b.one(True, False) else None
    return b.add(p.ArgMax(x=x.expr, thresholds=thresholds, type=p.DOUBLE), "number").expr


@builds(p.RequireElements)
def _require_elements(b: Bench) -> Expr:
    x = b.pick("vector")
    expr = p.RequireElements(x=x.expr, allowed=b.one("zero_or_one", "nonnegative"), type=VECTOR)
    return b.add(expr, "vector", x.size, x.certain).expr


@builds(p.ExpNormalize)
def _exp_normalize(b: Bench) -> Expr:
    return b.add(p.ExpNormalize(x=b.pick("vector").expr, log=b.one(True, False), type=VECTOR)).expr


@builds(p.SquareSums)
def _square_sums(b: Bench) -> Expr:
    x = b.pick("vector", certain=True)
    size = b.one(*(n for n in range(1, x.size + 1) if x.size % n == 0), 1)
    return b.add(p.SquareSums(x=x.expr, size=size, type=VECTOR), "vector", x.size // size, certain=True).expr


@builds(p.Greatest)
def _greatest(b: Bench) -> Expr:
    return b.add(p.Greatest(x=b.pick("vector").expr, position=b.one(True, False), type=p.DOUBLE), "number").expr


@builds(p.Trees)
def _trees(b: Bench) -> Expr:
    x = b.pick("vector")
    rng = np.random.default_rng(b.draw(st.integers(0, 999)))
    expr = ensemble(b.one(*ENSEMBLES), x.expr, rng, max(x.size, 1))
    kind: Kind | None = "number" if expr.type == p.DOUBLE else None
    return b.add(expr, kind).expr


@builds(p.LowerCase)
def _lower_case(b: Bench) -> Expr:
    return b.add(p.LowerCase(x=b.pick("string").expr, type=STRING), "string").expr


@builds(p.StripAccents)
def _strip_accents(b: Bench) -> Expr:
    return b.add(p.StripAccents(x=b.pick("string").expr, ascii=b.one(True, False), type=STRING), "string").expr


@builds(p.CharacterGrams)
def _character_grams(b: Bench) -> Expr:
    least = b.one(1, 2, 4)
    expr = p.CharacterGrams(
        x=b.pick("string").expr, least=least, greatest=least + b.one(0, 1, 3), words=b.one(True, False), type=STRINGS
    )
    return b.add(expr, "tokens").expr


@builds(p.Tokens)
def _tokens(b: Bench) -> Expr:
    pattern = b.one(r"\s", r"\s+", r"\W+", r"[^a]", "a|é", "ab*", r"\p{L}+", "(?i)a", r"\d", ",")
    return b.add(
        p.Tokens(x=b.pick("string").expr, pattern=pattern, gaps=b.one(True, False), type=STRINGS), "tokens"
    ).expr


@builds(p.TokensOfLength)
def _tokens_of_length(b: Bench) -> Expr:
    x = b.pick("tokens").expr
    return b.add(
        p.TokensOfLength(x=x, min_length=b.one(0, 1, 2, 4), letters=b.one(True, False), type=STRINGS), "tokens"
    ).expr


@builds(p.WithoutWords)
def _without_words(b: Bench) -> Expr:
    words = tuple(b.draw(st.lists(st.sampled_from([*WORDS, "THE", "σασ", "ÉTÉ"]), max_size=4)))
    expr = p.WithoutWords(x=b.pick("tokens").expr, words=words, case_sensitive=b.one(True, False), type=STRINGS)
    return b.add(expr, "tokens").expr


@builds(p.NGrams)
def _ngrams(b: Bench) -> Expr:
    return b.add(p.NGrams(x=b.pick("tokens").expr, n=b.one(0, 1, 2, 3), type=STRINGS), "tokens").expr


@builds(p.SignedHashes)
def _signed_hashes(b: Bench) -> Expr:
    size = b.one(1, 7, 1 << 20)
    expr = p.SignedHashes(
        x=b.pick("tokens").expr, size=size, signed=b.one(True, False), binary=b.one(True, False), type=p.vector(size)
    )
    return b.add(expr, "vector", size, certain=True).expr


@builds(p.HashedCounts)
def _hashed_counts(b: Bench) -> Expr:
    size = b.one(1, 7, 5000)
    binary, legacy = b.one(True, False), b.one(True, False)
    expr = p.HashedCounts(x=b.pick("tokens").expr, size=size, binary=binary, legacy_tail=legacy, type=p.vector(size))
    return b.add(expr, "vector", size, certain=True).expr


@builds(p.HashedFeatures)
def _hashed_features(b: Bench) -> Expr:
    bases = [b.one(*NULLABLE_BASES) for _ in range(b.one(1, 2, 3))]
    categories = tuple(base is not BasicType.DOUBLE or b.one(True, False) for base in bases)
    size = b.one(3, 64, 5000)
    nullable = b.one(True, False)
    expr = p.HashedFeatures(
        xs=tuple(b.input(ScalarType(base, nullable)) for base in bases),
        names=tuple(f"n{i}-ü" for i in range(len(bases))),
        categories=categories,
        size=size,
        type=p.vector(size),
    )
    return b.add(expr, "vector", size, certain=True).expr


@builds(p.MinHash)
def _min_hash(b: Bench) -> Expr:
    numbers = b.draw(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=4, max_size=4))
    a, c = np.array(numbers[:2], dtype=np.int32), np.array(numbers[2:], dtype=np.int32)
    return b.add(p.MinHash(x=b.pick("vector").expr, a=a, b=c, type=p.vector(2)), "vector", 2, certain=True).expr


@builds(p.VocabularyCounts)
def _vocabulary_counts(b: Bench) -> Expr:
    vocabulary = tuple(b.draw(st.lists(st.sampled_from(WORDS), max_size=5)))
    size = len(set(vocabulary))
    expr = p.VocabularyCounts(
        x=b.pick("tokens").expr,
        vocabulary=vocabulary,
        binary=b.one(True, False),
        min_count=b.one(0.0, 0.5, 1.0, 2.0),
        type=p.vector(size),
    )
    return b.add(expr, "vector", size, certain=True).expr


@builds(p.WordVectors)
def _word_vectors(b: Bench) -> Expr:
    words = tuple(b.draw(st.lists(st.sampled_from(WORDS), max_size=4, unique=True)))
    complete = tuple(b.one(True, True, True, False) for _ in words)
    vectors = b.doubles(2 * len(words)).reshape(-1, 2)
    expr = p.WordVectors(
        x=b.pick("tokens").expr,
        words=words,
        vectors=vectors,
        complete=complete,
        normalize=b.one(True, False),
        type=p.vector(2),
    )
    return b.add(expr, "vector", 2, certain=True).expr


@builds(p.FirstMatch)
def _first_match(b: Bench) -> Expr:
    patterns = tuple(b.draw(st.lists(st.sampled_from([r"^a", r"(?i)É", r"\d+$", r"\s", "😀"]), max_size=3)))
    x = b.input(MAYBE_STRING) if b.one(True, False) else b.pick("string").expr
    default = b.one(None, -1) if patterns else 7
    return b.add(
        p.FirstMatch(x=x, patterns=patterns, values=tuple(range(len(patterns))), default=default, type=p.INT)
    ).expr


@builds(p.ValueAt)
def _value_at(b: Bench) -> Expr:
    x = p.Bucketize(
        x=b.pick("number").expr, splits=np.array([-math.inf, 0.0, 2.0, math.inf]), invalid="keep", type=p.DOUBLE
    )
    return b.add(p.ValueAt(x=x, values=b.doubles(4), type=p.DOUBLE), "number").expr


@builds(p.MapEntry)
def _map_entry(b: Bench) -> Expr:
    base = b.one(*NULLABLE_BASES)
    default = b.draw(scalars(base))
    x = b.input(MapType(BasicType.STRING, base, nullable=False))
    expr = p.MapEntry(x=x, key=b.input(STRING), default=default, type=ScalarType(base, base is BasicType.STRING))
    return b.add(expr, "number" if base is BasicType.DOUBLE else None).expr


@builds(p.Coalesce)
def _coalesce(b: Bench) -> Expr:
    xs = tuple(b.input(MAYBE_DOUBLE) for _ in range(b.one(0, 1, 2, 3)))
    return b.add(p.Coalesce(xs=xs, type=MAYBE_DOUBLE)).expr


@builds(p.Switch)
def _switch(b: Bench) -> Expr:
    at = p.Bucketize(
        x=b.pick("number").expr, splits=np.array([-math.inf, 0.0, math.inf]), invalid="error", type=p.DOUBLE
    )
    x, v = b.pick("number"), b.pick("vector")
    number, vector = column(p.DOUBLE, "0"), column(VECTOR, "1")
    plans = (
        plan_of(out=p.Bucketize(x=number, splits=np.array([0.0, 2.0]), invalid=b.one("skip", "error"), type=p.DOUBLE)),
        plan_of(out=p.Dot(x=vector, weights=b.doubles(v.size), intercept=0.0, type=p.DOUBLE)),
    )
    return b.add(p.Switch(position=at, xs=(x.expr, v.expr), plans=plans, type=p.DOUBLE), "number").expr


@builds(p.ElementsAtLeast)
def _elements_at_least(b: Bench) -> Expr:
    x = b.pick("vector")
    threshold = float(b.doubles(1)[0])
    limit, gives = b.draw(st.integers(0, x.size)), b.one("elements", "positions")
    return b.add(p.ElementsAtLeast(x=x.expr, threshold=threshold, limit=limit, gives=gives, type=DOUBLES)).expr


@builds(p.Recode)
def _recode(b: Bench) -> Expr:
    x = b.pick("vector")
    positions = tuple(sorted(b.draw(st.sets(st.integers(0, x.size - 1), max_size=5)))) if x.size else ()
    tables = []
    for _ in positions:
        keys = b.sorted_doubles(b.one(0, 1, 3))
        tables.append((keys, b.doubles(len(keys))))
    others = tuple(b.doubles(len(positions)).tolist()) if b.one(True, False) else None
    expr = p.Recode(x=x.expr, size=x.size, positions=positions, tables=tuple(tables), others=others, type=VECTOR)
    return b.add(expr, "vector", x.size, certain=True).expr


@builds(p.Take)
def _take(b: Bench) -> Expr:
    x = b.pick("vector")
    indices = tuple(b.draw(st.lists(st.integers(0, x.size), max_size=4)))
    size = len(indices)
    return b.add(
        p.Take(x=x.expr, indices=indices, rising=b.one(True, False), type=p.vector(size)), "vector", size, True
    ).expr


@builds(p.Reshape)
def _reshape(b: Bench) -> Expr:
    x = b.input(TensorType(BasicType.DOUBLE, nullable=False))
    if b.one(True, False):
        return b.add(p.Reshape(x=x, type=p.vector(b.size)), "vector", b.size, certain=True).expr
    return b.add(p.Reshape(x=x, type=TensorType(BasicType.DOUBLE, (1, b.size), nullable=False))).expr


@builds(p.Interaction)
def _interaction(b: Bench) -> Expr:
    xs = [b.pick(b.one("number", "vector")) for _ in range(b.one(1, 2))]
    categories = tuple(tuple(b.one(1, 1, 2, 3) for _ in range(1 if x.kind == "number" else min(x.size, 5))) for x in xs)
    width = math.prod(map(sum, categories))
    expr = p.Interaction(xs=tuple(x.expr for x in xs), categories=categories, type=p.vector(width))
    return b.add(expr, "vector", width, certain=True).expr


@builds(p.PolynomialExpansion)
def _polynomial_expansion(b: Bench) -> Expr:
    x = b.pick("vector")
    size, degree = min(x.size, 5), b.one(0, 1, 2, 3)
    width = math.comb(size + degree, degree) - 1
    expr = p.PolynomialExpansion(x=x.expr, degree=degree, size=size, type=p.vector(width))
    return b.add(expr, "vector", width, certain=True).expr


@builds(p.PowerProducts)
def _power_products(b: Bench) -> Expr:
    x = b.pick("vector")
    pairs = st.lists(st.tuples(st.integers(0, x.size), st.integers(1, 3)), max_size=3)
    terms = tuple(tuple(term) for term in b.draw(st.lists(pairs, max_size=3)))
    return b.add(p.PowerProducts(x=x.expr, terms=terms, type=p.vector(len(terms)))).expr


@builds(p.FactorProduct)
def _factor_product(b: Bench) -> Expr:
    floats = b.singles(4).reshape(2, 2)
    expr = p.FactorProduct(
        a=b.input(p.INT),
        b=b.input(p.INT),
        a_ids=np.array([-1, 3], dtype=np.int32),
        a_factors=floats,
        b_ids=np.array([0, 2**31 - 1], dtype=np.int32),
        b_factors=floats[::-1].copy(),
        type=ScalarType(BasicType.FLOAT, nullable=False),
    )
    return b.add(expr).expr


@builds(p.FloatFeatures)
def _float_features(b: Bench) -> Expr:
    return b.floats().expr


@builds(p.FloatFunction)
def _float_function(b: Bench) -> Expr:
    x = b.pick("floats")
    return b.add(
        p.FloatFunction(x=x.expr, function=b.one(*FLOAT_FUNCTIONS), type=VECTOR), "floats", x.size, x.certain
    ).expr


@builds(p.FloatSoftmax)
def _float_softmax(b: Bench) -> Expr:
    return b.add(p.FloatSoftmax(x=b.pick("floats").expr, type=VECTOR)).expr


@builds(p.FloatLinear)
def _float_linear(b: Bench) -> Expr:
    x = b.pick("floats")
    groups, contributions = b.one(1, 2), b.one(True, False)
    width = groups * (x.size + 1 if contributions else 1)
    expr = p.FloatLinear(
        x=x.expr,
        weights=b.singles(x.size * groups).reshape(x.size, groups),
        base=b.singles(groups),
        contributions=contributions,
        type=p.vector(width),
    )
    return b.add(expr, "floats", width, certain=True).expr


@builds(p.TreeContributions)
def _tree_contributions(b: Bench) -> Expr:
    x = b.pick("floats")
    trees = ensemble("one cut", x.expr, np.random.default_rng(b.draw(st.integers(0, 99))), x.size).trees
    expr = p.TreeContributions(
        x=x.expr,
        trees=trees,
        cover=tuple(np.where(t.kind == LEAF, 1.0, 2.0).astype(np.float32) for t in trees),
        weights=np.ones(len(trees), dtype=np.float32),
        groups=tuple(i % 2 for i in range(len(trees))),
        base=np.array([0.5, 0.1], dtype=np.float32),
        features=np.arange(x.size),
        num_features=x.size,
        type=p.vector(2 * (x.size + 1)),
    )
    return b.add(expr, "floats", 2 * (x.size + 1), certain=True).expr


# ---- plans and rows ---------------------------------------------------------------------------------------------------


class Example:
    """A plan whose outputs are the primitives drawn, and rows for it."""

    def __init__(self, plan: Plan, rows: list[tuple[Any, ...]]) -> None:
        self.plan = plan
        self.rows = rows

    def __repr__(self) -> str:
        return "\n" + case_source(self.plan, self.rows)


@st.composite
def examples(draw: st.DrawFn, primitives: Sequence[type[Expr]] = tuple(BUILDERS), most_rows: int = 8) -> Example:
    """A plan of one to three of some primitives, and what they need."""
    size = draw(st.sampled_from([3, 3, 2, 1, 0, 1030]))
    bench = Bench(draw, size if size < 1000 or draw(st.integers(0, 5)) == 0 else 4)
    built = [
        BUILDERS[primitive](bench) for primitive in draw(st.lists(st.sampled_from(primitives), min_size=1, max_size=3))
    ]
    plan = plan_of(**{f"out{i}": expr for i, expr in enumerate(built)})
    rows = st.tuples(*(values_of(f.type, bench.size) for f in plan.inputs))
    return Example(plan, draw(st.lists(rows, min_size=1, max_size=most_rows)))
