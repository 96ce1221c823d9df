"""The part of a page that a script generates, and the end of each such script: a file is written, or checked to be up to date."""

from __future__ import annotations

import sys
from pathlib import Path


def with_part(target: Path, begin: str, end: str, part: str) -> str:
    """The text of a page, with another part between two of its lines."""
    before, rest = target.read_text(encoding="utf-8").split(begin)
    return f"{before}{begin}\n{part}\n{end}{rest.split(end)[1]}"


def write_or_check(target: Path, text: str, command: str) -> int:
    """Write a file; with ``--check`` on the command line, compare it with the text instead.

    Args:
        target: the file.
        text: its text.
        command: the command that writes it, for the message.

    Returns:
        the exit code: 1 if the file is out of date.
    """
    if "--check" not in sys.argv[1:]:
        target.write_text(text, encoding="utf-8")
    elif not target.exists() or target.read_text(encoding="utf-8") != text:
        print(
            f"{target.relative_to(Path(__file__).resolve().parent.parent)} is out of date: run `{command}`",
            file=sys.stderr,
        )
        return 1
    return 0
