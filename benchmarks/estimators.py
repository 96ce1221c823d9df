"""Models as users train them, by name: one record and a batch of each, for leapstream and for the library that trained it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import leapstream
from leapstream.bundle.definition import Socket
from leapstream.exporters import from_lightgbm, from_sklearn, from_xgboost
from leapstream.ops import bayes, linear
from leapstream.ops.feature import text
from leapstream.ops.pipeline import Node, Pipeline

Predict = Callable[[], Any]
ROWS = 10_000
"""Rows of a batch."""
_TRAINING = 8000
_FEATURES = 20
_WORDS = 30


@dataclass
class Work:
    """A trained model, and what predicts with it.

    Attributes:
        model: leapstream's.
        record, rows: what leapstream predicts: a dict, and a batch.
        singles, batches: by name of the peer, its prediction of the record and of the batch.
        tolerance: the relative difference that libraries may have.
    """

    model: leapstream.Model
    record: dict[str, Any]
    rows: Any
    singles: dict[str, Predict]
    batches: dict[str, Predict]
    tolerance: float = 1e-9

    @property
    def column(self) -> str:
        """The column that is asked for."""
        names = self.model.schema.outputs.names
        return "prediction" if "prediction" in names else names[0]

    def predict_record(self) -> dict[str, Any] | None:
        """leapstream's prediction of the record."""
        return self.model.predict(self.record, outputs=[self.column])

    def predict_rows(self) -> Any:
        """leapstream's predictions of the batch."""
        return self.model.predict(self.rows, outputs=[self.column])

    def check(self) -> None:
        """Raise ``AssertionError`` unless the libraries predict the same."""
        wanted = _number((self.predict_record() or {})[self.column])
        for name, predict in self.singles.items():
            found = np.ravel(_first(predict()))[0]
            assert np.isclose(float(found), wanted, rtol=max(self.tolerance, 1e-4)), f"{name}: {found}, not {wanted}"
        for name, predict in self.batches.items():
            given = np.ravel(np.array(list(self.predict_rows()[self.column]), dtype=float))
            single = name in ("ONNX Runtime", "treelite")
            tolerance = 1e-3 if single else self.tolerance
            close = np.isclose(np.ravel(_first(predict())).astype(float), given, rtol=tolerance, atol=tolerance / 100)
            # In single precision a value close to a split may fall to its other side.
            assert close.mean() > 0.99, f"{name} differs in a batch"


def _first(result: Any) -> Any:
    """The predictions among the outputs of a library."""
    return result[0] if isinstance(result, list) else result


def _number(value: Any) -> float:
    return float(value[0] if isinstance(value, list) else value)


# ---- numbers ----------------------------------------------------------------------------------------------------------


def _numbers(count: int, seed: int = 1) -> npt.NDArray[np.float64]:
    # Single precision, so that all libraries see the same.
    x = np.random.default_rng(seed).standard_normal((count, _FEATURES), dtype=np.float32)
    return np.asarray(x, dtype=np.float64)


def _target(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    noise = np.random.default_rng(2).normal(0.0, 0.3, len(x))
    return np.asarray(np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 3]) + 0.3 * x[:, 4:].sum(axis=1) + noise)


def _of_numbers(fitted: Any, convert: Callable[..., leapstream.Model], **peers: Any) -> Work:
    """A work over rows of numbers; what scikit-learn or LightGBM fitted predicts arrays."""
    model = convert(fitted)
    rows = _numbers(ROWS, 3)
    names = model.schema.inputs.names
    record = {names[0]: rows[0].tolist()} if len(names) == 1 else dict(zip(names, rows[0].tolist(), strict=True))
    one = rows[:1]
    name = peers.pop("name", "scikit-learn")
    singles: dict[str, Predict] = {name: lambda: fitted.predict(one)}
    batches: dict[str, Predict] = {name: lambda: fitted.predict(rows)}
    for peer, predictor in peers.items():
        shown = peer.replace("_", " ")
        singles[shown], batches[shown] = predictor(one), predictor(rows)
    return Work(model, record, rows, singles, batches)


def _onnx(fitted: Any) -> Callable[[Any], Predict]:
    import onnxruntime
    from skl2onnx import to_onnx

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    proto = to_onnx(fitted, _numbers(1).astype(np.float32))
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def of(rows: Any) -> Predict:
        given = {name: np.ascontiguousarray(rows, dtype=np.float32)}
        return lambda: session.run(None, given)

    return of


