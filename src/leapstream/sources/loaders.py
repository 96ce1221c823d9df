"""Bundle loaders: each reads the bundles of one ``bundleSource``, by the ``bundlePath`` of a configuration."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from leapstream.errors import ConfigError
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.resolver import resolve
from leapstream.fetching.schemes import STORES
from leapstream.fetching.uri import display, scheme_of
from leapstream.model import Model, load

_BUCKET_KEY = "mleap.gcs.bucket"
_STORES = {store.source: store for store in STORES}
_KNOWN = ("file", *_STORES, "auto")


@dataclass(frozen=True)
class BundleLoader(ABC):
    """Reads the bundles of one kind of source. Picklable, so that it can load on a worker as well.

    Attributes:
        options: how bundles are fetched, and limits on their size; ``None`` for the defaults.
    """

    options: SourceOptions | None = None

    @abstractmethod
    def uri(self, bundle_path: str) -> str:
        """The full path or URI that ``bundle_path`` stands for with this source.

        Raises:
            ConfigError: this source cannot read such a path.
        """

    def resolve(self, bundle_path: str, *, sha256: str | None = None) -> Path:
        """A local path of the bundle; see :func:`leapstream.fetching.resolver.resolve`.

        Raises:
            ConfigError: this source cannot read such a path.
            SourceError: the bundle cannot be had.
        """
        return resolve(self.uri(bundle_path), sha256=sha256, options=self.options)

    def load(self, bundle_path: str, *, sha256: str | None = None) -> Model:
        """The bundle as a :class:`leapstream.Model`.

        Raises:
            ConfigError: this source cannot read such a path.
            SourceError: the bundle cannot be had.
            BundleError: the bundle cannot be read.
        """
        limits = None if self.options is None else self.options.limits
        return load(self.resolve(bundle_path, sha256=sha256), limits=limits)


@dataclass(frozen=True)
class FileBundleLoader(BundleLoader):
    """``bundleSource = "file"``: local paths, ``file:`` and ``jar:file:`` URIs."""

    def uri(self, bundle_path: str) -> str:
        """The path as it is.

        Raises:
            ConfigError: the path is a URI of a remote source.
        """
        if scheme_of(bundle_path) not in (None, "file", "jar"):
            raise ConfigError(f'bundleSource "file" cannot read bundlePath {display(bundle_path)!r}; use "auto"')
        return bundle_path


@dataclass(frozen=True)
class URIBundleLoader(BundleLoader):
    """``bundleSource`` of a remote store, and ``"auto"``: full URIs.

    Attributes:
        source: name of the source; ``"auto"`` takes any path or URI as it is.
    """

    source: str = "auto"

    def uri(self, bundle_path: str) -> str:
        """The URI as it is.

        Raises:
            ConfigError: the path is not a URI of this source.
        """
        store = _STORES.get(self.source)
        if store is not None and scheme_of(bundle_path) not in store.schemes:
            wanted = " or ".join(f"{scheme}://…" for scheme in store.schemes)
            raise ConfigError(f'bundleSource "{self.source}" needs a bundlePath {wanted}, not {display(bundle_path)!r}')
        return bundle_path


@dataclass(frozen=True, init=False)
class GCSBundleLoader(BundleLoader):
    """``bundleSource = "gcs"``: objects of a bucket by their name, or full ``gs://`` URIs.

    Args:
        bucket: the bucket of paths that are not full URIs; ``mleap.gcs.bucket`` of the configuration.
        options: how bundles are fetched.
    """

    bucket: str | None = None

    def __init__(self, bucket: str | None = None, options: SourceOptions | None = None) -> None:
        object.__setattr__(self, "bucket", bucket)
        object.__setattr__(self, "options", options)

    def uri(self, bundle_path: str) -> str:
        """``gs://bucket/bundle_path``, or the path itself when it is a full ``gs://`` URI.

        Raises:
            ConfigError: no bucket is known, or the path is a URI of another source.
        """
        scheme = scheme_of(bundle_path)
        if scheme in _STORES["gcs"].schemes:
            return bundle_path
        if scheme is not None:
            raise ConfigError(f'bundleSource "gcs" cannot read bundlePath {display(bundle_path)!r}; use "auto"')
        bucket = (self.bucket or "").removeprefix("gs://").strip("/")
        if not bucket:
            raise ConfigError(f'bundleSource "gcs" needs {_BUCKET_KEY} for the relative bundlePath {bundle_path!r}')
        return f"gs://{bucket}/{bundle_path.lstrip('/')}"


def loader_for(source: str, *, gcs_bucket: str | None = None, options: SourceOptions | None = None) -> BundleLoader:
    """The loader that a ``bundleSource`` names.

    Args:
        source: ``"file"``, the name of a store (:data:`leapstream.fetching.schemes.STORES`), or ``"auto"`` for any path or URI.
        gcs_bucket: ``mleap.gcs.bucket``; needed by ``"gcs"`` for relative paths only.
        options: how remote bundles are fetched.

    Raises:
        ConfigError: no such source; the message lists those that exist.
    """
    if source == "file":
        return FileBundleLoader(options)
    if source == "gcs":
        return GCSBundleLoader(gcs_bucket, options)
    if source in _KNOWN:
        return URIBundleLoader(options, source)
    near = difflib.get_close_matches(source, _KNOWN, 1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise ConfigError(f"unknown bundleSource {source!r}{hint}; known are {', '.join(_KNOWN)}")
