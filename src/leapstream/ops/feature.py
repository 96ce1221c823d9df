"""Feature transformers (MLeap's ``core.feature``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import BasicType, DataShape, DataType, ScalarType
from leapstream.errors import UnsupportedOpError
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, not_null, register, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

Doubles = npt.NDArray[np.float64]
HandleInvalid = Literal["error", "skip", "keep"]


def _check_handler(value: str, allowed: tuple[str, ...] = ("error", "skip", "keep")) -> HandleInvalid:
    require(value in allowed, f"handle_invalid {value!r} is none of {', '.join(allowed)}")
    return cast(HandleInvalid, value)


# ---- categories -------------------------------------------------------------------------------------------------------


@register
@dataclass(frozen=True, eq=False)
class StringIndexer(Op):
    """Index of a string among its labels, per column (MLeap ``StringIndexerModel``).

    Values of other types are cast to strings first. A label that repeats has its last index. Missing and unseen values give
    ``len(labels)`` with ``handle_invalid`` = keep; else a missing value fails, and an unseen one fails (error) or drops the row
    (skip). Spark drops rows with missing values too (skip); MLeap does not.

    Attributes:
        labels_array: labels of each column.
        handle_invalid: ``error``, ``skip`` or ``keep``.
    """

    op: ClassVar[str] = "string_indexer"
    labels_array: tuple[tuple[str, ...], ...] = attribute("labels_array")
    handle_invalid: HandleInvalid = attribute("string", default="error")

    def __post_init__(self) -> None:
        _check_handler(self.handle_invalid)

    @classmethod
    def read(cls, model: ModelDef, where: str) -> StringIndexer:
        """A model with ``labels`` alone has one column; else ``labels_length`` counts ``labels_array_0``, …"""
        attributes = model.attributes
        if "labels_length" in attributes:
            names = [f"labels_array_{i}" for i in range(values.get_scalar(attributes["labels_length"], "int"))]
        else:
            names = ["labels"]
        for name in names:
            require(name in attributes, f"attribute {name!r} is missing")
        labels = tuple(tuple(values.get_list(attributes[name], "string")) for name in names)
        handler = (
            values.get_scalar(attributes["handle_invalid"], "string") if "handle_invalid" in attributes else "error"
        )
        return cls(labels, _check_handler(handler))

    def to_model(self) -> ModelDef:
        """The layout of MLeap since 0.20: ``labels_length`` and one list per column."""
        arrays = {f"labels_array_{i}": values.list_of("string", labels) for i, labels in enumerate(self.labels_array)}
        length = values.scalar("int", len(self.labels_array))
        handler = values.scalar("string", self.handle_invalid)
        return ModelDef(self.op, {"labels_length": length, "handle_invalid": handler, **arrays})

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": ScalarType(BasicType.STRING) for i in range(len(self.labels_array))}

    def outputs(self) -> dict[str, DataType]:
        return {f"output{i}": DOUBLE for i in range(len(self.labels_array))}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {
            f"output{i}": b.add(p.Lookup(x=x, labels=labels, invalid=self.handle_invalid, type=DOUBLE))
            for i, (x, labels) in enumerate(zip(inputs, self.labels_array, strict=True))
        }


@register
@dataclass(frozen=True, eq=False)
class ReverseStringIndexer(Op):
    """Label at an index, which is cut towards zero; fails outside of the labels (MLeap ``ReverseStringIndexerModel``).

    Attributes:
        labels: the labels.
        input_shape: of the input and the output: scalar, list or tensor.
    """

    op: ClassVar[str] = "reverse_string_indexer"
    labels: tuple[str, ...] = attribute("list<string>")
    input_shape: DataShape = attribute("data_shape", default=DataShape("scalar", False))

    def __post_init__(self) -> None:
        require(not self.input_shape.nullable, "input_shape may not be nullable")

    def inputs(self) -> dict[str, DataType]:
        return {"input": not_null(self.input_shape)}

    def outputs(self) -> dict[str, DataType]:
        shape = self.input_shape
        return {"output": DataShape(shape.base, True, shape.dimensions).of(BasicType.STRING)}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": b.add(p.Label(x=inputs[0], labels=self.labels, type=self.outputs()["output"]))}


@register
@dataclass(frozen=True, eq=False)
class OneHotEncoder(Op):
    """A category's index as a sparse vector with a 1 at its place, per column (MLeap ``OneHotEncoderModel``).

    An index that is no integer fails in every mode. One outside of [0, size) fails, or with ``handle_invalid`` = keep counts as
    a category of its own behind the others. With ``drop_last`` the last category (counting that one) is the zero vector.

    Attributes:
        category_sizes: number of categories of each column.
        handle_invalid: ``error`` or ``keep``.
        drop_last: leave out the last category.
    """

    op: ClassVar[str] = "one_hot_encoder"
    category_sizes: tuple[int, ...] = attribute("list<int>")
    handle_invalid: HandleInvalid = attribute("string", default="error")
    drop_last: bool = attribute("boolean", default=True)

    def __post_init__(self) -> None:
        _check_handler(self.handle_invalid, ("error", "keep"))
        require(all(size >= 0 for size in self.category_sizes), "category sizes may not be negative")

    @classmethod
    def read(cls, model: ModelDef, where: str) -> OneHotEncoder:
        """The old layout has ``size`` of one column; without ``handle_invalid`` it means keep when the last is dropped."""
        attributes = model.attributes
        require("drop_last" in attributes, "attribute 'drop_last' is missing")
        drop_last = values.get_scalar(attributes["drop_last"], "boolean")
        sizes_name = "size" if "size" in attributes else "category_sizes"
        require(sizes_name in attributes, "attribute 'category_sizes' is missing")
        if sizes_name == "size":
            sizes = [values.get_scalar(attributes["size"], "long")]
            handler = "keep" if drop_last else "error"
        else:
            sizes = values.get_list(attributes["category_sizes"], "int")
            handler = "error"
            require("handle_invalid" in attributes, "attribute 'handle_invalid' is missing")
        if "handle_invalid" in attributes:
            handler = values.get_scalar(attributes["handle_invalid"], "string")
        return cls(tuple(sizes), _check_handler(handler, ("error", "keep")), drop_last)

    def _width(self, size: int) -> int:
        return size + (self.handle_invalid == "keep") - self.drop_last

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": DOUBLE for i in range(len(self.category_sizes))}

    def outputs(self) -> dict[str, DataType]:
        return {f"output{i}": doubles(self._width(size)) for i, size in enumerate(self.category_sizes)}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        keep = self.handle_invalid == "keep"
        return {
            f"output{i}": b.add(
                p.OneHot(x=x, categories=size, width=self._width(size), keep=keep, type=doubles(self._width(size)))
            )
            for i, (x, size) in enumerate(zip(inputs, self.category_sizes, strict=True))
        }


@register
@dataclass(frozen=True, eq=False)
class Bucketizer(Op):
    """Number of the bucket that holds a number (MLeap ``BucketizerModel``).

    Buckets include their lower split, the last one its upper split too. NaN: the number of buckets with ``handle_invalid`` =
    keep, drops the row with skip, fails with error. A number outside of the splits fails in every mode. A first or last
    split that is NaN (as JSON bundles hold infinities) means -Infinity or Infinity.

    Attributes:
        splits: strictly increasing float64 (buckets + 1,).
        handle_invalid: ``error``, ``skip`` or ``keep``.
    """

    op: ClassVar[str] = "bucketizer"
    splits: tuple[float, ...] = attribute("list<double>")
    handle_invalid: HandleInvalid = attribute("string", default="error")

    def __post_init__(self) -> None:
        _check_handler(self.handle_invalid)
        require(len(self.splits) >= 2, "splits needs at least two numbers")
        first, *inner, last = self.splits
        restored = (-np.inf if first != first else first, *inner, np.inf if last != last else last)
        object.__setattr__(self, "splits", tuple(map(float, restored)))

    def to_model(self) -> ModelDef:
        """Infinite outer splits are written as NaN, which every reader takes for them: JSON has no infinity."""
        outer = [float("nan") if s in (-np.inf, np.inf) else s for s in self.splits]
        splits = (outer[0], *self.splits[1:-1], outer[-1])
        return ModelDef(
            self.op,
            {
                "splits": values.list_of("double", splits),
                "handle_invalid": values.scalar("string", self.handle_invalid),
            },
        )

    def inputs(self) -> dict[str, DataType]:
        return {"input": DOUBLE}

    def outputs(self) -> dict[str, DataType]:
        return {"output": DOUBLE}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        splits = np.array(self.splits)
        return {"output": b.add(p.Bucketize(x=inputs[0], splits=splits, invalid=self.handle_invalid, type=DOUBLE))}


class _Binarizer(Op):
    """What the binarizers of Spark and of scikit-learn share."""

    threshold: float

    def shape(self) -> DataShape:
        """Shape of the input and the output."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        require(self.shape().base in ("scalar", "tensor"), "the input has to be a scalar or a tensor")

    def inputs(self) -> dict[str, DataType]:
        return {"input": not_null(self.shape())}

    def outputs(self) -> dict[str, DataType]:
        return {"output": not_null(self.shape())}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": b.add(p.Binarize(x=inputs[0], threshold=self.threshold, type=self.outputs()["output"]))}


