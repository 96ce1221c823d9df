"""The families' cases name every primitive, and every executor is asked for each."""

from __future__ import annotations

import importlib
from pathlib import Path

from leapstream.executors.registry import executors
from leapstream.plan import primitives as p
from leapstream.plan.graph import Expr
from tests.primitives.cases import Case

FAMILIES = sorted(path.stem for path in Path(p.__file__).parent.glob("*.py") if path.stem != "__init__")
PRIMITIVES = {cls for cls in vars(p).values() if isinstance(cls, type) and issubclass(cls, Expr)} - {Expr}


def cases(family: str) -> list[Case]:
    return importlib.import_module(f"tests.primitives.test_{family}").CASES


def test_every_primitive_is_named_by_a_case_of_its_family() -> None:
    for family in FAMILIES:
        defined = {cls for cls in PRIMITIVES if cls.__module__.endswith(f".{family}")}
        assert not defined - {primitive for case in cases(family) for primitive in case.primitives}, family
    assert {cls.__module__.rpartition(".")[2] for cls in PRIMITIVES} == set(FAMILIES)


def test_default_executor_lacks_nothing_and_java_only_tensorflow() -> None:
    every = [case.plan for family in FAMILIES for case in cases(family)]
    assert {lack for plan in every for lack in executors()["vectorized"].missing(plan)} == set()
    assert {lack for plan in every for lack in executors()["jvm"].missing(plan)} == {"primitive TensorFlow"}


def test_executor_of_records_runs_the_cases_of_every_primitive_that_it_has() -> None:
    rowwise = executors()["rowwise"]
    missing = {family: [rowwise.missing(case.plan) for case in cases(family)] for family in FAMILIES}
    lacked = {reason for family in missing.values() for reasons in family for reason in reasons}
    run = {
        primitive
        for family in FAMILIES
        for case, reasons in zip(cases(family), missing[family], strict=True)
        if not reasons
        for primitive in case.primitives
    }
    assert run == {cls for cls in PRIMITIVES if f"primitive {cls.__name__}" not in lacked}
