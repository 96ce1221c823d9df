"""Transforms leap frames: MLeap's answer has the columns of the request, and all that the model's nodes add."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypeAlias

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.malformed import first_repeated
from leapstream.bundle.types import BasicType, DataType, Field, ListType, Schema, TensorType, with_nullable
from leapstream.errors import PredictionError, SchemaError
from leapstream.serving.failures import Failure
from leapstream.serving.http import Request
from leapstream.serving.mleap.layouts import Layout, Rows, layout_of
from leapstream.serving.proto import mleap_pb2 as pb
from leapstream.serving.registry import ServedModel
from leapstream.serving.scoring import check_rows, check_time, learn

# Fewer rows than these are computed one by one: a batch has costs of its own.
_FEW = 64
_PIECE = 8192
# Longer vectors are not computed as lists, which have all their elements.
_LONGEST_VECTOR = 256
_REMEMBERED = 64


class FrameTransform:
    """A version of a model for frames of one schema. Safe to use from several threads.

    Args:
        served: the version.
        given: the frames' schema.
        select: the columns of the answer, in their order; by default all.
        relaxed: leave out columns that are not there.

    Attributes:
        result: the schema of answers.

    Raises:
        SchemaError: the schema does not fit the model, or a column that is selected is not there.
    """

    def __init__(
        self, served: ServedModel, given: Layout, select: tuple[str, ...] | None = None, relaxed: bool = False
    ) -> None:
        model = served.model
        self._model = model
        self._given = given
        added = model.plan().output_schema.names
        names = given.schema.names
        if select is not None:
            select = _checked(served.name, select, (*names, *added), relaxed)
        self._outputs = tuple(n for n in added if select is None or n in select)
        known = Schema(tuple(f for f in given.schema if f.name in model.schema.inputs))
        plan = model.plan(known, self._outputs)
        clash = next((name for name in self._outputs if name in names), None)
        if clash is not None:
            raise SchemaError(f"model {model.name!r}: the frame has a column {clash!r} already")
        whole = Schema((*given.schema.fields, *mleap_types(plan.output_schema)))
        picked = whole.fields if select is None else tuple(whole[name] for name in select)
        self.result = layout_of(Schema(picked))
        self._picked = None if select is None else tuple(whole.names.index(name) for name in select)
        self._inputs = tuple((f.name, names.index(f.name), isinstance(f.type, TensorType)) for f in plan.inputs)
        self._alone = (
            all(_is_as_declared(f.type, model.schema.inputs[f.name].type) for f in plan.inputs)
            and set(model.needed_inputs(self._outputs)) == set(plan.inputs.names)
            and all(_is_short(f) for f in plan.output_schema)
        )

    def run(self, request: Request, served: ServedModel, rows: Rows, most: int) -> Rows:
        """The answer's rows; those that the model drops are not there.

        Raises:
            PredictionError: a row fails.
            TooLargeError: there are more than ``most`` rows.
            DeadlineError: the request's time is over.
            TooLongForLoopError: they would take too long for the event loop.
        """
        check_rows(request, served, len(rows), most)
        if not rows:
            return []
        started = time.perf_counter()
        found = self._one_by_one(rows) if self._alone and len(rows) < _FEW else None
        if found is None:
            found = self._in_pieces(request, rows)
        learn(served, (time.perf_counter() - started) / len(rows))
        return found

    def run_row(self, row: Sequence[Any]) -> Sequence[Any] | None:
        """The answer for a single row; ``None`` if the model drops it.

        Raises:
            PredictionError: it fails.
        """
        found = self._one_by_one([row]) if self._alone else None
        if found is None:
            found = self._batch([row], 0)
        return found[0] if found else None

    def _one_by_one(self, rows: Rows) -> list[Sequence[Any]] | None:
        """The answer, computed as records; ``None`` if a row has a tensor that cannot be one."""
        predict, outputs, picked = self._model.predict_record, self._outputs, self._picked
        answers: list[Sequence[Any]] = []
        for number, row in enumerate(rows):
            record = {}
            for name, position, is_tensor in self._inputs:
                value = row[position]
                if is_tensor and type(value) is not list and value is not None:
                    if value.indices is not None or len(value.dimensions) != 1:
                        return None
                    value = value.values.tolist()
                record[name] = value
            try:
                answer = predict(record, outputs=outputs)
            except PredictionError as error:
                raise error.at_row(number) from None
            if answer is not None:
                whole = (*row, *answer.values())
                answers.append(whole if picked is None else [whole[position] for position in picked])
        return answers

    def _in_pieces(self, request: Request, rows: Rows) -> list[Sequence[Any]]:
        answers: list[Sequence[Any]] = []
        for start in range(0, len(rows), _PIECE):
            check_time(request)
            answers += self._batch(rows[start : start + _PIECE], start)
        return answers

    def _batch(self, rows: Rows, start: int) -> list[Sequence[Any]]:
        frame = LeapFrame(self._given.schema, self._given.leap_rows(rows))
        try:
            found = self._model.transform(frame, outputs=self._outputs).rows
        except PredictionError as error:
            raise error.at_row(start + (error.row or 0)) from None
        if self._picked is None:
            return found
        return [[row[position] for position in self._picked] for row in found]


_Made: TypeAlias = "dict[tuple[Layout, tuple[str, ...] | None, bool], FrameTransform]"


def transform_for(
    served: ServedModel, given: Layout, select: tuple[str, ...] | None = None, relaxed: bool = False
) -> FrameTransform:
    """The transform of a version for frames of a schema, made once.

    Raises:
        SchemaError: see :class:`FrameTransform`.
    """
    if given.is_large:
        return FrameTransform(served, given, select, relaxed)
    known = served.once(_no_transforms)
    key = (given, select, relaxed)
    found = known.get(key)
    if found is None:
        found = FrameTransform(served, given, select, relaxed)
        # Clients may make up any number of schemas.
        if len(known) >= _REMEMBERED:
            known.clear()
        known[key] = found
    return found


def _no_transforms(served: ServedModel) -> _Made:
    return {}


def mleap_types(schema: Schema) -> Schema:
    """The columns with the types that MLeap gives them: lists and tensors may be missing, even where none ever is."""
    return Schema(
        tuple(
            Field(f.name, with_nullable(f.type, True)) if isinstance(f.type, (ListType, TensorType)) else f
            for f in schema
        )
    )


def selection(options: pb.TransformOptions) -> tuple[tuple[str, ...] | None, bool]:
    """The columns that a request selects (``None``: all), and whether unknown ones are left out."""
    return tuple(options.select) or None, options.select_mode == pb.SELECT_MODE_RELAXED


def backtrace(failure: Failure) -> str:
    """The place of a failure in the form of a backtrace: a line each for model, node, column and row."""
    places = [f"\tat {name} {value}" for name, value in failure.details.items()]
    return "\n".join([f"{failure.kind}: {failure.message}", *places])


def _checked(model: str, select: tuple[str, ...], known: tuple[str, ...], relaxed: bool) -> tuple[str, ...]:
    unknown = [name for name in select if name not in known]
    if unknown and not relaxed:
        raise SchemaError(f"model {model!r}: there is no column {unknown[0]!r} to select")
    picked = tuple(name for name in select if name in known)
    repeated = first_repeated(picked)
    if repeated is not None:
        raise SchemaError(f"column {repeated!r} is selected twice")
    return picked


def _is_as_declared(given: DataType, declared: DataType) -> bool:
    """True if values of a type can be in a record as they are."""
    if isinstance(given, TensorType) and isinstance(declared, TensorType):
        return given.base is declared.base is BasicType.DOUBLE and len(given.dimensions or (0,)) == 1
    return with_nullable(given, True) == with_nullable(declared, True)


def _is_short(f: Field) -> bool:
    """True if a column is as good in a record as it is in a frame."""
    if not isinstance(f.type, TensorType):
        return True
    size = f.type.dimensions
    return f.type.base is BasicType.DOUBLE and size is not None and len(size) == 1 and size[0] <= _LONGEST_VECTOR


__all__ = ["FrameTransform", "backtrace", "mleap_types", "selection", "transform_for"]
