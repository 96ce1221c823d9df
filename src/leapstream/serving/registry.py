"""The models that a server has: each name has one live version, which changes between two requests, and some earlier ones."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, TypeVar

from leapstream.drift import Profile
from leapstream.errors import SchemaError
from leapstream.model import Model
from leapstream.serving.failures import ConflictError, UnknownModelError
from leapstream.serving.observing import ShadowCounts
from leapstream.store.splits import Buckets

T = TypeVar("T")

VERSION_HEADER = b"x-model-version"
SPLIT_KEY = b"x-split-key"
"""The header whose value chooses the version of a request."""
LATEST = "latest"
"""The version that a request names to get the live one."""

_random = random.Random()


@dataclass(eq=False)
class ServedModel:
    """A version of a model that answers requests. Immutable but for its cost, its use, and what is made of it.

    Attributes:
        name: the name in requests.
        version: the version; a text that holds neither a slash nor a space.
        model: the model.
        uri: where it came from, without secrets; empty for one that was handed over.
        loaded: when it was loaded.
        cost: seconds that a row takes, as seen lately; decides whether a request is scored in the event loop.
        used: when it was asked for last, on the clock of :func:`time.monotonic`.
        made: the results of :meth:`once`, by their functions.
        group: the versions that are live together with it, if it is the main one of several.
        profile: the values of its columns in training.
        header: the header of answers that says which version has answered.
    """

    name: str
    version: str
    model: Model
    uri: str = ""
    loaded: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    cost: float = 0.0
    used: float = field(default_factory=time.monotonic)
    made: dict[Any, Any] = field(default_factory=dict, repr=False)
    group: Group | None = field(default=None, repr=False)
    profile: Profile | None = field(default=None, repr=False)
    header: tuple[bytes, bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.header = (VERSION_HEADER, self.version.encode())

    def chosen(self, headers: Mapping[bytes, bytes]) -> ServedModel:
        """The version that answers a request with these headers, if the request names none."""
        if self.group is None:
            return self
        self.used = time.monotonic()
        return self.group.chosen(headers)

    def once(self, make: Callable[[ServedModel], T]) -> T:
        """The result of a function of this version, which is kept for as long as the version lives.

        Several threads may call the function at first; all get the result of one of them.
        """
        found: T | None = self.made.get(make)
        if found is None:
            found = self.made.setdefault(make, make(self))
        return found


@dataclass(eq=False)
class Group:
    """The versions that are live together under one name.

    Attributes:
        versions: those that answer, in the order of their buckets.
        weights: the weight of each.
        shadows: those that are computed beside.
        counted: is called with a shadow and what it has computed.
    """

    versions: Sequence[ServedModel]
    weights: Sequence[int]
    shadows: Sequence[ServedModel]
    counted: Callable[[ServedModel, ShadowCounts], None] = lambda served, counts: None

    def __post_init__(self) -> None:
        self._buckets = Buckets(self.weights)

    @property
    def all(self) -> tuple[ServedModel, ...]:
        """All of them, shadows last."""
        return (*self.versions, *self.shadows)

    def chosen(self, headers: Mapping[bytes, bytes]) -> ServedModel:
        """The version of a request: that of its split key, or a random one by the weights if it has none."""
        if len(self.versions) == 1:
            return self.versions[0]
        key = headers.get(SPLIT_KEY)
        if key is None:
            return self.versions[self._buckets.place(_random.randrange(self._buckets.total))]
        return self.versions[self._buckets.place_of(_text(key))]

    def shares(self) -> dict[str, float]:
        """The share of each version; 0 for shadows."""
        total = self._buckets.total
        found = {served.version: weight / total for served, weight in zip(self.versions, self.weights, strict=True)}
        return {**found, **{served.version: 0.0 for served in self.shadows}}

    def as_json(self) -> dict[str, Any]:
        """The versions with their weights, and the shadows."""
        weights = {served.version: weight for served, weight in zip(self.versions, self.weights, strict=True)}
        return {"versions": weights, "shadow": [served.version for served in self.shadows]}


def _text(key: bytes) -> str:
    """The text of a header, which is UTF-8 here; other bytes are those of Latin-1."""
    try:
        return key.decode()
    except UnicodeDecodeError:
        return key.decode("latin-1")


class ModelRegistry:
    """The served models by name. Reading takes no lock; safe to use from several threads.

    Args:
        keep: the number of earlier versions of each model that requests can still name.

    Attributes:
        missing: is called with the name of a model that a request asks for in vain; it may make the request wait.
    """

    def __init__(self, keep: int = 1) -> None:
        self._keep = keep
        self._live: Mapping[str, ServedModel] = MappingProxyType({})
        # The versions that were live before, the newest first.
        self._earlier: Mapping[str, tuple[ServedModel, ...]] = MappingProxyType({})
        self._lock = threading.Lock()
        self.missing: Callable[[str], None] = lambda name: None
        self._listeners: list[Callable[[str, ServedModel | None], None]] = []

    def get(self, name: str, version: str | None = None) -> ServedModel:
        """A version of a model: a live one, or an earlier one that is still there.

        Args:
            name: the model.
            version: the version; ``None`` or ``latest`` for the live one, of several the main one.

        Raises:
            UnknownModelError: it is not served.
            NotYetError: it is being loaded.
        """
        served = self._live.get(name)
        if served is None:
            self.missing(name)
            # It may have become live in between.
            served = self._live.get(name)
        if served is None:
            known = ", ".join(self._live) or "none"
            raise UnknownModelError(f"there is no model {name!r}; served: {known}")
        if version is None or version in (served.version, LATEST):
            return served
        for other in self.versions(name):
            if other.version == version:
                return other
        known = ", ".join(found.version for found in self.versions(name))
        raise UnknownModelError(f"model {name!r} has no version {version!r}; served: {known}")

    def versions(self, name: str) -> tuple[ServedModel, ...]:
        """The versions of a model that requests can name, live ones first; empty for a model that is not served."""
        served = self._live.get(name)
        if served is None:
            return ()
        others = () if served.group is None else [version for version in served.group.all if version is not served]
        live = {served.version, *(version.version for version in others)}
        earlier = [version for version in self._earlier.get(name, ()) if version.version not in live]
        return (served, *others, *earlier)

    def find(self, name: str) -> ServedModel | None:
        """The live version of a model, or ``None``."""
        return self._live.get(name)

    def only(self) -> ServedModel:
        """The single model of a server; for protocols that name none.

        Raises:
            UnknownModelError: the server has none, or several.
        """
        live = self._live
        if len(live) != 1:
            raise UnknownModelError(
                f"the request names no model, and the server has {len(live)}; /endpoints/{{name}}/invocations names one"
            )
        return next(iter(live.values()))

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._live.values())

    def __len__(self) -> int:
        return len(self._live)

    def put(self, served: ServedModel, *, replace: bool = True, same_signature: bool = False) -> None:
        """Make a version live, in the place of the one before. Requests in flight end on the version they began with.

        Args:
            served: the version.
            replace: take the place of a live version; else it is rejected.
            same_signature: reject a version whose inputs and outputs are not those of the live one.

        Raises:
            ConflictError: there is a model of this name, and it may not be replaced.
            SchemaError: the signature is another.
        """
        with self._lock:
            before = self._live.get(served.name)
            if before is not None:
                if not replace:
                    raise ConflictError(f"there is a model {served.name!r} already, of version {before.version}")
                if same_signature:
                    check_signature(before, served)
                earlier = (before, *self._earlier.get(served.name, ()))
                kept = [version for version in earlier if version.version != served.version][: self._keep]
                self._earlier = MappingProxyType({**self._earlier, served.name: tuple(kept)})
            self._live = MappingProxyType({**self._live, served.name: served})
        self._tell(served.name, served)

    def remove(self, name: str) -> ServedModel:
        """Serve a model no longer.

        Raises:
            UnknownModelError: it is not served.
        """
        with self._lock:
            served = self.get(name)
            self._live = MappingProxyType({n: s for n, s in self._live.items() if n != name})
            self._earlier = MappingProxyType({n: s for n, s in self._earlier.items() if n != name})
        self._tell(name, None)
        return served

    def listen(self, listener: Callable[[str, ServedModel | None], None]) -> None:
        """Have a function called with the name and the live version (``None``: removed) after each change."""
        self._listeners.append(listener)

    def _tell(self, name: str, served: ServedModel | None) -> None:
        for listener in self._listeners:
            listener(name, served)


def check_signature(live: ServedModel, new: ServedModel) -> None:
    """Reject a version whose columns are not those of the live one.

    Raises:
        SchemaError: they differ; the message has both.
    """
    ours, theirs = live.model.schema, new.model.schema
    if (ours.inputs, ours.outputs) != (theirs.inputs, theirs.outputs):
        raise SchemaError(
            f"model {new.name!r}: version {new.version} has the signature {theirs}, and the live {live.version} has {ours}"
        )
