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


def test_executor_of_records_lacks_only_tensorflow_and_lists_that_are_too_long() -> None:
    every = [case.plan for family in FAMILIES for case in cases(family)]
    lacks = {lack for plan in every for lack in executors()["rowwise"].missing(plan)}
    assert lacks == {"primitive TensorFlow", f"a list of {2**31 - 1} elements"}
