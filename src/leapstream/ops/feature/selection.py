"""Selecting and recoding elements of vectors, and locality-sensitive hashes of vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import BasicType, DataType, TensorType
from leapstream.ops.base import Op, attribute, doubles, require
from leapstream.ops.feature.categories import HandleInvalid, check_handler
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

_INTS = range(2**31)


@dataclass(frozen=True, eq=False)
class VectorIndexer(Op):
    """A vector with its categorical elements replaced by the indices of their categories (MLeap ``VectorIndexerModel``).

    A value that is not a category, as NaN always is, becomes the number of categories with ``handle_invalid`` = keep. Otherwise
    the row fails, also with skip, where Spark drops it. An element that a sparse vector does not store stays 0. Fails for a
    vector of another size.

    Attributes:
        num_features: number of elements.
        category_maps: for each categorical element, by its index in the vector, the index of each category.
        handle_invalid: ``error``, ``skip`` or ``keep``.
    """

    op: ClassVar[str] = "vector_indexer"
    num_features: int = attribute("long")
    category_maps: Mapping[int, Mapping[float, int]] = attribute("category_maps")
    handle_invalid: HandleInvalid = attribute("string", default="error")

    def __post_init__(self) -> None:
        check_handler(self.handle_invalid)
        require(self.num_features in _INTS, f"num_features {self.num_features} is out of range")
        for position in self.category_maps:
            require(0 <= position < self.num_features, f"there is no element {position} to be indexed")
        # One NaN object, so that NaN equals NaN as a key.
        maps = {
            position: {math.nan if key != key else float(key): index for key, index in categories.items()}
            for position, categories in self.category_maps.items()
        }
        object.__setattr__(self, "category_maps", maps)

    @classmethod
    def read(cls, model: ModelDef, where: str) -> VectorIndexer:
        """Read the indexes of the elements from ``keys``, and for each one ``key_N_keys`` and ``key_N_values``."""
        attributes = model.attributes
        for name in ("num_features", "keys"):
            require(name in attributes, f"attribute {name!r} is missing")
        maps = {}
        for position in values.get_list(attributes["keys"], "long"):
            names = [f"key_{position}_keys", f"key_{position}_values"]
            for name in names:
                require(name in attributes, f"attribute {name!r} is missing")
            categories = values.get_list(attributes[names[0]], "double")
            indices = values.get_list(attributes[names[1]], "long")
            require(len(categories) == len(indices), f"{names[0]} and {names[1]} differ in length")
            maps[position] = dict(zip(categories, indices, strict=True))
        handler = attributes.get("handle_invalid")
        return cls(
            values.get_scalar(attributes["num_features"], "long"),
            maps,
            "error" if handler is None else check_handler(values.get_scalar(handler, "string")),
        )

    def to_model(self) -> ModelDef:
        """Write two lists for each categorical element."""
        maps = {}
        for position, categories in self.category_maps.items():
            maps[f"key_{position}_keys"] = values.list_of("double", categories)
            maps[f"key_{position}_values"] = values.list_of("long", categories.values())
        return ModelDef(
            self.op,
            {
                **maps,
                "keys": values.list_of("long", self.category_maps),
                "num_features": values.scalar("long", self.num_features),
                "handle_invalid": values.scalar("string", self.handle_invalid),
            },
        )

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.num_features)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.num_features)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        positions = tuple(sorted(self.category_maps))
        maps = [self.category_maps[position] for position in positions]
        recoded = p.Recode(
            x=inputs[0],
            size=self.num_features,
            positions=positions,
            tables=tuple(map(_table, maps)),
            others=tuple(float(len(categories)) for categories in maps) if self.handle_invalid == "keep" else None,
            type=doubles(self.num_features),
        )
        return {"output": lowering.add(recoded)}


def _table(categories: Mapping[float, int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The categories in ascending order, and their indices."""
    # Adding 0 turns the key -0.0 into 0.0.
    pairs = sorted((key + 0.0, float(index)) for key, index in categories.items() if key == key)
    return np.array([key for key, _ in pairs], dtype=np.float64), np.array([index for _, index in pairs])


@dataclass(frozen=True, eq=False)
class VectorSlicer(Op):
    """The elements of a vector at ``indices``, followed by those at ``named_indices`` (MLeap ``VectorSlicerModel``).

    An index beyond the vector fails if the vector is dense; in a sparse vector there is no element at that index.

    Attributes:
        indices: indices of elements.
        names: names of further elements; not used.
        named_indices: indices of the named elements.
        input_size: declared number of elements.
    """

    op: ClassVar[str] = "vector_slicer"
    indices: tuple[int, ...] = attribute("list<long>")
    names: tuple[str, ...] = attribute("list<string>")
    named_indices: tuple[int, ...] = attribute("list<int>")
    input_size: int = attribute("int")

    def __post_init__(self) -> None:
        require(len(self.names) == len(self.named_indices), "names and named_indices differ in length")
        _check_indices(self.indices + self.named_indices)

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.input_size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(len(self.indices) + len(self.named_indices))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        indices = self.indices + self.named_indices
        return {"output": lowering.add(p.Take(x=inputs[0], indices=indices, type=doubles(len(indices))))}


