"""``leapstream compile`` and ``leapstream ddl``."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from leapstream.bundle.limits import Limits
from leapstream.cli.console import one_line
from leapstream.cli.jobmanager import minor
from leapstream.cli.store import StoredModel
from leapstream.drift.profiles import Profile
from leapstream.drift.profiling import profile_of_file
from leapstream.errors import ConfigError, StoreError
from leapstream.escaping import printable
from leapstream.executors.jvm.jar import CompiledJar
from leapstream.fetching.digests import sha256_of_bundle
from leapstream.fetching.resolver import resolve
from leapstream.fetching.saving import local_copy
from leapstream.fetching.uri import display
from leapstream.flink.compiler import Target, compile_jar
from leapstream.flink.config import read_config
from leapstream.flink.ddl import statements
from leapstream.flink.preparing import loader_of
from leapstream.model import Model, load
from leapstream.sources import SourceOptions

Kind = Literal["function", "model"]


def compile_bundles(
    output: str,
    bundles: Sequence[str],
    functions: Sequence[str],
    models: Sequence[str],
    config: str | None,
    limits: Limits | None = None,
) -> CompiledJar:
    """Compile bundles into a jar.

    Args:
        output: the jar, a path or the URI of a remote store.
        bundles: each makes a function and a model, named as its file.
        functions, models: ``NAME=BUNDLE``.
        config: an ``application.conf``, whose entries make functions.
        limits: limits on the size of each bundle.
    """
    targets = [
        target
        for bundle in bundles
        for kind in ("function", "model")
        for target in _target(kind, _name(bundle), bundle, limits)
    ]
    targets += [target for given in functions for target in _target("function", *_parted(given, "--udf"), limits)]
    targets += [target for given in models for target in _target("model", *_parted(given, "--model"), limits)]
    if config is not None:
        targets += _configured(config, limits)
    with local_copy(output) as path:
        return compile_jar(targets, path)


@dataclass(frozen=True)
class Script:
    """A script of SQL for a bundle.

    Attributes:
        sql: the script.
        jar: the jar that it adds.
        command: the command that makes the jar.
    """

    sql: str
    jar: str
    command: str


def ddl_script(
    bundle: str,
    name: str | None,
    limits: Limits | None = None,
    *,
    jar: Path | None = None,
    profile: str | None = None,
    compiles: bool = False,
) -> Script:
    """A script that tries a bundle in Flink.

    Args:
        bundle: the bundle.
        name: the function and the model; by default that of the bundle's file.
        limits: limits on the size of the bundle.
        jar: the jar that the script adds; by default one with the name, in the working directory.
        profile: a file of a profile or of training rows, or ``STORE/NAME@VERSION``, whose values the random rows have.
        compiles: make the jar.
    """
    name = name or _name(bundle)
    model = load(bundle, limits=limits)
    path = (Path(f"{name}.jar") if jar is None else jar).absolute()
    found = statements(
        name, model, jar=str(path), profile=None if profile is None else _profile(model, profile), flink=_flink()
    )
    kinds = [f"--{kind} {shlex.quote(f'{name}={display(bundle)}')}" for kind in ("udf", "model")]
    command = f"leapstream compile {' '.join(kinds)} -o {shlex.quote(str(path))}"
    head = ["Run this script with leapstream sql FILE, or with sql-client.sh -f FILE of Flink."]
    if compiles:
        compile_bundles(str(path), [], [f"{name}={bundle}"], [f"{name}={bundle}"], None, limits)
    else:
        head.append(f"Its jar is made by: {command}")
    comments = "".join(f"-- {one_line(printable(line))}\n" for line in head)
    return Script(comments + "\n" + "\n\n".join(f"{statement};" for statement in found), str(path), command)


def ddl(bundle: str, name: str | None, limits: Limits | None = None) -> str:
    """The SQL of :func:`ddl_script`."""
    return ddl_script(bundle, name, limits).sql


def _profile(model: Model, given: str) -> Profile:
    if "@" not in given or Path(given).exists():
        return profile_of_file(model, given)
    stored = StoredModel.parsed(given, needs_version=True)
    found = stored.store.profile(stored.version())
    if found is None:
        raise StoreError(f"{display(given)} was published without a profile")
    return found


def _flink() -> tuple[int, ...]:
    """Major and minor version of the Flink that is installed."""
    return minor(importlib.metadata.version("apache-flink"))


def _target(kind: Kind, name: str, bundle: str, limits: Limits | None = None) -> Iterator[Target]:
    path = resolve(bundle)
    yield Target(name, load(path, limits=limits), kind, sha256=sha256_of_bundle(path))


def _configured(config: str, limits: Limits | None = None) -> Iterator[Target]:
    parsed = read_config(config)
    for entry in parsed.entries:
        if entry.load_on == "worker" or entry.backend == "vectorized":
            raise ConfigError(
                f"function {entry.udf_name!r}: a jar holds its bundle and runs on the JVM; "
                'loadOn = "worker" and backend = "python" have no place in it'
            )
        if entry.stored is not None:
            _, model = entry.stored.found(SourceOptions(limits=entry.limits or limits))
            yield Target(
                entry.udf_name,
                model,
                inputs=entry.inputs,
                outputs=entry.outputs,
                on_error=entry.on_error,
                stored=entry.stored,
            )
            continue
        loader = loader_of(entry, gcs_bucket=parsed.gcs_bucket, options=SourceOptions(limits=limits))
        model = loader.load(entry.bundle_path, sha256=entry.sha256)
        yield Target(
            entry.udf_name,
            model,
            "function",
            inputs=entry.inputs,
            outputs=entry.outputs,
            on_error=entry.on_error,
            error_column=entry.error_column,
            sha256=entry.sha256,
        )


def _parted(given: str, option: str) -> tuple[str, str]:
    name, equals, bundle = given.partition("=")
    if not equals or not name or not bundle:
        raise ConfigError(f"{option} {given}: it has to be NAME=BUNDLE")
    return name, bundle


def _name(bundle: str) -> str:
    """The name of a bundle's file, as an identifier."""
    stem = Path(bundle.rstrip("/")).name.removesuffix(".zip")
    name = re.sub(r"\W+", "_", stem, flags=re.ASCII)
    return f"_{name}" if name[:1].isdigit() else name
