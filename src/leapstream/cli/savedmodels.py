"""The kinds of saved models that ``leapstream export`` reads, with a reader for each library."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leapstream import exporters
from leapstream.bundle.container import check_archive
from leapstream.bundle.limits import Limits
from leapstream.cli.console import LackingError
from leapstream.errors import BundleError, ExportError, LeapstreamError, SchemaError
from leapstream.exporters.answering import FILES, file_answers, library_answers
from leapstream.exporters.child import ChildError, CrashError, call
from leapstream.exporters.files import read_bytes
from leapstream.exporters.proof import Answers, Check
from leapstream.exporters.spark import is_spark_directory
from leapstream.model import Model


@dataclass(frozen=True)
class Options:
    """The options of an export, beside the file.

    Attributes:
        sample: the input columns: a schema, or a dict of arrays; ``None`` when neither is given.
        name: the model's name.
        trust_pickle: allows to load a pickle, which runs the code in it.
        trusted_types: types in a skops file that are trusted beside those that skops trusts.
        asked: the choice of executors on which the export is compared with its library over the sample; ``None`` for the
            exporter's default.
        portable: fails where a version of MLeap cannot run the model in its own runtime.
        outputs: the wanted columns; ``None`` for all.
    """

    sample: Any = None
    name: str | None = None
    trust_pickle: bool = False
    trusted_types: Sequence[str] = ()
    asked: Check | None = None
    portable: bool = False
    outputs: Sequence[str] | None = None

    @property
    def check(self) -> Check:
        """The choice, or the default of exporters that take little time for it."""
        return True if self.asked is None else self.asked


@dataclass(frozen=True)
class Kind:
    """A kind of saved model.

    Attributes:
        name: its name for ``--from``.
        title: the library.
        files: the files, for messages.
        recognizes: tells whether a file or directory is one.
        read: makes a model of it.
    """

    name: str
    title: str
    files: str
    recognizes: Callable[[Path], bool]
    read: Callable[[Path, Options], Model]


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


def _read_object(path: Path, options: Options) -> Model:
    """A fitted object, of scikit-learn or with an interface like it."""
    found = _load_object(path, options)
    exporter = _EXPORTERS.get(type(found).__module__.partition(".")[0], _EXPORTERS["sklearn"])
    more: dict[str, Any] = {}
    if exporter is _EXPORTERS["sklearn"]:
        more["outputs"] = options.outputs
    else:
        _reject_outputs(path, options)
    try:
        return exporter(found, options.sample, name=options.name, check=options.check, **more)
    except LeapstreamError as error:
        if options.sample is not None:
            raise
        raise type(error)(f"{error} (--sample or --schema says what the columns hold)") from error
    # An object of a damaged file lacks attributes, or has values of any type in them.
    except Exception as error:
        raise ExportError(f"{path}: its object cannot be exported: {type(error).__name__}: {error}") from error


def _reject_outputs(path: Path, options: Options) -> None:
    if options.outputs is not None:
        raise SchemaError(
            f"{path}: --outputs chooses columns of scikit-learn's predictors and of frozen TensorFlow graphs only"
        )


def _load_object(path: Path, options: Options) -> Any:
    load = _load_skops if _head(path).startswith(b"PK") else _load_pickle
    return load(path, options)


def library_results(path: Path, options: Options, model: Model, rows: Any) -> Answers:
    """The predictions of the library that saved a model, by the column of the bundle's model.

    Raises:
        BundleError: the file is of a kind whose library predicts nothing here, cannot be read, or is not trusted.
        ExportError: the library cannot predict the rows.
    """
    if not path.exists():
        raise BundleError(f"{path}: no such file or directory")
    kind = recognized(path).name
    if kind in FILES:
        return file_answers(kind, path, model, rows)
    if kind == "tensorflow" and path.suffix.lower() == ".keras":
        return library_answers(_load_keras(path), model, rows)
    if kind != "sklearn":
        raise BundleError(
            f"{path}: leapstream reads this file without its library, which therefore predicts nothing; give the library's "
            "results as a file (--expected)"
        )
    return library_answers(_load_object(path, options), model, rows)


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
    check_archive(path, Limits())
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
    data = read_bytes(path)
    if any(name.partition(".")[0] in _NATIVE for name in options.trusted_types):
        _try_in_a_child(path, data, options.trusted_types)
    try:
        return skops.loads(data, trusted=list(options.trusted_types))
    except Exception as error:
        raise _unreadable(path, "skops", error) from error


_NATIVE = ("lightgbm", "xgboost")
"""Packages whose objects hand bytes of a file to a parser in C++, which may crash or hang if the bytes are altered."""


def _try_in_a_child(path: Path, data: bytes, trusted: Sequence[str]) -> None:
    """Load a skops file in a process of its own, with limits on time and memory; an exception is left to the real loading."""
    try:
        call(try_skops, data, list(trusted))
    except CrashError as error:
        raise ExportError(f"{path}: loading it {error}; the file may be damaged") from None
    except ChildError:
        pass


def try_skops(data: bytes, trusted: list[str]) -> None:
    """Load a skops file, in a process of its own."""
    import skops.io

    skops.io.loads(data, trusted=trusted)


def _is_xgboost(path: Path) -> bool:
    head = _head(path)
    return head.startswith((b"{L", b"binf")) or re.match(rb'\{\s*"(learner|version)"\s*:', head) is not None


def _is_lightgbm(path: Path) -> bool:
    head = _head(path)
    return head.startswith((b"tree\n", b"tree\r\n")) or re.match(rb'\{\s*"name"\s*:\s*"tree"', head) is not None


def _read_xgboost(path: Path, options: Options) -> Model:
    _reject_outputs(path, options)
    return exporters.from_xgboost(path, options.sample, name=options.name, check=options.check)


def _read_lightgbm(path: Path, options: Options) -> Model:
    _reject_outputs(path, options)
    return exporters.from_lightgbm(path, options.sample, name=options.name, check=options.check)


def _is_tensorflow(path: Path) -> bool:
    return (path / "saved_model.pb").is_file() or (path.is_file() and path.suffix.lower() in (".keras", ".pb"))


def _read_tensorflow(path: Path, options: Options) -> Model:
    if path.suffix.lower() == ".keras":
        _reject_outputs(path, options)
        return exporters.from_keras(_load_keras(path), options.sample, name=options.name, check=options.check)
    _hush_tensorflow()
    return exporters.from_tensorflow(path, options.sample, outputs=options.outputs, name=options.name)


def _hush_tensorflow() -> None:
    # Else TensorFlow tells on standard error how it was built, each time.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _load_keras(path: Path) -> Any:
    _hush_tensorflow()
    keras = _library(path, "keras", "tensorflow")
    check_archive(path, Limits())
    try:
        # In its safe mode, the default, Keras rejects code.
        return keras.saving.load_model(path, compile=False)
    # What a file holds may raise anything.
    except Exception as error:
        raise _unreadable(path, "Keras", error) from error


def _read_spark(path: Path, options: Options) -> Model:
    _reject_outputs(path, options)
    return exporters.from_spark(path, options.sample, name=options.name, check=options.asked)


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
            _read_xgboost,
        ),
        Kind(
            "lightgbm",
            "LightGBM",
            "text model files, or dumps in JSON",
            _is_lightgbm,
            _read_lightgbm,
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


def recognized(path: Path) -> Kind:
    """The kind of a file or directory.

    Raises:
        BundleError: it is of no known kind.
    """
    for kind in KINDS.values():
        if kind.recognizes(path):
            return kind
    known = "; ".join(f"{kind.name}: {kind.files}" for kind in KINDS.values())
    raise BundleError(f"{path}: it is not a saved model of a known kind ({known}); name the kind with --from")
