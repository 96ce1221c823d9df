"""The columns of a model as tensors of the protocol.

A scalar column is a tensor ``[rows]`` or ``[rows, 1]``, a tensor column ``[rows, …]`` with its dimensions, a list column
``[rows, length]``; a request of one row may leave out the axis of the rows. A map column is a tensor of JSON texts.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle import frame_json
from leapstream.bundle.malformed import decoding
from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, DataType, Field, ListType, MapType, ScalarType, Schema, TensorType
from leapstream.serving.failures import RequestError, TooLargeError
from leapstream.serving.oip.datatypes import BYTES, DATATYPES, OF_BASE
from leapstream.serving.oip.tensors import Result, Tensor
from leapstream.serving.registry import ServedModel

CONTENT_TYPE = "content_type"
"""The parameter of a tensor that says what its texts are; ``base64`` are bytes."""
BASE64 = "base64"


_USUAL: Mapping[BasicType, type] = {
    BasicType.BOOLEAN: bool,
    **dict.fromkeys((BasicType.BYTE, BasicType.SHORT, BasicType.INT, BasicType.LONG), int),
    BasicType.DOUBLE: float,
    BasicType.STRING: str,
}
_ONE_ROW = [1]
# More would take gigabytes of memory.
_MOST_ELEMENTS = 1 << 26
_SINGLE = frozenset({"FP16", "BF16", "FP32"})


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a model.

    Attributes:
        name: its name.
        type: its type.
    """

    name: str
    type: DataType

    @cached_property
    def datatype(self) -> str:
        """The datatype of its tensors."""
        return BYTES if self.is_map else OF_BASE[self.type.base]

    @cached_property
    def is_base64(self) -> bool:
        """True for bytes, which JSON has in base64."""
        return not self.is_map and self.type.base is BasicType.BYTE_STRING

    @cached_property
    def is_map(self) -> bool:
        """True for maps, which are texts."""
        return isinstance(self.type, MapType)

    @cached_property
    def rank(self) -> int | None:
        """The number of axes of a row's value; ``None`` if the model does not say."""
        if isinstance(self.type, TensorType):
            return None if self.type.dimensions is None else len(self.type.dimensions)
        return 1 if isinstance(self.type, ListType) else 0

    @cached_property
    def shape(self) -> list[int]:
        """The shape of its tensors; -1 for any size."""
        if isinstance(self.type, TensorType):
            return [-1, *((-1,) if self.type.dimensions is None else self.type.dimensions)]
        return [-1, -1] if isinstance(self.type, ListType) else [-1]

    @property
    def metadata(self) -> dict[str, Any]:
        """The description that clients get."""
        return {"name": self.name, "datatype": self.datatype, "shape": self.shape}

    # ---- requests -----------------------------------------------------------------------------------------------------

    @cached_property
    def _accepted(self) -> frozenset[str]:
        """The datatypes of tensors that may be read as this column; the model casts scalars as Spark does."""
        if isinstance(self.type, ScalarType) and not self.is_base64:
            return frozenset({*DATATYPES, BYTES})
        if self.datatype in (BYTES, "BOOL"):
            return frozenset({self.datatype})
        numbers = DATATYPES.keys() - {"BOOL"}
        if DATATYPES[self.datatype].is_float:
            return frozenset(numbers)
        return frozenset(name for name in numbers if not DATATYPES[name].is_float)

    def rows(self, tensor: Tensor) -> int:
        """The number of rows of a tensor.

        Raises:
            RequestError: it is not a tensor of this column.
        """
        shape, rank = tensor.shape, self.rank
        if tensor.datatype not in self._accepted:
            raise RequestError(
                f"tensor {tensor.name!r} has the datatype {tensor.datatype!r}, and the model takes {self.datatype}"
            )
        axes = len(shape)
        if min(shape, default=0) < 0:
            raise RequestError(f"tensor {tensor.name!r} has the shape {shape}")
        if rank is None:
            return shape[0] if axes > 1 else 1
        if axes == rank + 1 or (rank == 0 and axes == 2 and shape[1] == 1):
            return shape[0]
        if axes == rank:
            return 1
        raise RequestError(
            f"tensor {tensor.name!r} has the shape {shape}, and the model takes {self.shape}; -1 is any size"
        )

    @cached_property
    def _usual(self) -> Any:
        """The class of elements that are values of the model as they are."""
        return None if self.is_map else _USUAL.get(self.type.base)

    def usual_value(self, tensor: Tensor) -> Any:
        """The value of a tensor of one row in the form that most clients send it, which takes little time; else ``None``."""
        data = tensor.data
        if tensor.datatype != self.datatype or tensor.parameters is not None or type(data) is not list:
            return None
        shape = tensor.shape
        if self.rank == 0:
            return data[0] if shape == _ONE_ROW and len(data) == 1 and type(data[0]) is self._usual else None
        if self.rank != 1 or len(shape) != 2 or shape[0] != 1 or shape[1] != len(data):
            return None
        return data if {self._usual}.issuperset(map(type, data)) else None

    def values(self, tensor: Tensor, rows: int) -> list[Any]:
        """The values of a tensor, one for each row; ``None`` for a missing one.

        Raises:
            RequestError: its data are not those of its shape and datatype.
        """
        missing = tensor.missing(rows)
        if rows == 1 and missing:
            return [None]
        elements = tensor.elements()
        if missing and self.rank == 0:
            elements = _without(missing, elements)
        if tensor.datatype == BYTES:
            elements = self._read(tensor, elements)
        elif self.datatype == BYTES and tensor.datatype in _SINGLE:
            # The text of a number depends on its precision.
            elements = [None if x is None else np.float32(x) for x in elements]
        if self.rank == 0:
            return elements
        found = _split(elements, rows, tensor.shape[1:] if self._has_rows(tensor) else tensor.shape)
        return _without(missing, found) if missing else found

    def array(self, tensor: Tensor, rows: int) -> npt.NDArray[Any] | list[Any]:
        """The values of a tensor of many rows, as an array if that holds them."""
        data: Any = tensor.data
        dtype = NUMPY_DTYPES[self.type.base]
        if (
            not isinstance(data, np.ndarray)
            or not isinstance(self.type, (ScalarType, TensorType))
            or dtype.kind == "O"
            or not np.can_cast(data.dtype, dtype, "safe")
            or tensor.missing(rows)
        ):
            return self.values(tensor, rows)
        array = data.astype(dtype, copy=False)
        return array if self.rank == 0 else array.reshape(tensor.shape)

    def _has_rows(self, tensor: Tensor) -> bool:
        return len(tensor.shape) > (1 if self.rank is None else self.rank)

    @cached_property
    def _read(self) -> Callable[[Tensor, list[Any]], list[Any]]:
        """Makes the values of a model from texts and bytes."""
        if self.is_map:
            return self._maps
        return _bytes if self.is_base64 else _texts

    def _maps(self, tensor: Tensor, elements: list[Any]) -> list[Any]:
        decode = frame_json.decoder_of(self.type)
        maps = []
        for text in _texts(tensor, elements):
            try:
                given = None if text is None else json.loads(text)
            except (ValueError, RecursionError):
                raise RequestError(f"tensor {tensor.name!r} has a text that is not the JSON of a map") from None
            with decoding("map"):
                maps.append(None if given is None else decode(given))
        return maps

    # ---- answers ------------------------------------------------------------------------------------------------------

    def result(self, name: str, values: Sequence[Any] | npt.NDArray[Any]) -> Result:
        """The tensor of the values of all rows; ``None`` among them is a missing one.

        Raises:
            RequestError: rows have values of different shapes.
            TooLargeError: they have very many elements.
        """
        datatype = self.datatype
        if isinstance(values, np.ndarray) and values.dtype != object:
            return Result(name, datatype, values.shape, values.reshape(-1), is_base64=self.is_base64)
        missing = [row for row, value in enumerate(values) if value is None]
        if self.is_map:
            encode = frame_json.encoder_of(self.type)
            values = [None if v is None else json.dumps(encode(v), ensure_ascii=False) for v in values]
        if self.rank == 0:
            return Result(name, datatype, [len(values)], values, missing, self.is_base64)
        if len(values) == 1 and self.rank == 1 and type(values[0]) is list:
            return Result(name, datatype, [1, len(values[0])], values[0], (), self.is_base64)
        shapes = {_shape_of(value) for value in values if value is not None}
        if len(shapes) > 1:
            shown = " and ".join(str(list(shape)) for shape in sorted(shapes)[:2])
            raise RequestError(
                f"output {name!r} has rows of different shapes, such as {shown}, which no tensor holds: send them one by one"
            )
        shape = shapes.pop() if shapes else tuple(max(n, 0) for n in self.shape[1:])
        size = math.prod(shape)
        if size * len(values) > _MOST_ELEMENTS:
            raise TooLargeError(
                f"output {name!r} has {len(values)} rows of {size} elements, and {_MOST_ELEMENTS} elements are allowed"
            )
        elements: list[Any] = []
        for value in values:
            elements += [None] * size if value is None else _flat(value, len(shape))
        return Result(name, datatype, [len(values), *shape], elements, missing, self.is_base64)


