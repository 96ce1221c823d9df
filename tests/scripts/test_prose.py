"""Tests of the checks of style."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.prose import check, main


def found(tmp_path: Path, name: str, text: str) -> list[tuple[int, str]]:
    """Line and phrase of each complaint about a file."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return [(line, " ".join(phrase.split())) for line, phrase, _ in check(path)]


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
def test_a_docstring_in_bad_style_is_found(tmp_path: Path, summary: str) -> None:
    assert found(tmp_path, "code.py", f'def function() -> None:\n    """{summary}"""\n')
    assert found(tmp_path, "Code.java", f"/** {summary} */\nclass Code {{}}\n")


@pytest.mark.parametrize(
    "summary",
    [
        "The things that there are.",
        "True if there is no such thing.",
        "Says ``What`` it is, which is no longer ``refused``.",
        "The words 'refused' in code are `refused`.",
    ],
)
def test_plain_sentences_and_quoted_code_pass(tmp_path: Path, summary: str) -> None:
    text = summary.replace("'refused'", '"refused"')
    assert not found(tmp_path, "code.py", f"def function() -> None:\n    '''{text}'''\n")


def test_a_complaint_has_the_line_of_its_phrase(tmp_path: Path) -> None:
    text = '"""A module.\n\nIts second\nparagraph is no good one.\n"""\n'
    assert found(tmp_path, "code.py", text) == [(4, "is no good")]


def test_docstrings_of_attributes_are_checked(tmp_path: Path) -> None:
    assert found(tmp_path, "code.py", 'X = 1\n"""What X is."""\n') == [(2, "What X is")]


def test_pages_are_checked_outside_of_code(tmp_path: Path) -> None:
    assert found(tmp_path, "page.md", "# Title\n\n```\nis refused\n```\n\nA row is refused.\n") == [(7, "refused")]


def test_the_project_has_no_complaints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out
