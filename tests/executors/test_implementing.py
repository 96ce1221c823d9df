"""Tests of the places where executors implement primitives."""

from __future__ import annotations

import pytest

from leapstream.executors.implementing import Implementation, collected, collected_lowerings, implements
from leapstream.plan import primitives as p

PACKAGES = ["leapstream.executors.vectorized", "leapstream.executors.rowwise", "leapstream.executors.jvm.emitter"]


def family(module: str) -> str:
    return module.rpartition(".")[2]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_primitive_is_implemented_in_the_module_of_its_family(package: str) -> None:
    functions = {primitive: found.function for primitive, found in collected(package).items()}
    assert functions
    misplaced = {
        primitive.__name__: function.__module__
        for primitive, function in (functions | collected_lowerings(package)).items()
        if function.__module__ != f"{package}.{family(primitive.__module__)}"
    }
    assert not misplaced


@pytest.mark.parametrize("package", PACKAGES)
def test_an_executor_implements_a_primitive_or_lowers_it(package: str) -> None:
    assert not set(collected(package)) & set(collected_lowerings(package))


def test_a_function_may_implement_several_primitives() -> None:
    @implements(p.Dot)
    @implements(p.MatVec, sparse=True)
    def compute() -> None: ...

    marks = vars(compute)["__implements__"]
    assert marks == {p.Dot: Implementation(compute), p.MatVec: Implementation(compute, sparse=True)}
