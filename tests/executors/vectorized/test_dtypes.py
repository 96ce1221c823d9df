"""Every value that a primitive gives is an array of the type that its leap type has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from scipy.sparse import csr_array

import tests.primitives
from leapstream import LeapstreamError
from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, TensorType
from leapstream.executors.columns import ARROW_TYPES, Column
from leapstream.executors.implementing import Implementation
from leapstream.executors.vectorized import executor
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.executors.vectorized.run import Run
from leapstream.plan import primitives as p
from tests.golden_corpus import Case as GoldenCase
from tests.golden_corpus import cases
from tests.primitives.cases import Case
from tests.primitives.running import run, run_alone

Found = dict[tuple[str, str, str], None]
FAMILIES = sorted(path.stem for path in Path(tests.primitives.__path__[0]).glob("test_*.py"))


def fits(data_type: DataType, column: Column) -> bool:
    """True if the values of a column have the array type of a leap type."""
    values = column.values
    if isinstance(data_type, ListType):
        return bool(values.type.equals(pa.list_(ARROW_TYPES[data_type.base])))
    if isinstance(data_type, MapType):
        return bool(values.type.equals(pa.map_(ARROW_TYPES[data_type.key], ARROW_TYPES[data_type.base])))
    if isinstance(data_type, TensorType):
        data = values.data if isinstance(values, csr_array) else values
        return data.dtype == NUMPY_DTYPES[data_type.base]
    if data_type.base in (BasicType.STRING, BasicType.BYTE_STRING):
        return bool(values.type.equals(ARROW_TYPES[data_type.base]))
    return values.dtype == NUMPY_DTYPES[data_type.base] and values.ndim == 1


@pytest.fixture
def misfits(monkeypatch: pytest.MonkeyPatch) -> Found:
    """Primitives, their types, and the array types that do not belong to these, of all plans that run."""
    found: Found = {}

    def watched(step: Implementation) -> Implementation:
        def compute(run: Run, expr: p.Expr, *operands: Column) -> Column:
            column: Column = step.function(run, expr, *operands)
            if not fits(expr.type, column):
                kind = getattr(column.values, "dtype", getattr(column.values, "type", None))
                found[type(expr).__name__, str(expr.type), str(kind)] = None
            return column

        return replace(step, function=compute)

    watching: Mapping[type[p.Expr], Any] = {key: watched(step) for key, step in executor.PRIMITIVES.items()}
    monkeypatch.setattr(executor, "PRIMITIVES", watching)
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_primitives_give_arrays_of_their_types(family: str, misfits: Found) -> None:
    found = getattr(import_module(f"tests.primitives.{family}"), "CASES", [])
    for case in [case for case in found if isinstance(case, Case) and p.TensorFlow not in case.primitives]:
        rows = [(row,) if len(case.plan.inputs) == 1 else row for row, _ in case.rows]
        for way in (run, run_alone):
            way(VectorizedPlan(case.plan), rows)
    assert not misfits


@pytest.mark.slow
@pytest.mark.parametrize("part", sorted({case.name.split("/")[0] for case in cases()}))
def test_golden_models_give_arrays_of_their_types(part: str, misfits: Found) -> None:
    chosen: list[GoldenCase] = [case for case in cases() if case.known and case.name.startswith(f"{part}/")]
    for case in chosen:
        if not case.info.get("load_error"):
            try:
                case.model().transform(case.input(), on_error="null")
            except LeapstreamError:
                continue
    assert not misfits
