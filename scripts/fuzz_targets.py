"""The readers that ``fuzz_files.py`` gives damaged files: for each a function of the file's bytes, and seeds.

A reader that needs several files gets them in one text: each file after a line with its name, so that a mutation changes the
files themselves and no compressed data or checksum.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from google.protobuf.message import DecodeError
from rich.console import Console

from leapstream import LeapFrame, LeapstreamError, Model, load
from leapstream.bundle.container import read_files
from leapstream.bundle.limits import Limits
from leapstream.bundle.reader import decode_files, read_bundle
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.bundle.writer import encode_files
from leapstream.cli.inspection import Inspection, show_jar
from leapstream.cli.savedmodels import KINDS, Options
from leapstream.executors.jvm.emitter import emit
from leapstream.executors.jvm.jar import CompiledJar, CompiledModel, write_jar
from leapstream.exporters import from_lightgbm, from_spark, from_xgboost
from leapstream.flink.config import read_config
from leapstream.frames.files import open_reader
from leapstream.frames.leap import arrow_of

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
BENCH = ROOT / "tests" / "bench"
LINEAR = BENCH / "linear3.zip"
_LARGEST_SEED = 1 << 16
_FILE = re.compile(rb"^=== (\S+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        read: reads a file; it raises a ``LeapstreamError`` at most.
        seeds: good files.
    """

    read: Callable[[bytes], object]
    seeds: Callable[[], Iterator[bytes]]


# ---- several files in one text ----------------------------------------------------------------------------------------


def joined(files: Mapping[str, bytes]) -> bytes:
    """Files as one text."""
    return b"".join(b"=== " + name.encode() + b"\n" + data + b"\n" for name, data in files.items())


def parted(data: bytes) -> dict[str, bytes]:
    """The inverse of :func:`joined`."""
    _, *parts = _FILE.split(data)
    names = [name.decode("utf-8", "replace") for name in parts[::2]]
    return {name: part.removesuffix(b"\n") for name, part in zip(names, parts[1::2], strict=True)}


# ---- models -----------------------------------------------------------------------------------------------------------

_SAMPLES: dict[BasicType, Any] = {
    BasicType.BOOLEAN: True,
    BasicType.STRING: "a b",
    BasicType.BYTE_STRING: b"a",
    BasicType.FLOAT: 0.5,
    BasicType.DOUBLE: 0.5,
}


def sample(data_type: DataType) -> Any:
    """A value of a type."""
    value = _SAMPLES.get(data_type.base, 1)
    if isinstance(data_type, ScalarType):
        return value
    if isinstance(data_type, ListType):
        return [value, value]
    if isinstance(data_type, MapType):
        return {_SAMPLES.get(data_type.key, 1): value}
    assert isinstance(data_type, TensorType)
    size = 2 if data_type.size is None else data_type.size
    return [value] * (size if 0 <= size < 1000 else 3)


def use(model: Model) -> None:
    """Do with a model what a caller may do with one."""
    repr(model)
    model._repr_html_()
    record = {f.name: sample(f.type) for f in model.schema.inputs}
    for step in (
        lambda: encode_files(model.definition, "json"),
        lambda: encode_files(model.definition, "protobuf"),
        lambda: model.predict_record(record),
        lambda: model.predict([record, record], on_error="null"),
        lambda: emit(model.plan(), "leapstream.generated.Model"),
    ):
        with suppress(LeapstreamError):
            step()


def _bundles() -> Iterator[Path]:
    yield from sorted(path.parent for path in GOLDEN.rglob("bundle.json"))
    yield from sorted(GOLDEN.rglob("bundle.zip"))


def _small(parts: Iterator[bytes]) -> Iterator[bytes]:
    return (data for data in parts if len(data) <= _LARGEST_SEED)


def _bundle(data: bytes) -> None:
    use(Model(decode_files(parted(data))))


def _archive(data: bytes) -> None:
    use(Model(read_bundle(data)))


