"""Tests of old names and forms that keep working with a warning."""

from __future__ import annotations

import pytest

from leapstream.deprecation import keyword_only, moved_names, old_order, renamed_argument


@old_order("env", "name", when=lambda first: isinstance(first, dict))
def create(name: str, env: dict[str, int], *, size: int = 0) -> tuple[str, dict[str, int], int]:
    return name, env, size


@renamed_argument("height", "size")
def grow(size: int = 0) -> int:
    return size


class Scorer:
    @keyword_only("inputs", "on_error")
    def __init__(self, model: str, *, inputs: tuple[str, ...] = (), on_error: str = "raise") -> None:
        self.given = model, inputs, on_error


def test_a_call_in_the_old_order_is_understood_and_warns() -> None:
    env = {"a": 1}
    with pytest.warns(DeprecationWarning, match=r"create\(env, name, …\) is now create\(name, env, …\)") as caught:
        assert create(env, "n", size=2) == ("n", env, 2)  # type: ignore[arg-type]
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="is now"):
        assert create(env, name="n") == ("n", env, 0)  # type: ignore[call-arg, arg-type]


def test_a_call_in_the_new_order_does_not_warn() -> None:
    assert create("n", {"a": 1}, size=2) == ("n", {"a": 1}, 2)
    assert create(env={}, name="n") == ("n", {}, 0)
    assert Scorer("m", inputs=("a",)).given == ("m", ("a",), "raise")


def test_arguments_that_are_keywords_now_are_understood_by_position_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match=r"Scorer\(\) takes inputs as keyword arguments now"):
        assert Scorer("m", ("a",), on_error="null").given == ("m", ("a",), "null")  # type: ignore[misc]
    with pytest.warns(DeprecationWarning, match=r"takes inputs, on_error as keyword"):
        assert Scorer("m", ("a",), "null").given == ("m", ("a",), "null")  # type: ignore[misc]


def test_calls_that_never_were_right_are_not() -> None:
    with pytest.raises(TypeError):
        Scorer("m", (), "null", "more")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        create({}, "n", "more")  # type: ignore[call-arg, arg-type]
    with pytest.warns(DeprecationWarning, match="inputs"), pytest.raises(TypeError, match="multiple values"):
        Scorer("m", (), inputs=("a",))  # type: ignore[misc]


def test_an_argument_is_understood_by_its_old_name_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match=r"grow\(height=…\) is now grow\(size=…\)"):
        assert grow(height=3) == 3  # type: ignore[call-arg]
    assert grow(4) == grow(size=4) == 4
    with pytest.warns(DeprecationWarning, match="is now"), pytest.raises(TypeError, match="multiple values"):
        grow(4, height=3)  # type: ignore[call-arg]


def test_names_that_have_moved_are_found_and_warn() -> None:
    find = moved_names("old.module", {"sqrt": "math"})
    with pytest.warns(DeprecationWarning, match=r"old\.module\.sqrt is now math\.sqrt"):
        assert find("sqrt")(4.0) == 2.0
    with pytest.raises(AttributeError, match="no attribute 'cbrt'"):
        find("cbrt")