def _treelite(load: Callable[[Any], Any]) -> Callable[[Any], Predict]:
    import treelite

    model = load(treelite)

    def of(rows: Any) -> Predict:
        given = np.ascontiguousarray(rows, dtype=np.float32)
        return lambda: treelite.gtil.predict(model, given, nthread=1)

    return of


def scaled() -> Work:
    """A scaler and a linear regression."""
    x = _numbers(_TRAINING)
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(x, _target(x))
    return _of_numbers(fitted, from_sklearn, ONNX_Runtime=_onnx(fitted))


def forest() -> Work:
    """A hundred trees of any depth."""
    x = _numbers(_TRAINING)
    fitted = RandomForestRegressor(100, random_state=1).fit(x, _target(x))
    imported = _treelite(lambda treelite: treelite.sklearn.import_model(fitted))
    return _of_numbers(fitted, from_sklearn, ONNX_Runtime=_onnx(fitted), treelite=imported)


def boosting() -> Work:
    """A hundred trees of histogram boosting."""
    x = _numbers(_TRAINING)
    fitted = HistGradientBoostingRegressor(max_iter=100, early_stopping=False).fit(x, _target(x))
    return _of_numbers(fitted, from_sklearn, ONNX_Runtime=_onnx(fitted))


def lightgbm_booster() -> Any:
    """300 trees of 63 leaves, as LightGBM trains them."""
    from lightgbm import Dataset, train

    x = _numbers(_TRAINING)
    data = Dataset(x, _target(x))
    return train({"num_leaves": 63, "verbose": -1, "num_threads": 1, "objective": "regression"}, data, 300)


def lightgbm() -> Work:
    """300 trees of 63 leaves."""
    fitted = lightgbm_booster()
    imported = _treelite(lambda treelite: treelite.frontend.from_lightgbm(fitted))
    return _of_numbers(fitted, from_lightgbm, name="LightGBM", treelite=imported)


def xgboost(trees: int) -> Work:
    """Some trees of depth 6."""
    from xgboost import DMatrix, train

    x = _numbers(_TRAINING)
    parameters = {"max_depth": 6, "nthread": 1, "objective": "reg:squarederror", "eta": 0.1}
    fitted = train(parameters, DMatrix(x, _target(x)), trees)
    imported = _treelite(lambda treelite: treelite.frontend.from_xgboost(fitted))

    def native(rows: Any) -> Predict:
        given = np.ascontiguousarray(rows, dtype=np.float32)
        return lambda: fitted.inplace_predict(given)

    rows = _numbers(ROWS, 3)
    model = from_xgboost(fitted)
    names = model.schema.inputs.names
    record = {names[0]: rows[0].tolist()} if len(names) == 1 else dict(zip(names, rows[0].tolist(), strict=True))
    singles = {"XGBoost": native(rows[:1]), "treelite": imported(rows[:1])}
    batches = {"XGBoost": native(rows), "treelite": imported(rows)}
    return Work(model, record, rows, singles, batches, 1e-4)


# ---- columns of texts -------------------------------------------------------------------------------------------------

_CATEGORIES = {"city": 50, "colour": 8, "plan": 5}


def _columns(count: int, seed: int, *, missing: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {f"n{i}": rng.standard_normal(count) for i in range(4)}
    for name, size in _CATEGORIES.items():
        labels = np.array([f"{name} {i}" for i in range(size)], dtype=object)
        values[name] = labels[rng.integers(0, size, count)]
        if missing:
            values[name][rng.random(count) < 0.05] = None
        # pandas 3 makes NaN of None in a column of its own type of texts.
        values[name] = pd.Series(values[name], dtype=object)
    return pd.DataFrame(values)


def _of_columns(steps: ColumnTransformer, last: Any, *, missing: bool, classes: bool) -> Work:
    training, rows = _columns(_TRAINING, 1, missing=missing), _columns(ROWS, 2, missing=missing)
    y = training["n0"] * 2 + (training["city"] == "city 3") + np.sin(training["n1"])
    fitted = make_pipeline(steps, last).fit(training, y > 0 if classes else y)
    model = from_sklearn(fitted, training)
    one = rows[:1]
    record = {str(name): value for name, value in one.to_dict("records")[0].items()}
    return Work(
        model,
        record,
        rows,
        {"scikit-learn": lambda: fitted.predict(one)},
        {"scikit-learn": lambda: fitted.predict(rows)},
    )


def texts_imputed() -> Work:
    """Imputed and one-hot encoded texts, and a logistic regression."""
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent", missing_values=None), OneHotEncoder(handle_unknown="ignore")
    )
    numbers = [f"n{i}" for i in range(4)]
    steps = ColumnTransformer([("texts", texts, list(_CATEGORIES)), ("numbers", StandardScaler(), numbers)])
    return _of_columns(steps, LogisticRegression(max_iter=500), missing=True, classes=True)