class Signature:
    """The inputs and outputs of a version of a model.

    Args:
        served: the version.

    Attributes:
        inputs: the inputs, in their order.
        outputs: the outputs that a request gets if it names none.
        names: the names of these outputs.
        known_outputs: the outputs that a request may name: also those that other nodes of the model read.
    """

    def __init__(self, served: ServedModel) -> None:
        schema = served.model.schema
        self._model = served.name
        self.inputs = _columns(schema.inputs)
        self.outputs = _columns(schema.outputs)
        self.names = schema.outputs.names
        self._inputs = _by_name(self.inputs)
        self.known_outputs = (*self.outputs, *_columns(schema.intermediate))
        self._outputs = _by_name(self.known_outputs)

    def input(self, name: str) -> Column:
        """The input of a name, which may be in another case.

        Raises:
            RequestError: there is none.
        """
        column = self._inputs.get(name) or self._inputs.get(name.casefold())
        if column is None:
            raise RequestError(
                f"model {self._model!r} has no input {name!r}; it takes {', '.join(c.name for c in self.inputs)}"
            )
        return column

    def output(self, name: str) -> Column:
        """The output of a name, which may be in another case; columns that other nodes read are outputs, too.

        Raises:
            RequestError: there is none.
        """
        column = self._outputs.get(name) or self._outputs.get(name.casefold())
        if column is None:
            raise RequestError(f"model {self._model!r} has no output {name!r}; it gives {', '.join(self.names)}")
        return column


