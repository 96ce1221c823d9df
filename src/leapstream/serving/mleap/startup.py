"""Models to load at the start, as MLeap's property ``mleap.model.config`` names them."""

from __future__ import annotations

from pathlib import Path

from leapstream.errors import ConfigError
from leapstream.serving.failures import RequestError
from leapstream.serving.loading import ModelSpec
from leapstream.serving.mleap.messages import from_json, spec_of
from leapstream.serving.proto import mleap_pb2 as pb


def startup_models(path: Path) -> list[ModelSpec]:
    """The models of a file, or of all files of a folder; each file holds a ``LoadModelRequest`` as JSON.

    Raises:
        ConfigError: a file cannot be read; the message names it.
    """
    try:
        files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        return [_model(file) for file in files]
    except OSError as error:
        raise ConfigError(f"{error.filename or path}: {error.strerror or error}") from None


def _model(file: Path) -> ModelSpec:
    try:
        return spec_of(from_json(pb.LoadModelRequest, file.read_bytes()))
    except RequestError as error:
        raise ConfigError(f"{file}: {str(error).removeprefix('the body is ')}") from None
