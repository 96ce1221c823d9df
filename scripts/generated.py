"""Writes a generated file, or checks that it is up to date: the end of each script that generates one."""

from __future__ import annotations

import sys
from pathlib import Path


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
