"""Assembling columns to vectors, and scaling vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import DataShape, DataType
from leapstream.ops.base import Op, attribute, doubles, not_null, require
from leapstream.ops.lowering import Lowering, MissingTexts
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VectorAssembler(Op):
    """Numbers and vectors concatenated to one vector (MLeap ``VectorAssemblerModel``); a missing value fails, NaN does not.

    Attributes:
        input_shapes: shape of each input: scalar, or tensor of one dimension.
    """

    op: ClassVar[str] = "vector_assembler"
    missing_texts: ClassVar[MissingTexts] = "fails"
    keeps_dimensions: ClassVar[bool] = True
    input_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")

    def __post_init__(self) -> None:
        for shape in self.input_shapes:
            one = shape.base == "tensor" and shape.dimensions is not None and len(shape.dimensions) == 1
            require(shape.base == "scalar" or one, "input_shapes has to hold scalars and vectors of a given size")

    @property
    def size(self) -> int:
        """Number of elements of the result."""
        return sum(1 if shape.base == "scalar" else (shape.dimensions or (0,))[0] for shape in self.input_shapes)

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": not_null(shape) for i, shape in enumerate(self.input_shapes)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.Concat(xs=inputs, type=doubles(self.size)))}


class _VectorOp(Op):
    """An op from one vector to another of the same size."""

    def size(self) -> int | None:
        """Number of elements."""
        raise NotImplementedError

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.size())}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size())}

    def _affine(self, lowering: Lowering, x: Expr, **steps: Any) -> Expr:
        size = self.size()
        assert size is not None
        return lowering.add(p.Affine(x=x, size=size, type=doubles(size), **steps))


@dataclass(frozen=True, eq=False)
class StandardScaler(_VectorOp):
    """``(x - mean) * (1 / std)``, or one of the two steps; 0 where ``std`` is 0 (MLeap ``StandardScalerModel``).

    Without ``mean``, sparse vectors stay sparse, and NaN stays NaN even where ``std`` is 0.

    Attributes:
        mean: float64 (size,), or ``None``.
        std: float64 (size,), or ``None``; at least one of the two is required.
    """

    op: ClassVar[str] = "standard_scaler"
    mean: Doubles | None = attribute("vector", default=None)
    std: Doubles | None = attribute("vector", default=None)

    def __post_init__(self) -> None:
        require(self.mean is not None or self.std is not None, "a mean or a std is needed")
        if self.mean is not None and self.std is not None:
            require(len(self.mean) == len(self.std), "mean and std differ in size")

    def size(self) -> int:
        given = self.std if self.std is not None else self.mean
        assert given is not None
        return len(given)

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        if self.std is None:
            return {"output": self._affine(lowering, inputs[0], shift=self.mean)}
        with np.errstate(divide="ignore"):
            factor = np.where(self.std != 0.0, 1.0 / self.std, 0.0)
        if self.mean is None:
            return {"output": self._affine(lowering, inputs[0], factor=factor)}
        fixed = np.where(self.std != 0.0, np.nan, 0.0)
        return {"output": self._affine(lowering, inputs[0], shift=self.mean, factor=factor, fixed=_unless_none(fixed))}


@dataclass(frozen=True, eq=False)
class MinMaxScaler(_VectorOp):
    """``(x - min) / (max - min)`` scaled to [minValue, maxValue] (MLeap ``MinMaxScalerModel``).

    Where ``max`` equals ``min``, the result is the middle of the range. NaN stays NaN.

    Attributes:
        min: float64 (size,), the least value of each element.
        max: float64 (size,), the greatest value of each element.
        min_value: lower bound of the result (``minValue`` in a bundle), 0 by default.
        max_value: upper bound of the result (``maxValue``), 1 by default.
    """

    op: ClassVar[str] = "min_max_scaler"
    min: Doubles = attribute("vector")
    max: Doubles = attribute("vector")
    min_value: float = attribute("double", name="minValue", default=0.0)
    max_value: float = attribute("double", name="maxValue", default=1.0)

    def __post_init__(self) -> None:
        require(len(self.min) == len(self.max), "min and max differ in size")

    def size(self) -> int:
        return len(self.min)

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        scale = self.max_value - self.min_value
        extent = self.max - self.min
        middle = 0.5 * scale + self.min_value
        fixed = np.where(extent != 0.0, np.nan, middle)
        scaled = self._affine(
            lowering,
            inputs[0],
            shift=self.min,
            divisor=np.where(extent != 0.0, extent, 1.0),
            # A middle that is NaN is not fixed, but computed.
            factor=np.where((extent == 0.0) & np.isnan(middle), np.nan, scale),
            offset=np.full(len(extent), self.min_value),
            fixed=_unless_none(fixed),
            keep_nan=True,
        )
        return {"output": scaled}


def _unless_none(fixed: Doubles) -> Doubles | None:
    return None if np.isnan(fixed).all() else fixed


@dataclass(frozen=True, eq=False)
class MaxAbsScaler(_VectorOp):
    """``x / max_abs`` clipped to [-1, 1]; ``x`` itself where ``max_abs`` is 0 (MLeap ``MaxAbsScalerModel``).

    Spark does not clip.

    Attributes:
        max_abs: float64 (size,), the greatest absolute value of each element (``maxAbs`` in a bundle).
    """

    op: ClassVar[str] = "max_abs_scaler"
    max_abs: Doubles = attribute("vector", name="maxAbs")

    def size(self) -> int:
        return len(self.max_abs)

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        divisor = np.where(self.max_abs == 0.0, 1.0, self.max_abs)
        scaled = self._affine(lowering, inputs[0], divisor=divisor, keep_nan=True)
        return {"output": lowering.add(p.Clip(x=scaled, low=-1.0, high=1.0, type=scaled.type))}


@dataclass(frozen=True, eq=False)
class ElementwiseProduct(_VectorOp):
    """A vector times a factor for each element (MLeap ``ElementwiseProductModel``); sparse vectors stay sparse.

    Attributes:
        scaling_vec: float64 (size,), the factor of each element.
    """

    op: ClassVar[str] = "elementwise_product"
    scaling_vec: Doubles = attribute("vector")

    def size(self) -> int:
        return len(self.scaling_vec)

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": self._affine(lowering, inputs[0], factor=self.scaling_vec)}


@dataclass(frozen=True, eq=False)
class Normalizer(_VectorOp):
    """A vector divided by its p-norm; the vector itself where the norm is 0 (MLeap ``NormalizerModel``).

    Attributes:
        p_norm: at least 1, may be infinite. If it is NaN, which represents infinity in JSON bundles, every row fails.
        input_size: number of elements.
    """

    op: ClassVar[str] = "normalizer"
    p_norm: float = attribute("double")
    input_size: int = attribute("int")

    def size(self) -> int:
        return self.input_size

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.Normalize(x=inputs[0], p=self.p_norm, type=doubles(self.input_size)))}