def texts_encoded() -> Work:
    """Imputed and one-hot encoded texts alone."""
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent", missing_values=None),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    training, rows = _columns(_TRAINING, 1, missing=True), _columns(ROWS, 2, missing=True)
    names = list(_CATEGORIES)
    fitted = texts.fit(training[names])
    model = from_sklearn(fitted, training[names])
    given, one = rows[names], rows[names][:1]
    return Work(
        model,
        {name: given[name].iloc[0] for name in names},
        given,
        {"scikit-learn": lambda: fitted.transform(one)},
        {"scikit-learn": lambda: fitted.transform(given)},
    )


def unknowns() -> Work:
    """Categories as numbers, with those that training had not seen, and a forest of ten trees."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    steps = ColumnTransformer([("texts", encoder, list(_CATEGORIES)), ("numbers", "passthrough", ["n0", "n1"])])
    return _of_columns(steps, RandomForestRegressor(10, max_depth=8, random_state=1), missing=False, classes=False)


# ---- texts ------------------------------------------------------------------------------------------------------------

_VOCABULARY = tuple(f"word{i}" for i in range(5000))
_HASHES = 1 << 18


def _texts(*nodes: tuple[Any, str, str]) -> Work:
    """Ops of a text, each with its input and output column."""
    made = []
    for i, (op, source, target) in enumerate(nodes):
        outputs = {port: f"{port}{i}" for port in op.outputs()}
        outputs["prediction" if "prediction" in outputs else next(iter(outputs))] = target
        sockets = tuple(Socket(port, column) for port, column in outputs.items())
        made.append(Node(f"node {i}", op, (Socket(next(iter(op.inputs())), source),), sockets))
    rng = np.random.default_rng(5)
    words = np.array(_VOCABULARY, dtype=object)
    rows = pd.DataFrame({"text": [" ".join(words[rng.integers(0, len(words), _WORDS)]) for _ in range(1000)]})
    model = leapstream.Model.from_node(Pipeline("texts", tuple(made)))
    return Work(model, {"text": rows["text"][0]}, rows, {}, {})


def hashed_texts() -> Work:
    """Hashed words and a logistic regression."""
    last = linear.LogisticRegression(2, np.random.default_rng(1).normal(size=_HASHES), 0.1, 0.5)
    hashing = text.HashingTermFrequency(_HASHES)
    return _texts((text.Tokenizer(), "text", "words"), (hashing, "words", "counts"), (last, "counts", "prediction"))


def naive_bayes() -> Work:
    """Counted words and naive Bayes."""
    theta = np.log(np.random.default_rng(1).dirichlet(np.ones(len(_VOCABULARY)), 3))
    last = bayes.NaiveBayes(len(_VOCABULARY), 3, np.log(np.full(3, 1 / 3)), theta, "multinomial")
    counts = text.CountVectorizer(_VOCABULARY, False, 1.0)
    return _texts((text.Tokenizer(), "text", "words"), (counts, "words", "counts"), (last, "counts", "prediction"))


def word_vectors() -> Work:
    """Averaged vectors of words."""
    vectors = tuple(np.random.default_rng(1).normal(size=len(_VOCABULARY) * 100).tolist())
    averaged = text.WordToVector(_VOCABULARY, vectors, tuple(range(len(_VOCABULARY))))
    return _texts((text.Tokenizer(), "text", "words"), (averaged, "words", "prediction"))


WORKS: dict[str, Callable[[], Work]] = {
    "scaler + linear": scaled,
    "text imputer + one-hot + logistic": texts_imputed,
    "text imputer + one-hot": texts_encoded,
    "ordinal encoder with unknowns + forest of 10": unknowns,
    "XGBoost 100 x 6": lambda: xgboost(100),
    "XGBoost 1000 x 6": lambda: xgboost(1000),
    "LightGBM 300 x 63 leaves": lightgbm,
    "histogram boosting 100": boosting,
    "forest 100, any depth": forest,
    "hashed text + logistic": hashed_texts,
    "counted text + naive Bayes": naive_bayes,
    "word2vec": word_vectors,
}
"""The works by name."""
