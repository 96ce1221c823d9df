"""Values that the inputs of a model usually have: for tables of random rows, and for a record that nobody gives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leapstream.bundle.definition import CONTINUOUS, Tree
from leapstream.bundle.elements import INTEGERS
from leapstream.bundle.types import BasicType, DataType, MapType, ScalarType, TensorType
from leapstream.drift.profiles import Column, Profile
from leapstream.errors import LeapstreamError
from leapstream.model import Model
from leapstream.ops.base import Op
from leapstream.ops.feature.categories import Bucketizer, OneHotEncoder, StringIndexer
from leapstream.ops.feature.maps import StringMap
from leapstream.ops.feature.scaling import MinMaxScaler, StandardScaler, VectorAssembler

MOST_CHOICES = 8
DEFAULT_SIZE = 3
"""Elements of a tensor whose size no op says."""

_MISSING = 0.1


@dataclass(frozen=True)
class Usual:
    """The values that an input usually has.

    Attributes:
        low: the least number, or element of a tensor.
        high: the greatest one.
        choices: the values of an input that has few, as texts; it has no range then.
        missing: the share of missing values.
    """

    low: float = 0.0
    high: float = 10.0
    choices: tuple[str, ...] = ()
    missing: float = 0.0


def usual_values(model: Model, profile: Profile | None = None) -> dict[str, Usual]:
    """The usual values of each input: those of training, or else those that the ops of the model tell.

    An input that was missing in training is missing in some rows. Without a profile, each input that the model can predict
    without is.
    """
    return _with_missing(model, _known(model, profile))


def usual_record(model: Model) -> dict[str, Any]:
    """A record of usual values that the ops of a model tell."""
    return _record(model, _known(model, None))


def _known(model: Model, profile: Profile | None) -> dict[str, Usual]:
    """The usual values of each input; without a profile, some of each are missing."""
    told = dict(_told(model))
    trained = {} if profile is None else {column.name: column for column in profile.columns if column.side == "input"}
    found: dict[str, Usual] = {}
    for field in model.schema.inputs:
        known = told.get(field.name, Usual())
        usual = replace(known, missing=_MISSING if profile is None else 0.0)
        if field.name in trained:
            usual = _trained(trained[field.name], known)
        if known.choices and usual.choices:
            # The model may fail for values that its indexer does not know.
            both = tuple(value for value in usual.choices if value in known.choices)
            usual = replace(usual, choices=both or known.choices)
        elif known.choices:
            usual = replace(usual, choices=known.choices)
        found[field.name] = _fitting(usual, field.type)
    return found


def _fitting(usual: Usual, data_type: DataType) -> Usual:
    """Values that the type has."""
    if not isinstance(data_type, ScalarType) or data_type.base is BasicType.BOOLEAN:
        return replace(usual, choices=())
    choices = usual.choices
    if data_type.base is not BasicType.STRING:
        choices = tuple(choice for choice in choices if _is_number(choice))
    low, high = usual.low, usual.high
    if data_type.base in INTEGERS:
        low, high = float(math.ceil(low)), float(math.floor(high))
        low, high = min(low, high), max(low, high)
    return replace(usual, low=low, high=high, choices=choices[:MOST_CHOICES])


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


# ---- training ---------------------------------------------------------------------------------------------------------


def _trained(column: Column, known: Usual) -> Usual:
    """The values of a column in training; those that are known otherwise, where its bins do not tell them."""
    if column.edges:
        *_, before, last = (column.edges[-1] - 1, *column.edges)
        # Nothing says where the last bin ends: it is as wide as the one before.
        return Usual(column.edges[0], 2 * last - before, missing=column.missing_rate)
    return replace(known, choices=column.values or known.choices, missing=column.missing_rate)


# ---- ops --------------------------------------------------------------------------------------------------------------


def _told(model: Model) -> Iterator[tuple[str, Usual]]:
    """The values that ops tell of the inputs that they read, directly or as elements of an assembled vector."""
    inputs = model.schema.inputs
    elements: dict[str, list[str | None]] = {
        f.name: [f.name] * size for f in inputs if isinstance(f.type, TensorType) and (size := f.type.size or 0) > 0
    }
    told: dict[str, Usual] = {}

    def tell(column: str | None, usual: Usual) -> None:
        if column is not None and column in inputs:
            told.setdefault(column, usual)

    for node in model.nodes:
        columns = list(node.input_columns().values())
        if isinstance(node.op, VectorAssembler):
            for output in node.output_columns().values():
                elements[output] = _assembled(columns, node.op, inputs.names, elements)
        for column, usual in zip(columns, _of_columns(node.op), strict=False):
            tell(column, usual)
        ranges: dict[str, list[tuple[float, float]]] = {}
        for position, low, high in _of_elements(node.op):
            vector = elements.get(columns[0], [])
            if position < len(vector) and (name := vector[position]) is not None:
                ranges.setdefault(name, []).append((low, high))
        for name, found in ranges.items():
            tell(name, Usual(min(low for low, _ in found), max(high for _, high in found)))
    yield from told.items()


def _assembled(
    columns: Sequence[str], op: VectorAssembler, inputs: Sequence[str], elements: Mapping[str, list[str | None]]
) -> list[str | None]:
    """The input that each element of a vector is; ``None`` for one that is computed. It ends where sizes are not known."""
    found: list[str | None] = []
    for column, shape in zip(columns, op.input_shapes, strict=True):
        if shape.base == "scalar":
            found.append(column if column in inputs else None)
            continue
        size = int(np.prod(shape.dimensions)) if shape.dimensions else 0
        vector = elements.get(column, [None] * size)
        if not vector:
            break
        found += vector
    return found


def _of_columns(op: Op) -> Iterator[Usual]:
    """The values of an op's inputs, in their order."""
    if isinstance(op, StringIndexer):
        yield from (Usual(choices=labels) for labels in op.labels_array)
    elif isinstance(op, StringMap):
        yield Usual(choices=op.labels)
    elif isinstance(op, OneHotEncoder):
        yield from (Usual(choices=tuple(map(str, range(min(size, MOST_CHOICES))))) for size in op.category_sizes)
    elif isinstance(op, Bucketizer):
        splits = [split for split in op.splits if math.isfinite(split)]
        yield _wide(splits) if splits else Usual()


