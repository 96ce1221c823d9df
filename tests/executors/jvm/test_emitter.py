from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
import pytest

from leapstream import BackendError
from leapstream.bundle.types import BasicType, ListType, MapType, ScalarType, TensorType
from leapstream.executors.jvm.emitter import LOWERED, PRIMITIVES, emit, java_type
from leapstream.plan import primitives as p
from tests.primitives.cases import column, plan_of
from tests.primitives.test_trees import stump


def test_java_computes_every_primitive_that_is_not_external() -> None:
    classes = {c for _, c in inspect.getmembers(p, inspect.isclass) if issubclass(c, p.Expr) and c is not p.Expr}
    assert set(PRIMITIVES) | set(LOWERED) == classes - {p.TensorFlow}


def test_unknown_primitive_is_named() -> None:
    @dataclass(frozen=True, eq=False, kw_only=True)
    class Strange(p.Expr):
        x: p.Expr

    x = column(p.DOUBLE)
    with pytest.raises(BackendError, match="the jvm executor lacks primitive Strange for model 'model'"):
        emit(plan_of(out=Strange(x=x, type=p.DOUBLE)), "a.B")


def test_same_plan_gives_same_class_and_data() -> None:
    x = column(p.vector(2))
    plan = plan_of(out=p.Dot(x=x, weights=np.ones(2), intercept=1.0, type=p.DOUBLE))
    assert emit(plan, "a.B") == emit(plan, "a.B")


def test_fields_have_java_types_and_a_flag_where_a_number_may_be_missing() -> None:
    x = column(ScalarType(BasicType.INT))
    model = emit(plan_of(out=p.Cast(x=x, type=ScalarType(BasicType.STRING))), "a.B")
    assert [(f.name, f.java_type, f.null_field) for f in model.inputs] == [("in0", "int", "in0Null")]
    assert [(f.name, f.java_type, f.null_field) for f in model.outputs] == [("out0", "String", None)]


@pytest.mark.parametrize(
    ("leap", "java"),
    [
        (ScalarType(BasicType.BYTE_STRING), "byte[]"),
        (TensorType(BasicType.FLOAT), "leapstream.runtime.Vec"),
        (TensorType(BasicType.LONG), "leapstream.runtime.ObjectTensor"),
        (ListType(BasicType.DOUBLE), "Object[]"),
        (MapType(BasicType.STRING, BasicType.INT), "java.util.Map"),
    ],
)
def test_leap_type_has_its_java_type(leap: p.DataType, java: str) -> None:
    assert java_type(leap) == java


def test_code_does_not_grow_with_the_number_of_trees() -> None:
    x = column(p.vector(2))

    def source(trees: int) -> str:
        forest = p.Trees(x=x, trees=(stump(),) * trees, combine="sum", width=1, type=p.DOUBLE)
        return emit(plan_of(out=forest), "a.B").source

    assert len(source(1)) == len(source(100))
