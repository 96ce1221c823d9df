"""Fetches bundles: from a path or URI to a local path, through fsspec and a cache."""