def _of_elements(op: Op) -> Iterator[tuple[int, float, float]]:
    """The usual range of elements of an op's first input: their positions, with the least and greatest numbers."""
    if isinstance(op, StandardScaler) and op.mean is not None:
        deviations = np.ones_like(op.mean) if op.std is None else np.asarray(op.std)
        for position, (mean, deviation) in enumerate(zip(op.mean, deviations, strict=False)):
            yield position, float(mean - deviation), float(mean + deviation)
    elif isinstance(op, MinMaxScaler):
        for position, (low, high) in enumerate(zip(op.min, op.max, strict=False)):
            yield position, float(low), float(high)
    else:
        thresholds: dict[int, list[float]] = {}
        for tree in _trees(op):
            for node in np.flatnonzero(tree.kind == CONTINUOUS):
                thresholds.setdefault(int(tree.feature[node]), []).append(float(tree.threshold[node]))
        for position, found in thresholds.items():
            usual = _wide([number for number in found if math.isfinite(number)])
            yield position, usual.low, usual.high


def _trees(op: Op) -> Iterator[Tree]:
    for member in (op, *getattr(op, "trees", ())):
        if isinstance(tree := getattr(member, "tree", None), Tree):
            yield tree


def _wide(numbers: Sequence[float]) -> Usual:
    """A range with numbers on both sides of every one of these."""
    if not numbers:
        return Usual()
    low, high = min(numbers), max(numbers)
    margin = (high - low) / 10 or max(abs(low) / 2, 1.0)
    return Usual(low - margin, high + margin)


# ---- records ----------------------------------------------------------------------------------------------------------


def _record(model: Model, usual: Mapping[str, Usual]) -> dict[str, Any]:
    return {f.name: _sample(usual[f.name], f.type) for f in model.schema.inputs}


def _sample(usual: Usual, data_type: DataType) -> Any:
    """A usual value of a type."""
    middle = (usual.low + usual.high) / 2
    number = int(middle) if data_type.base in INTEGERS else middle
    element: Any = {BasicType.STRING: "text", BasicType.BOOLEAN: True}.get(data_type.base, number)
    if isinstance(data_type, ScalarType):
        if not usual.choices:
            return element
        return usual.choices[0] if data_type.base is BasicType.STRING else float(usual.choices[0])
    return None if isinstance(data_type, MapType) else [element] * size_of(data_type)


def size_of(data_type: DataType) -> int:
    """The number of elements of a list or tensor."""
    size = getattr(data_type, "size", None)
    return size if size and size > 0 else DEFAULT_SIZE


# ---- missing values ---------------------------------------------------------------------------------------------------


def _with_missing(model: Model, usual: Mapping[str, Usual]) -> dict[str, Usual]:
    """The values, without missing ones where the model fails for them."""
    record = _record(model, usual)
    sound = _predicts(model, record)
    return {
        f.name: values
        if not values.missing
        or (sound and isinstance(f.type, ScalarType) and f.type.nullable and _predicts(model, record | {f.name: None}))
        else replace(values, missing=0.0)
        for f in model.schema.inputs
        for values in (usual[f.name],)
    }


def _predicts(model: Model, record: Mapping[str, Any]) -> bool:
    try:
        model.predict(dict(record))
    except LeapstreamError:
        return False
    return True
