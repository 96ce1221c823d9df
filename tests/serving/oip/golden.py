"""The golden corpus through the protocol: leap frames as tensors, and tensors as the answers that cases are verified with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leapstream import LeapFrame, Model, load
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, Schema, TensorType
from leapstream.contract import Contract, contracts
from leapstream.contract.answers import Answers
from leapstream.errors import SchemaError
from leapstream.serving import Application
from leapstream.serving.failures import RequestError
from leapstream.serving.oip.signature import Column
from leapstream.serving.oip.tensors import Result
from leapstream.serving.registry import ServedModel
from tests.golden_corpus import GOLDEN


class FailedError(Exception):
    """A request that fails, with its message."""


@dataclass
class Output:
    """An output of an answer; texts are ``str`` or ``bytes``."""

    name: str
    shape: Sequence[int]
    elements: Sequence[Any]
    missing: str


NOT_CARRIED = {
    "binarizer-vector-negative-threshold": "zeros that a sparse vector does not store differ from others",
    "output-exists": "a request cannot have a column of an output's name",
    "string-list": "texts for the numbers of a vector",
    "tensor-float-one-for-string": "a tensor of one element for a scalar",
    "tensor-one-for-scalar": "a tensor of one element for a scalar",
    "tensor-one-of-two": "a tensor of two elements for a scalar",
    "tensor-one-one-for-scalar": "a tensor of one element for a scalar",
}
"""Cases whose frames have something that the protocol's tensors cannot say."""

Ask = Callable[[Sequence[Result], Sequence[str]], tuple[list[Output], str]]
"""Sends inputs, asks for outputs, and returns them with the rows that the model drops; raises :class:`FailedError`."""


def problems(application: Application, asks: Mapping[int, Ask]) -> list[str]:
    """The cases whose answers differ from what is recorded, but for those of :data:`NOT_CARRIED`.

    Args:
        application: where the models are put, under the name ``m``.
        asks: ask it, by the number of rows in a request.
    """
    found = []
    for case in contracts(GOLDEN):
        if case.path.name in NOT_CARRIED:
            continue
        model = load(case.bundle)
        application.context.models.put(ServedModel("m", case.path.name, model))
        for rows, ask in asks.items():
            try:
                report = case.verify_answers(_Rows(case, model, ask).answers(rows))
            except SchemaError:
                # All rows of a frame without a column fail.
                assert len(case.info["error_rows"]) == case.info["rows_in"]
                continue
            except FailedError as error:
                found.append(f"{case.path.name}: {error}")
                continue
            if not report.ok:
                found.append(f"{case.path.name}: {report.problems} {report.failures} {report.columns}")
    return found


class _Rows:
    def __init__(self, case: Contract, model: Model, ask: Ask) -> None:
        self._frame: LeapFrame = case.frame("input")
        self._given = [f for f in self._frame.schema if f.name in model.schema.inputs]
        self._added: Schema = model.plan(Schema(tuple(self._given))).output_schema
        self._ask = ask
        self._found: dict[int, tuple[Any, ...]] = {}
        self._errors: dict[int, str] = {}

    def answers(self, most: int) -> Answers:
        if not self._given:
            most = 1  # A request without tensors is one row.
        for start in range(0, len(self._frame), most):
            self._score(list(range(start, min(start + most, len(self._frame)))))
        return Answers(self._added, self._found, self._errors)

    def _score(self, rows: list[int]) -> None:
        while rows:
            try:
                outputs, dropped = self._ask(list(self._inputs(rows)), self._added.names)
            except (FailedError, RequestError) as error:
                failed = re.search(r"\brow (\d+)\b", str(error))
                if "different shapes" in str(error) or "no missing values" in str(error):
                    if len(rows) == 1:
                        raise FailedError(str(error)) from None
                    for row in rows:
                        self._score([row])
                    return
                if failed is None and len(rows) > 1:
                    raise
                if failed is None and not str(error).startswith("422"):
                    raise
                place = 0 if failed is None or len(rows) == 1 else int(failed[1])
                self._errors[rows[place]] = str(error)
                rows = rows[:place] + rows[place + 1 :]
                continue
            gone = {int(row) for row in dropped.split(",") if row}
            columns = [list(_values(o, f.type, len(rows))) for o, f in zip(outputs, self._added, strict=True)]
            for place, row in enumerate(rows):
                if place not in gone:
                    self._found[row] = tuple(column[place] for column in columns)
            return

    def _inputs(self, rows: Sequence[int]) -> Iterator[Result]:
        for f in self._given:
            place = self._frame.schema.position(f.name)
            values = [_plain(self._frame.rows[row][place]) for row in rows]
            yield Column(f.name, f.type).result(f.name, values)


def _plain(value: Any) -> Any:
    return value.to_dense().tolist() if isinstance(value, Tensor) else value


def _values(output: Output, data_type: DataType, rows: int) -> Iterator[Any]:
    missing = {int(row) for row in output.missing.split(",") if row}
    size = int(np.prod(output.shape[1:]))
    elements = list(output.elements)
    if data_type.base is BasicType.STRING:
        elements = [x.decode() if isinstance(x, bytes) else x for x in elements]
    elif data_type.base in (BasicType.FLOAT, BasicType.DOUBLE):
        elements = [float(x) if x is not None else None for x in elements]
    assert not isinstance(data_type, MapType) and output.shape[0] == rows
    for row in range(rows):
        part = elements[row * size : (row + 1) * size]
        if row in missing:
            yield None
        elif isinstance(data_type, TensorType):
            dtype = object if data_type.base is BasicType.STRING else None
            yield Tensor.dense(np.array(part, dtype).reshape(output.shape[1:]), data_type.base)
        else:
            yield part if isinstance(data_type, ListType) else part[0]
