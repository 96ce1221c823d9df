"""An MLflow flavor that logs, registers, loads and serves models as bundles. Needs the ``mlflow`` extra.

A logged model has two flavors: ``leapstream``, which :func:`load_model` reads, and ``python_function``, which takes a pandas
DataFrame of the model's inputs and returns one of its final outputs.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import Requirement

from leapstream.errors import BackendError

try:
    import mlflow
except ImportError as error:
    raise BackendError("leapstream.mlflow needs MLflow: pip install 'leapstream[mlflow]'") from error

import mlflow.pyfunc
from mlflow.exceptions import MlflowException
from mlflow.models import Model as MlflowModel
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec
from mlflow.types import DataType as ColumnType
from mlflow.types import Schema as MlflowSchema
from mlflow.types.schema import Array, Map

import leapstream
from leapstream.bundle.types import BasicType, DataType, MapType, ScalarType
from leapstream.errors import SourceError
from leapstream.fetching.registered import FLAVOR_NAME, bundle_of_flavor
from leapstream.fetching.uri import cause_without_secrets, redacted
from leapstream.model import Model, load, save

_BUNDLE = "bundle.zip"
_DATA = f"data/{_BUNDLE}"
"""Path of the bundle for the Python function, relative to the model's directory."""

_TYPES = {
    BasicType.BOOLEAN: ColumnType.boolean,
    BasicType.BYTE: ColumnType.integer,
    BasicType.SHORT: ColumnType.integer,
    BasicType.INT: ColumnType.integer,
    BasicType.LONG: ColumnType.long,
    BasicType.FLOAT: ColumnType.float,
    BasicType.DOUBLE: ColumnType.double,
    BasicType.STRING: ColumnType.string,
    BasicType.BYTE_STRING: ColumnType.binary,
}
_WIDEST = {ColumnType.integer: ColumnType.long, ColumnType.float: ColumnType.double}
"""The types that inputs are declared with: MLflow rejects a column wider than declared, whereas a model casts it."""


def signature_of(model: Model) -> ModelSignature:
    """The MLflow signature of a model: its inputs and final outputs as columns.

    Vectors, other tensors (their elements in row-major order) and lists become arrays. Maps have string keys, in MLeap's ops as
    in MLflow. Inputs are declared with the widest type, so that columns of pandas' ``float64`` and ``int64`` are accepted for
    all floats and integers. An input that the prediction does not need, such as a label, is optional.
    """
    needed = model.needed_inputs(model.prediction_columns())
    inputs = [ColSpec(_column_type(f.type, widest=True), f.name, f.name in needed) for f in model.schema.inputs]
    outputs = [ColSpec(_column_type(f.type, widest=False), f.name) for f in model.schema.outputs]
    return ModelSignature(MlflowSchema([*inputs]), MlflowSchema([*outputs]))


def _column_type(data_type: DataType, *, widest: bool) -> ColumnType | Array | Map:
    base = _TYPES[data_type.base]
    if widest:
        base = _WIDEST.get(base, base)
    if isinstance(data_type, ScalarType):
        return base
    return Map(base) if isinstance(data_type, MapType) else Array(base)


def get_default_pip_requirements(model: Model, *, include_leapstream: bool = False) -> list[str]:
    """The packages that an environment needs to run a model, as pip requirements.

    leapstream is required in the releases that are compatible with this one, or as it was installed from a repository or an
    address.

    Args:
        model: the model.
        include_leapstream: the packages that leapstream needs, in place of leapstream itself.
    """
    extras = ["mlflow", *(["tensorflow"] if any(node.op.op == "tensorflow" for node in model.nodes) else [])]
    if include_leapstream:
        return sorted({need for extra in extras for need in _needs(extra)})
    origin = _origin()
    # An installation from files of this machine has a version that no index may have.
    return [f"leapstream[{','.join(extras)}]{f' @ {origin}' if origin else f'~={leapstream.__version__}'}"]


def _needs(extra: str) -> Iterator[str]:
    """The packages that an extra of leapstream needs here, with those of the core."""
    for text in importlib.metadata.requires("leapstream") or []:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        if requirement.name == "leapstream":
            for nested in requirement.extras:
                yield from _needs(nested)
        else:
            requirement.marker = None
            yield str(requirement)


def _origin() -> str | None:
    """The address that this leapstream was installed from; ``None`` for an index and for files of this machine."""
    try:
        recorded = importlib.metadata.distribution("leapstream").read_text("direct_url.json")
        found = json.loads(recorded or "{}")
        url = str(found["url"])
        if "vcs_info" in found:
            return f"{found['vcs_info']['vcs']}+{url}@{found['vcs_info']['commit_id']}"
    except (importlib.metadata.PackageNotFoundError, KeyError, TypeError, ValueError):
        return None
    return None if url.startswith("file:") else url


