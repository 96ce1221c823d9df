"""Output and errors of the commands."""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Optional

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text
from typer.core import TyperGroup

from leapstream.errors import LeapstreamError
from leapstream.escaping import json_text, printable_lines
from leapstream.fetching.options import STORAGE_OPTIONS
from leapstream.installation import BATCH_PACKAGES, lacks_for_batches

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


def report(text: str, value: object, *, as_json: bool) -> None:
    """Print what a command has done, as a sentence or as JSON."""
    if as_json:
        print_json(value)
    else:
        out().print(text, soft_wrap=True, markup=False, highlight=False)


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


StorageOptions = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--storage-options",
        help="A setting for the driver of a remote store, such as endpoint_url=http://…; may be repeated.",
        metavar="KEY=VALUE|JSON",
    ),
]


def takes_storage_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the option ``--storage-options``, for remote files that it reads or writes."""

    @functools.wraps(command)
    def run(*args: Any, storage_options: list[str] | None = None, **kwargs: Any) -> None:
        with _in_environment(storage_options or ()):
            command(*args, **kwargs)

    # Not by get_type_hints: in Python 3.10 it wraps the annotation where the default is None, and typer does not find its option.
    given = inspect.signature(command, eval_str=True).parameters.values()
    option = inspect.Parameter(
        "storage_options", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=StorageOptions
    )
    # Typer reads the names, defaults and annotations of a function from here.
    run.__signature__ = inspect.Signature([*given, option])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*given, option)}
    return run


@contextmanager
def _in_environment(given: Sequence[str]) -> Iterator[None]:
    """Puts the settings of ``--storage-options`` where this process, and those that it starts, look for them."""
    if not given:
        yield
        return
    settings: dict[str, Any] = {}
    for text in given:
        name, mark, value = text.partition("=")
        try:
            if text.lstrip().startswith("{"):
                settings |= json.loads(text)
            elif mark and name:
                settings[name] = _as_json(value)
            else:
                raise ValueError
        except ValueError:
            # A value may be a secret, and is not shown.
            raise typer.BadParameter(
                "it has to be KEY=VALUE or a JSON object", param_hint="--storage-options"
            ) from None
    before = os.environ.get(STORAGE_OPTIONS)
    os.environ[STORAGE_OPTIONS] = json.dumps(settings)
    try:
        yield
    finally:
        if before is None:
            del os.environ[STORAGE_OPTIONS]
        else:
            os.environ[STORAGE_OPTIONS] = before


def _as_json(value: str) -> Any:
    """``true``, numbers, lists and objects as JSON has them; everything else is a text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _for_batches(error: ModuleNotFoundError, command: str) -> LackingError | None:
    """The error of a command that needs a package of the extra ``batch``; ``None`` if it is another package."""
    package = (error.name or "").partition(".")[0]
    return LackingError(f"{command} needs {lacks_for_batches()}") if package in BATCH_PACKAGES else None


class Commands(TyperGroup):
    """The group of commands: an error is one line, with the traceback only when asked for."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a failure ends with its exit code."""
        try:
            return super().invoke(ctx)
        except (LeapstreamError, ModuleNotFoundError) as caught:
            error = caught if isinstance(caught, LeapstreamError) else _for_batches(caught, ctx.invoked_subcommand)
            if error is None:
                raise
            if ctx.params.get("debug"):
                sys.stderr.write(printable_lines(traceback.format_exc()))
            text = Text("error: ", style="bold red").append(str(error), style="not bold default")
            err().print(text, soft_wrap=True)
            raise typer.Exit(exit_code(error)) from caught
