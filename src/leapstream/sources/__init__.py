"""Where bundles live: local files, gs, s3, hdfs, http(s) and whatever else fsspec knows."""

from __future__ import annotations

from leapstream.sources.loaders import (
    BundleLoader,
    FileBundleLoader,
    GCSBundleLoader,
    URIBundleLoader,
    loader_for,
)
from leapstream.sources.options import SourceOptions
from leapstream.sources.resolver import resolve

__all__ = [
    "BundleLoader",
    "FileBundleLoader",
    "GCSBundleLoader",
    "SourceOptions",
    "URIBundleLoader",
    "loader_for",
    "resolve",
]
