"""The changes of a model in a store, each a file of its own, so that none overwrites another."""

from __future__ import annotations

import contextlib
import getpass
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast, get_args

from leapstream.errors import StoreError
from leapstream.escaping import json_text
from leapstream.store.manifest import FORMAT, Fields
from leapstream.store.places import Place
from leapstream.store.splits import checked, described

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
        version: the version; the main one of an alias of several.
        alias: the alias; empty for changes of versions.
        user: who made it, as the operating system says.
        weights: the weight of each version of an alias of several; else empty.
        shadow: the shadows of the alias.
    """

    date: datetime
    action: Action
    version: str
    alias: str = ""
    user: str = ""
    weights: Mapping[str, int] = field(default_factory=dict)
    shadow: tuple[str, ...] = ()

    @property
    def versions(self) -> str:
        """The version, or the versions with weights and shadows, for people."""
        return described(self.weights or {self.version: 1}, self.shadow)

    def is_same(self, other: Change) -> bool:
        """True if another change let the alias stand for the same versions."""
        return self.versions == other.versions

    def as_json(self) -> dict[str, Any]:
        """The change as JSON."""
        found = {
            "date": self.date.isoformat(),
            "action": self.action,
            "version": self.version,
            "alias": self.alias,
            "user": self.user,
        }
        return {**found, "weights": dict(self.weights), "shadow": list(self.shadow)} if self.weights else found


def remember(
    place: Place,
    name: str,
    action: Action,
    version: str,
    alias: str = "",
    weights: Mapping[str, int] = MappingProxyType({}),
    shadow: tuple[str, ...] = (),
) -> None:
    """Add a change to the history of a model."""
    change = Change(datetime.now(timezone.utc), action, version, alias, _user(), weights, shadow)
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
        *_split(fields),
    )


def _split(fields: Fields) -> tuple[dict[str, int], tuple[str, ...]]:
    """The weights and shadows of a change, if it has any."""
    if not fields.has("weights"):
        return {}, ()
    weights, shadow = fields.object("weights"), fields.texts("shadow")
    checked(weights, shadow, fields.where)
    return weights, shadow


def _user() -> str:
    # A process in a container may have a number that no user has.
    with contextlib.suppress(Exception):
        return getpass.getuser()
    return ""
