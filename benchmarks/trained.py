"""Forests and pipelines trained by scikit-learn, and the same as models of leapstream, ONNX Runtime and treelite."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd
import pyarrow as pa
import treelite
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression as SklearnLinearRegression
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.preprocessing import OneHotEncoder as SklearnOneHotEncoder

from leapstream import Model
from leapstream.bundle.definition import CONTINUOUS, LEAF, Socket, Tree
from leapstream.bundle.types import DataShape
from leapstream.ops.feature.categories import OneHotEncoder, StringIndexer
from leapstream.ops.feature.scaling import VectorAssembler
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node, Pipeline
from leapstream.ops.trees import DecisionTreeRegression, RandomForestRegression

Doubles = npt.NDArray[np.float64]
Predict = Callable[[], Any]
_TRAINING = 4000


@dataclass
class Trained:
    """A trained model, its rows, and what predicts them.

    Attributes:
        predictors: by name of the library; each gives the predictions of all rows.
        exact: those that compute in double precision, as scikit-learn does.
    """

    predictors: dict[str, Predict]
    exact: frozenset[str]

    def check(self) -> None:
        """Raise ``AssertionError`` unless all predict the same."""
        wanted = np.ravel(self.predictors["scikit-learn"]())
        for name, predict in self.predictors.items():
            found = np.ravel(predict())
            fit = np.isclose(found, wanted, rtol=1e-9 if name in self.exact else 1e-4)
            # In single precision a value close to a split may fall to its other side.
            assert fit.all() if name in self.exact else fit.mean() > 0.99, f"{name} differs from scikit-learn"


# ---- forests ----------------------------------------------------------------------------------------------------------


def forest(trees: int, depth: int, features: int, rows: int, *, compiled: bool = True) -> Trained:
    """A random forest of regression trees over a vector.

    Args:
        compiled: whether treelite's compiler, which takes its time, is among the peers (where there is a C compiler).
    """
    rng = np.random.default_rng(1)

    def numbers(count: int) -> Doubles:
        # Single precision, so that all libraries see the same.
        return rng.random((count, features), dtype=np.float32).astype(np.float64)

    x, given = numbers(_TRAINING), numbers(rows)
    y = np.sin(6 * x[:, 0]) + x[:, 1 % features] * x[:, 2 % features] + rng.normal(0.0, 0.1, _TRAINING)
    fitted = RandomForestRegressor(trees, max_depth=depth, random_state=1).fit(x, y)
    op = regression(fitted)
    node = Node("forest", op, (Socket("features", "features"),), (Socket("prediction", "prediction"),))
    model = Model.from_node(node)
    narrow = np.ascontiguousarray(given, dtype=np.float32)
    session = _session(to_onnx(fitted, narrow[:1]))
    inputs = {session.get_inputs()[0].name: narrow}
    imported = treelite.sklearn.import_model(fitted)
    predictors: dict[str, Predict] = {
        "leapstream": lambda: model.transform({"features": given}, outputs=["prediction"])["prediction"],
        "scikit-learn": lambda: fitted.predict(given),
        "ONNX Runtime": lambda: session.run(None, inputs)[0],
        "treelite GTIL": lambda: treelite.gtil.predict(imported, given, nthread=1),
    }
    if compiled and (shutil.which("gcc") or shutil.which("cc")):
        predictors["treelite, compiled"] = _compiled(imported, given)
    return Trained(predictors, frozenset({"leapstream", "scikit-learn"}))


def _compiled(imported: Any, given: Doubles) -> Predict:
    import tl2cgen

    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory) / "forest.so"
        tl2cgen.export_lib(imported, toolchain="gcc", libpath=library, params={"parallel_comp": 0}, verbose=False)
        predictor = tl2cgen.Predictor(library, nthread=1)
    rows = tl2cgen.DMatrix(given, dtype="float64")
    return lambda: predictor.predict(rows)


def regression(fitted: RandomForestRegressor) -> RandomForestRegression:
    """The op of a fitted forest."""
    trees = tuple(DecisionTreeRegression(_tree(e.tree_), int(fitted.n_features_in_)) for e in fitted.estimators_)
    return RandomForestRegression(int(fitted.n_features_in_), (1.0,) * len(trees), trees)


def _tree(fitted: Any) -> Tree:
    """scikit-learn's nodes, which are in pre-order as the bundle's are."""
    leaf = fitted.children_left < 0
    ends = np.cumsum(leaf, dtype=np.int32)
    return Tree(
        kind=np.where(leaf, LEAF, CONTINUOUS).astype(np.uint8),
        feature=np.where(leaf, -1, fitted.feature).astype(np.int32),
        threshold=np.where(leaf, np.nan, fitted.threshold),
        right=np.where(leaf, -1, fitted.children_right).astype(np.int32),
        data_start=(ends - leaf).astype(np.int32),
        data_end=ends,
        data=fitted.value[leaf, 0, 0].astype(np.float64),
        num_categories=np.zeros(len(leaf), dtype=np.int32),
    )


def _session(proto: Any) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(proto.SerializeToString(), settings, providers=["CPUExecutionProvider"])


# ---- pipelines --------------------------------------------------------------------------------------------------------


def pipeline(kind: str, rows: int, *, numbers: int = 9, categories: tuple[int, ...] = (51, 3, 2, 5)) -> Trained:
    """Numbers and one-hot encoded strings, then a linear regression or a forest of 20 trees.

    Args:
        kind: ``linear`` or ``forest``.
        numbers: columns of numbers.
        categories: for each column of strings, how many there are.
    """
    rng = np.random.default_rng(2)
    numeric = [f"n{i}" for i in range(numbers)]
    strings = [f"s{i}" for i in range(len(categories))]

    def frame(count: int) -> pd.DataFrame:
        values: dict[str, Any] = {n: rng.random(count, dtype=np.float32).astype(np.float64) for n in numeric}
        for name, size in zip(strings, categories, strict=True):
            labels = np.array([f"category {i}" for i in range(size)], dtype=object)
            # Every category is there once at least.
            values[name] = labels[
                np.concatenate([np.arange(size), rng.integers(0, size, max(0, count - size))])[:count]
            ]
        return pd.DataFrame(values)

    training, given = frame(max(_TRAINING, *categories)), frame(rows)
    y = training[numeric[0]] * 3 + np.sin(5 * training[numeric[1]]) + (training[strings[0]] == "category 1")
    last: Any = (
        SklearnLinearRegression() if kind == "linear" else RandomForestRegressor(20, max_depth=5, random_state=1)
    )
    encoder = SklearnOneHotEncoder()
    columns = ColumnTransformer([("numbers", "passthrough", numeric), ("strings", encoder, strings)])
    fitted = SklearnPipeline([("columns", columns), ("last", last)]).fit(training, y)
    labels = [tuple(map(str, found)) for found in fitted["columns"].named_transformers_["strings"].categories_]
    model = _model(numeric, strings, labels, fitted["last"])
    types = [(n, FloatTensorType([None, 1])) for n in numeric] + [(s, StringTensorType([None, 1])) for s in strings]
    session = _session(to_onnx(fitted, initial_types=types))

    def arrays() -> dict[str, Any]:
        numbers = {n: given[[n]].to_numpy(np.float32) for n in numeric}
        return numbers | {s: given[[s]].to_numpy(object) for s in strings}

    inputs = arrays()
    batch = pa.RecordBatch.from_pandas(given, preserve_index=False)
    predictors: dict[str, Predict] = {
        "leapstream": lambda: model.predict(given)["prediction"],
        "leapstream, Arrow": lambda: model.predict(batch)["prediction"],
        "scikit-learn": lambda: fitted.predict(given),
        "ONNX Runtime": lambda: session.run(None, inputs)[0],
        "ONNX Runtime, pandas": lambda: session.run(None, arrays())[0],
    }
    return Trained(predictors, frozenset({"leapstream", "leapstream, Arrow", "scikit-learn"}))


def _model(numeric: list[str], strings: list[str], labels: list[tuple[str, ...]], last: Any) -> Model:
    indexes, vectors = [f"{s}_index" for s in strings], [f"{s}_vector" for s in strings]
    sizes = tuple(map(len, labels))
    shapes = (DataShape("scalar", False),) * len(numeric) + tuple(DataShape("tensor", False, (size,)) for size in sizes)
    model = regression(last) if isinstance(last, RandomForestRegressor) else None
    nodes = (
        _node("index", StringIndexer(tuple(labels)), strings, indexes),
        _node("encode", OneHotEncoder(sizes, drop_last=False), indexes, vectors),
        _node("assemble", VectorAssembler(shapes), [*numeric, *vectors], ["features"]),
        _node("last", model or LinearRegression(last.coef_, float(last.intercept_)), ["features"], ["prediction"]),
    )
    return Model.from_node(Pipeline("pipeline", nodes))


def _node(name: str, op: Any, read: list[str], written: list[str]) -> Node:
    inputs = tuple(Socket(port, column) for port, column in zip(op.inputs(), read, strict=True))
    outputs = tuple(Socket(port, column) for port, column in zip(op.outputs(), written, strict=True))
    return Node(name, op, inputs, outputs)
