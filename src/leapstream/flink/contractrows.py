"""The rows of a contract in the form in which ``leapstream.runtime.ContractRows`` compares a model with them."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.frame_binary import RowCodec
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema, TensorType, with_nullable
from leapstream.contract import Contract
from leapstream.errors import BackendError
from leapstream.executors.jvm.emitter.code import int_bytes, text_bytes
from leapstream.executors.jvm.executor import type_codes
from leapstream.frames.values import array_of
from leapstream.plan.graph import Plan

RESOURCE = "leapstream/generated/contract.bin"
"""The place of the rows in a jar."""

_TEXTS = {BasicType.STRING, BasicType.BYTE_STRING}
_FINE, _DROPPED, _FAILED, _NOT_COMPARED = range(4)


def encoded_contract(contract: Contract, plan: Plan, class_name: str, data: str) -> bytes:
    """The rows of a contract for a plan's class.

    Args:
        contract: the contract.
        plan: the plan, whose outputs are compared where they are recorded.
        class_name: the class of the plan.
        data: the resource with its data.

    Raises:
        BackendError: a column of the contract has another type than the plan, and values that cannot be converted before.
        BundleError: the contract is damaged.
    """
    given, expected = contract.frame("input"), contract.frame("expected")
    rows = len(given.rows)
    fine = contract.rows.expected(rows)
    states = np.full(rows, _NOT_COMPARED, np.int8)
    states[fine] = _FINE
    states[sorted(contract.rows.dropped)] = _DROPPED
    states[sorted(contract.rows.failing)] = _FAILED
    outputs = _nullable(plan.output_schema)
    compared = [
        (place, field)
        for place, field in enumerate(outputs)
        if field.name in expected.schema and field.name not in contract.unstable
    ]
    columns = Schema(tuple(field for _, field in compared))
    answers = [
        [_with_numbers(contract, row, field, value) for row, value in zip(fine, _values(expected, field), strict=True)]
        for field in columns
    ]
    allowed = contract.tolerance
    parts = [
        *map(text_bytes, (class_name, data, type_codes(plan.inputs))),
        struct.pack(">ddi", allowed.relative, allowed.absolute, rows),
        states.tobytes(),
        _encoded(plan.inputs, [_values(given, field) for field in plan.inputs], rows),
        int_bytes(np.array([place for place, _ in compared], np.int64)),
    ]
    for field, code in zip(columns, type_codes(columns).split(), strict=True):
        parts += [text_bytes(field.name), text_bytes(code)]
    return b"".join([*parts, _encoded(columns, answers, len(fine))])


def _nullable(schema: Schema) -> Schema:
    return Schema(tuple(Field(field.name, with_nullable(field.type, True)) for field in schema))


def _values(frame: LeapFrame, field: Field) -> list[Any]:
    """The values of a column as the type of a field."""
    if field.name not in frame.schema:
        raise BackendError(f"the contract has no column {field.name!r}")
    values, kind, declared = frame.column(field.name), frame.schema[field.name].type, field.type
    if type(kind) is type(declared) and kind.base is declared.base:
        return values
    # Arrow has no text of a float, which differs from that of a double.
    as_text = kind.base is BasicType.FLOAT and declared.base is BasicType.STRING
    scalars = isinstance(kind, ScalarType) and isinstance(declared, ScalarType)
    if scalars and kind.base not in _TEXTS and not as_text:
        converted: list[Any] = array_of(field.name, values, declared).to_pylist()
        return converted
    if isinstance(kind, TensorType) and isinstance(declared, TensorType) and not {kind.base, declared.base} & _TEXTS:
        dtype, base = NUMPY_DTYPES[declared.base], declared.base
        return [None if v is None else replace(v, base=base, values=v.values.astype(dtype)) for v in values]
    raise BackendError(f"column {field.name!r} of the contract is {kind}, and the model has {declared}")


def _with_numbers(contract: Contract, row: int, field: Field, value: Any) -> Any:
    """A recorded value with the numbers that JSON cannot show."""
    recorded = contract.numbers(row, field.name)
    if isinstance(field.type, ScalarType):
        number = recorded.at(None)
        return value if number is None else number
    numbers = [] if value is None else [(i, recorded.at(i)) for i in recorded.places]
    if not numbers:
        return value
    if isinstance(value, Tensor):
        whole = value.to_dense()
        whole.reshape(-1)[[i for i, _ in numbers]] = [number for _, number in numbers]
        return Tensor.dense(whole, value.base)
    changed = dict(numbers)
    return [changed.get(i, element) for i, element in enumerate(value)]


def _encoded(schema: Schema, columns: list[list[Any]], rows: int) -> bytes:
    """The values of the rows, one after the other."""
    given = list(zip(*columns, strict=True)) if columns else [()] * rows
    try:
        # The number of the rows comes first.
        return RowCodec(schema, own=True).encode_rows(given)[4:]
    except ValueError as error:
        raise BackendError(f"the contract: {error}") from error
