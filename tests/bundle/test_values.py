"""Tests of attribute values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leapstream.bundle.definition import ModelDef, Value
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataShape
from leapstream.bundle.values import get_list, get_scalar, get_tensor, list_of, scalar, tensor
from leapstream.errors import BundleError

DEFAULTS = [
    ("boolean", False),
    ("int", 0),
    ("long", 0),
    ("float", 0.0),
    ("double", -0.0),
    ("string", ""),
    ("byte_string", b""),
]


@pytest.mark.parametrize(("base", "default"), [*DEFAULTS, ("basic_type", None)])
def test_a_scalar_at_its_default_has_no_base(base: str, default: Any) -> None:
    assert scalar(base, default) == Value("scalar", None, None)


@pytest.mark.parametrize(("base", "default"), DEFAULTS)
def test_a_list_keeps_defaults(base: str, default: Any) -> None:
    assert list_of(base, [default]) == Value("list", base, [default])


def test_an_empty_list_has_no_base() -> None:
    assert list_of("double", []) == Value("list", None, [])


@pytest.mark.parametrize(("base", "default"), DEFAULTS)
def test_asking_for_another_member_gives_its_default(base: str, default: Any) -> None:
    assert get_scalar(scalar("data_shape", DataShape("scalar")), base) == default
    assert get_list(list_of("basic_type", [BasicType.INT]), base) == []


def test_a_long_is_no_double() -> None:
    assert get_scalar(scalar("long", 3), "double") == 0.0


def test_what_was_put_in_comes_out() -> None:
    model = ModelDef("op")
    assert get_scalar(scalar("model", model), "model") is model
    assert get_list(list_of("string", ["a", "b"]), "string") == ["a", "b"]
    assert get_tensor(tensor(Tensor.dense([1.0]))) == Tensor.dense([1.0])
    assert get_tensor(scalar("double", 1.0)) is None


def test_a_list_given_out_may_be_changed() -> None:
    value = list_of("int", [1])
    get_list(value, "int").append(2)
    assert value == list_of("int", [1])


def test_numpy_scalars_become_python_ones() -> None:
    assert type(scalar("double", np.float64(1.5)).data) is float
    assert type(scalar("int", np.int64(1)).data) is int
    assert type(scalar("boolean", np.bool_(True)).data) is bool


def test_a_float_is_kept_in_single_precision() -> None:
    assert scalar("float", 0.1).data == float(np.float32(0.1))


def test_nan_equals_nan() -> None:
    assert scalar("double", math.nan) == scalar("double", float("nan"))
    assert list_of("float", [math.nan, 1.0]) == list_of("float", [float("nan"), 1.0])
    assert scalar("double", math.nan) != scalar("double", 1.0)
    assert scalar("double", 1.0) != scalar("float", 1.0)


@pytest.mark.parametrize(
    ("base", "data"),
    [
        ("int", 2**31),
        ("long", -(2**63) - 1),
        ("int", 1.0),
        ("int", True),
        ("boolean", 1),
        ("double", "1"),
        ("string", b"x"),
        ("byte_string", "x"),
        ("tensor", [1.0]),
        ("data_shape", None),
        ("decimal", 1),
    ],
)
def test_data_that_does_not_fit_is_an_error(base: str, data: Any) -> None:
    with pytest.raises(BundleError):
        scalar(base, data)
    with pytest.raises(BundleError):
        list_of(base, [data])
