"""The tables of metrics and options have everything that the code has, and nothing else."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from leapstream.flink import MLeapUDFRegistry, StoredModel, predict_stream
from leapstream.flink.config import _KEYS
from tests.docs.blocks import ROOT

JAVA = ROOT / "java" / "src" / "main" / "java" / "leapstream" / "flink"


def column(page: str, number: int, part: str = "") -> set[str]:
    """The words in code in a column of the page's tables, after the heading ``part``."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    # The rows below a line of dashes.
    rows = re.findall(r"^\|(?! ---)(.*)\|$(?!\n\| ---)", text[text.index(part) :], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[number])}


def found(pattern: str, *files: Path) -> set[str]:
    """Everything that the first group of a pattern matches in some files."""
    return {name for file in files for name in re.findall(pattern, file.read_text(encoding="utf-8"))}


def test_the_table_has_every_metric_of_the_server() -> None:
    server = (ROOT / "src" / "leapstream" / "serving").glob("*.py")
    in_code = found(r'\(\s*"(leapstream_[a-z_]+)",\s*"', *server)
    assert in_code == {name for name in column("metrics.md", 0) if name.startswith("leapstream_")}


def test_the_table_has_every_metric_of_a_job() -> None:
    in_code = found(r'\.(?:counter|gauge|histogram|meter)\("(\w+)"', *JAVA.rglob("*.java"))
    assert in_code == column("metrics.md", 0, "## Of a job")


def test_the_table_has_every_option_of_sql() -> None:
    in_code = found(r'ConfigOptions\.key\("([a-z-]+)"\)', *(JAVA / "ml").glob("*Factory.java"))
    assert in_code == column("options.md", 0)


def test_the_table_has_every_key_of_a_configuration() -> None:
    assert set(_KEYS) == column("options.md", 1)


def test_the_table_has_every_option_in_python() -> None:
    assert set(inspect.signature(MLeapUDFRegistry.register).parameters) == column("options.md", 2)
    assert set(inspect.signature(predict_stream).parameters) - {"data_stream"} == column("options.md", 3)
    of_stores = set(inspect.signature(StoredModel).parameters)
    assert of_stores <= column("options.md", 3)
