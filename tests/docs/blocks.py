"""The fenced blocks of the documentation, and what becomes of each: it runs, it is parsed, or it is listed with a reason."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.elsewhere import BLOCKS, PROGRAMS

ROOT = Path(__file__).resolve().parents[2]
GENERATED = (
    "changelog.md",
    "contributing.md",
    "journeys.md",
    "support.md",
    "mleap-jvm.md",
    "performance.md",
    "serving-performance.md",
)
"""Pages of ``docs`` that programs write, or that include a file of the root."""

RUN = ("python", "pycon", "console", "bash", "sql")
PARSED = ("hocon", "json", "toml", "yaml")
SHOWN = ("", "text")
"""Languages of blocks that are run and parsed; the others are what a program has printed, or a drawing."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INCLUDED = re.compile(r'^--8<-- "([^":]+)(?::\w+)?"$', re.MULTILINE)
_ASSIGNED = re.compile(r"([A-Z_]+)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A command of a console.

    Attributes:
        text: the command as a shell takes it.
        environment: the variables that are set before it.
        arguments: its words.
        output: the lines that the page shows after it.
    """

    text: str
    environment: dict[str, str]
    arguments: list[str]
    output: str


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: the page's path in the repository.
        line: the line of its fence, from 1.
        language: the word behind the fence.
        text: its lines, with the files that it includes.
        title: the name of the file that it shows, by which other blocks find it; or ``None``.
    """

    page: str
    line: int
    language: str
    text: str
    title: str | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def reason(self) -> str | None:
        """The reason for which it is neither run nor parsed here, or ``None``."""
        for page, part in BLOCKS:
            if page == self.page and part in self.text and (part or self.language not in PARSED):
                return BLOCKS[page, part]
        if self.language in ("console", "bash"):
            programs = [command.arguments[0] for command in self.commands() if command.arguments]
            if all(program in PROGRAMS for program in programs):
                return "; ".join(dict.fromkeys(PROGRAMS[program] for program in programs))
        return None

    @property
    def kind(self) -> str:
        """``run``, ``parsed``, ``listed`` or ``shown``; ``unknown`` if nobody has said what becomes of it."""
        if self.reason is not None:
            return "listed"
        kinds = {"run": RUN, "parsed": PARSED, "shown": SHOWN}
        return next((kind for kind, languages in kinds.items() if self.language in languages), "unknown")

    def commands(self) -> Iterator[Command]:
        """The commands of a console (after ``$``), or of a script without a prompt, each with the output that is shown."""
        words: str | None = None
        output: list[str] = []
        for line in self.text.splitlines():
            if words is not None and _goes_on(words):
                words += "\n" + line
            elif self.language == "bash" or line.startswith("$ "):
                if words is not None:
                    yield _command(words, output)
                words, output = line.removeprefix("$ "), []
            else:
                output.append(line)
        if words is not None:
            yield _command(words, output)


def _goes_on(words: str) -> bool:
    if words.endswith("\\"):
        return True
    try:
        shlex.split(words, comments=True)
    except ValueError:
        return True
    return False


def _command(words: str, output: list[str]) -> Command:
    arguments = shlex.split(words.replace("\\\n", " "), comments=True)
    environment: dict[str, str] = {}
    while arguments and (found := _ASSIGNED.fullmatch(arguments[0])):
        environment[found[1]] = found[2]
        del arguments[0]
    return Command(words, environment, arguments, "\n".join(output).strip("\n"))


def blocks(page: str) -> list[Block]:
    """The blocks of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        indent = len(match["indent"])
        lines = "".join(line[indent:] for line in match["text"].splitlines(keepends=True))
        included = _INCLUDED.sub(lambda name: (ROOT / name[1]).read_text(encoding="utf-8"), lines)
        language, _, attributes = match["language"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', attributes)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, language, included, None if title is None else title[1]))
    return found


def pages() -> list[str]:
    """README and the pages of ``docs`` that people write."""
    docs = ROOT / "docs"
    written = [path for path in sorted(docs.rglob("*.md")) if path.relative_to(docs).as_posix() not in GENERATED]
    return ["README.md", *(path.relative_to(ROOT).as_posix() for path in written)]


def counts() -> Counter[str]:
    """The number of blocks of each kind."""
    return Counter(block.kind for page in pages() for block in blocks(page))
