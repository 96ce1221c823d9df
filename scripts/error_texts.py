"""Write the texts of leapstream's errors into docs/errors.md, from the places in the code that raise them.

With --check, exit with 1 if the page is out of date, and do not write it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from generated import with_part, write_or_check

from leapstream import errors
from leapstream.executors.failures import texts as failing
from leapstream.serving import failures

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "errors.md"
PYTHON = ROOT / "src"
JAVA = ROOT / "java" / "src" / "main" / "java"
BEGIN, END = "<!-- texts: make support -->\n", "<!-- end of texts -->\n"

CAUGHT = {"MalformedError": "BundleError", "PatternError": "UnsupportedExportError", "ChildError": "ExportError"}
"""Errors that leapstream raises inside, and the errors that have their texts."""

_STRINGS = r'"((?:[^"\\]|\\.)*)"'
_JAVA_ERROR = re.compile(r"new (\w+(?:Exception|Failure))\(")
_LETTERS = 6
"""The letters that a text has besides its places for values, at least."""


def names() -> dict[str, str]:
    """The errors that a reader sees: the name of the section that has their texts, by the name of the class."""
    public = {name: name for name, value in vars(errors).items() if _is_error(value)}
    serving = {name: "Errors of the server" for name, value in vars(failures).items() if _is_error(value)}
    return serving | public | CAUGHT


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, errors.LeapstreamError)


def of_python(file: Path, sections: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Section and text of each error that a module makes."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in sections:
                for text in alternatives(node.args[0]):
                    yield sections[name], text


def alternatives(node: ast.expr) -> list[str]:
    """The texts that an expression may have, with … for what only a run can tell."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return [*alternatives(node.body), *alternatives(node.orelse)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    elif isinstance(node, ast.JoinedStr):
        parts = node.values
    else:
        return ["…"]
    joined = [""]
    for part in parts:
        joined = [before + after for before in joined for after in alternatives(part)]
    return joined


def of_java(file: Path) -> Iterator[str]:
    """The text of each exception that a Java class makes."""
    source = file.read_text(encoding="utf-8")
    for match in _JAVA_ERROR.finditer(source):
        # Brackets inside of texts do not count.
        rest = re.sub(_STRINGS, lambda text: text[0].replace("(", "\x01").replace(")", "\x02"), source[match.end() :])
        depth, end = 1, 0
        while depth:
            depth += {"(": 1, ")": -1}.get(rest[end], 0)
            end += 1
        parts = re.split(_STRINGS, rest[: end - 1].replace("\x01", "(").replace("\x02", ")"))
        # Texts are at the odd places, and between two of them a mere + joins.
        yield "".join(
            part.replace('\\"', '"') if at % 2 else ("" if part.strip() in ("", "+") else "…")
            for at, part in enumerate(parts)
        )


def found() -> dict[str, dict[str, set[str]]]:
    """The places of each text, by section and text."""
    sections = names()
    texts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in sorted(PYTHON.rglob("*.py")):
        place = ".".join(file.relative_to(PYTHON).with_suffix("").parts[:2])
        for section, text in of_python(file, sections):
            texts[section][text].add(place)
    for failure in failing():
        texts["PredictionError"][re.sub(r"\{\w+\}", "…", failure.template)].add("a row")
    for file in sorted(JAVA.rglob("*.java")):
        for text in of_java(file) if file.name != "Failures.java" else ():
            texts["Errors of jobs, from Java"][text].add(file.stem)
    return {
        section: {
            tidy: places
            for text, places in of_section.items()
            if sum(map(str.isalpha, tidy := re.sub("…+", "…", " ".join(text.split())))) >= _LETTERS
        }
        for section, of_section in texts.items()
    }


def advice() -> dict[str, str]:
    """The last column of the page's table of errors, by the name of the class."""
    page = TARGET.read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", page, re.MULTILINE))


def tables() -> str:
    """The sections of the texts."""
    lines = []
    wanted = advice()
    for section, texts in sorted(found().items(), key=lambda item: (not item[0].endswith("Error"), item[0])):
        lines += [f"### {section}", ""] + ([f"{wanted[section]}.", ""] if section in wanted else [])
        lines += ["| text | from |", "| --- | --- |"]
        for text, places in sorted(texts.items(), key=lambda item: item[0].strip("… ").lower()):
            escaped = text.replace("|", "\\|").replace("`", "'")
            lines.append(f"| `{escaped}` | {', '.join(f'`{place}`' for place in sorted(places))} |")
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """The page with its texts as they should be."""
    return with_part(TARGET, BEGIN, END, tables())


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, page(), "make support"))
