"""Types and metadata of columns, collected while the stages of a pipeline are converted one after the other.

Saved stages hold no types, and some stages read metadata that Spark attaches to a column: the labels of an index, the number of
categories and the names of a vector's elements. Types and metadata follow from the stages before.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from leapstream.bundle.types import DataShape, DataType, Schema, TensorType
from leapstream.ops import feature as ops
from leapstream.ops.base import DOUBLE, Op, doubles
from leapstream.ops.classifier import Classifier


@dataclass(frozen=True)
class Column:
    """Type and metadata of a column.

    Attributes:
        type: the type.
        labels: for an index, the label of each number.
        categories: for each element its number of categories, 1 for a number; ``None`` if all elements are numbers.
        names: the names of a vector's elements.
    """

    type: DataType
    labels: tuple[str, ...] | None = None
    categories: tuple[int, ...] | None = None
    names: tuple[str, ...] | None = None

    @property
    def is_vector(self) -> bool:
        return isinstance(self.type, TensorType)

    @property
    def size(self) -> int:
        """Number of elements."""
        return (self.type.size or 0) if isinstance(self.type, TensorType) else 1

    @property
    def shape(self) -> DataShape:
        """The shape, for an op's attribute; not nullable."""
        return DataShape("tensor", False, (self.size,)) if self.is_vector else DataShape("scalar", False)

    def all_categories(self) -> tuple[int, ...]:
        """The number of categories of each element."""
        return self.categories or (1,) * self.size


class UnknownColumnError(Exception):
    """The type of a column is needed before it is known; internal to this package."""


@dataclass
class Columns:
    """The columns of a pipeline, as far as they are known.

    Attributes:
        known: columns that the caller described or that a stage writes.
        widths: for columns whose readers require a size, the number of elements.
        sized: vector columns whose size is in Spark's metadata of the column.
    """

    known: dict[str, Column] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    sized: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, schema: Schema | None) -> Columns:
        return cls({f.name: Column(f.type) for f in schema or Schema()})

    def find(self, name: str) -> Column | None:
        """The column, or ``None`` if nothing is known about it."""
        if name in self.known:
            return self.known[name]
        return Column(doubles(self.widths[name])) if name in self.widths else None

    def after(self, op: Op, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
        """Add the columns that an op writes; ``inputs`` and ``outputs`` map its ports to columns."""
        given = [(name, self.find(name) or Column(op.inputs()[port])) for port, name in inputs.items()]
        types = op.outputs()
        made = {port: Column(data_type) for port, data_type in types.items()}
        for kind, follow in _FOLLOW:
            if isinstance(op, kind):
                made.update(follow(op, given))
        self.known.update((name, made[port]) for port, name in outputs.items())
        if not isinstance(op, _UNSIZED):
            self.sized.update(outputs.values())


_UNSIZED = (
    ops.Binarizer,
    ops.DCT,
    ops.ElementwiseProduct,
    ops.Normalizer,
    ops.PolynomialExpansion,
    ops.SklearnBinarizer,
)
"""Ops whose stages do not write the vectors' size into the column's metadata."""


def unused(wanted: str, names: Container[str]) -> str:
    """A name that is not in ``names``: ``wanted``, with a number appended if it is in use."""
    name, number = wanted, 1
    while name in names:
        number += 1
        name = f"{wanted}_{number}"
    return name


Given: TypeAlias = Sequence[tuple[str, Column]]


def _string_indexer(op: Any, given: Given) -> dict[str, Column]:
    extra = ("__unknown",) if op.handle_invalid == "keep" else ()
    labels = [(*labels, *extra) for labels in op.labels_array]
    return {f"output{i}": Column(DOUBLE, labels=part, categories=(len(part),)) for i, part in enumerate(labels)}


def _one_hot_encoder(op: Any, given: Given) -> dict[str, Column]:
    made = {}
    for i, ((_, column), size) in enumerate(zip(given, op.category_sizes, strict=True)):
        names = [*(column.labels or map(str, range(size)))][:size]
        if op.handle_invalid == "keep":
            names.append("invalidValues")
        width = op.outputs()[f"output{i}"].size
        made[f"output{i}"] = Column(doubles(width), names=tuple(names[:width]))
    return made


def _idf(op: Any, given: Given) -> dict[str, Column]:
    return {"output": Column(doubles(len(op.idf)))}


def _bucketizer(op: Any, given: Given) -> dict[str, Column]:
    return {"output": Column(DOUBLE, categories=(len(op.splits) - 1,))}


def _vector_indexer(op: Any, given: Given) -> dict[str, Column]:
    sizes = [len(op.category_maps.get(i, ())) or 1 for i in range(op.num_features)]
    return {"output": Column(doubles(op.num_features), categories=tuple(sizes), names=given[0][1].names)}


def _vector_assembler(op: Any, given: Given) -> dict[str, Column]:
    names: list[str] = []
    for name, column in given:
        inner = column.names or [str(i) for i in range(column.size)]
        names += [f"{name}_{part}" for part in inner] if column.is_vector else [name]
    categories = tuple(n for _, column in given for n in column.all_categories())
    return {"output": Column(doubles(op.size), categories=categories, names=tuple(names))}


def _take(indices: Iterable[int], column: Column) -> Column:
    indices = list(indices)
    inside = all(i < column.size for i in indices)
    names, categories = column.names, column.categories
    return Column(
        doubles(len(indices)),
        names=tuple(names[i] for i in indices) if names and inside else None,
        categories=tuple(categories[i] for i in indices) if categories and inside else None,
    )


def _vector_slicer(op: Any, given: Given) -> dict[str, Column]:
    return {"output": _take((*op.indices, *op.named_indices), given[0][1])}


def _selector(op: Any, given: Given) -> dict[str, Column]:
    return {"output": _take(op.filter_indices, given[0][1])}


def _classifier(op: Any, given: Given) -> dict[str, Column]:
    return {"prediction": Column(DOUBLE, categories=(max(op.num_classes, 2),))}


_FOLLOW: tuple[tuple[type[Op], Callable[[Any, Given], dict[str, Column]]], ...] = (
    (ops.StringIndexer, _string_indexer),
    (ops.OneHotEncoder, _one_hot_encoder),
    (ops.IDF, _idf),
    (ops.Bucketizer, _bucketizer),
    (ops.VectorIndexer, _vector_indexer),
    (ops.VectorAssembler, _vector_assembler),
    (ops.VectorSlicer, _vector_slicer),
    (ops.ChiSqSelector, _selector),
    (Classifier, _classifier),
)
"""For ops that attach metadata to their output columns, the function that computes these columns."""
