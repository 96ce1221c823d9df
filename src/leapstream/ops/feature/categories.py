"""Categories and missing values: indexers, encoders, buckets, imputers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import numpy as np

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import BasicType, DataShape, DataType, ListType, ScalarType, TensorType
from leapstream.errors import UnsupportedOpError
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, not_null, require
from leapstream.ops.lowering import Lowering, MissingTexts
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

HandleInvalid = Literal["error", "skip", "keep"]


def check_handler(value: str, allowed: tuple[str, ...] = ("error", "skip", "keep")) -> HandleInvalid:
    """Return ``value``, or raise ``BundleError`` if it is not among the ``allowed`` ways to handle invalid values."""
    require(value in allowed, f"handle_invalid {value!r} is none of {', '.join(allowed)}")
    return cast(HandleInvalid, value)


@dataclass(frozen=True, eq=False)
class StringIndexer(Op):
    """The index of a string among its labels, for one or more columns (MLeap ``StringIndexerModel``).

    Values of other types are cast to strings first. The index of a label that repeats is its last one. With ``handle_invalid`` =
    keep, missing and unseen values give ``len(labels)``. Otherwise a missing value fails, and an unseen one fails (error) or
    drops the row (skip), also in a column whose output is not connected. With skip, Spark also drops rows with missing values;
    MLeap does not.

    Attributes:
        labels_array: labels of each column.
        handle_invalid: ``error``, ``skip`` or ``keep``.
    """

    op: ClassVar[str] = "string_indexer"
    labels_array: tuple[tuple[str, ...], ...] = attribute("labels_array")
    handle_invalid: HandleInvalid = attribute("string", default="error")

    def __post_init__(self) -> None:
        check_handler(self.handle_invalid)

    @classmethod
    def read(cls, model: ModelDef, where: str) -> StringIndexer:
        """Read the labels of one column from ``labels``, or those of ``labels_length`` columns from ``labels_array_0``, …"""
        attributes = model.attributes
        if "labels_length" in attributes:
            length = values.get_scalar(attributes["labels_length"], "int")
            require(length < len(attributes), f"labels_length is {length}, and there are not so many lists of labels")
            names = [f"labels_array_{i}" for i in range(length)]
        else:
            names = ["labels"]
        for name in names:
            require(name in attributes, f"attribute {name!r} is missing")
        labels = tuple(tuple(values.get_list(attributes[name], "string")) for name in names)
        handler = (
            values.get_scalar(attributes["handle_invalid"], "string") if "handle_invalid" in attributes else "error"
        )
        return cls(labels, check_handler(handler))

    def to_model(self) -> ModelDef:
        """Write MLeap's layout since 0.20: ``labels_length`` and one list per column."""
        arrays = {f"labels_array_{i}": values.list_of("string", labels) for i, labels in enumerate(self.labels_array)}
        length = values.scalar("int", len(self.labels_array))
        handler = values.scalar("string", self.handle_invalid)
        return ModelDef(self.op, {"labels_length": length, "handle_invalid": handler, **arrays})

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": ScalarType(BasicType.STRING) for i in range(len(self.labels_array))}

    def outputs(self) -> dict[str, DataType]:
        return {f"output{i}": DOUBLE for i in range(len(self.labels_array))}

    def computed_ports(self) -> tuple[str, ...]:
        return tuple(self.outputs())

    def bundle_ports(self) -> dict[str, str]:
        return {"input0": "input", "output0": "output"} if len(self.labels_array) == 1 else {}

    def mleap_gap(self) -> str | None:
        several = len(self.labels_array) > 1
        return "MLeap 0.20.0 indexes one column only; newer versions index several" if several else None

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        indexes = {
            f"output{i}": lowering.add(p.Lookup(x=x, labels=labels, invalid=self.handle_invalid, type=DOUBLE))
            for i, (x, labels) in enumerate(zip(inputs, self.labels_array, strict=True))
        }
        return lowering.together(indexes, wanted)