def signature_of(served: ServedModel) -> Signature:
    """The signature of a version, which is made once."""
    return served.once(Signature)


def _columns(schema: Schema) -> tuple[Column, ...]:
    return tuple(_column(f) for f in schema)


def _column(f: Field) -> Column:
    return Column(f.name, f.type)


def _by_name(columns: Sequence[Column]) -> Mapping[str, Column]:
    """The columns by their names, and by those in other cases where that leaves no doubt."""
    folded: dict[str, Column | None] = {}
    for column in columns:
        key = column.name.casefold()
        folded[key] = None if key in folded else column
    sure = {key: column for key, column in folded.items() if column is not None}
    return {**sure, **{column.name: column for column in columns}}


def _without(missing: frozenset[int], values: list[Any]) -> list[Any]:
    return [None if row in missing else value for row, value in enumerate(values)]


def _split(elements: list[Any], rows: int, shape: Sequence[int]) -> list[Any]:
    """The value of each row: a list, nested for several axes."""
    for size in reversed(shape[1:]):
        elements = [elements[i * size : (i + 1) * size] for i in range(len(elements) // size if size else 0)]
    size = shape[0] if shape else 1
    if not shape:
        return elements
    return [elements[i * size : (i + 1) * size] for i in range(rows)]


def _texts(tensor: Tensor, elements: list[Any]) -> list[Any]:
    try:
        return [x.decode() if type(x) is bytes else x for x in elements]
    except UnicodeDecodeError:
        raise RequestError(f"tensor {tensor.name!r} has texts that are not UTF-8") from None


def _bytes(tensor: Tensor, elements: list[Any]) -> list[Any]:
    if tensor.parameters is not None and tensor.parameters.get(CONTENT_TYPE) == BASE64:
        try:
            return [None if x is None else base64.b64decode(x, validate=True) for x in elements]
        except (binascii.Error, ValueError):
            raise RequestError(f"tensor {tensor.name!r} has texts that are not base64") from None
    return [x.encode() if type(x) is str else x for x in elements]


def _shape_of(value: Any) -> tuple[int, ...]:
    if isinstance(value, np.ndarray):
        return tuple(value.shape)
    shape = []
    while isinstance(value, (list, tuple)):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _flat(value: Any, axes: int) -> list[Any]:
    if isinstance(value, np.ndarray):
        flat: list[Any] = value.reshape(-1).tolist()
        return flat
    for _ in range(axes - 1):
        value = [element for part in value for element in part]
    return list(value)
