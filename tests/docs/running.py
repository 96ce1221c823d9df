"""Runs the blocks of a page, in order."""

from __future__ import annotations

import contextlib
import doctest
import io
import itertools
import json
import shlex
import sys
import traceback
import types
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command
from typer.testing import CliRunner

from leapstream import hocon
from leapstream.cli.app import app
from leapstream.cli.statements import split
from tests.docs.blocks import Block, Command
from tests.docs.elsewhere import PROGRAMS
from tests.docs.reader import GIVEN, local, table_env
from tests.serving.running import serving

_LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_checker = doctest.OutputChecker()


class Page:
    """The state of a page: names, a server, a table environment.

    Attributes:
        folder: where its blocks run; also the current directory.
        names: the names of its blocks of Python.
    """

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        module = types.ModuleType("page")
        sys.modules["page"] = module
        stack.callback(sys.modules.pop, "page")
        self.names: dict[str, Any] = module.__dict__
        self._stack = stack
        self._server: str | None = None
        self._environment: dict[str, str] = {}

    def run(self, block: Block) -> None:
        """Run, parse or check a block, according to its language."""
        if block.kind == "listed":
            if block.language in ("console", "bash"):
                for command in block.commands():
                    check_options(command)
            return
        if block.title is not None:
            (self.folder / block.title).write_text(self._local(block.text), encoding="utf-8")
        elif block.kind in ("run", "parsed"):
            getattr(self, f"_{block.language}")(block)

    def _local(self, text: str) -> str:
        return local(text, self.folder, self._server)

    def _python(self, block: Block) -> None:
        # The lines of a traceback are those of the page.
        code = compile("\n" * block.line + self._local(block.text), block.page, "exec")
        for name in code.co_names:
            if name in GIVEN and name not in self.names:
                self.names[name] = GIVEN[name]()
        exec(code, self.names)

    def _pycon(self, block: Block) -> None:
        for example in doctest.DocTestParser().get_examples(self._local(block.text)):
            found = io.StringIO()
            with contextlib.redirect_stdout(found):
                try:
                    exec(compile(example.source, str(block), "single"), self.names)
                except Exception as error:
                    if not example.want:
                        raise
                    line = "".join(traceback.format_exception_only(error)).partition("leapstream.errors.")
                    print(line[2] or line[0])
            compare(block, example.source, example.want, found.getvalue())

    def _console(self, block: Block) -> None:
        for command in block.commands():
            program = command.arguments[0] if command.arguments else "export"
            if program == "leapstream":
                self._leapstream(block, command)
            elif program == "curl":
                compare(
                    block, shlex.join(command.arguments), self._local(command.output), self._curl(command.arguments[1:])
                )
            else:
                assert program in PROGRAMS, (
                    f"{block}: {program} runs neither here nor is it in PROGRAMS of elsewhere.py"
                )

    _bash = _console

    def _leapstream(self, block: Block, command: Command) -> None:
        words = [self._local(word) for word in command.arguments[1:]]
        environment = {name: self._local(value) for name, value in command.environment.items()}
        if words[0] == "serve":
            self._server = self._stack.enter_context(serving(*words[1:], environment=environment)).url
            return
        result = CliRunner().invoke(app, words, env=environment)
        said = f"{block}: leapstream {shlex.join(words)}\n{result.output}"
        assert result.exit_code == 0, said if result.exception is None else f"{said}\n{result.exception!r}"
        compare(block, shlex.join(words), self._local(command.output), result.output)

    def _curl(self, words: list[str]) -> str:
        headers, data, method, url = {}, None, None, ""
        rest = iter(words)
        for word in rest:
            if word in ("-H", "--header"):
                name, _, value = next(rest).partition(":")
                headers[name.strip()] = value.strip()
            elif word in ("-d", "--data"):
                data = self._local(next(rest)).encode()
            elif word in ("-X", "--request"):
                method = next(rest)
            else:
                assert not word.startswith("-"), f"an option of curl that the tests do not know: {word}"
                url = self._local(word)
        assert url.startswith("http"), "the page asks a server that it has not started"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers, method=method), timeout=30
            ) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return f"{error.code}\n" * (not error.length) + error.read().decode()

    def _sql(self, block: Block) -> None:
        tables = self.names.setdefault("table_env", None) or table_env()
        self.names["table_env"] = tables
        for statement in split(self._local(block.text), str(block)):
            result = tables.execute_sql(statement.text)
            if statement.text.upper().startswith(("SELECT", "WITH")):
                with result.collect() as rows:
                    assert list(rows), f"{block}: no rows"
            elif statement.text.upper().startswith(("INSERT", "EXECUTE")):
                result.wait()

    def _hocon(self, block: Block) -> None:
        assert hocon.parse_text(block.text, str(block))

    def _json(self, block: Block) -> None:
        json.loads(block.text)

    def _yaml(self, block: Block) -> None:
        assert list(yaml.safe_load_all(block.text))

    def _toml(self, block: Block) -> None:
        tomllib = __import__("tomllib" if sys.version_info >= (3, 11) else "tomli")
        assert tomllib.loads(block.text)


def compare(block: Block, source: str, wanted: str, found: str) -> None:
    """Compare the output that a page shows with the output that there is; ``...`` and ``…`` stand for anything."""
    wanted = wanted.replace("…", "...").strip() + "\n"
    found = found.strip() + "\n"
    if wanted.strip() and not _checker.check_output(wanted, found, _LOOSE):
        raise AssertionError(f"{block}: {source.strip()}\n--- the page shows\n{wanted}--- there is\n{found}")


def check_options(command: Command) -> None:
    """Check that a command of leapstream exists and has the options and arguments; other programs are not looked at."""
    if command.arguments[:1] != ["leapstream"]:
        return
    group: Any = get_command(app)
    words = [word for word in command.arguments[1:] if word != "…"]
    words = list(itertools.takewhile(lambda word: word not in (">", "|"), words))
    context = group.make_context("leapstream", words, resilient_parsing=False)
    while hasattr(group, "resolve_command"):
        name, group, words = group.resolve_command(context, [*context._protected_args, *context.args])
        assert group is not None, f"no command {name!r}"
        context = group.make_context(name, words, parent=context)