@dataclass(frozen=True, eq=False)
class ReverseStringIndexer(Op):
    """The label at an index, which is truncated towards zero (MLeap ``ReverseStringIndexerModel``).

    Fails where there is no label at the index.

    Attributes:
        labels: the labels.
        input_shape: shape of the input and the output: scalar, list or tensor.
    """

    op: ClassVar[str] = "reverse_string_indexer"
    keeps_dimensions: ClassVar[bool] = True
    labels: tuple[str, ...] = attribute("list<string>")
    input_shape: DataShape = attribute("data_shape", default=DataShape("scalar", False))

    def __post_init__(self) -> None:
        require(not self.input_shape.nullable, "input_shape may not be nullable")

    def inputs(self) -> dict[str, DataType]:
        return {"input": not_null(self.input_shape)}

    def outputs(self) -> dict[str, DataType]:
        shape = self.input_shape
        return {"output": DataShape(shape.base, True, shape.dimensions).of(BasicType.STRING)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.Label(x=inputs[0], labels=self.labels, type=self.outputs()["output"]))}


@dataclass(frozen=True, eq=False)
class OneHotEncoder(Op):
    """A sparse vector with a 1 at the index of a category, for one or more columns (MLeap ``OneHotEncoderModel``).

    An index that is not an integer always fails, also in a column whose output is not connected. An index outside of [0, size)
    fails, or with ``handle_invalid`` = keep is a category of its own, after the others. With ``drop_last`` the last category,
    which may be that one, gives the zero vector.

    Attributes:
        category_sizes: number of categories of each column.
        handle_invalid: ``error`` or ``keep``.
        drop_last: true if the last category is left out.
    """

    op: ClassVar[str] = "one_hot_encoder"
    category_sizes: tuple[int, ...] = attribute("list<int>")
    handle_invalid: HandleInvalid = attribute("string", default="error")
    drop_last: bool = attribute("boolean", default=True)

    def __post_init__(self) -> None:
        check_handler(self.handle_invalid, ("error", "keep"))
        require(all(size >= 0 for size in self.category_sizes), "category sizes may not be negative")

    @classmethod
    def read(cls, model: ModelDef, where: str) -> OneHotEncoder:
        """Read either layout. The old one has the ``size`` of one column; ``handle_invalid`` is keep if the last is dropped."""
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
        return cls(tuple(sizes), check_handler(handler, ("error", "keep")), drop_last)

    def _width(self, size: int) -> int:
        # Without a category to keep every row fails.
        return max(size + (self.handle_invalid == "keep") - self.drop_last, 0)

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": DOUBLE for i in range(len(self.category_sizes))}

    def outputs(self) -> dict[str, DataType]:
        return {f"output{i}": doubles(self._width(size)) for i, size in enumerate(self.category_sizes)}

    def computed_ports(self) -> tuple[str, ...]:
        return tuple(self.outputs())

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        keep = self.handle_invalid == "keep"
        vectors = {
            f"output{i}": lowering.add(
                p.OneHot(x=x, categories=size, width=self._width(size), keep=keep, type=doubles(self._width(size)))
            )
            for i, (x, size) in enumerate(zip(inputs, self.category_sizes, strict=True))
        }
        return lowering.together(vectors, wanted)


@dataclass(frozen=True, eq=False)
class Bucketizer(Op):
    """The index of the bucket that contains a number (MLeap ``BucketizerModel``).

    A bucket includes its lower split, the last one its upper split too. NaN gives the number of buckets with ``handle_invalid``
    = keep, drops the row with skip, and fails with error. A number outside of the splits always fails. A first or last split
    that is NaN, which represents infinity in JSON bundles, means -Infinity or Infinity.

    Attributes:
        splits: strictly increasing float64 (buckets + 1,).
        handle_invalid: ``error``, ``skip`` or ``keep``.
    """

    op: ClassVar[str] = "bucketizer"
    splits: tuple[float, ...] = attribute("list<double>")
    handle_invalid: HandleInvalid = attribute("string", default="error")

    def __post_init__(self) -> None:
        check_handler(self.handle_invalid)
        require(len(self.splits) >= 2, "splits needs at least two numbers")
        first, *inner, last = self.splits
        restored = (-np.inf if first != first else first, *inner, np.inf if last != last else last)
        object.__setattr__(self, "splits", tuple(map(float, restored)))

    def to_model(self) -> ModelDef:
        """Write infinite outer splits as NaN, which every reader treats as infinite, because JSON has no infinity."""
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

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        splits = np.array(self.splits)
        return {
            "output": lowering.add(p.Bucketize(x=inputs[0], splits=splits, invalid=self.handle_invalid, type=DOUBLE))
        }


