"""``leapstream export``: models that other libraries saved, as bundles."""

from __future__ import annotations

import importlib
import os
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from leapstream import exporters
from leapstream.bundle.definition import Format
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import BasicType, DataType, Field, ScalarType, Schema, TensorType
from leapstream.cli.console import LackingError, err, one_line
from leapstream.errors import BundleError, LeapstreamError, SchemaError
from leapstream.exporters.spark import is_spark_directory
from leapstream.frames.files import format_of, open_reader
from leapstream.frames.leap import arrow_of
from leapstream.model import Model, save

_SAMPLED = 65536
"""Records of a sample that are looked at."""


@dataclass(frozen=True)
class Options:
    """What the command line says beside the file.

    Attributes:
        sample: the columns: a schema, or a dict of arrays; ``None`` when nothing is said.
        name: the model's name.
        trust_pickle: whether a pickle may be loaded, which runs what is in it.
        trusted_types: types of a skops file that may be made beside those that skops trusts.
    """

    sample: Any = None
    name: str | None = None
    trust_pickle: bool = False
    trusted_types: Sequence[str] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of saved model.

    Attributes:
        name: what ``--from`` calls it.
        title: the library.
        files: the files, for messages.
        recognizes: whether a file or directory is one.
        read: makes a model of it.
    """

    name: str
    title: str
    files: str
    recognizes: Callable[[Path], bool]
    read: Callable[[Path, Options], Model]


@dataclass(frozen=True)
class Exported:
    """What was exported, and to where."""

    source: str
    kind: Kind
    bundle: str
    model: Model

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        schema = self.model.schema
        return {
            "source": self.source,
            "from": self.kind.name,
            "bundle": self.bundle,
            "name": self.model.name,
            "inputs": [{"name": f.name, "type": str(f.type)} for f in schema.inputs],
            "outputs": [{"name": f.name, "type": str(f.type)} for f in schema.outputs],
            "ops": [node.op.op for node in self.model.nodes],
        }


def export(source: str, target: str, kind: str | None, options: Options, format: Format | None) -> Exported:
    """Write a saved model as a bundle.

    Args:
        source: file or directory that a library wrote.
        target: the bundle.
        kind: name of the kind; seen in the file by default.
        options: what else is said.
        format: what the nodes are written in.

    Raises:
        LackingError: the library is not installed.
        LeapstreamError: the file cannot be read, or MLeap's ops cannot compute what the model does.
    """
    path = Path(source)
    if not path.exists():
        raise BundleError(f"{source}: no such file or directory")
    chosen = KINDS[kind] if kind is not None else _recognized(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = chosen.read(path, options)
    for message in dict.fromkeys(one_line(str(warning.message)) for warning in caught):
        err().print(f"warning: {path}: {message}", soft_wrap=True)
    save(model, target, format)
    return Exported(source, chosen, target, model)


def _recognized(path: Path) -> Kind:
    for kind in KINDS.values():
        if kind.recognizes(path):
            return kind
    known = "; ".join(f"{kind.name}: {kind.files}" for kind in KINDS.values())
    raise BundleError(f"{path}: it is no saved model of a known kind ({known}); say which by --from")


# ---- columns ----------------------------------------------------------------------------------------------------------

_COLUMN = re.compile(r"\s*(?P<name>.+?)\s*:\s*(?:(?P<scalar>\w+)|tensor<(?P<base>\w+)>\[(?P<size>\d+)\])\s*")


def schema_of(text: str) -> Schema:
    """The columns that ``--schema`` says: ``name:type``, separated by commas, with types such as ``inspect`` shows.

    Raises:
        SchemaError: it is malformed.
    """
    fields = []
    for part in text.split(","):
        found = _COLUMN.fullmatch(part)
        if found is None:
            raise SchemaError(
                f"--schema: {part.strip()!r} is not NAME:TYPE, such as age:double or point:tensor<double>[3]"
            )
        try:
            base = BasicType(found["scalar"] or found["base"])
        except ValueError:
            known = ", ".join(BasicType)
            raise SchemaError(f"--schema: column {found['name']!r}: the type is none of {known}") from None
        kind: DataType = ScalarType(base) if found["size"] is None else TensorType(base, (int(found["size"]),))
        fields.append(Field(found["name"], kind))
    try:
        return Schema(tuple(fields))
    except ValueError as error:
        raise SchemaError(f"--schema: {error}") from error


def sample_of(path: str, format: str | None) -> dict[str, npt.NDArray[Any]]:
    """The columns of the first records of a file.

    Raises:
        LeapstreamError: it cannot be read; the message names it.
    """
    chosen = format_of(path, format, "--sample-format")
    if chosen == "csv":
        table = _inferred(path)
    else:
        batch = next(iter(open_reader(path, chosen, Schema(()), _SAMPLED).chunks())).batch
        table = arrow_of(batch) if isinstance(batch, LeapFrame) else batch
    if not table.num_rows:
        raise SchemaError(f"{path}: a sample without records tells no types")
    return {name: _array(path, name, table[name]) for name in table.column_names}


def _inferred(path: str) -> pa.Table:
    """The first records of a CSV file, with the types that its fields look like; dates stay texts, as in pandas."""
    try:
        with pa.csv.open_csv(path, parse_options=pa.csv.ParseOptions(newlines_in_values=True)) as reader:
            table = pa.Table.from_batches([reader.read_next_batch()])
    except StopIteration:
        raise SchemaError(f"{path}: a sample without records tells no types") from None
    except (OSError, pa.ArrowException) as error:
        raise BundleError(f"{path}: {error}") from error
    types = [pa.string() if pa.types.is_temporal(kind) else kind for kind in table.schema.types]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def _array(path: str, name: str, column: pa.ChunkedArray) -> npt.NDArray[Any]:
    if pa.types.is_null(column.type):
        # As in pandas: a column that is empty throughout is of numbers.
        column = column.cast(pa.float64())
    if not pa.types.is_nested(column.type):
        values: npt.NDArray[Any] = column.to_numpy()
        return values
    rows = column.to_pylist()
    widths = {len(row) if isinstance(row, list) else None for row in rows}
    if len(widths) != 1 or widths == {None}:
        raise SchemaError(f"{path}: column {name!r} holds no vectors of one size")
    return np.array(rows)


# ---- libraries --------------------------------------------------------------------------------------------------------


def _library(path: Path, module: str, extra: str) -> Any:
    """A library, imported."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise LackingError(f"{path}: reading it needs {module}: pip install 'leapstream[{extra}]' ({error})") from error