@register
@dataclass(frozen=True, eq=False)
class Binarizer(_Binarizer):
    """1 where a number, or a vector's element, is greater than the threshold, else 0 (MLeap ``BinarizerModel``).

    What a sparse vector does not store stays 0 even under a negative threshold, where Spark gives 1.

    Attributes:
        threshold: the threshold.
        input_shapes: shape of the input: scalar or tensor.
    """

    op: ClassVar[str] = "binarizer"
    threshold: float = attribute("double")
    input_shapes: DataShape = attribute("data_shape")

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """As declared; several columns (``thresholds``) are what MLeap's runtime refuses too."""
        if "thresholds" in model.attributes:
            raise UnsupportedOpError("a binarizer of several columns is not supported, neither by MLeap")
        return super().read(model, where)

    def shape(self) -> DataShape:
        return self.input_shapes


@register
@dataclass(frozen=True, eq=False)
class SklearnBinarizer(_Binarizer):
    """The binarizer as scikit-learn's exporter writes it; computes what :class:`Binarizer` does.

    Attributes:
        threshold: the threshold.
        input_shapes: shape of the input, the only element.
    """

    op: ClassVar[str] = "sklearn_binarizer"
    threshold: float = attribute("double")
    input_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")

    def shape(self) -> DataShape:
        require(len(self.input_shapes) > 0, "input_shapes is empty")
        return self.input_shapes[0]


