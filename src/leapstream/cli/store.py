"""``leapstream publish`` and ``leapstream store``: models in a store, their versions and aliases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from leapstream.cli.console import out, print_json
from leapstream.errors import StoreError
from leapstream.fetching.uri import display
from leapstream.store import Alias, ModelStore, Version


@dataclass(frozen=True)
class StoredModel:
    """A model in a store, as ``STORE/NAME[@VERSION]`` names it."""

    store: ModelStore
    name: str
    reference: str | None

    @classmethod
    def parsed(cls, given: str, *, needs_version: bool = False) -> StoredModel:
        """The model that a text names.

        Raises:
            StoreError: it names no store, or no version.
        """
        place, slash, last = given.rstrip("/").rpartition("/")
        name, at, reference = last.partition("@")
        if not slash or not name or (at and not reference):
            raise StoreError(f"{display(given)!r}: give STORE/NAME or STORE/NAME@VERSION")
        if needs_version and not at:
            raise StoreError(f"{display(given)!r}: give a version, such as {name}@latest")
        return cls(ModelStore(place or "/"), name, reference or None)

    def version(self) -> Version:
        """The version; the highest one if none is named."""
        return self.store.version(self.name, self.reference or "latest")


def publish(
    bundle: str,
    target: str,
    version: str | None,
    aliases: Sequence[str],
    contract: Path | None,
    note: str,
) -> Version:
    """Publish a bundle.

    Raises:
        LeapstreamError: it cannot be published.
    """
    model = StoredModel.parsed(target)
    if model.reference is not None:
        raise StoreError(f"{display(target)!r}: give the version by --version")
    return model.store.publish(model.name, bundle, version=version, aliases=aliases, contract=contract, note=note)


def show_models(place: str, *, as_json: bool) -> None:
    """Print the models of a store."""
    opened = ModelStore(place)
    found = [
        {
            "name": name,
            "versions": [version.version for version in opened.versions(name)],
            "aliases": {alias.alias: alias.version for alias in opened.aliases(name)},
        }
        for name in opened.names()
    ]
    if as_json:
        print_json(found)
        return
    rows: list[tuple[str, ...]] = [("model", "versions", "aliases")]
    for model in found:
        versions, aliases = model["versions"], model["aliases"]
        assert isinstance(versions, list) and isinstance(aliases, dict)
        more = f" and {len(versions) - 5} more" if len(versions) > 5 else ""
        rows.append((str(model["name"]), ", ".join(versions[:5]) + more, _pairs(aliases)))
    _table(out(), rows)


def show_model(model: str, *, as_json: bool) -> None:
    """Print the versions of a model, or a single one."""
    chosen = StoredModel.parsed(model)
    if chosen.reference is not None:
        described = chosen.version().as_json()
        if as_json:
            print_json(described)
        else:
            for name, value in described.items():
                shown = ", ".join(f"{n} {t}" for n, t in value.items()) if isinstance(value, dict) else value
                out().print(Text(f"{name:11}").append(f"{shown}"), soft_wrap=True)
        return
    versions = chosen.store.versions(chosen.name)
    if not versions:
        chosen.version()  # says what there is
    aliases = chosen.store.aliases(chosen.name)
    if as_json:
        listed = [version.as_json() for version in versions]
        print_json({"name": chosen.name, "aliases": {a.alias: a.version for a in aliases}, "versions": listed})
        return
    rows: list[tuple[str, ...]] = [("version", "published", "sha256", "bytes", "contract", "aliases", "note")]
    for version in versions:
        names = [alias.alias for alias in aliases if alias.version == version.version]
        date = version.published.strftime("%Y-%m-%d %H:%M")
        has = "yes" if version.contract else "no"
        size = str(version.bundle.size)
        rows.append((version.version, date, version.bundle.sha256[:12], size, has, ", ".join(names), version.note))
    _table(out(), rows)


def show_history(model: str, *, as_json: bool) -> None:
    """Print the changes of a model."""
    chosen = StoredModel.parsed(model)
    changes = chosen.store.history(chosen.name)
    if as_json:
        print_json([change.as_json() for change in changes])
        return
    rows: list[tuple[str, ...]] = [("date", "action", "alias", "version", "user")]
    rows += [(c.date.strftime("%Y-%m-%d %H:%M:%S"), c.action, c.alias, c.version, c.user) for c in changes]
    _table(out(), rows)


def set_alias(version: str, alias: str) -> None:
    """Let an alias stand for a version, and say so."""
    chosen = StoredModel.parsed(version, needs_version=True)
    _moved(chosen, chosen.store.set_alias(chosen.name, alias, chosen.reference or "latest"))


def remove_alias(model: str, alias: str) -> None:
    """Remove an alias."""
    chosen = StoredModel.parsed(model)
    chosen.store.remove_alias(chosen.name, alias)


def rollback(model: str, alias: str) -> None:
    """Set an alias to the version before, and say so."""
    chosen = StoredModel.parsed(model)
    _moved(chosen, chosen.store.rollback(chosen.name, alias))


def check(version: str) -> None:
    """Verify a version, and say so."""
    chosen = StoredModel.parsed(version)
    found = chosen.version()
    chosen.store.load(chosen.name, found.version, check=True)
    rows = "its contract" if found.contract else "it has no contract"
    out().print(f"{found.reference}: checksum, signature, {rows}: ok", soft_wrap=True)


def remove(version: str) -> None:
    """Remove a version."""
    chosen = StoredModel.parsed(version, needs_version=True)
    chosen.store.remove(chosen.name, chosen.reference or "")


def _moved(chosen: StoredModel, alias: Alias) -> None:
    out().print(f"{chosen.name}@{alias.alias} is version {alias.version}", soft_wrap=True)


def _pairs(aliases: dict[str, str]) -> str:
    return ", ".join(f"{alias}={version}" for alias, version in aliases.items())


def _table(console: Console, rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows with a heading, in columns of equal width."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        console.print(Text(line, style="" if number else "bold"), soft_wrap=True)
