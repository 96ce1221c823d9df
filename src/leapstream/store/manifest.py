"""The manifest of a version: what is in it, with checksums. It is written last, and never again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from types import MappingProxyType
from typing import Any

from leapstream.bundle.types import Schema
from leapstream.errors import StoreError
from leapstream.escaping import json_text

FORMAT = 1
MANIFEST = "manifest.json"
BUNDLE = "bundle.zip"
CONTRACT = "contract"
PROFILE = "profile.json"
JAR = "model.jar"
"""The model compiled for Flink."""
LATEST = "latest"
"""The highest version; not an alias, so that it needs no file."""

MOST_MANIFEST = 8 << 20
"""The most bytes of a manifest; models have thousands of columns."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,99})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RULE = "it has to start with a letter or digit, and go on with these and '_.+-', at most 100 in all"


def check_model_name(name: str) -> str:
    """The name of a model, if it can be one.

    Raises:
        StoreError: it cannot.
    """
    _check(name, f"name {name!r} of a model")
    return name


def check_version_name(version: str) -> str:
    """The name of a version, if it can be one.

    Raises:
        StoreError: it cannot.
    """
    _check(version, f"version {version!r}")
    if version == LATEST or version.endswith(".json"):
        raise StoreError(f"version {version!r}: it cannot be {LATEST!r} or end in '.json'")
    return version


def check_alias(alias: str) -> str:
    """An alias, if it can be one.

    Raises:
        StoreError: it cannot.
    """
    _check(alias, f"alias {alias!r}")
    if alias == LATEST or alias.isdecimal():
        raise StoreError(f"alias {alias!r}: it cannot be a number or {LATEST!r}, which is always the highest version")
    return alias


