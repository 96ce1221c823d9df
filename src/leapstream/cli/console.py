"""Output and errors of the commands."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text
from typer.core import TyperGroup

from leapstream.errors import LeapstreamError
from leapstream.escaping import json_text, printable_lines

FAILED, USAGE, LACKING = 1, 2, 3
"""Exit codes: the operation failed; the command line is wrong; the environment lacks something."""


class LackingError(LeapstreamError):
    """The environment lacks a package or a Java; the message says what adds it."""


class _EscapingConsole(Console):
    """A console that escapes what the texts themselves would make a terminal do; rich's own codes for colours stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """The segments of something that is printed."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable_lines(text), style, control)


def out() -> Console:
    """Standard output; to a pipe without colour, and with lines as long as they are."""
    return _console(sys.stdout)


def err() -> Console:
    """Standard error, for errors and progress."""
    return _console(sys.stderr)


def _console(stream: Any) -> Console:
    terminal = stream.isatty()
    # A pipe has no width: nothing is folded or cut there.
    return _EscapingConsole(file=stream, highlight=False, markup=False, emoji=False, width=None if terminal else 10_000)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(json_text(value, indent=indent) + "\n")


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and its causes, the outermost first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def exit_code(error: LeapstreamError) -> int:
    """The exit code of an error: a missing package or Java is told apart from everything else."""
    lacking = any(isinstance(link, (LackingError, ImportError)) for link in causes(error))
    return LACKING if lacking else FAILED


def one_line(text: str) -> str:
    """A message without line breaks."""
    return " ".join(text.split())


class Commands(TyperGroup):
    """The group of commands: an error is one line, with the traceback only when asked for."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a failure ends with its exit code."""
        try:
            return super().invoke(ctx)
        except LeapstreamError as error:
            if ctx.params.get("debug"):
                sys.stderr.write(printable_lines(traceback.format_exc()))
            text = Text("error: ", style="bold red").append(str(error), style="not bold default")
            err().print(text, soft_wrap=True)
            raise typer.Exit(exit_code(error)) from error
