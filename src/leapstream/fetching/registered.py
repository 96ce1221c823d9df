"""Bundles of models in MLflow's registry, which ``models:/name@alias`` and its other forms name. Needs the ``mlflow`` extra."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from leapstream.errors import BundleError, SourceError
from leapstream.fetching.cache import Cache, sync_file
from leapstream.fetching.digests import cache_key
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.uri import display

SCHEME = "models"
FLAVOR_NAME = "leapstream"
"""The flavor in which :mod:`leapstream.mlflow` logs models."""

_BUNDLE = "bundle.zip"
# MLflow bounds its requests by settings of its own.
_PATIENCE = 600.0


def fetch_registered(uri: str, options: SourceOptions) -> Path:
    """A local path of the bundle of a registered model.

    Versions of models do not change: each is fetched once, into the cache. An alias is looked up each time.

    Args:
        uri: ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``models:/NAME/latest`` or ``models:/ID``. The registry is that of
            MLflow's settings, such as ``MLFLOW_TRACKING_URI``.
        options: the cache directory, and the largest size.

    Raises:
        SourceError: MLflow is not installed, or the bundle is too large.
        BundleError: the model was not logged by :mod:`leapstream.mlflow`.
        Exception: those of MLflow, if it has no such model or cannot be asked.
    """
    try:
        import mlflow.artifacts
        from mlflow import MlflowClient
        from mlflow.store.artifact.utils.models import get_model_name_and_version
    except ImportError as error:
        raise SourceError(f"{display(uri)}: needs MLflow: pip install 'leapstream[mlflow]'") from error
    parts: tuple[Any, ...] = get_model_name_and_version(MlflowClient(), uri)  # type: ignore[no-untyped-call]
    version = f"{SCHEME}:/{'/'.join(map(str, parts))}"
    key = cache_key("mlflow", mlflow.get_registry_uri(), version)
    cache = Cache(options.cache_path())
    cache.sweep()
    with cache.locked(key, _PATIENCE):
        if not cache.is_intact(key):
            cache.discard(key)
            with cache.partial(key) as directory:
                whole = directory / "model"
                mlflow.artifacts.download_artifacts(artifact_uri=version, dst_path=str(whole))
                target = directory / _BUNDLE
                bundle_of_flavor(uri, whole).replace(target)
                shutil.rmtree(whole)
                if options.max_size is not None and target.stat().st_size > options.max_size:
                    raise SourceError(f"{display(uri)}: its bundle is larger than max_size = {options.max_size}")
                sync_file(target)
                cache.publish(directory, key)
    return cache.path(key, _BUNDLE)


def bundle_of_flavor(uri: str, folder: Path) -> Path:
    """The bundle in the directory of a model of MLflow.

    Raises:
        BundleError: the model lacks leapstream's flavor.
    """
    from mlflow.models import Model

    flavors: dict[str, Any] = Model.load(str(folder)).flavors
    if FLAVOR_NAME not in flavors:
        raise BundleError(f"{display(uri)}: it has no flavor {FLAVOR_NAME!r}, but {', '.join(flavors)}")
    bundle = folder / str(flavors[FLAVOR_NAME]["data"])
    if not bundle.resolve().is_relative_to(folder.resolve()):
        raise BundleError(f"{display(uri)}: its bundle is outside of the model's directory")
    return bundle
