"""Loads the models of a server: from the place of a bundle to a version that answers at full speed."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leapstream.bundle.types import BasicType, DataType, ListType, ScalarType, TensorType
from leapstream.drift import Profile
from leapstream.errors import ConfigError, LeapstreamError, SourceError
from leapstream.fetching.digests import sha256_of_bundle
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.registered import SCHEME
from leapstream.fetching.resolver import resolve
from leapstream.fetching.uri import display, scheme_of
from leapstream.model import Model, load
from leapstream.serving.logs import LOG
from leapstream.serving.observing import ObservedModel
from leapstream.serving.registry import Group, ServedModel, check_signature
from leapstream.serving.splitting import Part, Shadow
from leapstream.store import ModelStore
from leapstream.store.models import verify_contract

SAGEMAKER_BUNDLE = Path("/opt/ml/model")
"""The directory in which SageMaker unpacks the archive of a model, before it starts a container with ``serve`` alone."""

# Longer ones would be no help in a URL.
NAME_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,127}"
"""The expression of names and versions of models."""

_NAME = re.compile(NAME_PATTERN)
_WARM_RECORDS = 20
_WARM_BATCH = 300


@dataclass(frozen=True)
class ModelSpec:
    """A model to serve.

    Attributes:
        name: its name in requests.
        uri: the place of its bundle.
        sha256: the checksum of the archive, verified when given.
        version: its version; by default the beginning of the bundle's checksum.
        memory_timeout: seconds without a request after which it is unloaded; by default it stays.
        disk_timeout: seconds for which MLeap keeps a copy on disk. Shown to clients of MLeap's protocols, and of no other effect
            (as in MLeap): the cache of remote bundles asks the store before each use.
        contract: the folder of a contract that each version has to fulfil before it goes live.
        store: the store of the version, which has a manifest and may have a contract.
        model: the model in the store.
        parts: the versions of an alias of several, in the order of their buckets, shadows last; the main one is among them.
    """

    name: str
    uri: str
    sha256: str | None = None
    version: str | None = None
    memory_timeout: float | None = None
    disk_timeout: float | None = None
    contract: str | None = None
    store: str | None = None
    model: str | None = None
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        for value, what in ((self.name, "name"), (self.version, "version")):
            if value is not None and not _NAME.fullmatch(value):
                raise ConfigError(
                    f"{what} {value!r} of a model: it has to start with a letter, digit or '_', and go on with these and '.@+-', "
                    "at most 128 in all"
                )

    @classmethod
    def parsed(cls, given: str) -> ModelSpec:
        """A model from ``NAME=BUNDLE`` or ``BUNDLE``; without a name it has that of the bundle's file, or of MLflow's model.

        Raises:
            ConfigError: there is no name that fits.
        """
        name, equals, uri = given.partition("=")
        if equals and _NAME.fullmatch(name):
            return cls(name, uri)
        if scheme_of(given) == SCHEME:
            return cls(re.split("[/@]", given.partition(":")[2].lstrip("/"))[0], given)
        stem = Path(given.partition("?")[0].rstrip("/")).name.removesuffix(".zip")
        return cls(re.sub(r"[^A-Za-z0-9_.@+-]", "_", stem), given)


@dataclass(frozen=True)
class Pinned:
    """A model to serve, and what was at its place when somebody looked.

    Attributes:
        spec: the model.
        version: its version.
        digest: the checksum of the bundle.
        origin: where the wish to serve it comes from.
        path: a copy of the bundle that does not change; empty without one.
    """

    spec: ModelSpec
    version: str
    digest: str
    origin: str = ""
    path: str = ""

    def is_same(self, other: Pinned | None) -> bool:
        """True if another one would answer in the same way."""
        return other is not None and (self.spec, self.digest) == (other.spec, other.digest)


def pin(spec: ModelSpec, options: SourceOptions | None = None, copies: Path | None = None, origin: str = "") -> Pinned:
    """Look at what is at the place of a model now.

    Args:
        spec: the model.
        options: how bundles are fetched.
        copies: a folder for a copy of the bundle; ``None`` makes none.
        origin: where the wish to serve it comes from.

    Raises:
        SourceError: the bundle cannot be fetched, or its checksum is another.
    """
    path = resolve(spec.uri, sha256=spec.sha256, options=options)
    digest = _digest(path, spec)
    if copies is None:
        return Pinned(spec, spec.version or digest[:12], digest, origin)
    kept = copies / digest[:32] / path.name
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=_made(copies.parent), prefix="bundle-") as folder:
            copy = Path(folder, path.name)
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, copy)
            if _digest(copy, spec) != digest:
                raise _changed(spec)
            _made(kept.parent)
            copy.rename(kept)
    return Pinned(spec, spec.version or digest[:12], digest, origin, str(kept))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(path: Path, spec: ModelSpec) -> str:
    try:
        return sha256_of_bundle(path)
    except OSError as error:
        raise SourceError(f"{display(spec.uri)}: {error.strerror or error}") from None


def _changed(spec: ModelSpec) -> SourceError:
    return SourceError(f"{display(spec.uri)}: the bundle was changed while it was read")


def load_pinned(pinned: Pinned, options: SourceOptions | None = None, *, verify: bool = True) -> ServedModel:
    """Load a model and predict with it, so that the first request is as fast as the others.

    Args:
        pinned: the model.
        options: how bundles are fetched.
        verify: compare it with its manifest and its contract, if it has any.

    Raises:
        SourceError: the bundle cannot be fetched, is not the one that was pinned, or differs from manifest or contract.
        BundleError, UnsupportedOpError: it cannot be read.
        SchemaError: it declares more than fits into memory.
    """
    spec = pinned.spec
    copy = Path(pinned.path) if pinned.path else None
    path = copy if copy is not None and copy.exists() else resolve(spec.uri, sha256=spec.sha256, options=options)
    model = load(path, limits=None if options is None else options.limits)
    # After loading, so that what was loaded is what was pinned.
    if _digest(path, spec) != pinned.digest:
        raise _changed(spec)
    if verify:
        _verify(spec, pinned.version, model, options)
    served = warmed(
        ServedModel(
            spec.name,
            pinned.version,
            model,
            uri=display(spec.uri),
            profile=_profile(spec, pinned.version, options, verify),
        )
    )
    if spec.parts:
        _add_group(served, spec, options, verify)
    return served


def _add_group(main: ServedModel, spec: ModelSpec, options: SourceOptions | None, verify: bool) -> None:
    """Load the other versions of an alias."""
    found = [_part(main, spec, part, options, verify) for part in spec.parts]
    answering = [(served, part.weight) for served, part in zip(found, spec.parts, strict=True) if part.weight]
    shadows = [served for served, part in zip(found, spec.parts, strict=True) if not part.weight]
    main.group = group = Group([served for served, _ in answering], [weight for _, weight in answering], shadows)
    observers = [Shadow(shadow, lambda served, counts: group.counted(served, counts)) for shadow in shadows]
    if observers:
        for served in group.versions:
            served.model = observed = ObservedModel(served.model)
            for observer in observers:
                observed.resume(observer)


def _part(main: ServedModel, spec: ModelSpec, part: Part, options: SourceOptions | None, verify: bool) -> ServedModel:
    if part.version == main.version:
        return main
    path = resolve(part.uri, sha256=part.sha256, options=options)
    model = load(path, limits=None if options is None else options.limits)
    if verify:
        _verify(spec, part.version, model, options)
    profile = _profile(spec, part.version, options, verify) if part.weight else None
    served = ServedModel(spec.name, part.version, model, uri=display(part.uri), profile=profile)
    check_signature(main, served)
    return warmed(served)


def _profile(spec: ModelSpec, version: str, options: SourceOptions | None, verify: bool) -> Profile | None:
    """The profile of a version of a store, if it has one."""
    if spec.store is None:
        return None
    store = ModelStore(spec.store, options)
    try:
        return store.profile(store.version(spec.model or spec.name, version))
    except LeapstreamError as error:
        if verify:
            raise
        # A worker that starts again answers although the store is away, and counts no drift.
        LOG.warning("profile not loaded", extra={"fields": {"model": spec.name, "error": str(error)}})
        return None


def _verify(spec: ModelSpec, wanted: str, model: Model, options: SourceOptions | None) -> None:
    if spec.store is not None:
        store = ModelStore(spec.store, options)
        version = store.version(spec.model or spec.name, wanted)
        store.check_signature(version, model)
        store.check_contract(version, model)
    if spec.contract is not None:
        verify_contract(model, Path(spec.contract), f"version {wanted}")


def load_model(spec: ModelSpec, options: SourceOptions | None = None) -> ServedModel:
    """Load a model as it is now; see :func:`load_pinned`."""
    return load_pinned(pin(spec, options), options)


def warmed(served: ServedModel) -> ServedModel:
    """Let a version predict a record and a batch, which also measures its cost; returns it."""
    record = {f.name: example(f.type) for f in served.model.schema.inputs}
    # The made-up record may fail, as any record may.
    with contextlib.suppress(LeapstreamError):
        served.model.predict_rows([record] * _WARM_BATCH)
    seconds = []
    for _ in range(_WARM_RECORDS):
        started = time.perf_counter()
        with contextlib.suppress(LeapstreamError):
            served.model.predict_record(record)
        seconds.append(time.perf_counter() - started)
    served.cost = min(seconds)
    return served


def example(data_type: DataType) -> Any:
    """A made-up value of a type."""
    value = _EXAMPLES[data_type.base]
    if isinstance(data_type, ScalarType):
        return value
    if isinstance(data_type, TensorType):
        tensor: Any = value
        for size in reversed(data_type.dimensions or (1,)):
            tensor = [tensor] * min(max(size, 0), 1 << 16)
        return tensor
    if isinstance(data_type, ListType):
        return [value]
    return {_EXAMPLES[data_type.key]: value}


_EXAMPLES: dict[BasicType, Any] = {
    BasicType.BOOLEAN: True,
    BasicType.BYTE: 1,
    BasicType.SHORT: 1,
    BasicType.INT: 1,
    BasicType.LONG: 1,
    BasicType.FLOAT: 1.0,
    BasicType.DOUBLE: 1.0,
    BasicType.STRING: "text",
    BasicType.BYTE_STRING: b"bytes",
}
