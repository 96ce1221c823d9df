"""The REST endpoint of a Flink JobManager."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from packaging.version import InvalidVersion, Version

from leapstream.errors import BackendError

_MOST_BYTES = 8 << 20


@dataclass(frozen=True)
class Overview:
    """Version and slots of a cluster.

    Attributes:
        version: its version of Flink.
        task_managers: the number of TaskManagers.
        slots: the number of slots.
        free: the number of slots that no job has.
    """

    version: str
    task_managers: int
    slots: int
    free: int

    def free_slots(self) -> str:
        """The free slots in words."""
        managers = f"{self.task_managers} TaskManager{'' if self.task_managers == 1 else 's'}"
        return f"{self.free} of {self.slots} free, on {managers}"


class JobManager:
    """A JobManager that answers requests of REST.

    Args:
        base: the URL of its REST endpoint.
        patience: the seconds that it has for an answer.
        proxies: use the proxies of this process's environment, which Flink's own clients do not.
    """

    def __init__(self, base: str, patience: float = 10.0, *, proxies: bool = True) -> None:
        self.base = base.rstrip("/")
        self._patience = patience
        self._opener = urllib.request.build_opener(*([] if proxies else [urllib.request.ProxyHandler({})]))

    def overview(self) -> Overview:
        """The cluster's version and slots.

        Raises:
            BackendError: nobody answers, or not a JobManager.
        """
        try:
            found = self.json("overview")
            return Overview(
                str(found["flink-version"]),
                int(found["taskmanagers"]),
                int(found["slots-total"]),
                int(found["slots-available"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BackendError(f"{self.base}: the answer is not that of a Flink JobManager") from error

    def get(self, path: str) -> bytes:
        """The answer for a path.

        Raises:
            BackendError: there is none.
        """
        try:
            with self._opener.open(f"{self.base}/{path}", timeout=self._patience) as answer:
                return bytes(answer.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            error.close()
            raise BackendError(f"{self.base}/{path}: HTTP {error.code}") from error
        # A server of another protocol raises exceptions of http.client, which are no OSError.
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise BackendError(f"{self.base} does not answer: {str(reason) or type(reason).__name__}") from error

    def json(self, path: str) -> Any:
        """The answer for a path, from JSON."""
        return json.loads(self.get(path))

    def optional(self, path: str) -> Any:
        """The answer for a path, from JSON; ``None`` if the JobManager does not give one."""
        try:
            return self.json(path)
        except (BackendError, ValueError):
            return None


def minor(version: str) -> tuple[int, ...]:
    """Major and minor number of a version of Flink."""
    try:
        return Version(version).release[:2]
    except InvalidVersion:
        return ()
