"""Arithmetic with columns, and vectors computed from other vectors."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import DataShape, DataType
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, not_null, require
from leapstream.ops.lowering import Lowering, MissingTexts
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

_LARGEST_INT = 2**31 - 1

UNARY_OPERATIONS = ("log", "exp", "sqrt", "sin", "cos", "tan", "abs", "logit", "floor", "ceil", "round")
BINARY_OPERATIONS = ("add", "sub", "mul", "div", "rem", "log_n", "pow", "min", "max")


@dataclass(frozen=True, eq=False)
class MathUnary(Op):
    """A function of a number (MLeap ``MathUnaryModel``).

    ``round`` rounds as Java does: halves up, NaN to 0, and large numbers to the greatest or least 64-bit integer. ``logit`` fails
    outside of [0, 1], and is infinite at 0 and 1.

    Attributes:
        operation: one of :data:`UNARY_OPERATIONS`.
    """

    op: ClassVar[str] = "math_unary"
    operation: p.FunctionName = attribute("string")

    def __post_init__(self) -> None:
        require(self.operation in UNARY_OPERATIONS, _unknown(self.operation, UNARY_OPERATIONS))

    def inputs(self) -> dict[str, DataType]:
        return {"input": DOUBLE}

    def outputs(self) -> dict[str, DataType]:
        return {"output": DOUBLE}

    def mleap_gap(self) -> str | None:
        newer = self.operation in ("floor", "ceil", "round")
        return f"MLeap 0.20.0 has no operation {self.operation!r}; newer versions have" if newer else None

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        x = inputs[0]
        if self.operation == "logit":
            x = lowering.add(p.RequireWithin(x=x, low=0.0, high=1.0, type=DOUBLE))
        return {"output": lowering.add(p.Unary(x=x, function=self.operation, type=DOUBLE))}


def _unknown(operation: str, known: tuple[str, ...]) -> str:
    return f"operation {operation!r} is none of {', '.join(known)}"


@dataclass(frozen=True, eq=False)
class MathBinary(Op):
    """A function of two numbers, each of which is a column or a constant (MLeap ``MathBinaryModel``).

    As in Java, the remainder has the sign of ``a``. ``log_n`` is the logarithm of ``a`` to the base ``b``.

    Attributes:
        operation: one of :data:`BINARY_OPERATIONS`.
        da: the constant ``a``; with it there is no port ``input_a``.
        db: the constant ``b``; with it there is no port ``input_b``.
    """

    op: ClassVar[str] = "math_binary"
    operation: p.FunctionName = attribute("string")
    da: float | None = attribute("double", default=None)
    db: float | None = attribute("double", default=None)

    def __post_init__(self) -> None:
        require(self.operation in BINARY_OPERATIONS, _unknown(self.operation, BINARY_OPERATIONS))

    def inputs(self) -> dict[str, DataType]:
        ports = {"input_a": self.da, "input_b": self.db}
        return {port: DOUBLE for port, given in ports.items() if given is None}

    def outputs(self) -> dict[str, DataType]:
        return {"output": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        given = iter(inputs)
        left, right = (
            next(given) if value is None else lowering.add(p.Constant(value=value, type=DOUBLE))
            for value in (self.da, self.db)
        )
        return {"output": lowering.add(p.Binary(a=left, b=right, function=self.operation, type=DOUBLE))}


@dataclass(frozen=True, eq=False)
class DCT(Op):
    """The orthonormal discrete cosine transform of a vector (MLeap ``DCTModel``).

    A vector may have any size except 0, which fails. If one element is NaN or infinite, all elements of the result are NaN;
    MLeap's algorithm leaves a few of them infinite where an element is infinite.

    Attributes:
        inverse: true for the inverse transform.
        input_size: declared number of elements.
    """

    op: ClassVar[str] = "dct"
    inverse: bool = attribute("boolean")
    input_size: int = attribute("int")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.input_size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.input_size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        transformed = p.CosineTransform(x=inputs[0], inverse=self.inverse, type=doubles(self.input_size))
        return {"output": lowering.add(transformed)}


@dataclass(frozen=True, eq=False)
class Interaction(Op):
    """All products of one element from each input, the last varying fastest (MLeap ``InteractionModel``).

    An element with n > 1 categories takes part as a one-hot vector of n elements; if it is not an integer in [0, n), the row
    fails. Only the stored elements of a sparse vector take part, and MLeap treats the k-th stored element as element k of the
    vector, so that the 1 of a one-hot vector is always element 0. Spark uses the element's index.

    Attributes:
        num_features: for each input the numbers of categories of its elements (``num_features0``, … in a bundle).
        input_shapes: shape of each input, scalar or vector.
    """

    op: ClassVar[str] = "interaction"
    missing_texts: ClassVar[MissingTexts] = "fails"
    num_features: tuple[tuple[int, ...], ...] = attribute("num_features")
    input_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")

    def __post_init__(self) -> None:
        require(len(self.num_features) == len(self.input_shapes), "num_inputs and input_shapes differ")
        for sizes, shape in zip(self.num_features, self.input_shapes, strict=True):
            require(shape.base in ("scalar", "tensor"), "input_shapes has to hold scalars and vectors")
            require(shape.base == "tensor" or len(sizes) == 1, "a scalar input has one number of categories")
            require(all(0 < size <= _LARGEST_INT for size in sizes), "numbers of categories have to be positive")
        require(self.size <= _LARGEST_INT, "the result has too many elements")

    @property
    def size(self) -> int:
        """Number of elements of the result."""
        return math.prod(map(sum, self.num_features))

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Interaction:
        """Read a list of numbers for each of ``num_inputs`` inputs."""
        for name in ("num_inputs", "input_shapes"):
            require(name in model.attributes, f"attribute {name!r} is missing")
        sizes = []
        for i in range(values.get_scalar(model.attributes["num_inputs"], "int")):
            name = f"num_features{i}"
            require(name in model.attributes, f"attribute {name!r} is missing")
            sizes.append(tuple(values.get_list(model.attributes[name], "int")))
        return cls(tuple(sizes), tuple(values.get_list(model.attributes["input_shapes"], "data_shape")))

    def to_model(self) -> ModelDef:
        """Write a list of numbers for each input."""
        sizes = {f"num_features{i}": values.list_of("int", part) for i, part in enumerate(self.num_features)}
        shapes = values.list_of("data_shape", self.input_shapes)
        count = values.scalar("int", len(self.num_features))
        return ModelDef(self.op, {"input_shapes": shapes, "num_inputs": count, **sizes})

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": not_null(shape) for i, shape in enumerate(self.input_shapes)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.Interaction(xs=inputs, categories=self.num_features, type=doubles(self.size)))}


@dataclass(frozen=True, eq=False)
class PCA(Op):
    """The coordinates of a vector along principal components (MLeap ``PcaModel``); no mean is subtracted.

    Attributes:
        principal_components: float64 (features, components); scikit-learn's exporter writes the transpose.
    """

    op: ClassVar[str] = "pca"
    principal_components: npt.NDArray[np.float64] = attribute("matrix")

    def __post_init__(self) -> None:
        require(self.principal_components.ndim == 2, "principal_components has to be a matrix")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.principal_components.shape[0])}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.principal_components.shape[1])}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        components = self.principal_components.shape[1]
        matrix = np.ascontiguousarray(self.principal_components.T)
        projected = p.MatVec(x=inputs[0], matrix=matrix, intercepts=np.zeros(components), type=doubles(components))
        return {"output": lowering.add(projected)}


@dataclass(frozen=True, eq=False)
class PolynomialExpansion(Op):
    """All products of 1 to ``degree`` elements of a vector, in Spark's order (MLeap ``PolynomialExpansionModel``).

    A product multiplies from the last element to the first. Once it is 0 it stays 0, even if NaN follows. A product with an
    element that a sparse vector does not store is 0.

    A dense vector may be shorter than declared; the elements that it lacks count as 0. A sparse vector of another size gives
    all products of its own elements.

    Attributes:
        degree: greatest number of factors.
        input_size: number of elements.
    """

    op: ClassVar[str] = "polynomial_expansion"
    degree: int = attribute("long")
    input_size: int = attribute("long")

    def __post_init__(self) -> None:
        require(self.degree >= 0 and self.input_size >= 0, "degree and input_size may not be negative")
        # This bounds degree and size too, so that computing the number of products is fast.
        require(self.degree <= 1000 and self.input_size < 1 << 24, "degree or input_size is too large")
        require(self.size < 1 << 22, "the result has too many elements")

    @cached_property
    def size(self) -> int:
        """Number of elements of the result."""
        return math.comb(self.input_size + self.degree, self.degree) - 1

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.input_size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        expanded = p.PolynomialExpansion(x=inputs[0], degree=self.degree, size=self.input_size, type=doubles(self.size))
        return {"output": lowering.add(expanded)}


_TERM = re.compile(r"x([0-9]+)(?:\^([0-9]+))?")


@dataclass(frozen=True, eq=False)
class SklearnPolynomialExpansion(Op):
    """Products of powers of a vector's elements (MLeap ``PolynomialFeaturesModel``).

    Attributes:
        combinations: scikit-learn's names of the products, such as ``[x0,x1,x0^2,x0 x1]``; one without elements is 1.
    """

    op: ClassVar[str] = "sklearn_polynomial_expansion"
    combinations: str = attribute("string")

    def __post_init__(self) -> None:
        largest = max((number for term in self.terms for pair in term for number in pair), default=0)
        require(largest <= _LARGEST_INT, f"combinations has the number {largest}, which is too large")

    @cached_property
    def terms(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each combination the pairs (index, power) of its elements."""
        parts = self.combinations.split(",")
        # Java's split leaves out empty strings at the end.
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        if parts == [""] and self.combinations:
            parts = []
        return tuple(tuple((int(index), int(power or 1)) for index, power in _TERM.findall(part)) for part in parts)

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(len({index for term in self.terms for index, _ in term}))}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(len(self.terms))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.PowerProducts(x=inputs[0], terms=self.terms, type=doubles(len(self.terms))))}