def _unreadable(path: Path, library: str, error: Exception) -> LeapstreamError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    kind = LackingError if isinstance(error, ImportError) else BundleError
    return kind(f"{path}: {library} cannot read it: {reason}")


def _head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as stream:
        return stream.read(64)


_EXPORTERS: dict[str, Callable[..., Model]] = {
    "sklearn": exporters.from_sklearn,
    "xgboost": exporters.from_xgboost,
    "lightgbm": exporters.from_lightgbm,
}
"""The exporter of an object, by the package of its class."""


def _exporter(found: Any) -> Callable[..., Model]:
    return _EXPORTERS.get(type(found).__module__.partition(".")[0], exporters.from_sklearn)


def _read_object(path: Path, options: Options) -> Model:
    """A fitted object, of scikit-learn or with an interface like it."""
    load = _load_skops if _head(path).startswith(b"PK") else _load_pickle
    found = load(path, options)
    exporter = _exporter(found)
    try:
        return exporter(found, options.sample, name=options.name)
    except LeapstreamError as error:
        if options.sample is not None:
            raise
        raise type(error)(f"{error} (--sample or --schema says what the columns hold)") from error


def _load_pickle(path: Path, options: Options) -> Any:
    if not options.trust_pickle:
        raise BundleError(
            f"{path}: a pickle can run any code when it is loaded, so it has to come from someone you trust: say so by "
            "--trust-pickle, or save the model by skops"
        )
    joblib = _library(path, "joblib", "sklearn")
    try:
        return joblib.load(path)
    # What a pickle holds may raise anything.
    except Exception as error:
        raise _unreadable(path, "joblib", error) from error


def _load_skops(path: Path, options: Options) -> Any:
    skops = _library(path, "skops.io", "skops")
    try:
        unknown = sorted(set(skops.get_untrusted_types(file=path)) - set(options.trusted_types))
    # Zips of other things fail in many ways.
    except Exception as error:
        raise _unreadable(path, "skops", error) from error
    if unknown:
        told = " ".join(f"--trust-type {name}" for name in unknown)
        raise BundleError(
            f"{path}: it holds types that skops does not trust: {', '.join(unknown)}; if you trust them, say so by {told}"
        )
    try:
        return skops.load(path, trusted=list(options.trusted_types))
    except Exception as error:
        raise _unreadable(path, "skops", error) from error


def _is_xgboost(path: Path) -> bool:
    head = _head(path)
    return head.startswith((b"{L", b"binf")) or re.match(rb'\{\s*"learner"', head) is not None


def _reader_of_boosters(module: str, title: str) -> Callable[[Path, Options], Model]:
    """Reads the model files of XGBoost or LightGBM."""

    def read(path: Path, options: Options) -> Model:
        library = _library(path, module, module)
        try:
            booster = library.Booster(model_file=str(path))
        # Each library has an error of its own.
        except Exception as error:
            raise _unreadable(path, title, error) from error
        return _EXPORTERS[module](booster, options.sample, name=options.name)

    return read


def _is_tensorflow(path: Path) -> bool:
    return (path / "saved_model.pb").is_file() or (path.is_file() and path.suffix.lower() in (".keras", ".pb"))


def _read_tensorflow(path: Path, options: Options) -> Model:
    # Else TensorFlow tells on standard error how it was built, each time.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if path.suffix.lower() != ".keras":
        return exporters.from_tensorflow(path, options.sample, name=options.name)
    keras = _library(path, "keras", "tensorflow")
    try:
        # In its safe mode, the default, Keras refuses code.
        network = keras.saving.load_model(path, compile=False)
    # What a file holds may raise anything.
    except Exception as error:
        raise _unreadable(path, "Keras", error) from error
    return exporters.from_keras(network, options.sample, name=options.name)


def _read_spark(path: Path, options: Options) -> Model:
    return exporters.from_spark(path, options.sample, name=options.name)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "sklearn",
            "scikit-learn",
            ".joblib, .pkl, .pickle, .skops",
            lambda path: path.is_file() and path.suffix.lower() in (".joblib", ".pkl", ".pickle", ".skops"),
            _read_object,
        ),
        Kind(
            "xgboost",
            "XGBoost",
            "JSON, UBJSON or binary model files",
            _is_xgboost,
            _reader_of_boosters("xgboost", "XGBoost"),
        ),
        Kind(
            "lightgbm",
            "LightGBM",
            "text model files",
            lambda path: _head(path).startswith(b"tree\n"),
            _reader_of_boosters("lightgbm", "LightGBM"),
        ),
        Kind(
            "tensorflow",
            "TensorFlow",
            "SavedModel directories, frozen graphs (.pb), .keras",
            _is_tensorflow,
            _read_tensorflow,
        ),
        Kind("spark", "Spark", "directories of saved pipelines and stages", is_spark_directory, _read_spark),
    )
}
"""The kinds of saved models, in the order in which they are looked for."""
