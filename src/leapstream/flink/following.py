"""Models of a store whose versions change while a Python function runs: one thread looks at a store for each worker process."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace

from leapstream.bundle.types import Field, Schema
from leapstream.errors import LeapstreamError, SourceError, StoreError
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.stored import SHADOW, StoredModel
from leapstream.flink.texts import split_key_text
from leapstream.model import Model
from leapstream.sources import SourceOptions
from leapstream.store import ModelStore, Selection, Version
from leapstream.store.aliases import differing_columns
from leapstream.store.splits import Buckets

_log = logging.getLogger(__name__)

_SILENT_SECONDS = 600.0


@dataclass(frozen=True)
class LiveVersion:
    """A version that is live.

    Attributes:
        version: its description in the store.
        model: its model, which was verified.
        load_seconds: the time that it took to load and verify it.
    """

    version: Version
    model: Model
    load_seconds: float


@dataclass(frozen=True)
class LiveVersions:
    """The versions that are live between two changes.

    Attributes:
        versions: the versions that rows are split among.
        shadows: the versions that are computed beside; the outputs of the first of them may be columns.
        buckets: the split.
        key: what tells them apart from others.
    """

    versions: tuple[LiveVersion, ...]
    shadows: tuple[LiveVersion, ...]
    buckets: Buckets
    key: tuple[tuple[str, str, int], ...]

    def place_of(self, key: object) -> int:
        """The place of the version of a key; that of the first where the key is missing (``None`` or NaN)."""
        text = None if len(self.versions) == 1 else split_key_text(key)
        return 0 if text is None else self.buckets.place_of(text)


@dataclass(frozen=True)
class FollowedSignature:
    """The parts of a function's signature that versions of its model compute.

    Attributes:
        answer: that of the version that answers: without a split key, ``model_version`` and the outputs of a shadow.
        shadow: that of a shadow, whose outputs have the names in its model.
    """

    answer: FunctionSignature
    shadow: FunctionSignature

    @classmethod
    def of(cls, signature: FunctionSignature, version: Version) -> FollowedSignature:
        """The parts of a signature, for versions with the inputs and outputs of this one."""
        inputs, outputs = (dict(columns) for columns in (version.inputs, version.outputs))
        given = Schema(tuple(field for field in signature.inputs if field.name in inputs))
        answered = tuple(field for field in signature.model_outputs if field.name in outputs)
        beside = tuple(
            Field(field.name.removeprefix(SHADOW), field.type)
            for field in signature.model_outputs
            if field.name not in outputs
            and field.name.startswith(SHADOW)
            and field.name.removeprefix(SHADOW) in outputs
        )
        answer = FunctionSignature(signature.function, signature.model, given, Schema(answered))
        # A shadow whose columns nobody reads counts its rows and failures.
        shadow = replace(answer, outputs=Schema(beside or answered))
        return cls(answer.with_error(signature.error), shadow)


@dataclass(frozen=True)
class FollowedModel:
    """A model of a store for functions that run in Python; it travels with a job.

    Attributes:
        stored: the model.
        expected: a version with the inputs and outputs that all versions have.
        options: how the store is read.
    """

    stored: StoredModel
    expected: Version
    options: SourceOptions | None = None

    def __post_init__(self) -> None:
        # Workers have other working directories.
        object.__setattr__(self, "stored", replace(self.stored, store=self.stored.uri))

    def follow(self) -> Follower:
        """The follower of this process, for one more function, which closes it at its end.

        Raises:
            LeapstreamError: the store cannot be read, or its version cannot be used.
        """
        with _LOCK:
            found = _FOLLOWERS.get(self._key)
            if found is None:
                found = _FOLLOWERS[self._key] = Follower(self, self._key)
            found.users += 1
        try:
            found.start()
        except LeapstreamError:
            found.close()
            raise
        return found

    @property
    def _key(self) -> str:
        return repr((self.stored, self.expected.inputs, self.expected.outputs))


class Follower:
    """The live versions of a model, for all functions of a process. Its thread ends with the last of them.

    A version goes live when its checksums, its inputs and outputs, and the rows of its contract are right; otherwise those before
    it go on.
    """

    def __init__(self, followed: FollowedModel, key: str) -> None:
        self.users = 0
        self.reloads = 0
        self.reload_failures = 0
        self._followed = followed
        self._key = key
        self._store: ModelStore = followed.stored.opened(followed.options)
        self._live: LiveVersions | None = None
        self._starting = threading.Lock()
        self._ended = threading.Event()
        self._rejected: tuple[tuple[str, str, int], ...] | None = None
        self._logged: tuple[str, float] | None = None

    @property
    def live(self) -> LiveVersions:
        """The versions that are live now."""
        assert self._live is not None
        return self._live

    def start(self) -> None:
        """Load the first versions, and look at the store from then on if they may change."""
        with self._starting:
            if self._live is not None:
                return
            self._live = self._loaded(self._selection())
            _log.info("model %s is version %s", self._name, _shown(self._live.key))
            if self._followed.stored.version is None:
                threading.Thread(target=self._watch, name=f"leapstream-reload {self._name}", daemon=True).start()

    def close(self) -> None:
        """A function needs it no more."""
        with _LOCK:
            self.users -= 1
            if self.users == 0:
                _FOLLOWERS.pop(self._key, None)
                self._ended.set()

    @property
    def _name(self) -> str:
        return f"{self._followed.stored.name}@{self._followed.stored.reference}"

    def _watch(self) -> None:
        while not self._ended.wait(self._followed.stored.milliseconds / 1000):
            try:
                self._look()
            # Whatever a damaged version does, the versions that are live go on.
            except Exception as error:
                self.reload_failures += 1
                self._failed(str(error))

    def _look(self) -> None:
        selection = self._selection()
        key, before = _key(selection), self.live
        if key in (before.key, self._rejected):
            return
        try:
            loaded = self._loaded(selection)
        except Exception as error:
            if not _may_pass(error):
                # It stays as it is until the alias changes.
                self._rejected = key
            raise
        self._live, self._rejected = loaded, None
        self.reloads += 1
        _log.info("model %s is version %s from now on, and was %s", self._name, _shown(key), _shown(before.key))

    def _selection(self) -> Selection:
        stored = self._followed.stored
        shadows = [self._store.version(stored.name, shadow) for shadow in stored.shadow]
        return self._store.select(stored.name, stored.reference).with_shadow(shadows)

    def _loaded(self, selection: Selection) -> LiveVersions:
        kept = {} if self._live is None else {v.version.sha256: v for v in (*self._live.versions, *self._live.shadows)}
        loaded = tuple(kept.get(version.sha256) or self._verified(version) for version in selection.all)
        weights = [weight for _, weight in selection.versions]
        return LiveVersions(loaded[: len(weights)], loaded[len(weights) :], Buckets(weights), _key(selection))

    def _verified(self, version: Version) -> LiveVersion:
        began = time.perf_counter()
        for side, found, wanted in differing_columns(version, self._followed.expected):
            raise StoreError(f"{version.reference} has the {side} {found}, and the job {wanted}")
        model = self._store.load_version(version, check=True)
        return LiveVersion(version, model, time.perf_counter() - began)

    def _failed(self, text: str) -> None:
        now = time.monotonic()
        if self._logged is None or self._logged[0] != text or now - self._logged[1] > _SILENT_SECONDS:
            self._logged = text, now
            _log.warning(
                "model %s stays version %s, since the store has nothing better: %s",
                self._name,
                _shown(self.live.key),
                text,
            )


_LOCK = threading.Lock()
_FOLLOWERS: dict[str, Follower] = {}


def _may_pass(error: Exception) -> bool:
    """True for an error of a place, which may answer at the next look."""
    of_place = isinstance(error, SourceError) and not isinstance(error, StoreError)
    return of_place or isinstance(error.__cause__, OSError)


def _key(selection: Selection) -> tuple[tuple[str, str, int], ...]:
    versions = (*selection.versions, *((shadow, 0) for shadow in selection.shadow))
    return tuple((version.version, version.sha256, weight) for version, weight in versions)


def _shown(key: tuple[tuple[str, str, int], ...]) -> str:
    """The versions in words, as the Java class ``Selection`` shows them."""
    split = [version for version, _, weight in key if weight]
    weights = [f" (weight {weight})" if len(split) > 1 else "" for _, _, weight in key if weight]
    shadows = [f"shadow {version}" for version, _, weight in key if not weight]
    return ", ".join([*map(str.__add__, split, weights), *shadows])
