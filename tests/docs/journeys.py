"""Goes three readers' ways through the documentation, each from an empty environment, and writes docs/journeys.md.

``python -m tests.docs.journeys`` builds the wheel and the sdist of the last commit, and runs the blocks of each page
in a shell as a reader would; what a page shows is compared. Names of journeys run these alone, and then nothing is written.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tests.docs.blocks import ROOT, Block, blocks
from tests.docs.running import compare

TARGET = ROOT / "docs" / "journeys.md"
PATIENCE = 900
"""Seconds for a command."""
SERVER = "http://localhost:8080/readyz"
_SHOWN = (9, 5)
"""The first and the last lines of an output that are shown."""
_WIDTH = 150
_ENDED = "::ended::"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass(frozen=True)
class Visit:
    """A reader's visit of a page, whose blocks of commands and programs run.

    Attributes:
        page: the page, in ``docs``.
        first: the number of the first blocks that run; by default all do.
    """

    page: str
    first: int | None = None

    def blocks(self) -> list[Block]:
        """The blocks that run, and files that they use."""
        found = [
            block for block in blocks(f"docs/{self.page}") if block.title or block.language in ("console", "python")
        ]
        return found[: self.first]


@dataclass(frozen=True)
class Journey:
    """The pages that a reader visits, in order.

    Attributes:
        title: the heading of its transcript.
        visits: its visits.
    """

    title: str
    visits: tuple[Visit, ...]


_INSTALL = Visit("installation.md", 1)
JOURNEYS = {
    "data-science": Journey(
        "Data science",
        (_INSTALL, Visit("exporters/sklearn.md", 2), Visit("exporters/xgboost.md", 2), Visit("getting-started.md")),
    ),
    "flink": Journey("Flink", (_INSTALL, Visit("first-job.md"))),
    "mlops": Journey("MLOps", (_INSTALL, Visit("first-release.md"))),
}

HEAD = """# Three first hours

Three readers begin with nothing but Python, a Java and a folder, and do what the pages say, block by block. `make journeys` takes
the blocks from the pages, runs them in an empty environment with an empty home, and writes this page. leapstream comes from its
wheel, other packages from pip's cache; without it, the time of the downloads is added. Readers need minutes more, to read.

This is of {date}, with Python {python}, on a machine with {cores} cores, which other programs kept busy.

