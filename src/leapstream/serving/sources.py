"""The places that say which models a server is to have: bundles of its command line, a store, a folder of configurations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from leapstream.errors import ConfigError, LeapstreamError, StoreError
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.uri import scheme_of
from leapstream.hocon import parse_file
from leapstream.serving.loading import ModelSpec
from leapstream.serving.settings import seconds
from leapstream.serving.splitting import Part
from leapstream.store import ModelStore, Selection
from leapstream.store.manifest import LATEST

Wanted: TypeAlias = "Mapping[str, ModelSpec | LeapstreamError]"
"""The models that a source wants to be served, by name; with an error in the place of one that cannot be told."""


class Source(Protocol):
    """A place that says which models to serve."""

    @property
    def origin(self) -> str:
        """The name of the place."""

    def wanted(self) -> Wanted:
        """The models to serve now.

        Raises:
            LeapstreamError: that cannot be told at all.
        """


@dataclass(frozen=True)
class FixedModels:
    """The bundles of the command line."""

    specs: Sequence[ModelSpec]
    origin: str = "bundles"

    def wanted(self) -> Wanted:
        return {spec.name: spec for spec in self.specs}


_STORED = re.compile(r"(?:([^=@/]+)=)?([A-Za-z0-9][A-Za-z0-9_.+-]*)(?:@([A-Za-z0-9][A-Za-z0-9_.+-]*))?")


@dataclass(frozen=True)
class StoredName:
    """A model of a store that a server is to have.

    Attributes:
        name: its name in requests.
        model: its name in the store.
        reference: the version, an alias, or ``latest``; ``None`` for the server's alias.
    """

    name: str
    model: str
    reference: str | None = None

    @classmethod
    def parsed(cls, given: str) -> StoredName | None:
        """The model that ``[NAME=]MODEL[@VERSION]`` names; ``None`` if that is the place of a bundle."""
        match = _STORED.fullmatch(given)
        if match is None or given.endswith(".zip"):
            return None
        return cls(match[1] or match[2], match[2], match[3])


@dataclass(frozen=True)
class StoreModels:
    """The models of a store: those that are named, or all that have an alias.

    Attributes:
        uri: the store.
        names: the models; without any, all of the store.
        alias: the alias to follow, or ``latest``.
        options: how the store is read.
    """

    uri: str
    names: Sequence[StoredName] = ()
    alias: str = LATEST
    options: SourceOptions | None = None
    origin: str = "store"

    @cached_property
    def _store(self) -> ModelStore:
        return ModelStore(self.uri, self.options)

    def wanted(self) -> Wanted:
        found: dict[str, ModelSpec | LeapstreamError] = {}
        for stored in self.names:
            try:
                selection = self._store.select(stored.model, stored.reference or self.alias)
                found[stored.name] = spec_of_selection(stored.name, self.uri, selection)
            except LeapstreamError as error:
                found[stored.name] = error
        every = () if self.names else self._store.names()
        if not self.names and not every:
            # A folder that is not mounted looks like this, too.
            raise StoreError(f"{self._store.uri}: the store has no models")
        for name in every:
            try:
                alias = self._store.find_selection(name, self.alias)
                if alias is not None:
                    found[name] = spec_of_selection(name, self.uri, alias)
            except LeapstreamError as error:
                found[name] = error
        return found


def spec_of_selection(name: str, store: str, selection: Selection) -> ModelSpec:
    """A version of a store as a model to serve, or several ones."""
    version = selection.main
    parts = [*selection.versions, *((shadow, 0) for shadow in selection.shadow)]
    return ModelSpec(
        name,
        version.bundle_uri,
        sha256=version.bundle.sha256,
        version=version.version,
        store=store,
        model=version.name,
        parts=tuple(Part(v.version, v.bundle_uri, v.bundle.sha256, weight) for v, weight in parts if len(parts) > 1),
    )


_MOST_BYTES = 1 << 20
_SUFFIXES = (".conf", ".json")
_TEXTS = ("bundle", "sha256", "version", "contract", "store", "model", "memoryTimeout")


@dataclass(frozen=True)
class ConfigFolder:
    """A folder with a configuration for each model, in HOCON or JSON; the model has the name of the file.

    Attributes:
        folder: the folder.
        options: how stores are read.
    """

    folder: Path
    options: SourceOptions | None = None
    origin: str = "config"

    def wanted(self) -> Wanted:
        found: dict[str, ModelSpec | LeapstreamError] = {}
        try:
            # What a ConfigMap of Kubernetes has beside its files begins with a dot.
            files = [
                file
                for file in sorted(self.folder.iterdir())
                if file.suffix in _SUFFIXES and not file.name.startswith(".") and file.is_file()
            ]
        except OSError as error:
            raise ConfigError(f"{self.folder}: {error.strerror or error}") from None
        for file in files:
            if file.stem in found:
                found[file.stem] = ConfigError(f"{self.folder}: two files are for the model {file.stem!r}")
                continue
            try:
                found[file.stem] = self._spec(file)
            except LeapstreamError as error:
                found[file.stem] = error
        return found

    def _spec(self, file: Path) -> ModelSpec:
        given = _read(file)
        unknown = sorted(given.keys() - set(_TEXTS))
        if unknown:
            raise ConfigError(f"{file}: there is no option {unknown[0]!r}; there are {', '.join(_TEXTS)}")
        for option, value in given.items():
            if not isinstance(value, str) and not (option in ("version", "memoryTimeout") and type(value) is int):
                raise ConfigError(f"{file}: {option} has to be a text, and is {value!r}")
        timeout = given.get("memoryTimeout")
        idle = None if timeout is None else seconds(str(timeout), f"{file}: memoryTimeout")
        store = given.get("store")
        if store is None:
            bundle = given.get("bundle")
            if bundle is None or "model" in given:
                raise ConfigError(f"{file}: it needs bundle, or store and model")
            version = given.get("version")
            contract = given.get("contract")
            return ModelSpec(
                file.stem,
                self._place(bundle),
                sha256=given.get("sha256"),
                version=None if version is None else str(version),
                memory_timeout=idle,
                contract=None if contract is None else self._place(contract),
            )
        other = sorted(given.keys() & {"bundle", "sha256", "contract", "version"})
        if other:
            raise ConfigError(f"{file}: {other[0]} is of no use beside store; model may be NAME@VERSION")
        stored = StoredName.parsed(given.get("model", file.stem))
        if stored is None:
            raise ConfigError(f"{file}: model is {given['model']!r}, and has to be NAME, NAME@ALIAS or NAME@VERSION")
        place = self._place(store)
        found = ModelStore(place, self.options).select(stored.model, stored.reference or LATEST)
        spec = spec_of_selection(file.stem, place, found)
        return spec if idle is None else replace(spec, memory_timeout=idle)

    def _place(self, given: str) -> str:
        """A place; a path is relative to the folder."""
        return given if scheme_of(given) is not None else str(self.folder / given)


def _read(file: Path) -> Mapping[str, Any]:
    """The options of a configuration.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{file}: more than {_MOST_BYTES} bytes")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    return parse_file(str(file))
