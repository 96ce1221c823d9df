"""Runs fuzz cases on a backend, and compares the answers with those of MLeap's JVM."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from leapstream import LeapFrame, Model
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import Field, Schema, TensorType
from leapstream.errors import LeapstreamError, UnsupportedModelError, UnsupportedOpError
from leapstream.plan.primitives import INT
from tests.fuzz.exceptions import EXCEPTIONS, shifted_columns
from tests.fuzz.recorded import Answer, Case, cases

ROW = "number of the row"
WIDEST_OF_A_RECORD = 10_000
"""Records have lists of all elements, so that wider vectors take too long."""


GROUPS = 8
"""Number of tests that share the cases."""


def assert_the_jvms_answers(backend: str, group: int) -> None:
    """Compare the answers of a backend to all cases of a group but the exceptions."""
    compared = [case for case in cases()[group::GROUPS] if case.number not in EXCEPTIONS]
    problems = [problem for case in compared for problem in differences(case, backend)]
    assert not problems, f"{len(problems)} rows differ:\n" + "\n".join(problems[:20])


def differences(case: Case, backend: str) -> list[str]:
    """Every row whose answer differs from the JVM's, in words. The backend ``record`` predicts row by row."""
    model = case.model()
    if backend == "record":
        answers = list(_records(case, model))
    else:
        answers = frame_answers(model, case.frame, backend)
    pairs = zip(case.answers, answers, strict=True)
    shifted = shifted_columns(model)
    found = (
        (row, difference(jvm, ours, shifted), jvm, ours) for row, (jvm, ours) in enumerate(pairs) if ours is not None
    )
    return [
        f"case {case.number} ({case.op}), row {row}: {kind}\n    JVM:  {_shown(jvm)}\n    ours: {_shown(ours)}"
        for row, kind, jvm, ours in found
        if kind
    ]


def _shown(answer: Answer) -> str:
    return f"{answer.kind} {answer.reason or answer.values}"[:300]


# ---- the answers of leapstream ----------------------------------------------------------------------------------------


def frame_answers(model: Model, frame: LeapFrame, backend: str) -> list[Answer | None]:
    """The answers to all rows in one batch; those of rows that fail, or may have failed, from batches of one row."""
    numbered = LeapFrame(
        Schema((*frame.schema.fields, Field(ROW, INT))), [(*row, i) for i, row in enumerate(frame.rows)]
    )
    width = len(numbered.schema)
    answers: list[Answer | None] = [Answer("dropped", {})] * len(frame.rows)
    try:
        result = model.transform(numbered, backend=backend, on_error="null")
    except (UnsupportedModelError, UnsupportedOpError):
        return [None] * len(frame.rows)
    except LeapstreamError as error:
        return [Answer("fails", {}, str(error))] * len(frame.rows)
    names = result.schema.names[width:]
    for row in result.rows:
        values = dict(zip(names, row[width:], strict=True))
        at = row[width - 1]
        answers[at] = _alone(model, frame, at, backend) if _empty(values) else Answer("values", values)
    return answers


def _empty(values: dict[str, Any]) -> bool:
    return all(value is None for value in values.values())


def _alone(model: Model, frame: LeapFrame, row: int, backend: str) -> Answer:
    try:
        result = model.transform(LeapFrame(frame.schema, [frame.rows[row]]), backend=backend)
    except LeapstreamError as error:
        return Answer("fails", {}, str(error))
    if not result.rows:
        return Answer("dropped", {})
    width = len(frame.schema)
    return Answer("values", dict(zip(result.schema.names[width:], result.rows[0][width:], strict=True)))


def _records(case: Case, model: Model) -> Iterator[Answer | None]:
    """The answers to each row as a record; ``None`` where no record has the values of the row."""
    added = (*model.schema.intermediate, *model.schema.outputs)
    names = [f.name for f in added if not isinstance(f.type, TensorType) or (f.type.size or 0) <= WIDEST_OF_A_RECORD]
    for row in case.frame.rows:
        values = dict(zip(case.frame.schema.names, row, strict=True))
        if case.frame.schema != model.schema.inputs or any(
            isinstance(value, Tensor) and value.is_sparse for value in row
        ):
            yield None
            continue
        given = {name: value.to_dense() if isinstance(value, Tensor) else value for name, value in values.items()}
        try:
            found = model.predict_record(given, outputs=names)
        except (UnsupportedModelError, UnsupportedOpError):
            yield None
        except LeapstreamError as error:
            yield Answer("fails", {}, str(error))
        else:
            yield Answer("dropped", {}) if found is None else Answer("values", found)


