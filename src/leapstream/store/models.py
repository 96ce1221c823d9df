"""The store: publishes versions, moves aliases, and gives versions out verified."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import leapstream
from leapstream.contract import Contract
from leapstream.drift.profiles import MOST_BYTES, Profile
from leapstream.errors import LeapstreamError, StoreError, UnsupportedModelError
from leapstream.escaping import json_text
from leapstream.fetching.digests import sha256_of
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.resolver import resolve
from leapstream.fetching.uri import display
from leapstream.model import Backend, Model, load, save
from leapstream.store.aliases import Alias, AliasedVersion, Selection, alias_file, alias_of, parsed_alias
from leapstream.store.manifest import (
    BUNDLE,
    CONTRACT,
    FORMAT,
    JAR,
    LATEST,
    MANIFEST,
    MOST_MANIFEST,
    PROFILE,
    Lineage,
    StoredFile,
    Version,
    check_alias,
    check_model_name,
    check_version_name,
    columns_of,
    manifest,
    parsed_manifest,
)
from leapstream.store.past import HISTORY, Action, Change, changes, remember
from leapstream.store.places import Place, place_of
from leapstream.store.splits import checked

JarWriter: TypeAlias = "Callable[[Model, Path | None, Path], int | None]"
"""Compiles a model, and the contract in a folder, to a file; gives the number of the Java classes that the jar needs."""

CLAIM = "claim.json"
MOST_CONTRACT = 64 << 20
"""The most bytes of a file of a contract."""

_CONTRACT_FILES = ("case.json", "input.json", "input.leap", "expected.json", "expected.leap")
_MOST_ALIAS = 1 << 16
_MOST_NOTE = 4096
# A number that another publisher takes at the same moment costs a try.
_TRIES = 100
_AT_ONCE = 8
_BACKENDS: tuple[Backend, ...] = ("vectorized", "rowwise")


class ModelStore:
    """A store of models: a directory, or a place of any kind that fsspec writes. Safe to use from several threads and processes.

    Args:
        uri: the path or URI of the store's folder. It need not exist yet.
        options: time-out, retries, credentials, cache and limits.

    Raises:
        StoreError: by each method, if something is missing, damaged, or in the way.
        SourceError: by each method, if the place cannot be read or written.
    """

    def __init__(self, uri: str | os.PathLike[str], options: SourceOptions | None = None) -> None:
        self._uri = os.fspath(uri).rstrip("/") or "/"
        self._options = options or SourceOptions()
        self._manifests: dict[tuple[str, str], Version] = {}
        if "?" in self._uri:
            raise StoreError(f"{display(self._uri)}: the URI of a store cannot have a query")

    def __repr__(self) -> str:
        return f"ModelStore({display(self._uri)!r})"

    @property
    def uri(self) -> str:
        """The place of the store, without secrets."""
        return display(self._uri)

    @cached_property
    def _place(self) -> Place:
        return place_of(self._uri, self._options)

    # ---- reading ------------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of the models."""
        return [name for name in self._place.names() if _is_name(name)]

    def versions(self, name: str) -> list[Version]:
        """The versions of a model, the highest first; numbers in their names are compared as numbers."""
        check_model_name(name)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(lambda version: self._manifest(name, version), self._candidates(name)))
        return [version for version in found if version is not None]

    def version(self, name: str, reference: str = LATEST) -> Version:
        """A version of a model.

        Args:
            name: the model.
            reference: a version, an alias, or ``latest``, which is the highest version. An alias of several versions gives the
                one of the most weight here; :meth:`select` gives all.
        """
        return self.select(name, reference).main

    def find(self, name: str, reference: str = LATEST) -> Version | None:
        """A version of a model, or ``None`` if there is no such model, version or alias; see :meth:`version`."""
        found = self.find_selection(name, reference)
        return None if found is None else found.main

    def select(self, name: str, reference: str = LATEST) -> Selection:
        """The versions that an alias with weights or shadows stands for; any other reference is a single version.

        Args:
            name: the model.
            reference: a version, an alias, or ``latest``.
        """
        found = self.find_selection(name, reference)
        if found is not None:
            return found
        if reference == LATEST:
            raise self._error(f"there is no model {name!r}; there are: {_listed(self.names())}")
        known = [*self._candidates(name), *(alias.alias for alias in self.aliases(name))]
        raise self._error(f"model {name!r} has no version or alias {reference!r}; there are: {_listed(known)}")

    def find_selection(self, name: str, reference: str = LATEST) -> Selection | None:
        """The versions that a reference stands for, or ``None`` if there is no such thing; see :meth:`select`."""
        check_model_name(name)
        if reference == LATEST:
            candidates = (self._manifest(name, candidate) for candidate in self._candidates(name))
            return _single(next((version for version in candidates if version is not None), None))
        check_version_name(reference)
        cached = self._manifests.get((name, reference))
        if cached is not None:
            return _single(cached)
        alias = self.alias(name, reference)
        if alias is None:
            return _single(self._manifest(name, reference))
        selection = Selection(
            tuple((self._aliased(name, reference, version), version.weight) for version in alias.versions),
            tuple(self._aliased(name, reference, version) for version in alias.shadow),
        )
        selection.check_signatures()
        return selection

    def _aliased(self, name: str, alias: str, aliased: AliasedVersion) -> Version:
        """The version that an alias stands for, whose manifest is the one of then."""
        found = self._manifest(name, aliased.version)
        if found is None:
            raise self._error(f"alias {alias!r} of {name} stands for version {aliased.version}, which is not there")
        if aliased.sha256 != found.sha256:
            raise self._error(f"the manifest of {found.reference} was altered after the alias {alias!r} was set")
        return found

    def alias(self, name: str, alias: str) -> Alias | None:
        """An alias of a model; ``None`` if there is none of this name."""
        if alias.isdecimal():
            return None
        path = f"{check_model_name(name)}/{check_version_name(alias)}.json"
        data = self._place.read(path, _MOST_ALIAS)
        if data is None:
            return None
        return parsed_alias(data, alias, f"{path} in {self.uri}")

    def aliases(self, name: str) -> list[Alias]:
        """The aliases of a model, by their names."""
        files = [entry.removesuffix(".json") for entry in self._place.names(check_model_name(name))]
        found = [
            self.alias(name, alias) for alias in files if _is_name(f"{alias}.json") and alias + ".json" != MANIFEST
        ]
        return [alias for alias in found if alias is not None]

    def history(self, name: str, *, most: int = 1000) -> list[Change]:
        """The changes of a model, the oldest first; at most so many, and then the newest."""
        return changes(self._place, check_model_name(name), most)

    def fetch(self, version: Version) -> Path:
        """A local path of the bundle of a version, whose checksum was verified.

        Raises:
            SourceError: the bundle cannot be had, or its checksum is another.
        """
        return resolve(version.bundle_uri, sha256=version.bundle.sha256, options=self._options)

    def load(self, name: str, reference: str = LATEST, *, check: bool = False) -> Model:
        """Load a model.

        Args:
            name: the model.
            reference: see :meth:`version`.
            check: compare it with its contract, if it has one.

        Raises:
            SourceError: the bundle cannot be had, or its checksum is another.
            StoreError: it has not the columns of its manifest, or differs from its contract.
        """
        return self.load_version(self.version(name, reference), check=check)

    def load_version(self, version: Version, *, check: bool = False) -> Model:
        """Load a version of a model; see :meth:`load`.

        Raises:
            SourceError: the bundle cannot be had, or its checksum is another.
            StoreError: it has not the columns of its manifest, or differs from its contract.
        """
        model = load(self.fetch(version), limits=self._options.limits)
        self.check_signature(version, model)
        if check:
            self.check_contract(version, model)
        return model

    def check_signature(self, version: Version, model: Model) -> None:
        """Make sure that a model has the columns of its manifest.

        Raises:
            StoreError: it has others.
        """
        if (columns_of(model.schema.inputs), columns_of(model.schema.outputs)) != (version.inputs, version.outputs):
            raise self._error(
                f"the bundle of {version.reference} has not the signature of its manifest: {model.schema}"
            )

    def check_contract(self, version: Version, model: Model) -> None:
        """Compare a model with the recorded rows of its contract, if it has one, on each executor that answers requests.

        Raises:
            StoreError: a row differs, or the contract is damaged.
        """
        if not version.contract:
            return
        with tempfile.TemporaryDirectory(prefix="leapstream-contract-") as folder:
            for name, file in version.contract.items():
                path = f"{version.name}/{version.version}/{CONTRACT}/{name}"
                data = self._place.read(path, min(file.size, MOST_CONTRACT)) if name in _CONTRACT_FILES else None
                if data is None or hashlib.sha256(data).hexdigest() != file.sha256:
                    raise self._error(f"{path} is missing, or its checksum is another")
                Path(folder, name).write_bytes(data)
            verify_contract(model, Path(folder), f"{version.reference} in {self.uri}")

    def profile(self, version: Version) -> Profile | None:
        """The profile of a version; ``None`` if it was published without one.

        Raises:
            StoreError: it is damaged.
        """
        file = version.files.get(PROFILE)
        if file is None:
            return None
        path = f"{version.name}/{version.version}/{PROFILE}"
        data = self._place.read(path, min(file.size, MOST_BYTES))
        if data is None or hashlib.sha256(data).hexdigest() != file.sha256:
            raise self._error(f"{path} is missing, or its checksum is another")
        return Profile.parsed(data, f"{path} in {self.uri}")

    # ---- writing ------------------------------------------------------------------------------------------------------

    def publish(
        self,
        name: str,
        bundle: str | os.PathLike[str] | Model,
        *,
        version: str | None = None,
        aliases: Sequence[str] = (),
        contract: str | os.PathLike[str] | None = None,
        profile: Profile | str | os.PathLike[str] | None = None,
        note: str = "",
        library: str = "",
        jar: JarWriter | None = None,
    ) -> Version:
        """Publish a bundle as a new version. Nobody sees it before all of it is there.

        Args:
            name: the model.
            bundle: the path or URI of a bundle, or a model in memory.
            version: the version; by default the next number.
            aliases: aliases to set to it.
            contract: the folder of a contract (:func:`leapstream.contract.record`), which the bundle has to fulfil now, and again
                before it is served. Its own bundle is not used.
            profile: the profile of the model (:func:`leapstream.drift.profile`), which later rows are compared with, or a file
                with it, or a file of rows that it is made of.
            note: a text for people.
            library: the library that trained the model, with its version, for people.
            jar: the function that compiles the model for Flink, :func:`leapstream.flink.write_model_jar`; without it, or if it
                gives ``None``, the version has no jar, and jobs of Flink cannot use it.

        Raises:
            BackendError: ``jar`` cannot compile the model.
            StoreError: the version exists, or the bundle differs from its contract.
            SourceError: the bundle cannot be fetched, or the place cannot be written.
            BundleError: the bundle cannot be read.
        """
        check_model_name(name)
        taken = [check_alias(alias) for alias in aliases]
        if len(note) > _MOST_NOTE:
            raise self._error(f"the note has {len(note)} characters, and {_MOST_NOTE} are the most")
        with tempfile.TemporaryDirectory(prefix="leapstream-publish-") as directory:
            folder = Path(directory)
            files, source = _bundle_files(bundle, folder, self._options)
            model = load(files[BUNDLE], limits=self._options.limits)
            if contract is not None:
                files.update(_contract_files(Path(contract), folder))
                verify_contract(model, folder / CONTRACT, f"{name}: the bundle")
            if profile is not None:
                files[PROFILE] = folder / PROFILE
                # Arrow, which reads rows, takes a while to import.
                from leapstream.drift.profiling import profile_of_file

                made = profile if isinstance(profile, Profile) else profile_of_file(model, profile)
                files[PROFILE].write_bytes(made.as_bytes())
            abi = None
            if jar is not None:
                abi = jar(model, None if contract is None else folder / CONTRACT, folder / JAR)
                if abi is not None:
                    files[JAR] = folder / JAR
            described = Version(
                name=name,
                version="",
                uri="",
                published=datetime.now(timezone.utc),
                files=MappingProxyType({p: StoredFile(sha256_of(f), f.stat().st_size) for p, f in files.items()}),
                inputs=columns_of(model.schema.inputs),
                outputs=columns_of(model.schema.outputs),
                leapstream=leapstream.__version__,
                source=source,
                note=note,
                sha256="",
                abi=abi,
                lineage=Lineage(
                    library=library,
                    mleap=model.definition.version,
                    created=model.definition.timestamp or "",
                    contract_rows=0 if contract is None else len(Contract(folder / CONTRACT).frame("input").rows),
                ),
            )
            published = self._published(described, version, files)
        remember(self._place, name, "publish", published.version)
        for alias in taken:
            self.set_alias(name, alias, published.version)
        return published

    def set_alias(
        self, name: str, alias: str, reference: str | Mapping[str, int], *, shadow: Sequence[str] = ()
    ) -> Alias:
        """Let an alias stand for a version, or for several ones; returns the alias.

        Args:
            name: the model.
            alias: the alias; one that is there moves.
            reference: a version, another alias, or ``latest``; or several, each with its weight: ``{"7": 90, "8": 10}`` lets 10
                of 100 keys have version 8.
            shadow: versions that are computed beside, and whose results nobody gets.

        Raises:
            StoreError: a version is not there, or the versions differ in their inputs or outputs.
        """
        weights = {reference: 1} if isinstance(reference, str) else reference
        checked(weights, shadow, f"alias {alias!r} of {name}")
        return self._set_alias(name, alias, self._selection(name, weights, shadow), "alias")

    def _selection(self, name: str, weights: Mapping[str, int], shadow: Sequence[str]) -> Selection:
        selection = Selection(
            tuple((self.version(name, version), weight) for version, weight in weights.items()),
            tuple(self.version(name, version) for version in shadow),
        )
        # Two references may be of one version.
        names = [version.version for version in selection.all]
        if twice := [version for number, version in enumerate(names) if version in names[:number]]:
            raise self._error(f"version {twice[0]} of {name} is there twice")
        return selection

    def remove_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        before = self.alias(name, check_alias(alias))
        if before is None:
            raise self._error(f"model {name!r} has no alias {alias!r}")
        self._place.remove(f"{name}/{alias}.json")
        remember(self._place, name, "unalias", before.version, alias)

    def rollback(self, name: str, alias: str) -> Alias:
        """Set an alias to what it stood for before; returns the alias. A second rollback goes one further back."""
        before: list[Change] = []
        for change in self.history(name):
            if change.alias != alias:
                continue
            if change.action == "alias" and not (before and before[-1].is_same(change)):
                before.append(change)
            elif change.action == "rollback" and before:
                before.pop()
        if len(before) < 2:
            raise self._error(f"the history of {name} has no earlier version for the alias {alias!r}")
        earlier = before[-2]
        selection = self._selection(name, earlier.weights or {earlier.version: 1}, earlier.shadow)
        return self._set_alias(name, alias, selection, "rollback")

    def remove(self, name: str, version: str) -> None:
        """Remove a version for good, or what a publisher that was killed has left of one.

        Raises:
            StoreError: it is not there, or an alias stands for it.
        """
        check_version_name(version)
        pointing = [alias.alias for alias in self.aliases(name) if version in (*alias.weights, *alias.shadows)]
        if pointing:
            raise self._error(f"{name}@{version} cannot be removed: the alias {pointing[0]!r} stands for it")
        folder = f"{name}/{version}"
        if not self._place.names(folder):
            raise self._error(f"model {name!r} has no version {version!r}")
        self._manifests.pop((name, version), None)
        # From the manifest, so that nobody sees a part, to the claim, so that nobody begins to publish into a part.
        inner = [f"{CONTRACT}/{file}" for file in self._place.names(f"{folder}/{CONTRACT}")]
        others = [file for file in self._place.names(folder) if file not in (MANIFEST, CONTRACT, CLAIM)]
        for file in (MANIFEST, *inner, *others, CLAIM):
            self._place.remove(f"{folder}/{file}")
        remember(self._place, name, "remove", version)

    # ---- parts of these -----------------------------------------------------------------------------------------------

    def _candidates(self, name: str) -> list[str]:
        """The versions that may be there, the highest first; some of them may be under way."""
        entries = [entry for entry in self._place.names(name) if _is_name(entry) and not entry.endswith(".json")]
        return sorted(entries, key=_order, reverse=True)

    def _manifest(self, name: str, version: str) -> Version | None:
        found = self._manifests.get((name, version))
        if found is None:
            folder = f"{name}/{version}"
            data = self._place.read(f"{folder}/{MANIFEST}", MOST_MANIFEST)
            if data is None:
                return None
            try:
                found = parsed_manifest(data, name, version, f"{self._uri}/{folder}")
            except StoreError as error:
                raise self._error(str(error)) from None
            self._manifests[name, version] = found
        return found

    def _published(self, described: Version, version: str | None, files: Mapping[str, Path]) -> Version:
        name = described.name
        with self._claimed(name, version) as claimed:
            folder = f"{name}/{claimed}"
            for path, file in files.items():
                self._place.upload(file, f"{folder}/{path}")
            data = manifest(replace(described, version=claimed))
            if not self._place.create(f"{folder}/{MANIFEST}", data):
                raise self._error(f"another publisher has written {name}@{claimed}")
        return parsed_manifest(data, name, claimed, f"{self._uri}/{folder}")

    @contextlib.contextmanager
    def _claimed(self, name: str, version: str | None) -> Iterator[str]:
        """Take a version for this publisher, which nobody else then writes; given up if it cannot be published."""
        claim = json_text({"format": FORMAT, "date": _now(), "publisher": secrets.token_hex(16)}).encode()
        if version is not None:
            check_version_name(version)
            if self.alias(name, version) is not None:
                raise self._error(f"version {version!r} of {name}: there is an alias of this name")
            if not self._place.create(f"{name}/{version}/{CLAIM}", claim):
                if self._manifest(name, version) is not None:
                    raise self._error(f"{name}@{version} exists, and versions do not change; give another version")
                raise self._error(
                    f"{name}@{version} is being published, or its publisher was killed; 'leapstream store remove' "
                    "removes what that one has left"
                )
        else:
            version = self._claim_next(name, claim)
        try:
            yield version
        except BaseException:
            with contextlib.suppress(LeapstreamError):
                if self._manifest(name, version) is None:
                    self._give_up(name, version)
            raise

    def _claim_next(self, name: str, claim: bytes) -> str:
        numbers = [int(entry) for entry in self._candidates(name) if entry.isdecimal()]
        first = max(numbers, default=0) + 1
        for number in range(first, first + _TRIES):
            if self._place.create(f"{name}/{number}/{CLAIM}", claim):
                return str(number)
        raise self._error(f"{name}: {_TRIES} other publishers took the versions from {first} on; try again")

    def _give_up(self, name: str, version: str) -> None:
        for file in (*(f"{CONTRACT}/{file}" for file in _CONTRACT_FILES), BUNDLE, JAR, PROFILE, CLAIM):
            self._place.remove(f"{name}/{version}/{file}")

    def _set_alias(self, name: str, alias: str, selection: Selection, action: Action) -> Alias:
        check_alias(alias)
        if self._manifest(name, alias) is not None:
            raise self._error(f"alias {alias!r} of {name}: there is a version of this name")
        changed = alias_of(alias, selection, datetime.now(timezone.utc))
        selection.check_signatures()
        # First the history: a change that was remembered and not made is harmless.
        split = (changed.weights, changed.shadows) if changed.is_split else ({}, ())
        remember(self._place, name, action, changed.version, alias, *split)
        self._place.replace(f"{name}/{alias}.json", alias_file(changed))
        return changed

    def _error(self, reason: str) -> StoreError:
        return StoreError(f"{self.uri}: {reason}")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def _single(version: Version | None) -> Selection | None:
    return None if version is None else Selection(((version, 1),))


