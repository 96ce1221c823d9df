"""Tensors of requests and answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from leapstream.bundle.values import single_precision
from leapstream.serving.failures import RequestError
from leapstream.serving.oip.datatypes import BYTES, DATATYPES, unknown

MISSING_ROWS = "missing_rows"
"""The parameter of a tensor that names the rows whose values are missing: their positions from 0, as in ``0,3``."""

# The texts that stand for the numbers that JSON lacks.
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TEXTS = frozenset({str, type(None)})
_BYTES = frozenset({bytes, type(None)})
_NONE: frozenset[int] = frozenset()
_FIRST = frozenset({0})


class Tensor(msgspec.Struct):
    """An input of a request.

    Attributes:
        name: its name.
        shape: its shape; the first axis has the rows.
        datatype: the datatype of its elements.
        data: its elements in row-major order, as a list that may be nested, or a flat array; ``BYTES`` as texts or bytes.
        parameters: what else is said of it.
    """

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None

    @property
    def count(self) -> int:
        """The number of elements that the shape asks for."""
        return math.prod(self.shape)

    def elements(self) -> list[Any]:
        """The elements, as Python's values; texts and bytes as they are.

        Raises:
            RequestError: they are not those of the shape and the datatype.
        """
        data: Any = self.data
        if type(data) is not list:
            if data is None:
                raise RequestError(f"tensor {self.name!r} has neither data nor binary data")
            return self._complete(data.tolist())
        while data and type(data[0]) is list:
            try:
                data = [element for part in data for element in part]
            except TypeError:
                raise RequestError(f"the data of tensor {self.name!r} are lists of different depths") from None
        return self._checked(self._complete(data))

    def _complete(self, data: list[Any]) -> list[Any]:
        count = self.count
        if len(data) != count:
            raise RequestError(
                f"tensor {self.name!r} has {len(data)} elements, and its shape {self.shape} asks for {count}"
            )
        return data

    def _checked(self, data: list[Any]) -> list[Any]:
        classes = set(map(type, data))
        kind = DATATYPES.get(self.datatype)
        if kind is None:
            if self.datatype != BYTES:
                raise unknown(self.name, self.datatype)
            if classes <= _TEXTS or classes <= _BYTES:
                return data
        elif classes <= kind.elements:
            return [x if x is None else single_precision(x) for x in data] if self.datatype == "FP32" else data
        elif (
            kind.is_float
            and classes <= kind.elements | _TEXTS
            and _NUMBERS.keys() >= {x for x in data if type(x) is str}
        ):
            return self._checked([_NUMBERS[x] if type(x) is str else x for x in data])
        raise RequestError(f"the data of tensor {self.name!r} are not all of its datatype {self.datatype}")

    def missing(self, rows: int) -> frozenset[int]:
        """The rows whose values are missing, as the tensor's parameter says.

        Raises:
            RequestError: the parameter names something else.
        """
        if self.parameters is None or MISSING_ROWS not in self.parameters:
            # Flink's triton provider sends [null] for an array that is missing, in the shape [1, 0].
            return _FIRST if rows == 1 and type(self.data) is list and self.data == [None] else _NONE
        given = self.parameters[MISSING_ROWS]
        try:
            found = frozenset(int(row) for row in given.split(",") if row)
        except (ValueError, AttributeError):
            found = frozenset({-1})
        if found and not (min(found) >= 0 and max(found) < rows):
            raise RequestError(f"{MISSING_ROWS} of tensor {self.name!r} is {given!r}, and has to be rows such as '0,3'")
        return found


class Wanted(msgspec.Struct):
    """An output that a request asks for."""

    name: str
    parameters: dict[str, Any] | None = None


@dataclass
class Result:
    """An output of an answer.

    Attributes:
        name: its name, as the request wrote it.
        datatype: the datatype of its elements.
        shape: its shape; the first axis has the rows.
        elements: its elements in row-major order; ``None`` in the rows whose values are missing.
        missing: the rows whose values are missing.
        is_base64: true for bytes, which JSON has in base64.
    """

    name: str
    datatype: str
    shape: Sequence[int]
    elements: Sequence[Any] | npt.NDArray[Any]
    missing: Sequence[int] = ()
    is_base64: bool = False

    def filled(self) -> Sequence[Any] | npt.NDArray[Any]:
        """The elements, with 0, NaN, false or an empty text in place of missing ones."""
        if not self.missing:
            return self.elements
        fill = _FILL[self.datatype]
        return [fill if x is None else x for x in self.elements]

    def parameters(self) -> dict[str, Any]:
        """The parameters that describe it further."""
        return {MISSING_ROWS: shown_rows(self.missing)} if self.missing else {}


_FILL: Mapping[str, Any] = {
    **dict.fromkeys(DATATYPES, 0),
    "BOOL": False,
    "FP32": math.nan,
    "FP64": math.nan,
    BYTES: b"",
}


def shown_rows(rows: Sequence[int]) -> str:
    """The positions of rows, as parameters have them."""
    return ",".join(map(str, rows))


def as_list(elements: Sequence[Any] | npt.NDArray[Any]) -> Sequence[Any]:
    """Elements as Python's values."""
    listed: Sequence[Any] = elements.tolist() if isinstance(elements, np.ndarray) else elements
    return listed
