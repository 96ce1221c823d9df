"""The demo: bundles and rows that come with leapstream, and a Flink job over them, which ``leapstream demo`` runs."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
"""The folder of the demo's files: ``application.conf``, ``features.sql``, ``loans.csv`` and, with the names of its columns,
``sample.csv``, and the bundles in ``models``."""


def bundle(name: str) -> str:
    """The path of a bundle that comes with leapstream.

    Args:
        name: ``loans``, a pipeline of indexers, encoders, a scaler and a logistic regression; ``example-1`` or ``example-2``,
            linear regressions over three features and over one.

    Raises:
        ValueError: there is no such bundle.
    """
    bundles = {file.stem: file for file in sorted((FOLDER / "models").glob("*.zip"))}
    if name not in bundles:
        raise ValueError(f"no bundle {name!r} comes with leapstream; there are {', '.join(bundles)}")
    return str(bundles[name])


__all__ = ["FOLDER", "bundle"]
