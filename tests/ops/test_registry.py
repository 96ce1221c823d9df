"""Ops by their names."""

from __future__ import annotations

from types import ModuleType

import pytest

from leapstream.ops.feature import Tokenizer
from leapstream.ops.registry import Registry


class Base:
    op: str


def family(name: str, *classes: type) -> ModuleType:
    module = ModuleType(name)
    for i, cls in enumerate(classes):
        setattr(module, f"class{i}", cls)
    return module


def op(name: str, module: str) -> type[Base]:
    return type("Made", (Base,), {"op": name, "__module__": module})


def test_a_family_has_the_ops_of_its_modules_and_not_those_that_it_imports() -> None:
    registry = Registry(Base)
    own, inner, other = op("own", "family"), op("inner", "family.part"), op("other", "familyother")
    registry.register_families(family("family", own, inner, other, Base, Tokenizer))
    assert registry == {"own": own, "inner": inner}


def test_two_ops_of_one_name_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="have the same name 'own'"):
        Registry(Base).register_families(family("family", op("own", "family"), op("own", "family")))
