"""The cluster that ``leapstream sql --target`` runs statements on: it is asked first, and looked at while jobs run."""

from __future__ import annotations

import importlib.metadata
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leapstream.cli.console import err, one_line
from leapstream.cli.javaerrors import last_cause
from leapstream.cli.jobmanager import JobManager, Overview, minor
from leapstream.cli.statements import Statement
from leapstream.errors import BackendError

_PATIENCE = 5.0
"""Seconds that a cluster has to say what it is."""
_POLL = 2.0
"""Seconds between looks at a job."""
_SLOW_START = 4.0
"""Seconds after which a job that does not start is spoken of."""

_FILE_TABLE = re.compile(r"CREATE\b.*?\bTABLE\b.*'connector'\s*=\s*'filesystem'", re.IGNORECASE | re.DOTALL)
_PATH = re.compile(r"('path'\s*=\s*)'((?:[^']|'')*)'", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][\w+.-]*:")


@dataclass(frozen=True)
class Target:
    """A cluster that answers, of the version of this machine's PyFlink.

    Attributes:
        manager: its JobManager.
        default_scheme: the scheme of paths that have none, where the cluster names one.
    """

    manager: JobManager
    default_scheme: str | None

    def with_absolute_paths(self, statement: Statement, where: str) -> Statement:
        """The statement with the paths of its table of local files made absolute, and a note that names the file.

        The machines of a cluster have other working directories.
        """
        if self.default_scheme is not None or not _FILE_TABLE.match(statement.text):
            return statement

        def absolute(match: re.Match[str]) -> str:
            path = match[2].replace("''", "'")
            if _SCHEME.match(path):
                local = path.startswith("file:")
                whole = path
            else:
                local = True
                whole = str(Path.cwd().joinpath(path).resolve())
            if local:
                _note(f"{where}: line {statement.line}: the cluster's machines look for {whole} on their own disks")
            return f"{match[1]}'{whole.replace(chr(39), chr(39) * 2)}'"

        return replace(statement, text=_PATH.sub(absolute, statement.text))

    @contextmanager
    def watched(self, job: str) -> Iterator[None]:
        """Say on standard error why a job does not start, or starts again, while the body waits for it."""
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(job, ended), daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()

    def _watch(self, job: str, ended: threading.Event) -> None:
        said = ""
        wait = _SLOW_START
        while not ended.wait(wait):
            wait = _POLL
            text = self._trouble(job)
            if text and text != said and not ended.is_set():
                _note(text)
            said = text or said

    def _trouble(self, job: str) -> str:
        """The reason that a job does not run; an empty text if it runs, or has ended."""
        try:
            state = self.manager.json(f"jobs/{job}")
            if all(str(vertex["status"]) in ("CREATED", "SCHEDULED") for vertex in state["vertices"]):
                slots = self.manager.overview()
                if state["state"] in ("CREATED", "RUNNING") and not slots.free:
                    return f"job {job} waits for slots: {slots.free_slots()}"
            return self._failure(job) if state["state"] in ("RUNNING", "RESTARTING", "FAILING") else ""
        except BackendError as error:
            return str(error)
        except (KeyError, TypeError, ValueError):
            return ""

    def _failure(self, job: str) -> str:
        entries = self.manager.json(f"jobs/{job}/exceptions")["exceptionHistory"]["entries"]
        return f"job {job} failed and starts again: {last_cause(str(entries[0]['stacktrace']))}" if entries else ""


def at_target(settings: Mapping[str, str]) -> Target | None:
    """The cluster that settings of Flink name, which has said what it is; ``None`` where they name none.

    Raises:
        BackendError: nobody answers there, or no JobManager, or one of another version than this machine's PyFlink.
    """
    host = settings.get("rest.address", settings.get("jobmanager.rpc.address"))
    # Certificates are settings of Flink's client, which are not read here.
    secure = settings.get("security.ssl.rest.enabled", "").lower() == "true"
    if settings.get("execution.target") != "remote" or not host or secure:
        return None
    host = f"[{host}]" if ":" in host else host
    manager = JobManager(f"http://{host}:{settings.get('rest.port', '8081')}", _PATIENCE, proxies=False)
    overview = manager.overview()
    _check_version(manager, overview)
    if not overview.free:
        _note(f"{manager.base} has no free slot now ({overview.free_slots()}): jobs wait for one")
    configured: Any = manager.optional("jobmanager/config") or []
    defaults = {item["key"]: item["value"] for item in configured} | dict(settings)
    return Target(manager, defaults.get("fs.default-scheme"))


def _check_version(manager: JobManager, overview: Overview) -> None:
    try:
        mine = importlib.metadata.version("apache-flink")
    except importlib.metadata.PackageNotFoundError:
        return
    if minor(mine) != minor(overview.version):
        version = ".".join(map(str, minor(overview.version)))
        raise BackendError(
            f"{manager.base} runs Flink {overview.version}, to which PyFlink {mine} of this machine cannot give jobs: "
            f"pip install 'apache-flink=={version}.*'"
        )


def _note(text: str) -> None:
    err().print(f"note: {one_line(text)}", soft_wrap=True)
