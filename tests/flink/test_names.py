"""Names that users give to functions and models have one rule everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leapstream
from leapstream import ConfigError
from leapstream.cli.compilation import ddl
from leapstream.flink import MLeapUDFRegistry, Target, create_model, read_config
from leapstream.flink.config import UDFEntry

from .conftest import LINEAR

# A table environment would start a JVM; the name is checked before it is used.
NOWHERE: Any = None


def configured(name: str) -> Any:
    return read_config({"mleap": {"udfRegistry": [{"udfName": name, "bundlePath": "x"}]}})


PLACES: dict[str, Callable[[str], Any]] = {
    "register": lambda name: MLeapUDFRegistry.register(name, LINEAR, NOWHERE),
    "create_model": lambda name: create_model(name, LINEAR, NOWHERE),
    "configuration": configured,
    "UDFEntry": lambda name: UDFEntry(name, "x"),
    "function of a jar": lambda name: Target(name, leapstream.load(LINEAR)),
    "model of a jar": lambda name: Target(name, leapstream.load(LINEAR), "model"),
    "ddl": lambda name: ddl(LINEAR, name),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "name",
    ["my func", "x;", "x{static{int y;}}//", "A\nB", "1a", "a-b", "A²", "\U0001d4b3", "é", "class", "../x", "x" * 129],
)
def test_a_name_that_is_no_identifier_is_rejected_in_every_place(place: str, name: str) -> None:
    with pytest.raises(ConfigError, match="a name has") as failure:
        PLACES[place](name)
    assert "\n" not in str(failure.value)


def test_a_name_of_letters_digits_and_underscores_is_taken(tmp_path: Path) -> None:
    for name in ("Predict_2", "_x", "x" * 128):
        assert configured(name).entries[0].udf_name == name
        assert Target(name, leapstream.load(LINEAR)).name == name