def _spark(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in parted(data).items():
            path = Path(folder, *(part for part in name.replace("\0", "").split("/") if part not in ("", ".", "..")))
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        use(from_spark(folder))


def _spark_directories() -> Iterator[bytes]:
    for path in sorted((ROOT / "tests" / "exporters" / "spark").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            folders: dict[str, dict[str, bytes]] = {}
            for name in archive.namelist():
                top, _, rest = name.partition("/")
                if rest and not name.endswith("/"):
                    folders.setdefault(top, {})[rest] = archive.read(name)
        yield from map(joined, folders.values())


def _exported(export: Callable[[Path], Model]) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model")
            path.write_bytes(data)
            use(export(path))

    return read


def _lightgbm_files() -> Iterator[bytes]:
    import lightgbm

    x = np.random.RandomState(0).rand(80, 3)
    x[:, 2] = x[:, 2] * 9 // 1
    labels = {"regression": x[:, 0], "binary": x[:, 0] > 0.5, "multiclass": x[:, 0] * 3 // 1}
    for objective, label in labels.items():
        options: dict[str, Any] = {"objective": objective, "verbose": -1, "num_leaves": 4, "min_data_in_leaf": 2}
        if objective == "multiclass":
            options["num_class"] = 3
        data = lightgbm.Dataset(x, label, categorical_feature=[2])
        trained = lightgbm.train({**options, "min_data_per_group": 2, "cat_smooth": 1}, data, 2)
        yield trained.model_to_string().partition("parameters:")[0].encode()
        yield json.dumps(trained.dump_model()).encode()


def _boosters() -> Iterator[bytes]:
    yield from (path.read_bytes() for path in sorted((ROOT / "tests" / "exporters" / "xgboost-3").glob("3.*")))
    yield from (path.read_bytes() for path in sorted(GOLDEN.rglob("xgboost.model")))
    for path in _bundles():
        yield from (data for name, data in read_files(path, Limits())[1].items() if name.endswith("xgboost.model"))
    yield from _trained_boosters()


def _trained_boosters() -> Iterator[bytes]:
    import xgboost

    x = np.random.RandomState(0).rand(40, 3)
    matrix = xgboost.DMatrix(x, label=(x[:, 0] > 0.5) * 1)
    for booster in ("gbtree", "dart", "gblinear"):
        trained = xgboost.train({"objective": "binary:logistic", "max_depth": 2, "booster": booster}, matrix, 2)
        yield bytes(trained.save_raw("json"))
        yield bytes(trained.save_raw("ubj"))


def _skops(data: bytes) -> None:
    if data.startswith(b"=== "):
        data = _zipped(parted(data))
    with tempfile.NamedTemporaryFile(suffix=".skops") as file:
        file.write(data)
        file.flush()
        use(KINDS["sklearn"].read(Path(file.name), Options({f"x{i}": np.zeros(3) for i in range(3)})))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.partition("\0")[0] or "_", content)
    return out.getvalue()


def _skops_files() -> Iterator[bytes]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier
    from skops.io import dumps

    x = np.random.RandomState(0).rand(40, 3)
    y = (x[:, 0] > 0.5) * 1
    for estimator in (LogisticRegression(), DecisionTreeClassifier(max_depth=2)):
        data = dumps(make_pipeline(StandardScaler(), estimator).fit(x, y))
        yield data
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield joined({name: archive.read(name) for name in archive.namelist()})


# ---- frames -----------------------------------------------------------------------------------------------------------


def _frame(data: bytes) -> None:
    frame = LeapFrame.from_bytes(data)
    repr(frame)
    for step in (
        lambda: frame.to_bytes("json"),
        lambda: frame.to_bytes("binary"),
        lambda: arrow_of(frame),
        lambda: frame == frame,
    ):
        with suppress(LeapstreamError):
            step()


def _golden_frames() -> Iterator[LeapFrame]:
    return (LeapFrame.read(path) for path in sorted(GOLDEN.rglob("input.json")))


def _frames(format: Any) -> Iterator[bytes]:
    for frame in _golden_frames():
        with suppress(LeapstreamError):
            yield frame.to_bytes(format)


_MODEL: list[Model] = []


def _records(format: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        model = _MODEL[0] if _MODEL else load(LINEAR)
        _MODEL[:] = [model]
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            for chunk in open_reader(file.name, format, model.schema.inputs, 1000).chunks():
                with suppress(LeapstreamError):
                    model.predict(chunk.batch, on_error="null")

    return read


def _tables() -> Iterator[pa.Table]:
    for frame in (LeapFrame.read(BENCH / "linear3.input.json"), *_golden_frames()):
        with suppress(LeapstreamError):
            table = arrow_of(frame)
            names = [f"feature{i + 1}" if i < 3 else name for i, name in enumerate(table.column_names)]
            yield table.rename_columns(names) if len(set(names)) == len(names) else table


def _csv() -> Iterator[bytes]:
    for table in _tables():
        out = io.BytesIO()
        with suppress(pa.ArrowException):
            pa.csv.write_csv(table, out)
            yield out.getvalue()


def _json_lines() -> Iterator[bytes]:
    for table in _tables():
        lines = (str(row).replace("'", '"').replace("None", "null") for row in table.to_pylist()[:5])
        yield "\n".join(lines).encode()


def _parquet() -> Iterator[bytes]:
    for number, table in enumerate(_tables()):
        out = io.BytesIO()
        with suppress(pa.ArrowException):
            pa.parquet.write_table(table, out, compression=("none", "snappy", "zstd", "gzip")[number % 4])
            yield out.getvalue()


def _arrow() -> Iterator[bytes]:
    for number, table in enumerate(_tables()):
        out = io.BytesIO()
        options = pa.ipc.IpcWriteOptions(compression=(None, "lz4", "zstd")[number % 3])
        new = pa.ipc.new_file if number % 2 else pa.ipc.new_stream
        with new(out, table.schema, options=options) as writer:
            writer.write_table(table)
        yield out.getvalue()


# ---- jars, configurations, graphs -------------------------------------------------------------------------------------


def _jar(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".jar") as file:
        file.write(data)
        file.flush()
        console = Console(file=io.StringIO(), width=100)
        jar = CompiledJar.read(file.name)
        if jar is not None:
            show_jar(jar, console)
        else:
            Inspection(file.name, Limits()).show(console)


def _jars() -> Iterator[bytes]:
    model = CompiledModel("a", "function", "c", "b", "u", "v", "s", {"x": "DOUBLE"}, {"y": "DOUBLE"})
    with tempfile.TemporaryDirectory() as folder:
        for compressed in (True, False):
            path = Path(folder, "a.jar")
            write_jar(path, {"A.class": b"1"}, {}, CompiledJar("1", (model,)).manifest(), compressed=compressed)
            yield path.read_bytes()
    yield LINEAR.read_bytes()


def _configuration(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    # Files and URLs are read as their author wishes, and are no part of this text.
    if "include" not in text:
        read_config(text + "\n")


def _configurations() -> Iterator[bytes]:
    yield (ROOT / "docs" / "configuration.md").read_bytes().partition(b"```hocon\n")[2].partition(b"```")[0]
    yield from (path.read_bytes() for path in sorted(ROOT.glob("examples/**/*.conf")))
    yield b'a = [1, 2]\nmleap.udfRegistry = [{udfName = ${b}, bundlePath = "x", limits {maxRatio = 1}}]\nb = "c"\n'


def _graph(data: bytes) -> None:
    from tensorflow.core.framework.graph_pb2 import GraphDef

    from leapstream.executors.vectorized.external import _check

    with suppress(DecodeError):
        definition = GraphDef.FromString(data)
        _check(definition.node, frozenset())


def _graphs() -> Iterator[bytes]:
    import tensorflow

    with tensorflow.Graph().as_default() as graph:
        tensorflow.add(tensorflow.compat.v1.placeholder("float32", name="a"), 1.0, name="b")
    yield graph.as_graph_def().SerializeToString()


TARGETS = {
    "bundle": Target(_bundle, lambda: _small(joined(read_files(path, Limits())[1]) for path in _bundles())),
    "archive": Target(_archive, lambda: _small(p.read_bytes() for p in _bundles() if p.suffix == ".zip")),
    "frame-json": Target(_frame, lambda: _small(_frames("json"))),
    "frame-binary": Target(_frame, lambda: _small(_frames("binary"))),
    "frame-avro": Target(_frame, lambda: _small(_frames("avro"))),
    "csv": Target(_records("csv"), lambda: _small(_csv())),
    "jsonl": Target(_records("jsonl"), lambda: _small(_json_lines())),
    "parquet": Target(_records("parquet"), lambda: _small(_parquet())),
    "arrow": Target(_records("arrow"), lambda: _small(_arrow())),
    "jar": Target(_jar, _jars),
    "xgboost": Target(_exported(from_xgboost), lambda: _small(_boosters())),
    "lightgbm": Target(_exported(from_lightgbm), lambda: _small(_lightgbm_files())),
    "skops": Target(_skops, lambda: _small(_skops_files())),
    "spark": Target(_spark, lambda: _small(_spark_directories())),
    "configuration": Target(_configuration, _configurations),
    "tensorflow": Target(_graph, _graphs),
}
"""The readers by name."""

warnings.simplefilter("ignore")
