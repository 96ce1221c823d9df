"""Tests of the checks of style."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "prose.py"
Find = Callable[[str, str], list[tuple[int, str]]]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prose", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def found(script: ModuleType, tmp_path: Path) -> Find:
    """A function that gives line and phrase of each complaint about a file of a name and a text."""

    def find(name: str, text: str) -> list[tuple[int, str]]:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return [(line, " ".join(phrase.split())) for line, phrase, _ in script.check(path)]

    return find


@pytest.mark.parametrize(
    "summary",
    [
        "What a thing is.",
        "Whether it is a thing.",
        "How many things there are.",
        "Where the things are.",
        "The same with other things.",
        "All that does not fit.",
        "Things that the model refuses.",
        "Things, held against others.",
        "It is no thing.",
        "What came of it.",
    ],
)
def test_a_docstring_in_bad_style_is_found(found: Find, summary: str) -> None:
    assert found("code.py", f'def function() -> None:\n    """{summary}"""\n')
    assert found("Code.java", f"/** {summary} */\nclass Code {{}}\n")


@pytest.mark.parametrize(
    "summary",
    [
        "The things that there are.",
        "True if there is no such thing.",
        "Says ``What`` it is, which is no longer ``refused``.",
        "The words 'refused' in code are `refused`.",
    ],
)
def test_plain_sentences_and_quoted_code_pass(found: Find, summary: str) -> None:
    text = summary.replace("'refused'", '"refused"')
    assert not found("code.py", f"def function() -> None:\n    '''{text}'''\n")


def test_a_complaint_has_the_line_of_its_phrase(found: Find) -> None:
    text = '"""A module.\n\nIts second\nparagraph is no good one.\n"""\n'
    assert found("code.py", text) == [(4, "is no good")]


def test_docstrings_of_attributes_are_checked(found: Find) -> None:
    assert found("code.py", 'X = 1\n"""What X is."""\n') == [(2, "What X is")]


def test_pages_are_checked_outside_of_code(found: Find) -> None:
    assert found("page.md", "# Title\n\n```\nis refused\n```\n\nA row is refused.\n") == [(7, "refused")]


@pytest.mark.slow
def test_the_project_has_no_complaints(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main() == 0, capsys.readouterr().out