| journey | pages | commands | minutes | MB |
| --- | --- | --- | --- | --- |
"""


@dataclass
class Shell:
    """A shell in an empty home, which keeps its variables from command to command.

    Attributes:
        home: its home and working directory.
        dist: the folder with the wheel and the sdist.
        lines: the transcript of the page that is being visited.
        commands: the number of commands that ran.
    """

    home: Path
    dist: Path
    lines: list[str] = field(default_factory=list)
    commands: int = 0
    _server: str | None = None

    def __post_init__(self) -> None:
        # As on a terminal, where no bar is shown beside an answer.
        (self.home / ".curlrc").write_text("silent\nshow-error\n")
        environment = {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join([str(Path(sys.base_prefix) / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]),
            "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or str(Path.home() / ".cache" / "pip"),
            **{name: value for name, value in os.environ.items() if re.match(r"(?i)PIP_|JAVA_HOME|\w+_proxy", name)},
            "PIP_FIND_LINKS": f"{self.dist} {os.environ.get('PIP_FIND_LINKS', '')}",
            "PIP_PROGRESS_BAR": "off",
            "PIP_QUIET": "1",
        }
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=self.home,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str, shown: str | None = None) -> str:
        """Run a command to its end, or a server until it answers; returns what it prints. One that fails ends the journey."""
        if command.startswith("leapstream serve"):
            return self._serve(command)
        started = time.monotonic()
        code, output = self._ask(f"{{ {command}\n}} </dev/null")
        self._wrote(shown or command, output, time.monotonic() - started)
        if code:
            raise SystemExit(f"exit code {code}: {command}\n{output}")
        return output

    def _serve(self, command: str) -> str:
        if self._server is not None:
            self._ask(f"kill {self._server}; wait {self._server}")
        started = time.monotonic()
        _, self._server = self._ask(f"{command} </dev/null >server.log 2>&1 & echo $!")
        while not _answers(SERVER):
            if time.monotonic() > started + PATIENCE:
                raise SystemExit(f"{command} does not answer\n{(self.home / 'server.log').read_text()}")
            time.sleep(0.1)
        log = (self.home / "server.log").read_text()
        self._wrote(command, log, time.monotonic() - started)
        return log

    def _ask(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and what it prints."""
        assert self._bash.stdin is not None and self._bash.stdout is not None
        self._bash.stdin.write(f"{command}\nprintf '\\n{_ENDED} %s\\n' $?\n")
        self._bash.stdin.flush()
        output: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(_ENDED):
                return int(line.split()[1]), "".join(output).strip("\n")
            output.append(line)
        raise SystemExit(f"the shell has ended at: {command}")

    def _wrote(self, command: str, output: str, seconds: float) -> None:
        self.commands += 1
        output = _ESCAPES.sub("", output).replace(str(self.home), "~")
        lines = [line.rsplit("\r", 1)[-1].rstrip() for line in output.splitlines()]
        first, last = _SHOWN
        if len(lines) > first + last:
            lines = [*lines[:first], f"… {len(lines) - first - last} more lines …", *lines[-last:]]
        lines = [line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…" for line in lines]
        text = [f"$ {command}", *(line for line in lines if line), f"# {seconds:.1f} s", ""]
        print("\n".join(text), flush=True)
        self.lines += text

    def end(self) -> None:
        """End the shell and everything that it has started."""
        os.killpg(self._bash.pid, signal.SIGTERM)
        self._bash.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def visit(shell: Shell, page: Visit) -> None:
    """Run the blocks of a page, and give the reader the notebooks that it links."""
    text = (ROOT / "docs" / page.page).read_text(encoding="utf-8")
    for notebook in re.findall(r"\((notebooks/\S+\.ipynb)\)", text):
        shutil.copy(ROOT / "docs" / notebook, shell.home)
    programs = 0
    for block in page.blocks():
        if block.title is not None:
            (shell.home / block.title).write_text(block.text, encoding="utf-8")
            shell.lines.append(f"# {block.title} is the file of the page\n")
        elif block.language == "python":
            programs += 1
            name = f"{Path(page.page).stem}-{programs}.py"
            (shell.home / name).write_text(block.text, encoding="utf-8")
            shell.run(f"python {name}", f"python {name}  # the page's block")
        else:
            for command in block.commands():
                compare(block, command.text, command.output, shell.run(command.text))


def travel(journey: Journey, dist: Path) -> tuple[str, str]:
    """Go a journey; returns its row of the table, and its transcript."""
    text = [f"\n## {journey.title}\n"]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="journey-") as folder:
        shell = Shell(Path(folder), dist)
        try:
            for page in journey.visits:
                visit(shell, page)
                transcript = "\n".join(shell.lines).rstrip()
                shell.lines.clear()
                text.append(f"[{_heading(page.page)}]({page.page}):\n\n```text\n{transcript}\n```\n")
            size = sum(
                file.stat().st_size for file in shell.home.rglob("*") if file.is_file() and not file.is_symlink()
            )
        finally:
            shell.end()
    minutes = (time.monotonic() - started) / 60
    row = f"| {journey.title} | {len(journey.visits)} | {shell.commands} | {minutes:.1f} | {size / 1e6:.0f} |\n"
    return row, "\n".join(text)


def _heading(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def built(folder: Path) -> Path:
    """A folder with the wheel and the sdist of the last commit."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "build", "--quiet", "--out-dir", str(folder / "dist"), str(clone)], check=True)
    return folder / "dist"


def main(names: list[str]) -> None:
    """Go the journeys that are named, or all of them, and then write the page."""
    rows, texts = [], []
    with tempfile.TemporaryDirectory() as folder:
        dist = built(Path(folder))
        for name in names or JOURNEYS:
            row, text = travel(JOURNEYS[name], dist)
            rows.append(row)
            texts.append(text)
    print("".join(rows))
    if not names:
        python = ".".join(map(str, sys.version_info[:3]))
        head = HEAD.format(date=date.today(), python=python, cores=os.cpu_count())
        TARGET.write_text(head + "".join(rows) + "".join(texts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
