"""Models for functions: handed over as they are, or loaded from a path or URI."""

from __future__ import annotations

import os
from typing import TypeAlias

from leapstream.model import Model, load
from leapstream.sources import SourceOptions

ModelSource: TypeAlias = "Model | str | os.PathLike[str]"
"""A model, or the path or URI of its bundle."""


def load_model(source: ModelSource, *, sha256: str | None = None, options: SourceOptions | None = None) -> Model:
    """The model, loaded when it is given as a path or URI.

    Args:
        source: a model, or the path or URI of its bundle.
        sha256: the checksum of the bundle's file; it is verified when the model is loaded.
        options: settings for bundles that are fetched.

    Raises:
        SourceError: the bundle cannot be fetched, or has another checksum.
        BundleError: it is corrupt or unsafe.
        UnsupportedOpError: it has an op that leapstream does not know.
    """
    return source if isinstance(source, Model) else load(source, sha256=sha256, options=options)