def _is_name(entry: str) -> bool:
    """True for entries that can be models, versions or aliases; a store may hold others' files beside them."""
    return not entry.startswith(("_", ".")) and entry != HISTORY


def _order(version: str) -> tuple[tuple[str, int], ...]:
    """The key by which versions are sorted: 10 comes after 9, and v1.10 after v1.9."""
    return tuple((text, int(number or -1)) for text, number in re.findall(r"(\D*)(\d*)", version))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return shown + ", …" if len(names) > 20 else shown or "none"


def _bundle_files(
    bundle: str | os.PathLike[str] | Model, folder: Path, options: SourceOptions
) -> tuple[dict[str, Path], str]:
    """A copy of a bundle as a zip, and where it came from."""
    target = folder / BUNDLE
    if isinstance(bundle, Model):
        save(bundle, target)
        return {BUNDLE: target}, ""
    path = resolve(bundle, options=options)
    if path.is_dir():
        save(load(path, limits=options.limits), target)
    else:
        shutil.copyfile(path, target)
    return {BUNDLE: target}, display(os.fspath(bundle))


def _contract_files(contract: Path, folder: Path) -> dict[str, Path]:
    """Copies of the files of a contract, without its bundle."""
    copies = folder / CONTRACT
    copies.mkdir()
    try:
        for name in _CONTRACT_FILES:
            file = contract / name
            if file.is_file():
                if file.stat().st_size > MOST_CONTRACT:
                    raise StoreError(f"{file}: more than {MOST_CONTRACT} bytes; record fewer rows")
                shutil.copyfile(file, copies / name)
    except OSError as error:
        raise StoreError(f"{contract}: {error.strerror or error}") from error
    files = {f"{CONTRACT}/{file.name}": file for file in sorted(copies.iterdir())}
    if not any(file.stem == "expected" for file in files.values()):
        raise StoreError(f"{contract}: it is not a contract, which 'leapstream record' makes")
    return files


def verify_contract(model: Model, folder: Path, what: str) -> None:
    """Compare a model with a contract, on each executor that answers requests.

    Args:
        model: the model.
        folder: the folder of the contract, whose content nobody has checked.
        what: the model in messages.

    Raises:
        StoreError: it differs, or the contract is damaged.
    """
    for backend in _BACKENDS:
        try:
            report = Contract(folder).verify(model, backend)
        except UnsupportedModelError:
            continue
        except LeapstreamError as error:
            raise StoreError(f"{what} cannot be compared with its contract: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"{what} has a malformed contract: {type(error).__name__}: {error}") from error
        if not report.ok:
            agreeing = f"{report.agreeing} of {report.rows} rows agree" if report.rows else "nothing was compared"
            raise StoreError(f"{what} differs from its contract ({backend}: {agreeing}): {report.reasons[0]}")
