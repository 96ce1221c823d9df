"""The names and the order of arguments, as ``docs/python-api.md`` lists them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import leapstream

pytest.importorskip("pyflink")
import leapstream.flink

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "python-api.md").read_text(encoding="utf-8")
ROWS = {
    name: (re.findall(r"`(\w+)`", positional), re.findall(r"`(\w+)`", keywords))
    for name, positional, keywords in re.findall(r"^\| `([\w.]+)` \|(.*)\|(.*)\|$", PAGE, re.MULTILINE)
}
CLASSES = ["Model", "MLeapUDFRegistry", "FunctionSignature"]
"""Classes whose methods are in the table, and that are not called themselves."""


def called(name: str) -> Any:
    found: Any = leapstream
    for part in name.split("."):
        found = getattr(found, part)
    return found.__init__ if inspect.isclass(found) else found


@pytest.mark.parametrize("name", ROWS)
def test_a_callable_takes_the_arguments_that_the_page_lists(name: str) -> None:
    parameters = [p for p in inspect.signature(called(name)).parameters.values() if p.name not in ("self", "_")]
    positional = [p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    keywords = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert (positional, keywords) == ROWS[name]


def test_the_page_lists_every_public_function_and_the_classes_that_are_called_with_models() -> None:
    public = {name: getattr(leapstream, name) for name in leapstream.__all__}
    public |= {f"flink.{name}": getattr(leapstream.flink, name) for name in leapstream.flink.__all__}
    functions = {name for name, value in public.items() if inspect.isfunction(value)}
    assert functions | {"flink.MLeapMapFunction", "flink.MLeapProcessFunction", "flink.Target"} <= set(ROWS)
    assert set(CLASSES) == {name.split(".")[-2] for name in ROWS if "." in name.removeprefix("flink.")}
