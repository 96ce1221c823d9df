"""``leapstream to-spark``: bundles as directories that Spark ML loads."""

from __future__ import annotations

from pathlib import Path

from leapstream.bundle.limits import Limits
from leapstream.exporters import to_spark
from leapstream.model import load


def write_directory(bundle: str, directory: Path, limits: Limits | None = None) -> int:
    """Write a bundle as a pipeline of Spark; gives the number of its nodes."""
    model = load(bundle, limits=limits)
    to_spark(model, directory)
    return len(model.nodes)
