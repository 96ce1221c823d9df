"""Compares the answers of MLeap's JVM to written bundles with those of leapstream."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import leapstream
from leapstream import LeapFrame, Model, Tensor
from leapstream.bundle.definition import Format
from leapstream.bundle.types import BasicType, DataType, ListType, Schema, TensorType
from tests.exporters.agreement import columns_of
from tests.fuzz.comparing import difference, frame_answers
from tests.mleap.jvm import LoadError, MLeap
from tests.mleap.known import CAUSES, KNOWN, LACKING

FORMATS: tuple[Format, ...] = ("json", "protobuf")
RESULT = "mleap"
"""The name of the property of a test that has its source and outcomes."""
RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Verdict:
    """Result of a comparison.

    Attributes:
        loads: true if MLeap loads the bundles in all formats.
        problem: the first difference; empty if there is none.
    """

    loads: bool
    problem: str = ""


def judge(mleap: MLeap, model: Model, frame: LeapFrame, folder: Path) -> Verdict:
    """Write a model in each format, and compare MLeap's answers with leapstream's: every row, every column."""
    wanted = frame_answers(model, frame, "vectorized")
    for form in FORMATS:
        path = folder / f"{form}.zip"
        leapstream.save(model, path, format=form)
        try:
            found = mleap.ask(path, frame)
        except LoadError as error:
            return Verdict(False, f"{form}: does not load: {error}")
        for row, (jvm, ours) in enumerate(zip(found, wanted, strict=True)):
            assert ours is not None, "leapstream does not run the model"
            kind = difference(jvm, ours, frozenset())
            if kind:
                return Verdict(True, f"{form}: row {row}: {kind} {jvm.reason or ours.reason}")
    return Verdict(True)


def settle(verdict: Verdict, source: str, name: str, record_property: Any) -> None:
    """Pass if the verdict is the expected one: a difference for cases in `KNOWN`, no load for sources in `LACKING`, else none."""
    outcomes = ["exported", *(["loads"] if verdict.loads else []), *([] if verdict.problem else ["agrees"])]
    record_property(RESULT, " ".join([source, *outcomes]))
    case = f"{source}/{name}"
    if source in LACKING:
        assert LACKING[source] in CAUSES
        assert not verdict.loads, f"{case} loads now: remove {source} from known.py"
    elif case in KNOWN:
        assert KNOWN[case] in CAUSES
        assert verdict.problem, f"{case} agrees now: remove it from known.py"
    else:
        assert not verdict.problem, f"{case}: {verdict.problem}"


def frame_for(model: Model, rows: Any) -> LeapFrame:
    """The rows of an estimator as a leap frame for its model; a missing number is NaN, a missing text null."""
    columns = columns_of(model, rows)
    inputs = model.schema.inputs
    values = [[_value(f.type, value) for value in columns[f.name]] for f in inputs]
    return LeapFrame(Schema(inputs.fields), list(zip(*values, strict=True)))


_CASTS = {BasicType.BOOLEAN: bool, BasicType.FLOAT: float, BasicType.DOUBLE: float, BasicType.STRING: str}


def _value(data_type: DataType, value: Any) -> Any:
    if isinstance(data_type, TensorType):
        return Tensor.dense(value, data_type.base)
    if isinstance(data_type, ListType):
        return list(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return math.nan if data_type.base in (BasicType.FLOAT, BasicType.DOUBLE) else None
    return _CASTS.get(data_type.base, int)(value)
