"""``leapstream compile`` and ``leapstream ddl``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from leapstream.bundle.limits import Limits
from leapstream.errors import ConfigError
from leapstream.executors.jvm.jar import CompiledJar
from leapstream.fetching.cache import sha256_of_bundle
from leapstream.fetching.resolver import resolve
from leapstream.fetching.saving import local_copy
from leapstream.flink.compiler import Target, compile_jar
from leapstream.flink.config import read_config
from leapstream.flink.ddl import statements
from leapstream.flink.preparing import loader_of
from leapstream.model import load
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


def ddl(bundle: str, name: str | None, limits: Limits | None = None) -> str:
    """The statements that fit a bundle."""
    return "\n\n".join(f"{statement};" for statement in statements(name or _name(bundle), load(bundle, limits=limits)))


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
