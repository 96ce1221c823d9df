"""``leapstream publish`` and ``leapstream store``: models in a store, their versions and aliases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

import leapstream
from leapstream.bundle.limits import Limits
from leapstream.bundle.writer import write_atomically
from leapstream.cli.console import err, out, print_json, report
from leapstream.drift import Profile
from leapstream.drift import profile as profile_of
from leapstream.errors import BackendError, SchemaError, StoreError
from leapstream.executors.registry import executor
from leapstream.fetching.uri import display
from leapstream.model import Model
from leapstream.store import Alias, ModelStore, Version
from leapstream.store.splits import parsed_weights


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
    library: str,
    *,
    profile: Path | None,
    jar: bool,
) -> Version:
    """Publish a bundle, compiled for Flink where ``jar`` asks for it and it is possible; standard error says where not.

    Raises:
        LeapstreamError: it cannot be published.
    """
    model = StoredModel.parsed(target)
    if model.reference is not None:
        raise StoreError(f"{display(target)!r}: give the version by --version")
    publishing = partial(
        model.store.publish,
        model.name,
        bundle,
        version=version,
        aliases=aliases,
        contract=contract,
        profile=profile,
        note=note,
        library=library,
    )
    if not jar:
        return publishing()
    reason = executor("jvm").unavailable()

    def compiled(found: Model, folder: Path | None, jar_file: Path) -> int | None:
        nonlocal reason
        from leapstream.flink.modeljar import write_model_jar

        try:
            return write_model_jar(found, folder, jar_file)
        except (BackendError, SchemaError) as error:
            reason = str(error)
            return None

    published = publishing(jar=None if reason else compiled)
    if reason is None:
        return published
    err().print(
        f"{published.reference} has no model.jar, so Flink runs it in Python alone: {reason}",
        soft_wrap=True,
        markup=False,
    )
    return published


def write_profile(
    bundle: str, rows: Path, output: Path, *, most_rows: int, bins: int, categories: int, limits: Limits
) -> Profile:
    """Make the profile of a model, and write it.

    Raises:
        LeapstreamError: the bundle or the rows cannot be read.
    """
    model = leapstream.load(bundle, limits=limits)
    made = profile_of(model, rows, most_rows=most_rows, bins=bins, categories=categories, limits=limits)
    write_atomically(output, made.as_bytes())
    return made


def show_models(place: str, *, as_json: bool) -> None:
    """Print the models of a store."""
    opened = ModelStore(place)
    found = [(name, [v.version for v in opened.versions(name)], opened.aliases(name)) for name in opened.names()]
    if as_json:
        print_json([{"name": n, "versions": v, "aliases": _aliases_json(aliases)} for n, v, aliases in found])
        return
    rows: list[tuple[str, ...]] = [("model", "versions", "aliases")]
    for name, versions, aliases in found:
        more = f" and {len(versions) - 5} more" if len(versions) > 5 else ""
        shown = ", ".join(f"{a.alias}=({a})" if a.is_split else f"{a.alias}={a}" for a in aliases)
        rows.append((name, ", ".join(versions[:5]) + more, shown))
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
        print_json({"name": chosen.name, "aliases": _aliases_json(aliases), "versions": listed})
        return
    rows: list[tuple[str, ...]] = [("version", "published", "sha256", "bytes", "contract", "aliases", "note")]
    for version in versions:
        names = [name for alias in aliases for name in _part(alias, version.version)]
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
    rows += [(c.date.strftime("%Y-%m-%d %H:%M:%S"), c.action, c.alias, c.versions, c.user) for c in changes]
    _table(out(), rows)


def set_alias(model: str, alias: str, weights: str | None, shadow: Sequence[str], *, as_json: bool) -> None:
    """Let an alias stand for a version, or for several ones, and say so."""
    chosen = StoredModel.parsed(model, needs_version=weights is None)
    if weights is not None and chosen.reference is not None:
        raise StoreError(f"{display(model)!r}: give the versions by --weights alone")
    reference = (chosen.reference or "latest") if weights is None else parsed_weights(weights)
    _moved(chosen, chosen.store.set_alias(chosen.name, alias, reference, shadow=shadow), as_json=as_json)


def remove_alias(model: str, alias: str, *, as_json: bool) -> None:
    """Remove an alias, and say so."""
    chosen = StoredModel.parsed(model)
    chosen.store.remove_alias(chosen.name, alias)
    report(f"removed {chosen.name}@{alias}", {"name": chosen.name, "removed": alias}, as_json=as_json)


def rollback(model: str, alias: str, *, as_json: bool) -> None:
    """Set an alias to the version before, and say so."""
    chosen = StoredModel.parsed(model)
    _moved(chosen, chosen.store.rollback(chosen.name, alias), as_json=as_json)


def check(version: str, *, as_json: bool) -> None:
    """Verify a version, or all versions of an alias, and say so."""
    chosen = StoredModel.parsed(version)
    right = chosen.store.select(chosen.name, chosen.reference or "latest").all
    for found in right:
        chosen.store.load(chosen.name, found.version, check=True)
    lines = [
        f"{found.reference}: checksum, signature, {'its contract' if found.contract else 'it has no contract'}: ok"
        for found in right
    ]
    value = [{"version": found.reference, "ok": True, "contract": found.contract} for found in right]
    report("\n".join(lines), value, as_json=as_json)


def remove(version: str, *, as_json: bool) -> None:
    """Remove a version, and say so."""
    chosen = StoredModel.parsed(version, needs_version=True)
    chosen.store.remove(chosen.name, chosen.reference or "")
    value = {"name": chosen.name, "removed": chosen.reference}
    report(f"removed {chosen.name}@{chosen.reference}", value, as_json=as_json)


def _moved(chosen: StoredModel, alias: Alias, *, as_json: bool) -> None:
    value = {"name": chosen.name, "aliases": _aliases_json([alias])}
    report(f"{chosen.name}@{alias.alias} is version {alias}", value, as_json=as_json)


def _aliases_json(aliases: Sequence[Alias]) -> dict[str, Any]:
    return {alias.alias: alias.as_json() for alias in aliases}


def _part(alias: Alias, version: str) -> Iterator[str]:
    """The name of an alias that stands for a version, with the part that the version has in it."""
    weights = alias.weights
    if version in alias.shadows:
        yield f"{alias.alias} (shadow)"
    elif version in weights:
        yield alias.alias if len(weights) == 1 else f"{alias.alias} ({weights[version]} of {sum(weights.values())})"


def _table(console: Console, rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows with a heading, in columns of equal width."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        console.print(Text(line, style="" if number else "bold"), soft_wrap=True)
