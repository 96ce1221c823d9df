"""The models that the workers of a server agree on: a file that each of them watches, or memory if there is one worker."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from leapstream.bundle.writer import write_atomically
from leapstream.serving.loading import ModelSpec, Pinned

_MOST_UNLOADED = 64
# Seconds between two looks at what the other workers have done.
_AWAIT_PAUSE = 0.01


@dataclass(frozen=True)
class Announced:
    """A model that a worker is loading by request.

    Attributes:
        spec: the model.
        process: the worker.
    """

    spec: ModelSpec
    process: int


@dataclass(frozen=True)
class Rejected:
    """A version that did not go live.

    Attributes:
        version: the version; empty if it is not known.
        error: why.
        since: when it was tried first, in seconds since 1970.
    """

    version: str
    error: str
    since: float


@dataclass
class State:
    """The state of a server's models, each by its name.

    Attributes:
        begun: true once the models of the start are loaded.
        revision: the number of changes.
        models: the live versions.
        announced: the models that are being loaded by request.
        away: the models that requests unloaded; they come back by request alone.
        rejected: the models of which a version did not go live; the one before goes on.
    """

    begun: bool = False
    revision: int = 0
    models: dict[str, Pinned] = field(default_factory=dict)
    announced: dict[str, Announced] = field(default_factory=dict)
    away: dict[str, Pinned] = field(default_factory=dict)
    rejected: dict[str, Rejected] = field(default_factory=dict)

    def put_away(self, name: str, pinned: Pinned) -> None:
        """Remember a model that a request unloaded."""
        self.away[name] = pinned
        while len(self.away) > _MOST_UNLOADED:
            del self.away[next(iter(self.away))]

    def is_announced(self, name: str) -> bool:
        """True for a model that a worker that lives is loading by request."""
        found = self.announced.get(name)
        return found is not None and _lives(found.process)


class Agreement:
    """The state that the workers share. Safe to use from several threads and processes.

    Args:
        folder: a folder of this server's alone, for several workers; ``None`` for one, which has the state in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._state = State()
        self._lock = threading.RLock()
        self._folder = folder
        self._seen: tuple[int, int, int] | None = None
        if folder is not None:
            self._file = folder / "models.json"
            self._file_lock = FileLock(folder / "models.lock", thread_local=False)
            self._leading = FileLock(folder / "leader.lock", thread_local=False)
            self._decoder = msgspec.json.Decoder(State)

    @property
    def is_shared(self) -> bool:
        """True if there are several workers."""
        return self._folder is not None

    @property
    def bundles(self) -> Path | None:
        """The folder for copies of the bundles that are live, so that a worker that is started again has the same ones."""
        return None if self._folder is None else self._folder / "bundles"

    def state(self) -> State:
        """The state as it is now; not to be changed."""
        if self._folder is None:
            return self._state
        try:
            found = os.stat(self._file)
        except FileNotFoundError:
            return self._state
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            with self._lock:
                self._state = self._decoder.decode(self._file.read_bytes())
                self._seen = seen
        return self._state

    @contextlib.contextmanager
    def change(self) -> Iterator[State]:
        """The state, to be changed by the block; others see all changes of a block at once."""
        with self._lock:
            if self._folder is None:
                yield self._state
                return
            with self._file_lock:
                try:
                    data = self._file.read_bytes()
                except FileNotFoundError:
                    # It is not there yet, or something that tidies temporary files has removed it.
                    data = msgspec.json.encode(self._state)
                state = self._decoder.decode(data)
                yield state
                state.revision += 1
                self._folder.mkdir(exist_ok=True)
                write_atomically(self._file, msgspec.json.encode(state))

    def leads(self) -> bool:
        """True in the worker that looks for changes; if it ends, another one takes its place."""
        if self._folder is None or self._leading.is_locked:
            return True
        try:
            self._leading.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def acknowledge(self, revision: int) -> None:
        """Tell the other workers that this one has done all changes up to a revision."""
        if self._folder is not None:
            file = self._folder / "workers" / str(os.getpid())
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, str(revision).encode())

    def await_others(self, seconds: float) -> bool:
        """Wait until the other workers have done what is agreed on now; returns false if they have not after so many seconds."""
        if self._folder is None:
            return True
        revision = self.state().revision
        end = time.monotonic() + seconds
        while any(done < revision for done in self._done_by_others()):
            if time.monotonic() > end:
                return False
            time.sleep(_AWAIT_PAUSE)
        return True

    def _done_by_others(self) -> list[int]:
        """The revision up to which each other worker that lives has done the changes."""
        assert self._folder is not None
        try:
            workers = [worker for worker in (self._folder / "workers").iterdir() if worker.name.isdecimal()]
        except FileNotFoundError:
            return []
        others = [worker for worker in workers if int(worker.name) != os.getpid()]
        found = []
        for worker in others:
            if _lives(int(worker.name)):
                with contextlib.suppress(OSError, ValueError):
                    found.append(int(worker.read_bytes()))
            else:
                worker.unlink(missing_ok=True)
        return found

    def idle(self, name: str, seconds: float) -> float:
        """The seconds for which no worker has used a model.

        Args:
            name: the model.
            seconds: those of this worker, which the others then know, too.
        """
        if self._folder is None:
            return seconds
        now = time.time()
        file = self._folder / "used" / name
        try:
            used = file.stat().st_mtime
        except FileNotFoundError:
            used = 0.0
        if now - seconds > used:
            used = now - seconds
            file.parent.mkdir(exist_ok=True)
            file.touch()
            os.utime(file, (used, used))
        return now - used

    def tidy(self) -> None:
        """Remove the copies of bundles that no live version has; those that were added lately stay."""
        if self.bundles is None:
            return
        wanted = {Path(pinned.path).parent.name for pinned in self.state().models.values() if pinned.path}
        with contextlib.suppress(OSError):
            copies = sorted(self.bundles.iterdir(), key=lambda copy: copy.stat().st_mtime)
            for copy in [copy for copy in copies if copy.name not in wanted][:-_SPARE]:
                shutil.rmtree(copy, ignore_errors=True)


# A worker may be about to read the copy of the version before.
_SPARE = 4


def _lives(process: int) -> bool:
    # Elsewhere this signal is one that ends processes.
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
