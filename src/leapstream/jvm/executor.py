"""Runs a plan over a leap frame in the gateway's Java virtual machine, outside of any Flink job."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, TypeAlias

from leapstream.bundle import frame_binary
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import DataType, ListType, MapType, ScalarType
from leapstream.errors import BackendError, PredictionError
from leapstream.jvm import PACKAGE
from leapstream.jvm.emitter import LETTERS, emit
from leapstream.jvm.gateway import class_loader, compile_java, runtime
from leapstream.plan.plan import Plan

RowResult: TypeAlias = tuple[Any, ...] | PredictionError | None
_CLASS = "leapstream.generated.Model"
_DROPPED, _FAILED = 1, 2


@lru_cache(maxsize=64)
def _load(source: str, loader: Any) -> Any:
    """The Java class of a generated model; plans that differ in their data alone share it."""
    ready = runtime()
    return class_loader(ready.gateway, compile_java({_CLASS: source}), loader).loadClass(_CLASS)


class JvmExecutor:
    """Runs one plan. Not safe for use by several threads at once.

    Raises:
        BackendError: the plan has a primitive that the emitter lacks, Java refuses what is in it, or there is no Java or PyFlink.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        java = emit(plan, _CLASS)
        ready = runtime()
        none = ready.gateway.new_array(ready.gateway.jvm.Object, 0)
        model = _load(java.source, ready.loader).getConstructors()[0].newInstance(none)
        self._runner = ready.loader.loadClass(f"{PACKAGE}.BatchRunner").getConstructors()[0].newInstance(none)
        inputs = " ".join(_code(f.type) for f in plan.inputs)
        outputs = " ".join(_code(f.type) for f in plan.output_schema)
        try:
            self._runner.open(model, java.data, inputs, outputs)
        # A regular expression that Java refuses, say.
        except Exception as error:
            raise self._failure(error) from error

    def run(self, frame: LeapFrame) -> list[RowResult]:
        """Compute the outputs of every row.

        Args:
            frame: the plan's inputs, in the plan's order and types.

        Returns:
            for each row the output values as a leap frame holds them, ``None`` when it is dropped, or the error when it fails.

        Raises:
            BundleError: a value does not fit its column.
            BackendError: Java fails for another reason than a row's values.
        """
        data = LeapFrame(self.plan.inputs, frame.rows).to_bytes("binary")
        try:
            answer = bytes(self._runner.run(data))
        # PyFlink turns Java's exceptions into classes of its own, by their kinds.
        except Exception as error:
            raise self._failure(error) from error
        return self._decode(answer)

    def _failure(self, error: Exception) -> BackendError:
        return BackendError(f"model {self.plan.name!r}: Java fails: {getattr(error, 'java_exception', error)}")

    def _decode(self, answer: bytes) -> list[RowResult]:
        (count,) = struct.unpack_from(">i", answer)
        states = answer[4 : 4 + count]
        at = 4 + count
        errors: list[PredictionError] = []
        for row in (i for i, state in enumerate(states) if state == _FAILED):
            texts: list[str | None] = []
            for _ in range(4):
                text, at = _text(answer, at)
                texts.append(text)
            reason, node, op, column = texts
            errors.append(PredictionError(reason or "", model=self.plan.name, node=node, op=op, column=column, row=row))
        values: list[Any]
        if self.plan.outputs:
            # An empty frame ends with the number of its rows.
            head = frame_binary.encode(self.plan.output_schema, [])[:-4]
            _, values = frame_binary.decode(head + answer[at:])
        else:
            values = [()] * states.count(0)
        fine, failed = iter(values), iter(errors)
        return [None if s == _DROPPED else next(failed) if s == _FAILED else tuple(next(fine)) for s in states]


def _code(data_type: DataType) -> str:
    """A type as ``leapstream.runtime.BatchRunner`` reads it."""
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
    return data[at : at + length].decode("utf-8"), at + length


__all__ = ["JvmExecutor", "RowResult"]