# ---- comparing --------------------------------------------------------------------------------------------------------


def difference(jvm: Answer, ours: Answer, shifted: frozenset[str]) -> str:
    """The difference between two answers in words, or an empty text; ``shifted`` columns are not compared."""
    if jvm.kind != ours.kind:
        # A value of another column may be of a type that the next op cannot take.
        return "" if shifted and jvm.kind == "fails" else f"{jvm.kind} in the JVM, {ours.kind} here"
    for name, value in jvm.values.items():
        if name in shifted:
            continue
        kind = _value_differs(value, ours.values[name]) if name in ours.values else ""
        if kind:
            return f"column {name!r}: {kind}"
    return ""


def _value_differs(jvm: Any, ours: Any) -> str:
    if jvm is None or ours is None:
        return "" if jvm is ours else "a missing value"
    if isinstance(jvm, Tensor):
        if not isinstance(ours, Tensor):
            # A record has lists, or a number for a tensor without dimensions.
            ours = Tensor.dense(np.array(ours, dtype=jvm.values.dtype), jvm.base)
        if jvm.dimensions != ours.dimensions:
            return f"dimensions {jvm.dimensions} and {ours.dimensions}"
        mine, theirs = _elements(ours), _elements(jvm)
        places = sorted(mine.keys() | theirs.keys())
        return _elements_differ([theirs.get(at) for at in places], [mine.get(at) for at in places], 0.0)
    if isinstance(ours, Tensor):
        return "a tensor here"
    if isinstance(jvm, dict):
        if not isinstance(ours, dict) or jvm.keys() != ours.keys():
            return "keys of a map"
        return _elements_differ(list(jvm.values()), [ours[key] for key in jvm], None)
    if isinstance(jvm, list):
        listed = ours.tolist() if isinstance(ours, np.ndarray) else ours
        if not isinstance(listed, (list, tuple)) or len(listed) != len(jvm):
            return "elements of a list"
        return _elements_differ(jvm, list(listed), None)
    return _elements_differ([jvm], [ours], None)


def _elements(tensor: Tensor) -> dict[tuple[int, ...], Any]:
    """The elements of a tensor that are not 0, by their indices; of an index that repeats the last one."""
    indices = tensor.indices
    if indices is None:
        indices = np.argwhere(np.ones(tensor.dimensions, dtype=np.bool_))
    found = dict(zip(map(tuple, indices.tolist()), tensor.values.tolist(), strict=True))
    return {at: value for at, value in found.items() if value is not None and (isinstance(value, str) or value != 0)}


def _elements_differ(jvm: list[Any], ours: list[Any], absent: float | None) -> str:
    """The first difference; ``absent`` stands for an element that is not there."""
    if absent is not None:
        texts = any(isinstance(value, str) for value in jvm + ours)
        jvm, ours = ([x if x is not None or texts else absent for x in side] for side in (jvm, ours))
    finite = [abs(x) for x in jvm if isinstance(x, float) and math.isfinite(x)]
    scale = max(finite, default=0.0) if len(jvm) > 1 else 0.0
    return next((kind for x, y in zip(jvm, ours, strict=True) if (kind := _element_differs(x, y, scale))), "")


def _element_differs(jvm: Any, ours: Any, scale: float) -> str:
    different = f"{jvm!r} and {ours!r}"
    if jvm is None or ours is None or isinstance(jvm, (str, bytes)) or isinstance(ours, (str, bytes)):
        return "" if jvm == ours else different
    relative = 3e-6 if isinstance(jvm, np.float32) else 1e-9
    x, y = float(jvm), float(ours)
    if x == y or (math.isnan(x) and math.isnan(y)):
        return ""
    if not (math.isfinite(x) and math.isfinite(y)) or (isinstance(jvm, int) and isinstance(ours, int)):
        return different
    distance = abs(x - y)
    return "" if distance <= relative * max(abs(x), abs(y), scale) or distance < 1e-300 else different