class _Binarizer(Op):
    """Base class of the binarizers of Spark and of scikit-learn."""

    threshold: float

    def shape(self) -> DataShape:
        """Shape of the input and the output."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        require(self.shape().base in ("scalar", "tensor"), "the input has to be a scalar or a tensor")

    def inputs(self) -> dict[str, DataType]:
        return {"input": not_null(self.shape())}

    def outputs(self) -> dict[str, DataType]:
        given = not_null(self.shape())
        if isinstance(given, TensorType) and given.size is not None:
            # Like MLeap, which makes a vector of any tensor.
            return {"output": doubles(given.size)}
        return {"output": given}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        (x,), wanted_type = inputs, self.outputs()["output"]
        listed = isinstance(x, p.Cast) and isinstance(x.x.type, ListType)
        if (
            isinstance(x.type, TensorType)
            and x.type.dimensions is not None
            and len(x.type.dimensions) != 1
            and not listed
        ):
            # MLeap does not compare the column's dimensions with the declared ones.
            vector = wanted_type if min(x.type.dimensions, default=0) < 0 else doubles(x.type.size)
            x = lowering.add(p.Reshape(x=x, type=vector))
        return {"output": lowering.add(p.Binarize(x=x, threshold=self.threshold, type=wanted_type))}


@dataclass(frozen=True, eq=False)
class Binarizer(_Binarizer):
    """1 where a number, or an element of a vector, is greater than the threshold, otherwise 0 (MLeap ``BinarizerModel``).

    An element that a sparse vector does not store gives 0, even with a negative threshold, where Spark gives 1.

    Attributes:
        threshold: the threshold.
        input_shapes: shape of the input: scalar or tensor.
    """

    op: ClassVar[str] = "binarizer"
    threshold: float = attribute("double")
    input_shapes: DataShape = attribute("data_shape")

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """Read the attributes as declared; like MLeap's runtime, reject several columns (``thresholds``)."""
        if "thresholds" in model.attributes:
            raise UnsupportedOpError("a binarizer of several columns is not supported, neither by MLeap")
        return super().read(model, where)

    def shape(self) -> DataShape:
        return self.input_shapes


@dataclass(frozen=True, eq=False)
class SklearnBinarizer(_Binarizer):
    """The binarizer that MLeap's exporter for scikit-learn writes; it computes the same as :class:`Binarizer`.

    Attributes:
        threshold: the threshold.
        input_shapes: a tuple with the shape of the input.
    """

    op: ClassVar[str] = "sklearn_binarizer"
    threshold: float = attribute("double")
    input_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")

    def shape(self) -> DataShape:
        require(len(self.input_shapes) > 0, "input_shapes is empty")
        return self.input_shapes[0]


@dataclass(frozen=True, eq=False)
class Imputer(Op):
    """``surrogate_value`` where the input is missing, NaN or ``missing_value`` (MLeap ``ImputerModel``).

    If ``missing_value`` is not NaN, Spark keeps NaN; MLeap replaces it.

    Attributes:
        surrogate_value: the number that is filled in.
        missing_value: number that counts as missing; NaN if a bundle lacks it.
        strategy: the statistic that gave the surrogate (mean, median, …); not used.
        nullable_input: true if the input may be missing; otherwise a missing value fails.
    """

    op: ClassVar[str] = "imputer"
    missing_texts: ClassVar[MissingTexts] = "missing"
    surrogate_value: float = attribute("double")
    missing_value: float = attribute("double", default=float("nan"))
    strategy: str = attribute("string", default="")
    nullable_input: bool = attribute("boolean", default=True)

    def inputs(self) -> dict[str, DataType]:
        return {"input": ScalarType(BasicType.DOUBLE, self.nullable_input)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        filled = p.Impute(x=inputs[0], surrogate=self.surrogate_value, missing=self.missing_value, type=DOUBLE)
        return {"output": lowering.add(filled)}
