"""Aliases: names for a version, or for several versions by weights and with shadows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from leapstream.errors import StoreError
from leapstream.escaping import json_text
from leapstream.store.manifest import FORMAT, Fields, Version, check_version_name
from leapstream.store.splits import MOST_VERSIONS, Buckets, checked, described

SPLIT_FORMAT = 2
"""The format of an alias with weights or shadows; one of a single version has that of manifests."""


@dataclass(frozen=True)
class AliasedVersion:
    """A version that an alias stands for.

    Attributes:
        version: the version.
        sha256: the checksum of its manifest.
        weight: its weight among the versions of the alias; 0 for a shadow.
    """

    version: str
    sha256: str
    weight: int = 1


@dataclass(frozen=True)
class Alias:
    """A name for a version, which can move to another one, or for several versions.

    Attributes:
        alias: the name.
        versions: the versions that rows are split among, in the order of their buckets.
        shadow: the versions that are computed beside, and whose results nobody gets.
        changed: when it was set.
    """

    alias: str
    versions: tuple[AliasedVersion, ...]
    changed: datetime
    shadow: tuple[AliasedVersion, ...] = ()

    @cached_property
    def main(self) -> AliasedVersion:
        """The version of the most weight; the first of several."""
        return max(self.versions, key=lambda version: version.weight)

    @property
    def version(self) -> str:
        """The main version, for those that want a single one."""
        return self.main.version

    @property
    def sha256(self) -> str:
        """The checksum of the manifest of the main version."""
        return self.main.sha256

    @property
    def is_split(self) -> bool:
        """True if it stands for more than a version."""
        return len(self.versions) > 1 or bool(self.shadow)

    @property
    def weights(self) -> Mapping[str, int]:
        """The weight of each version."""
        return MappingProxyType({version.version: version.weight for version in self.versions})

    @property
    def shadows(self) -> tuple[str, ...]:
        """The names of the shadows."""
        return tuple(version.version for version in self.shadow)

    def version_of(self, key: str) -> str:
        """The version of a key."""
        return self.versions[self._buckets.place_of(key)].version

    @cached_property
    def _buckets(self) -> Buckets:
        return Buckets(version.weight for version in self.versions)

    def __str__(self) -> str:
        return described(self.weights, self.shadows)

    def as_json(self) -> Any:
        """The versions as JSON, for people and programs: a text for a single one."""
        return {"versions": dict(self.weights), "shadow": list(self.shadows)} if self.is_split else self.version


@dataclass(frozen=True)
class Selection:
    """The versions that a reference to a model stands for, with their manifests.

    Attributes:
        versions: the versions with their weights, in the order of their buckets.
        shadow: the versions that are computed beside.
    """

    versions: tuple[tuple[Version, int], ...]
    shadow: tuple[Version, ...] = ()

    @property
    def main(self) -> Version:
        """The version of the most weight; the first of several."""
        return max(self.versions, key=lambda pair: pair[1])[0]

    @property
    def all(self) -> tuple[Version, ...]:
        """All of them, shadows last."""
        return (*(version for version, _ in self.versions), *self.shadow)

    def with_shadow(self, versions: Iterable[Version]) -> Selection:
        """This selection with more shadows, before its own. One that is the only version that rows have is not computed twice.

        Raises:
            StoreError: they are too many.
        """
        only = self.main.version if len(self.versions) == 1 else None
        more = tuple(version for version in versions if version.version != only)
        names = {version.version for version in more}
        found = replace(self, shadow=(*more, *(version for version in self.shadow if version.version not in names)))
        if len(found.all) > MOST_VERSIONS:
            raise StoreError(
                f"the alias and the shadows of the job are {len(found.all)} versions, and {MOST_VERSIONS} are possible"
            )
        return found

    def check_signatures(self) -> None:
        """Make sure that all versions have the same inputs and outputs.

        Raises:
            StoreError: one has others.
        """
        main = self.main
        for version in self.all:
            for side, here, there in differing_columns(version, main):
                raise StoreError(
                    f"{version.reference} and {main.reference} cannot be behind one alias: the {side} differ: {here}, and {there}"
                )


def differing_columns(version: Version, other: Version) -> Iterator[tuple[str, str, str]]:
    """The sides, ``inputs`` and ``outputs``, in which two versions differ, with the columns of each in words."""
    for side, here, there in (("inputs", version.inputs, other.inputs), ("outputs", version.outputs, other.outputs)):
        if here != there:
            yield side, _columns(here), _columns(there)


def _columns(columns: tuple[tuple[str, str], ...]) -> str:
    shown = ", ".join(f"{name} {kind}" for name, kind in columns[:20])
    return shown + ", …" if len(columns) > 20 else shown


def alias_of(alias: str, selection: Selection, changed: datetime) -> Alias:
    """The alias that stands for some versions."""
    versions = tuple(AliasedVersion(version.version, version.sha256, weight) for version, weight in selection.versions)
    shadow = tuple(AliasedVersion(version.version, version.sha256, 0) for version in selection.shadow)
    return Alias(alias, versions, changed, shadow)


def alias_file(alias: Alias) -> bytes:
    """The content of the file of an alias."""
    content: dict[str, Any]
    if alias.is_split:
        content = {
            "format": SPLIT_FORMAT,
            "alias": alias.alias,
            "versions": [{"version": v.version, "sha256": v.sha256, "weight": v.weight} for v in alias.versions],
            "shadow": [{"version": v.version, "sha256": v.sha256} for v in alias.shadow],
        }
    else:
        content = {"format": FORMAT, "alias": alias.alias, "version": alias.version, "sha256": alias.sha256}
    return (json_text({**content, "changed": alias.changed.isoformat()}) + "\n").encode()


def parsed_alias(data: bytes, alias: str, where: str) -> Alias:
    """The alias that the content of a file describes.

    Raises:
        StoreError: it is damaged.
    """
    fields = Fields.parsed(data, where, (FORMAT, SPLIT_FORMAT))
    if fields.format == FORMAT:
        version = AliasedVersion(check_version_name(fields.text("version")), fields.text("sha256"))
        return Alias(alias, (version,), fields.moment("changed"))
    versions = tuple(_aliased(inner, inner.integer("weight")) for inner in fields.objects("versions"))
    shadow = tuple(_aliased(inner, 0) for inner in fields.objects("shadow", ()))
    found = Alias(alias, versions, fields.moment("changed"), shadow)
    if len(found.weights) != len(versions):
        raise fields.error("a version is there twice")
    checked(found.weights, found.shadows, where)
    return found


def _aliased(fields: Fields, weight: int) -> AliasedVersion:
    return AliasedVersion(check_version_name(fields.text("version")), fields.text("sha256"), weight)