def _check(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise StoreError(f"{what}: {_RULE}")


@dataclass(frozen=True)
class StoredFile:
    """A file of a version: its SHA-256 in hexadecimal, and its number of bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Lineage:
    """The origin of a version; a text is empty where nobody said it.

    Attributes:
        library: the library that trained the model, with its version.
        mleap: the version of MLeap that the bundle says.
        created: when the bundle was written, as it says itself.
        contract_rows: the number of rows of the contract.
    """

    library: str = ""
    mleap: str = ""
    created: str = ""
    contract_rows: int = 0


@dataclass(frozen=True)
class Version:
    """A version of a model in a store. It never changes.

    Attributes:
        name: the model.
        version: the version.
        uri: the place of its folder.
        published: when it was published.
        files: its files by their path in the folder.
        inputs, outputs: the columns of the model, each with its type in words; its signature.
        leapstream: the version of leapstream that published it.
        source: where the bundle came from, without secrets.
        note: what its publisher had to say.
        sha256: the checksum of the manifest, which has those of all files.
        abi: the number of leapstream's Java classes that its jar needs; ``None`` without a jar.
        lineage: where it comes from.
    """

    name: str
    version: str
    uri: str
    published: datetime
    files: Mapping[str, StoredFile]
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    leapstream: str
    source: str
    note: str
    sha256: str
    abi: int | None = None
    lineage: Lineage = Lineage()

    @property
    def reference(self) -> str:
        """The model and the version as ``NAME@VERSION``."""
        return f"{self.name}@{self.version}"

    @property
    def bundle(self) -> StoredFile:
        """The bundle, a zip."""
        return self.files[BUNDLE]

    @property
    def bundle_uri(self) -> str:
        """The place of the bundle."""
        return f"{self.uri}/{BUNDLE}"

    @cached_property
    def contract(self) -> Mapping[str, StoredFile]:
        """The files of its contract by their names; empty without one."""
        prefix = CONTRACT + "/"
        return {path.removeprefix(prefix): file for path, file in self.files.items() if path.startswith(prefix)}

    def as_json(self) -> dict[str, Any]:
        """The version as JSON, for people and programs."""
        return {
            "name": self.name,
            "version": self.version,
            "published": self.published.isoformat(),
            "bundle": self.bundle_uri,
            "sha256": self.bundle.sha256,
            "bytes": self.bundle.size,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "contract": bool(self.contract),
            "profile": PROFILE in self.files,
            "jar": JAR in self.files,
            "leapstream": self.leapstream,
            "source": self.source,
            "note": self.note,
            "lineage": _lineage(self.lineage),
        }


def columns_of(schema: Schema) -> tuple[tuple[str, str], ...]:
    """Columns as a signature has them."""
    return tuple((field.name, str(field.type)) for field in schema)


def manifest(version: Version) -> bytes:
    """The content of the manifest of a version; its own checksum and place are not in it."""
    content = {
        "format": FORMAT,
        "name": version.name,
        "version": version.version,
        "published": version.published.isoformat(),
        "leapstream": version.leapstream,
        "source": version.source,
        "note": version.note,
        "signature": {"inputs": _columns(version.inputs), "outputs": _columns(version.outputs)},
        **({} if version.abi is None else {"abi": version.abi}),
        "lineage": {"source": version.source, **_lineage(version.lineage)},
        "files": {path: {"sha256": file.sha256, "size": file.size} for path, file in sorted(version.files.items())},
    }
    return (json_text(content) + "\n").encode()


def _lineage(lineage: Lineage) -> dict[str, Any]:
    return {
        "library": lineage.library,
        "mleap": lineage.mleap,
        "created": lineage.created,
        "contractRows": lineage.contract_rows,
    }


def _columns(columns: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in columns]


def parsed_manifest(data: bytes, name: str, version: str, uri: str) -> Version:
    """The version that a manifest describes.

    Args:
        data: the content of the manifest.
        name, version: what it has to be the manifest of.
        uri: the place of the version's folder.

    Raises:
        StoreError: it is damaged, or that of another version.
    """
    fields = Fields.parsed(data, f"{MANIFEST} of {name}@{version}")
    found = Version(
        name=fields.text("name"),
        version=fields.text("version"),
        uri=uri,
        published=fields.moment("published"),
        files=MappingProxyType({path: _file(fields, path, given) for path, given in fields.object("files").items()}),
        inputs=_signature(fields, "inputs"),
        outputs=_signature(fields, "outputs"),
        leapstream=fields.text("leapstream"),
        source=fields.text("source", ""),
        note=fields.text("note", ""),
        sha256=hashlib.sha256(data).hexdigest(),
        abi=fields.integer("abi") if fields.has("abi") else None,
        lineage=_parsed_lineage(fields),
    )
    if (found.name, found.version) != (name, version):
        raise fields.error(f"it is that of {found.reference}")
    if BUNDLE not in found.files:
        raise fields.error(f"it has no {BUNDLE}")
    return found


def _parsed_lineage(fields: Fields) -> Lineage:
    # Earlier versions of leapstream wrote none.
    if not fields.has("lineage"):
        return Lineage()
    found = Fields(fields.object("lineage"), f"{fields.where}, lineage")
    rows = found.integer("contractRows") if found.has("contractRows") else 0
    return Lineage(found.text("library", ""), found.text("mleap", ""), found.text("created", ""), rows)


def _file(fields: Fields, path: str, given: Any) -> StoredFile:
    inner = Fields(given, f"{fields.where}, file {path!r}")
    sha256, size = inner.text("sha256"), given.get("size")
    if not _FILE.fullmatch(path) or not _SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
        raise inner.error("its path, sha256 or size is malformed")
    return StoredFile(sha256, size)


def _signature(fields: Fields, side: str) -> tuple[tuple[str, str], ...]:
    columns = fields.object("signature").get(side)
    if not isinstance(columns, list):
        raise fields.error(f"its signature has no {side}")
    inner = [Fields(column, f"{fields.where}, {side}") for column in columns]
    return tuple((column.text("name"), column.text("type")) for column in inner)


class Fields:
    """The fields of a JSON object of a store, whose types are checked when they are read.

    Args:
        given: the object.
        where: its name in messages.

    Raises:
        StoreError: it is not an object.
    """

    def __init__(self, given: Any, where: str) -> None:
        self.where = where
        self.format = FORMAT
        if not isinstance(given, dict):
            raise self.error("an object is expected")
        self._given = given

    @classmethod
    def parsed(cls, data: bytes, where: str, formats: tuple[int, ...] = (FORMAT,)) -> Fields:
        """The fields of a document, which has one of these formats.

        Raises:
            StoreError: it is not JSON, or of a format that this version of leapstream does not read.
        """
        try:
            fields = cls(json.loads(data), where)
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{where}: {error}") from None
        found = fields._given.get("format")
        if type(found) is not int or found not in formats:
            known = " and ".join(map(str, formats))
            raise fields.error(f"it has format {found!r}, and this version of leapstream reads {known}")
        fields.format = found
        return fields

    def error(self, reason: str) -> StoreError:
        """The error to raise."""
        return StoreError(f"{self.where}: {reason}")

    def text(self, name: str, default: str | None = None) -> str:
        """A text."""
        value = self._given.get(name, default)
        if not isinstance(value, str):
            raise self.error(f"{name!r} has to be a text, and is {value!r}")
        return value

    def object(self, name: str) -> dict[str, Any]:
        """An object."""
        value = self._given.get(name)
        if not isinstance(value, dict):
            raise self.error(f"{name!r} has to be an object, and is {value!r}")
        return value

    def objects(self, name: str, default: Any = None) -> list[Fields]:
        """A list of objects."""
        value = self._given.get(name, default)
        if not isinstance(value, (list, tuple)):
            raise self.error(f"{name!r} has to be a list, and is {value!r}")
        return [Fields(part, f"{self.where}, {name}") for part in value]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self._given.get(name)
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise self.error(f"{name!r} has to be a list of texts, and is {value!r}")
        return tuple(value)

    def has(self, name: str) -> bool:
        """True if there is a field of this name."""
        return name in self._given

    def integer(self, name: str) -> int:
        """An integer."""
        value = self._given.get(name)
        if type(value) is not int:
            raise self.error(f"{name!r} has to be an integer, and is {value!r}")
        return value

    def moment(self, name: str) -> datetime:
        """A point of time."""
        text = self.text(name)
        try:
            return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
        except ValueError:
            raise self.error(f"{name!r} has to be a time, and is {text!r}") from None