def save_model(
    model: Model,
    path: str | os.PathLike[str],
    *,
    mlflow_model: MlflowModel | None = None,
    signature: ModelSignature | Literal[False] | None = None,
    input_example: Any = None,
    pip_requirements: list[str] | str | None = None,
    extra_pip_requirements: list[str] | str | None = None,
    conda_env: dict[str, Any] | str | None = None,
    code_paths: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    include_leapstream: bool = False,
) -> None:
    """Save a model as an MLflow model directory.

    Args:
        model: a model.
        path: the directory; it must not exist or must be empty.
        mlflow_model: the ``MLmodel`` to which the flavor is added.
        signature: the signature; by default the result of :func:`signature_of`. ``False`` saves none.
        input_example: an example of the input, such as a DataFrame of a few rows, to be saved with the model.
        pip_requirements, extra_pip_requirements, conda_env: the environment that runs the model, or packages to add to it; by
            default leapstream, in the releases that are compatible with this one.
        code_paths: Python files to be saved with the model.
        metadata: entries to be saved in the ``MLmodel``.
        include_leapstream: save this leapstream with the model, as a code path, for environments that find it in no index.

    Raises:
        BundleError: the bundle cannot be written.
        MlflowException: the directory is not empty, or an argument is malformed.
    """
    described = MlflowModel() if mlflow_model is None else mlflow_model
    described.add_flavor(FLAVOR_NAME, leapstream_version=leapstream.__version__, data=_DATA)
    if pip_requirements is None and conda_env is None:
        default = get_default_pip_requirements(model, include_leapstream=include_leapstream)
        pip_requirements = [*default, *_lines(extra_pip_requirements)]
        extra_pip_requirements = None
    if include_leapstream:
        code_paths = [str(Path(leapstream.__file__).parent), *(code_paths or ())]
    chosen = signature_of(model) if signature is None else signature or None
    with tempfile.TemporaryDirectory(prefix="leapstream-") as folder, warnings.catch_warnings():
        # MLflow warns when there is no input example. None is needed here, because the signature follows from the model.
        warnings.filterwarnings("ignore", "(?s).*input example was not provided", UserWarning)
        bundle = Path(folder, _BUNDLE)
        save(model, bundle)
        mlflow.pyfunc.save_model(
            path=os.fspath(path),
            loader_module=__name__,
            data_path=str(bundle),
            code_paths=code_paths,
            conda_env=conda_env,
            mlflow_model=described,
            signature=chosen,
            input_example=input_example,
            pip_requirements=pip_requirements,
            extra_pip_requirements=extra_pip_requirements,
            metadata=metadata,
        )


def _lines(requirements: list[str] | str | None) -> list[str]:
    """A list of requirements; a string is the path of a file with one per line."""
    if isinstance(requirements, str):
        return [f"-r {requirements}"]
    return list(requirements or ())


def log_model(
    model: Model, name: str | None = None, *, registered_model_name: str | None = None, **options: Any
) -> ModelInfo:
    """Log a model in the active run, or in a new one.

    Args:
        model: a model.
        name: the name of the logged model.
        registered_model_name: if given, register the model as a new version of this name.
        options: the arguments of :func:`save_model`, and those of MLflow's ``Model.log`` (``step``, ``params``, ``tags``, …).

    Returns:
        MLflow's ``ModelInfo``; :func:`load_model` loads its ``model_uri``.
    """
    info: ModelInfo = MlflowModel.log(
        artifact_path=None,
        flavor=sys.modules[__name__],
        name=name,
        registered_model_name=registered_model_name,
        model=model,
        **options,
    )
    return info


def load_model(model_uri: str, dst_path: str | None = None) -> Model:
    """Load a model that was logged or saved with this flavor.

    Args:
        model_uri: ``models:/NAME/VERSION``, ``models:/ID``, ``runs:/RUN/PATH``, a path, or any other URI that MLflow supports.
        dst_path: directory to which the model is downloaded.

    Raises:
        SourceError: there is no such model.
        BundleError: the model does not have this flavor, or its bundle is corrupt.
    """
    try:
        folder = mlflow.artifacts.download_artifacts(artifact_uri=model_uri, dst_path=dst_path)
        bundle = bundle_of_flavor(model_uri, Path(folder))
    except (MlflowException, OSError) as error:
        message = redacted(f"{model_uri}: MLflow cannot load it: {error}", model_uri)
        raise SourceError(message) from cause_without_secrets(error, model_uri, {})
    return load(bundle)


class _Function:
    """The object whose ``predict`` MLflow's Python function calls."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The final outputs for a frame, or only the prediction where the frame lacks what other outputs need."""
        inputs = self._model.schema.inputs.names
        whole = set(inputs) <= set(getattr(data, "columns", inputs))
        return self._model.predict(data, outputs=None if whole else self._model.prediction_columns())


def _load_pyfunc(path: str) -> _Function:
    """Load the Python function of a bundle; MLflow calls this hook by its name."""
    return _Function(load(path))


__all__ = ["FLAVOR_NAME", "get_default_pip_requirements", "load_model", "log_model", "save_model", "signature_of"]