@register
@dataclass(frozen=True, eq=False)
class Imputer(Op):
    """``surrogate_value`` where the input is missing, NaN or ``missing_value`` (MLeap ``ImputerModel``).

    Spark keeps NaN when ``missing_value`` is another number; MLeap fills it.

    Attributes:
        surrogate_value: what is filled in.
        missing_value: number that counts as missing; NaN when a bundle does not say.
        strategy: how the surrogate was found (mean, median, …); not used.
        nullable_input: whether the input may be missing; else a missing value fails.
    """

    op: ClassVar[str] = "imputer"
    surrogate_value: float = attribute("double")
    missing_value: float = attribute("double", default=float("nan"))
    strategy: str = attribute("string", default="")
    nullable_input: bool = attribute("boolean", default=True)

    def inputs(self) -> dict[str, DataType]:
        return {"input": ScalarType(BasicType.DOUBLE, self.nullable_input)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": DOUBLE}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        filled = p.Impute(x=inputs[0], surrogate=self.surrogate_value, missing=self.missing_value, type=DOUBLE)
        return {"output": b.add(filled)}


# ---- vectors ----------------------------------------------------------------------------------------------------------


@register
@dataclass(frozen=True, eq=False)
class VectorAssembler(Op):
    """Numbers and vectors one after the other (MLeap ``VectorAssemblerModel``); a missing value fails, NaN passes.

    Attributes:
        input_shapes: shape of each input: scalar, or tensor of one dimension.
    """

    op: ClassVar[str] = "vector_assembler"
    input_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")

    def __post_init__(self) -> None:
        for shape in self.input_shapes:
            one = shape.base == "tensor" and shape.dimensions is not None and len(shape.dimensions) == 1
            require(shape.base == "scalar" or one, "input_shapes has to hold scalars and vectors of a given size")

    @property
    def size(self) -> int:
        """Length of the result."""
        return sum(1 if shape.base == "scalar" else (shape.dimensions or (0,))[0] for shape in self.input_shapes)

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": not_null(shape) for i, shape in enumerate(self.input_shapes)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size)}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": b.add(p.Concat(xs=inputs, type=doubles(self.size)))}


