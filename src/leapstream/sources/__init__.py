"""Loaders of bundles from local files, gs, s3, hdfs, http(s) and other stores that fsspec knows."""

from __future__ import annotations

from leapstream.fetching.options import SourceOptions
from leapstream.fetching.resolver import resolve
from leapstream.sources.loaders import (
    BundleLoader,
    FileBundleLoader,
    GCSBundleLoader,
    URIBundleLoader,
    loader_for,
)

__all__ = [
    "BundleLoader",
    "FileBundleLoader",
    "GCSBundleLoader",
    "SourceOptions",
    "URIBundleLoader",
    "loader_for",
    "resolve",
]
