"""Tests of the places where executors implement primitives."""

from __future__ import annotations

import pytest

from leapstream.executors.implementing import Implementation, collected, implements
from leapstream.plan import primitives as p

PACKAGES = ["leapstream.executors.vectorized", "leapstream.executors.rowwise", "leapstream.executors.jvm.emitter"]


def family(module: str) -> str:
    return module.rpartition(".")[2]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_primitive_is_implemented_in_the_module_of_its_family(package: str) -> None:
    table = collected(package)
    assert table
    misplaced = {
        primitive.__name__: found.function.__module__
        for primitive, found in table.items()
        if found.function.__module__ != f"{package}.{family(primitive.__module__)}"
    }
    assert not misplaced


def test_a_function_may_implement_several_primitives() -> None:
    @implements(p.Dot)
    @implements(p.MatVec, sparse=True)
    def compute() -> None: ...

    marks = vars(compute)["__implements__"]
    assert marks == {p.Dot: Implementation(compute), p.MatVec: Implementation(compute, sparse=True)}