class _VectorOp(Op):
    """An op from one vector to another of the same size."""

    def size(self) -> int | None:
        """Number of elements."""
        raise NotImplementedError

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.size())}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.size())}

    def _affine(self, b: Lowering, x: Expr, **steps: Any) -> Expr:
        size = self.size()
        assert size is not None
        return b.add(p.Affine(x=x, size=size, type=doubles(size), **steps))


@register
@dataclass(frozen=True, eq=False)
class StandardScaler(_VectorOp):
    """``(x - mean) * (1 / std)``, or one of the two; 0 where ``std`` is 0 (MLeap ``StandardScalerModel``).

    With ``std`` alone sparse vectors stay sparse, and NaN stays NaN even where ``std`` is 0.

    Attributes:
        mean: float64 (size,), or ``None``.
        std: float64 (size,), or ``None``; one of the two is needed.
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

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        if self.std is None:
            return {"output": self._affine(b, inputs[0], shift=self.mean)}
        with np.errstate(divide="ignore"):
            factor = np.where(self.std != 0.0, 1.0 / self.std, 0.0)
        if self.mean is None:
            return {"output": self._affine(b, inputs[0], factor=factor)}
        fixed = np.where(self.std != 0.0, np.nan, 0.0)
        return {"output": self._affine(b, inputs[0], shift=self.mean, factor=factor, fixed=_unless_none(fixed))}


@register
@dataclass(frozen=True, eq=False)
class MinMaxScaler(_VectorOp):
    """``(x - min) / (max - min)`` scaled to [minValue, maxValue] (MLeap ``MinMaxScalerModel``).

    The middle of that range where max is min; NaN stays NaN.

    Attributes:
        min: float64 (size,), least value of each element.
        max: float64 (size,), greatest value of each element.
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

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        scale = self.max_value - self.min_value
        extent = self.max - self.min
        fixed = np.where(extent != 0.0, np.nan, 0.5 * scale + self.min_value)
        scaled = self._affine(
            b,
            inputs[0],
            shift=self.min,
            divisor=np.where(extent != 0.0, extent, 1.0),
            factor=np.full(len(extent), scale),
            offset=np.full(len(extent), self.min_value),
            fixed=_unless_none(fixed),
            keep_nan=True,
        )
        return {"output": scaled}


def _unless_none(fixed: Doubles) -> Doubles | None:
    return None if np.isnan(fixed).all() else fixed


@register
@dataclass(frozen=True, eq=False)
class MaxAbsScaler(_VectorOp):
    """``x / maxAbs`` held within [-1, 1]; ``x`` itself where maxAbs is 0 (MLeap ``MaxAbsScalerModel``).

    Spark does not clip.

    Attributes:
        max_abs: float64 (size,), greatest absolute value of each element (``maxAbs`` in a bundle).
    """

    op: ClassVar[str] = "max_abs_scaler"
    max_abs: Doubles = attribute("vector", name="maxAbs")

    def size(self) -> int:
        return len(self.max_abs)

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        scaled = self._affine(b, inputs[0], divisor=np.where(self.max_abs == 0.0, 1.0, self.max_abs))
        return {"output": b.add(p.Clip(x=scaled, low=-1.0, high=1.0, type=scaled.type))}


@register
@dataclass(frozen=True, eq=False)
class Normalizer(_VectorOp):
    """A vector divided by its p-norm; itself where that is 0 (MLeap ``NormalizerModel``).

    Attributes:
        p_norm: at least 1, may be infinite; every row fails when it is NaN, as which a JSON bundle holds infinity.
        input_size: number of elements.
    """

    op: ClassVar[str] = "normalizer"
    p_norm: float = attribute("double")
    input_size: int = attribute("int")

    def size(self) -> int:
        return self.input_size

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": b.add(p.Normalize(x=inputs[0], p=self.p_norm, type=doubles(self.input_size)))}


__all__ = [
    "Binarizer",
    "Bucketizer",
    "Imputer",
    "MaxAbsScaler",
    "MinMaxScaler",
    "Normalizer",
    "OneHotEncoder",
    "ReverseStringIndexer",
    "SklearnBinarizer",
    "StandardScaler",
    "StringIndexer",
    "VectorAssembler",
]
