"""Check docstrings, Java doc comments and Markdown pages for phrases that docs/style.md advises against.

Prints file, line, phrase and advice for each, and exits with 1 when there is one.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "java", "scripts", "benchmarks", "examples", "tests", "docs")
GENERATED = ("_pb2.py",)

SUMMARIES = {
    r"(What|Whether|How|Where|Why|Who|Which|That)\b": "say what the thing is or does: 'The columns that …', 'True if …'",
    r"All that\b": "write 'Everything that …', or name the things",
    r"The same\b": "name the thing that it is like: 'Like `optional`, but raises …'",
}
"""Patterns at the start of a docstring's or a doc comment's first sentence, each with the advice that is printed."""

PHRASES = {
    r"\b(hold|holds|holding|held) [\w`. ]{0,24}\bagainst\b": "write 'compare with' or 'check against'",
    r"(?<!\bthere )\b(is|are|was|were) no (?!longer\b|more\b|less\b|such\b)[\w`]+": "write 'is not a …', or 'expected …, got …'",
    r"\brefus(e|es|ed|ing|als?)\b": "a row fails; a value, a bundle or an argument is rejected",
    r"\b[Ww]hat came of\b": "write 'the result of'",
}
"""Patterns anywhere in a docstring, a doc comment or a Markdown page."""

_DOC_COMMENT = re.compile(r"/\*\*(.*?)\*/", re.DOTALL)
_CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(r'(``?)[^`]+\1|"[^"\n]*"')

Text = tuple[int, str]


def docstrings(source: str) -> Iterator[Text]:
    """Line and text of each docstring: of modules, classes, functions and, below an assignment, of attributes."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, value.value


def doc_comments(source: str) -> Iterator[Text]:
    """Line and text of each Java doc comment, without the stars at the start of its lines."""
    for found in _DOC_COMMENT.finditer(source):
        yield source.count("\n", 0, found.start()) + 1, re.sub(r"(?m)^[ \t]*\*", "", found[1])


def complaints(text: str, line: int, *, has_summary: bool) -> Iterator[tuple[int, str, str]]:
    """Line, phrase and advice for each pattern that ``text``, which begins at ``line``, matches."""
    prose = _QUOTED.sub(lambda quoted: re.sub(r"\S", "x", quoted[0]), text)
    for pattern, advice in SUMMARIES.items() if has_summary else ():
        if found := re.match(rf"\s*({pattern}[^.]{{0,40}})", prose):
            yield line, found[1], advice
    for pattern, advice in PHRASES.items():
        for found in re.finditer(pattern, prose):
            yield line + prose.count("\n", 0, found.start()), text[found.start() : found.end()], advice


def check(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, phrase and advice for each complaint about a file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        blanked = _CODE.sub(lambda code: re.sub(r"[^\n]", "", code[0]), source)
        yield from complaints(blanked, 1, has_summary=False)
        return
    for line, text in docstrings(source) if path.suffix == ".py" else doc_comments(source):
        yield from complaints(text, line, has_summary=True)


def files(root: Path) -> Iterable[Path]:
    """The Python, Java and Markdown files of the project, but for those that a program has written."""
    found = list(root.glob("*.md"))
    for folder in FOLDERS:
        found += [path for suffix in ("py", "java", "md") for path in (root / folder).rglob(f"*.{suffix}")]
    return sorted(path for path in found if not path.name.endswith(GENERATED) and "target" not in path.parts)


def main() -> int:
    """Print all complaints; the exit code is 1 when there is one."""
    bad = 0
    for path in files(ROOT):
        for line, phrase, advice in check(path):
            print(f"{path.relative_to(ROOT)}:{line}: {' '.join(phrase.split())!r}: {advice}")
            bad += 1
    print(f"{bad} complaints" if bad else "prose: no complaints", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
