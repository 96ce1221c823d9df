"""The changes of a model in a store, each a file of its own, so that none overwrites another."""

from __future__ import annotations

import contextlib
import getpass
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any, Literal, TypeAlias, cast, get_args

from leapstream.errors import StoreError
from leapstream.escaping import json_text
from leapstream.store.manifest import FORMAT, Fields
from leapstream.store.places import Place

HISTORY = "_history"
Action: TypeAlias = Literal["publish", "alias", "unalias", "rollback", "remove"]

_MOST_BYTES = 1 << 16
_AT_ONCE = 8


@dataclass(frozen=True)
class Change:
    """A change of a model in a store.

    Attributes:
        date: when it was made.
        action: ``publish``, ``alias`` (set to a version), ``unalias``, ``rollback`` (of an alias) or ``remove`` (a version).
        version: the version.
        alias: the alias; empty for changes of versions.
        user: who made it, as the operating system says.
    """

    date: datetime
    action: Action
    version: str
    alias: str = ""
    user: str = ""

    def as_json(self) -> dict[str, Any]:
        """The change as JSON."""
        return {**asdict(self), "date": self.date.isoformat()}


def remember(place: Place, name: str, action: Action, version: str, alias: str = "") -> None:
    """Add a change to the history of a model."""
    change = Change(datetime.now(timezone.utc), action, version, alias, _user())
    stamp = change.date.strftime("%Y%m%dT%H%M%S.%fZ")
    content = json_text({"format": FORMAT, **change.as_json()}) + "\n"
    place.replace(f"{name}/{HISTORY}/{stamp}-{secrets.token_hex(4)}.json", content.encode())


def changes(place: Place, name: str, most: int) -> list[Change]:
    """The changes of a model, the oldest first; at most so many, and then the newest.

    Raises:
        StoreError: one cannot be read.
    """
    folder = f"{name}/{HISTORY}"
    files = sorted(file for file in place.names(folder) if file.endswith(".json"))[-most:]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(partial(_change, place), (f"{folder}/{file}" for file in files))
        return sorted((change for change in found if change is not None), key=lambda change: change.date)


def _change(place: Place, path: str) -> Change | None:
    data = place.read(path, _MOST_BYTES)
    if data is None:
        return None
    fields = Fields.parsed(data, path)
    action = fields.text("action")
    if action not in get_args(Action):
        raise StoreError(f"{path}: 'action' is {action!r}")
    return Change(
        fields.moment("date"),
        cast("Action", action),
        fields.text("version"),
        fields.text("alias", ""),
        fields.text("user", ""),
    )


def _user() -> str:
    # A process in a container may have a number that no user has.
    with contextlib.suppress(Exception):
        return getpass.getuser()
    return ""