@dataclass(frozen=True, eq=False)
class ChiSqSelector(Op):
    """The elements of a vector that a chi-squared test selected (MLeap ``ChiSqSelectorModel``).

    An index beyond the vector fails if the vector is dense; in a sparse vector there is no element at that index. Exporters write
    ascending indices; if an index is not greater than all before, a sparse vector has no element there.

    Attributes:
        filter_indices: indices of the elements.
        input_size: declared number of elements.
    """

    op: ClassVar[str] = "chi_sq_selector"
    filter_indices: tuple[int, ...] = attribute("list<long>")
    input_size: int = attribute("int")

    def __post_init__(self) -> None:
        _check_indices(self.filter_indices)

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.input_size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(len(self.filter_indices))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        size = len(self.filter_indices)
        return {
            "output": lowering.add(p.Take(x=inputs[0], indices=self.filter_indices, rising=True, type=doubles(size)))
        }


def _check_indices(indices: tuple[int, ...]) -> None:
    for index in indices:
        require(index in _INTS, f"the index {index} is out of range")


def _column(size: int) -> TensorType:
    """The type of a matrix with one column, which is that of hashes."""
    return TensorType(BasicType.DOUBLE, (size, 1), nullable=False)


@dataclass(frozen=True, eq=False)
class MinHashLSH(Op):
    """Hashes of the set of a vector's nonzero elements, as a tensor (hashes, 1) (MLeap ``MinHashLSHModel``).

    MLeap computes in 32 bits, so hashes overflow and may be negative; Spark computes in 64 bits. Fails where all elements are 0.

    Attributes:
        random_coefficients_a: the factor of each hash; only its lower 32 bits are used.
        random_coefficients_b: the summand of each hash; only its lower 32 bits are used.
        input_size: declared number of elements.
    """

    op: ClassVar[str] = "min_hash_lsh"
    random_coefficients_a: tuple[int, ...] = attribute("list<long>")
    random_coefficients_b: tuple[int, ...] = attribute("list<long>")
    input_size: int = attribute("int")

    def __post_init__(self) -> None:
        lengths = {len(self.random_coefficients_a), len(self.random_coefficients_b)}
        require(len(lengths) == 1, "random_coefficients_a and random_coefficients_b differ in length")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.input_size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": _column(len(self.random_coefficients_a))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        factors, summands = (
            np.array(coefficients, dtype=np.int64).astype(np.int32)
            for coefficients in (self.random_coefficients_a, self.random_coefficients_b)
        )
        hashes = lowering.add(p.MinHash(x=inputs[0], a=factors, b=summands, type=doubles(len(factors))))
        return {"output": lowering.add(p.Reshape(x=hashes, type=_column(len(factors))))}


@dataclass(frozen=True, eq=False)
class BucketedRandomProjectionLSH(Op):
    """The buckets of a vector's random projections, as a tensor (projections, 1) (MLeap ``BucketedRandomProjectionLSHModel``).

    The bucket for the projection on ``v`` is ``floor(x · v / bucket_length)``. Fails where ``x`` and ``v`` differ in size.

    Attributes:
        random_unit_vectors: float64 (features,) each.
        bucket_length: length of a bucket.
        input_size: declared number of elements.
    """

    op: ClassVar[str] = "bucketed_random_projection_lsh"
    random_unit_vectors: tuple[npt.NDArray[np.float64], ...] = attribute("list<vector>")
    bucket_length: float = attribute("double")
    input_size: int = attribute("int")

    def __post_init__(self) -> None:
        require(len({len(v) for v in self.random_unit_vectors}) <= 1, "the random_unit_vectors differ in size")

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(self.input_size)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": _column(len(self.random_unit_vectors))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        count = len(self.random_unit_vectors)
        matrix = np.stack(self.random_unit_vectors) if count else np.zeros((0, max(self.input_size, 0)))
        vector = doubles(count)
        projected = lowering.add(p.MatVec(x=inputs[0], matrix=matrix, intercepts=np.zeros(count), type=vector))
        lengths = np.full(count, self.bucket_length)
        divided = lowering.add(p.Affine(x=projected, size=count, divisor=lengths, type=vector))
        floors = lowering.add(p.Unary(x=divided, function="floor", type=vector))
        return {"output": lowering.add(p.Reshape(x=floors, type=_column(count)))}
