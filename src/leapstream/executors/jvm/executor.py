"""Runs plans in the gateway's Java virtual machine, outside of any Flink job."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np

from leapstream.bundle import frame_binary
from leapstream.bundle.malformed import decoding
from leapstream.bundle.types import DataType, ListType, MapType, ScalarType, Schema
from leapstream.errors import BackendError
from leapstream.executors.columns import Column, to_python
from leapstream.executors.contract import DROPPED, KEPT, Failure, Outcome
from leapstream.executors.jvm.emitter import LETTERS, emit
from leapstream.executors.jvm.gateway import Runtime, class_loader, compile_java, java_text, runtime
from leapstream.executors.jvm.sources import KERNELS
from leapstream.plan.graph import Origin, Plan

_CLASS = "leapstream.generated.Model"
_DROPPED, _FAILED = 1, 2


@lru_cache(maxsize=64)
def _load(source: str, loader: Any) -> Any:
    """The Java class of a generated model; plans that differ in their data alone share it."""
    ready = runtime()
    return class_loader(ready.gateway, compile_java({_CLASS: source}), loader).loadClass(_CLASS)


class JvmPlan:
    """A plan as an object in Java. Safe to use from several threads, which wait for each other."""

    def __init__(self, plan: Plan) -> None:
        """Make the object.

        Raises:
            BackendError: Java rejects something in the plan (a regular expression, say), or there is no Java or PyFlink.
        """
        self.plan = plan
        self._java = emit(plan, _CLASS)
        self._lock = Lock()
        self._open(runtime())

    def _open(self, ready: Runtime) -> None:
        self._runtime = ready
        none = ready.gateway.new_array(ready.gateway.jvm.Object, 0)
        model = _load(self._java.source, ready.loader).getConstructors()[0].newInstance(none)
        self._runner = ready.loader.loadClass(f"{KERNELS}.BatchRunner").getConstructors()[0].newInstance(none)
        inputs = type_codes(self.plan.inputs)
        outputs = type_codes(self.plan.output_schema)
        try:
            self._runner.open(model, self._java.data, inputs, outputs)
        # Java rejects a regular expression, say.
        except Exception as error:
            raise self._failure(error) from error

    def run(self, columns: Mapping[str, Column], rows: int, threads: int = 1) -> Outcome[list[Any]]:
        """Compute the plan's outputs; see :class:`leapstream.executors.contract.PreparedPlan`.

        Raises:
            BundleError: a value does not fit its column.
            BackendError: Java fails for another reason than a row's values.
        """
        values = [to_python(columns[f.name], f.type, keep_stored=True) for f in self.plan.inputs]
        data = encoded_rows(self.plan.inputs, list(zip(*values, strict=True)) if values else [()] * rows)
        try:
            with self._lock:
                # Another gateway has other objects.
                if runtime() is not self._runtime:
                    self._open(runtime())
                answer = bytes(self._runner.run(data))
        except BackendError:
            raise
        # PyFlink turns Java's exceptions into classes of its own, by their kinds.
        except Exception as error:
            raise self._failure(error) from error
        return self._decode(answer)

    def _failure(self, error: Exception) -> BackendError:
        return BackendError(f"model {self.plan.name!r}: Java fails: {java_text(error)}")

    def _decode(self, answer: bytes) -> Outcome[list[Any]]:
        (count,) = struct.unpack_from(">i", answer)
        marks = np.frombuffer(answer, dtype=np.int8, count=count, offset=4)
        at = 4 + count
        states = np.where(marks == _DROPPED, DROPPED, KEPT).astype(np.int32)
        failures: dict[tuple[str | None, ...], int] = {}
        for row in np.flatnonzero(marks == _FAILED):
            texts: list[str | None] = []
            for _ in range(4):
                text, at = _text(answer, at)
                texts.append(text)
            states[row] = failures.setdefault(tuple(texts), len(failures))
        kept = np.flatnonzero(states == KEPT)
        columns: dict[str, list[Any]] = {name: [None] * count for name, _ in self.plan.outputs}
        if self.plan.outputs:
            # An empty frame ends with the number of its rows.
            with decoding("frame"):
                head = frame_binary.encode(self.plan.output_schema, [])[:-4]
                _, found = frame_binary.decode(head + answer[at:], own=True)
            for row, values in zip(kept, found, strict=True):
                for column, value in zip(columns.values(), values, strict=True):
                    column[row] = value
        return Outcome(columns, states, [_failure(*texts) for texts in failures], self.plan.name)


def encoded_rows(schema: Schema, rows: list[tuple[Any, ...]]) -> bytes:
    """The rows as ``leapstream.runtime.BatchRunner`` reads them."""
    with decoding("frame"):
        return frame_binary.encode(schema, rows, own=True)


def _failure(reason: str | None, node: str | None, op: str | None, column: str | None) -> Failure:
    origin = None if node is None or op is None else Origin(node, op, column)
    return origin, lambda row: reason or ""


def type_codes(schema: Schema) -> str:
    """The types of columns as ``leapstream.runtime.BatchRunner`` reads them."""
    return " ".join(_code(field.type) for field in schema)


def _code(data_type: DataType) -> str:
    if isinstance(data_type, ScalarType):
        shape = "s"
    elif isinstance(data_type, ListType):
        shape = "l"
    else:
        shape = "m" if isinstance(data_type, MapType) else "t"
    key = LETTERS[data_type.key] if isinstance(data_type, MapType) else ""
    return shape + LETTERS[data_type.base] + ("?" if data_type.nullable else "") + key


def _text(data: bytes, at: int) -> tuple[str | None, int]:
    (length,) = struct.unpack_from(">i", data, at)
    at += 4
    if length < 0:
        return None, at
    end = at + 2 * length
    return data[at:end].decode("utf-16-be", "surrogatepass"), end


__all__ = ["JvmPlan", "encoded_rows", "type_codes"]
