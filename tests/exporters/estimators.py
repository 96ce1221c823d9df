"""Fitted estimators of every supported class and setting, with rows to predict."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import (
    RFE,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
    f_classif,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lars,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

Case = Callable[[], tuple[Any, Any]]
"""Gives a fitted estimator and what it is to be asked for."""

ROWS = 40

MAX_ABS_CLIPS = "clip" in MaxAbsScaler().get_params()
"""False for scikit-learn before 1.8, the last for Python 3.10."""


@cache
def numbers() -> npt.NDArray[np.float64]:
    """Rows of four features of different sizes."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(160, 4)) * [1.0, 0.2, 5.0, 1.0] + [0.0, 1.0, -3.0, 0.5]


def holes(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rows with some values missing."""
    return np.where(np.random.default_rng(1).random(x.shape) < 0.15, np.nan, x)


def amount() -> npt.NDArray[np.float64]:
    """The target of regressions."""
    x = numbers()
    return np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * np.random.default_rng(2).normal(size=len(x))


def two() -> npt.NDArray[np.int64]:
    """Two classes."""
    return (amount() > np.median(amount())).astype(int)


def three() -> npt.NDArray[np.str_]:
    """Three classes, texts."""
    return np.array(["apple", "birch", "cedar"])[np.digitize(amount(), np.quantile(amount(), [0.3, 0.7]))]


def odd() -> npt.NDArray[np.int64]:
    """Three classes, numbers that are not 0, 1, 2."""
    return np.array([-1, 4, 7])[np.digitize(amount(), np.quantile(amount(), [0.3, 0.7]))]


@cache
def frame() -> pd.DataFrame:
    """Columns of texts and numbers, some values of each missing."""
    rng = np.random.default_rng(3)
    x = numbers()
    return pd.DataFrame(
        {
            "price": x[:, 0],
            "size": np.where(rng.random(len(x)) < 0.1, np.nan, x[:, 2]),
            "rooms": rng.integers(1, 6, len(x)),
            "city": rng.choice(["Bern", "Linz", "Oslo", "Rome"], len(x), p=[0.5, 0.3, 0.15, 0.05]),
            "heating": np.where(
                rng.random(len(x)) < 0.2, np.array(np.nan, dtype=object), rng.choice(["gas", "oil", "wood"], len(x))
            ),
            "new": rng.random(len(x)) < 0.5,
        }
    )


TEXTS = [
    "The quick brown fox jumps over the lazy dog",
    "Été à la plage: l'été est là, naïve ÇA et là",
    "a b cc ddd 42 4 x1 under_score don't",
    "the the THE The dog",
    "",
    "snow and rain, rain and snow; rain!",
]
UNSEEN_TEXTS = [*TEXTS, "nothing known here", "a dog under the brown snow, rain and   fox", "½ ²x été"]


def fitted(estimator: Any, x: Any, y: Any = None, asked: Any = None) -> Case:
    """An estimator that is fitted when it is needed."""

    def case() -> tuple[Any, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known = x() if callable(x) else x
            estimator.fit(known, y() if callable(y) else y)
        rows = asked() if callable(asked) else asked
        return estimator, known[:ROWS] if rows is None else rows

    return case


def over(steps: Any, y: Any = two) -> Case:
    """An estimator of the numbers."""
    return fitted(steps, numbers, y)


def cities(encoder: Any, asked: Any = None, columns: list[str] | None = None) -> Case:
    """An encoder of columns of the frame."""
    names = ["city", "rooms", "new"] if columns is None else columns

    def rows() -> Any:
        chosen = frame()[names][:ROWS].copy()
        for name, value in (asked or {}).items():
            chosen[name] = pd.Series([*chosen[name][:-1], value], index=chosen.index)
        return chosen

    return fitted(encoder, lambda: frame()[names], None, rows)


def positive() -> npt.NDArray[np.float64]:
    return np.abs(numbers())


def unseen_holes() -> npt.NDArray[np.float64]:
    return holes(numbers())[:ROWS]


TRANSFORMERS: dict[str, Case] = {
    "StandardScaler": over(StandardScaler()),
    "StandardScaler without mean": over(StandardScaler(with_mean=False)),
    "StandardScaler without std": over(StandardScaler(with_std=False)),
    "StandardScaler of NaN": fitted(StandardScaler(), lambda: holes(numbers())),
    "MinMaxScaler": over(MinMaxScaler()),
    "MinMaxScaler of a range": over(MinMaxScaler((-2, 5))),
    "MinMaxScaler with clip": fitted(
        MinMaxScaler((-2, 5), clip=True), lambda: numbers()[:80], None, lambda: numbers()[80:]
    ),
    "MinMaxScaler of a constant": fitted(
        MinMaxScaler(), lambda: numbers() * [1, 0, 1, 1] + 3, None, lambda: numbers()[:ROWS]
    ),
    "MaxAbsScaler": fitted(MaxAbsScaler(), lambda: numbers()[:80], None, lambda: numbers()[80:]),
    **(
        {
            "MaxAbsScaler with clip": fitted(
                MaxAbsScaler(clip=True), lambda: numbers()[:80], None, lambda: numbers()[80:]
            )
        }
        if MAX_ABS_CLIPS
        else {}
    ),
    "RobustScaler": over(RobustScaler()),
    "RobustScaler without centering": over(RobustScaler(with_centering=False, unit_variance=True)),
    "Normalizer": over(Normalizer()),
    "Normalizer l1": over(Normalizer("l1")),
    "Binarizer": over(Binarizer(threshold=0.5)),
    "Binarizer of a negative threshold": over(Binarizer(threshold=-0.5)),
    "Binarizer before bins": over(
        make_pipeline(StandardScaler(), Binarizer(), KBinsDiscretizer(2, encode="ordinal", strategy="uniform"))
    ),
    "KBinsDiscretizer": over(KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf")),
    "KBinsDiscretizer dense": over(KBinsDiscretizer([2, 3, 4, 5], encode="onehot-dense", strategy="uniform")),
    "KBinsDiscretizer ordinal": over(KBinsDiscretizer(3, encode="ordinal", strategy="kmeans", random_state=0)),
    "PolynomialFeatures": over(PolynomialFeatures(3)),
    "PolynomialFeatures interactions": over(PolynomialFeatures(2, interaction_only=True, include_bias=False)),
    "PolynomialFeatures of 12": over(make_pipeline(PolynomialFeatures(2, include_bias=False), PolynomialFeatures(2))),
    **{
        f"FunctionTransformer {function.__name__}": fitted(FunctionTransformer(function), positive)
        for function in (
            *(np.log, np.exp, np.sqrt, np.sin, np.cos, np.tan, np.abs, np.floor, np.ceil, np.log2, np.log10, np.log1p),
            *(np.exp2, np.expm1, np.negative, np.positive, np.deg2rad, np.degrees),
        )
        if function is not np.positive
    },
    "SimpleImputer mean": fitted(SimpleImputer(), lambda: holes(numbers())),
    "SimpleImputer median": fitted(SimpleImputer(strategy="median"), lambda: holes(numbers())),
    "SimpleImputer most_frequent": fitted(SimpleImputer(strategy="most_frequent"), lambda: holes(numbers().round())),
    "SimpleImputer constant": fitted(SimpleImputer(strategy="constant", fill_value=7.5), lambda: holes(numbers())),
    "SimpleImputer of a number": fitted(SimpleImputer(missing_values=1, strategy="median"), lambda: numbers().round()),
    "SimpleImputer with indicator": fitted(SimpleImputer(add_indicator=True), lambda: holes(numbers())),
    "SimpleImputer of an empty column": fitted(
        SimpleImputer(), lambda: np.column_stack([holes(numbers()), np.full(160, np.nan)])
    ),
    "MissingIndicator": fitted(MissingIndicator(features="all"), lambda: holes(numbers())),
    "PCA": over(PCA(2)),
    "PCA whitened": over(PCA(3, whiten=True)),
    "IncrementalPCA": over(IncrementalPCA(2)),
    "TruncatedSVD": over(TruncatedSVD(2, random_state=0)),
    "SelectKBest": over(SelectKBest(f_classif, k=2)),
    "SelectPercentile": over(SelectPercentile(percentile=50)),
    "SelectFpr": over(SelectFpr()),
    "SelectFdr": over(SelectFdr(alpha=0.3)),
    "SelectFwe": over(SelectFwe(alpha=0.9)),
    "SelectFromModel": over(SelectFromModel(LogisticRegression(), max_features=2)),
    "RFE": over(RFE(LogisticRegression(), n_features_to_select=2)),
    "VarianceThreshold": over(VarianceThreshold(0.5)),
    "OrdinalEncoder": cities(OrdinalEncoder()),
    "OrdinalEncoder with unknown": cities(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), {"city": "Paris", "rooms": 99}
    ),
    "OrdinalEncoder infrequent": cities(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-7, min_frequency=30),
        {"city": "Paris", "rooms": 99},
    ),
    "OrdinalEncoder of missing": cities(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        {"heating": "sun", "size": 0.123},
        ["heating", "size"],
    ),
    "OneHotEncoder": cities(OneHotEncoder()),
    "OneHotEncoder dense": cities(OneHotEncoder(sparse_output=False)),
    "OneHotEncoder drop first": cities(OneHotEncoder(drop="first")),
    "OneHotEncoder drop if binary": cities(OneHotEncoder(drop="if_binary")),
    "OneHotEncoder drop given": cities(OneHotEncoder(drop=["Linz", 3, True])),
    "OneHotEncoder ignore": cities(OneHotEncoder(handle_unknown="ignore"), {"city": "Paris", "rooms": 99}),
    "OneHotEncoder ignore and drop": cities(
        OneHotEncoder(handle_unknown="ignore", drop=["Linz", 3, True]), {"city": "Paris", "rooms": 99}
    ),
    "OneHotEncoder infrequent": cities(
        OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3), {"city": "Paris", "rooms": 99}
    ),
    "OneHotEncoder infrequent, drop": cities(OneHotEncoder(min_frequency=30, drop="first")),
    "OneHotEncoder infrequent, drop, unknown": cities(
        OneHotEncoder(min_frequency=30, drop="first", handle_unknown="infrequent_if_exist"),
        {"city": "Paris", "rooms": 99},
    ),
    "OneHotEncoder of missing": cities(
        OneHotEncoder(handle_unknown="ignore"), {"heating": "sun", "size": 0.123}, ["heating", "size"]
    ),
    "imputed texts": cities(
        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
        {"heating": "sun"},
        ["heating", "city"],
    ),
    "imputed texts, constant": cities(
        make_pipeline(
            SimpleImputer(strategy="constant", fill_value="none"),
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        ),
        {"heating": "sun"},
        ["heating", "city"],
    ),
    "ColumnTransformer": fitted(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["price", "size"]),
                ("cities", OneHotEncoder(drop="first"), ["city"]),
                ("nothing", "drop", ["heating"]),
            ],
            remainder="passthrough",
            transformer_weights={"numbers": 0.5},
        ),
        frame,
    ),
    "ColumnTransformer by position": over(
        make_column_transformer((StandardScaler(), [2, 0]), (MinMaxScaler(), slice(1, 3)), ("passthrough", [-1]))
    ),
    "ColumnTransformer of a vector": over(
        make_pipeline(StandardScaler(), ColumnTransformer([("a", PCA(1), [0, 2]), ("b", Binarizer(), [3])]))
    ),
    "FeatureUnion": over(
        FeatureUnion([("pca", PCA(2)), ("best", SelectKBest(k=1)), ("none", "drop")], transformer_weights={"pca": 10.0})
    ),
    "make_union": over(make_union(StandardScaler(), make_pipeline(MinMaxScaler(), PolynomialFeatures(2)))),
    "Pipeline with passthrough": over(Pipeline([("a", "passthrough"), ("b", StandardScaler()), ("c", None)])),
    **{
        name: fitted(vectorizer, TEXTS, None, UNSEEN_TEXTS)
        for name, vectorizer in {
            "CountVectorizer": CountVectorizer(),
            "CountVectorizer binary, case": CountVectorizer(binary=True, lowercase=False),
            "CountVectorizer stop words": CountVectorizer(stop_words="english", token_pattern=r"(?u)\b\w+\b"),
            "CountVectorizer pairs": CountVectorizer(ngram_range=(1, 3), stop_words=["the"]),
            "CountVectorizer vocabulary": CountVectorizer(vocabulary=["dog", "rain", "été", "zebra"]),
            "TfidfVectorizer": TfidfVectorizer(),
            "TfidfVectorizer l1, pairs": TfidfVectorizer(norm="l1", ngram_range=(2, 2), smooth_idf=False),
            "TfidfVectorizer without idf": TfidfVectorizer(use_idf=False, norm=None),
            "TfidfTransformer": make_pipeline(CountVectorizer(), TfidfTransformer()),
            "texts in fewer dimensions": make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0)),
        }.items()
    },
}

REGRESSORS: dict[str, Case] = {
    **{
        type(estimator).__name__: over(estimator, amount)
        for estimator in (
            *(
                LinearRegression(),
                Ridge(),
                Lasso(0.1),
                ElasticNet(0.1),
                BayesianRidge(),
                ARDRegression(),
                HuberRegressor(),
            ),
            *(Lars(), SGDRegressor(random_state=0), LinearSVR(random_state=0), DecisionTreeRegressor(random_state=0)),
            *(ExtraTreeRegressor(random_state=0), RandomForestRegressor(7, random_state=0)),
            *(ExtraTreesRegressor(7, random_state=0), GradientBoostingRegressor(n_estimators=9, random_state=0)),
            HistGradientBoostingRegressor(max_iter=9, min_samples_leaf=5),
        )
    },
    "LinearRegression without intercept": over(LinearRegression(fit_intercept=False), amount),
    "SVR linear": over(make_pipeline(StandardScaler(), SVR(kernel="linear")), amount),
    "PoissonRegressor": over(PoissonRegressor(), lambda: np.exp(amount() / 9)),
    "GammaRegressor": over(GammaRegressor(), lambda: np.exp(amount() / 9)),
    "TweedieRegressor": over(TweedieRegressor(power=1.5), lambda: np.exp(amount() / 9)),
    "TweedieRegressor identity": over(TweedieRegressor(power=0, link="identity"), amount),
    "DecisionTreeRegressor by leaves": over(
        DecisionTreeRegressor(max_leaf_nodes=9, criterion="absolute_error"), amount
    ),
    "DecisionTreeRegressor of missing": fitted(DecisionTreeRegressor(max_depth=6), lambda: holes(numbers()), amount),
    "DecisionTreeRegressor asked for missing": fitted(DecisionTreeRegressor(), numbers, amount, unseen_holes),
    "RandomForestRegressor of missing": fitted(
        RandomForestRegressor(5, random_state=0), lambda: holes(numbers()), amount
    ),
    "GradientBoostingRegressor from zero": over(
        GradientBoostingRegressor(n_estimators=5, init="zero", loss="huber", learning_rate=0.3), amount
    ),
    "HistGradientBoostingRegressor of missing": fitted(
        HistGradientBoostingRegressor(max_iter=9, min_samples_leaf=5), lambda: holes(numbers()), amount
    ),
    "HistGradientBoostingRegressor asked for missing": fitted(
        HistGradientBoostingRegressor(max_iter=9, min_samples_leaf=5), numbers, amount, unseen_holes
    ),
    "HistGradientBoostingRegressor poisson": over(
        HistGradientBoostingRegressor(loss="poisson", max_iter=5), lambda: np.exp(amount() / 9)
    ),
    "HistGradientBoostingRegressor categories": fitted(
        HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=3, categorical_features=["rooms", "city"]),
        lambda: frame()[["price", "rooms", "city"]],
        lambda: frame()["rooms"] % 2 * 3 + (frame()["city"] == "Oslo") + frame()["price"],
        lambda: frame()[["price", "rooms", "city"]][:ROWS].replace({"city": {"Rome": None}, "rooms": {5: 77}}),
    ),
    **{
        f"MLPRegressor {activation}": over(
            make_pipeline(
                StandardScaler(),
                MLPRegressor(hidden_layer_sizes=(6, 5), activation=activation, max_iter=30, random_state=0),
            ),
            amount,
        )
        for activation in ("relu", "tanh", "logistic", "identity")
    },
    "VotingRegressor": over(
        VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3)), ("c", "drop")], weights=[1, 3, 1]),
        amount,
    ),
    "StackingRegressor": over(
        StackingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3))], Ridge(), passthrough=True, cv=3),
        amount,
    ),
    "GridSearchCV": over(
        GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1.0]}, cv=2), amount
    ),
    "a whole pipeline": fitted(
        make_pipeline(
            ColumnTransformer(
                [
                    (
                        "numbers",
                        make_pipeline(SimpleImputer(strategy="median", add_indicator=True), RobustScaler()),
                        ["size"],
                    ),
                    ("cities", OneHotEncoder(handle_unknown="ignore"), ["city", "rooms"]),
                    (
                        "heating",
                        make_pipeline(
                            SimpleImputer(strategy="constant", fill_value="none"),
                            OneHotEncoder(handle_unknown="ignore"),
                        ),
                        ["heating"],
                    ),
                ],
                remainder="passthrough",
            ),
            Ridge(),
        ),
        frame,
        amount,
    ),
}

CLASSIFIERS: dict[str, Case] = {
    **{
        f"{type(estimator).__name__}, {kind.__name__} classes": over(estimator, kind)
        for kind in (two, three)
        for estimator in (
            *(LogisticRegression(), RidgeClassifier(), Perceptron(), LinearSVC(), SGDClassifier(random_state=0)),
            *(DecisionTreeClassifier(max_depth=4), ExtraTreeClassifier(max_depth=4, random_state=0)),
            *(RandomForestClassifier(7, random_state=0), ExtraTreesClassifier(7, max_depth=5, random_state=0)),
            *(GradientBoostingClassifier(n_estimators=5, random_state=0), HistGradientBoostingClassifier(max_iter=5)),
            *(GaussianNB(), BernoulliNB(binarize=0.1), BernoulliNB(binarize=None)),
        )
        for estimator in [type(estimator)(**estimator.get_params())]
        if not (isinstance(estimator, BernoulliNB) and estimator.binarize is None)
    },
    "LogisticRegression, odd classes": over(LogisticRegression(), odd),
    "LogisticRegression, true and false": over(LogisticRegression(), lambda: two() == 1),
    "SGDClassifier log loss, two": over(SGDClassifier(loss="log_loss", random_state=0), two),
    "SGDClassifier log loss, three": over(
        make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)), three
    ),
    **{
        f"SGDClassifier modified huber, {kind.__name__}": over(
            make_pipeline(StandardScaler(), SGDClassifier(loss="modified_huber", random_state=0)), kind
        )
        for kind in (two, three)
    },
    "SVC linear": over(make_pipeline(StandardScaler(), SVC(kernel="linear"))),
    "NuSVC linear": over(make_pipeline(StandardScaler(), NuSVC(kernel="linear", nu=0.3))),
    "DecisionTreeClassifier of missing": fitted(DecisionTreeClassifier(), lambda: holes(numbers()), three),
    "RandomForestClassifier asked for missing": fitted(
        RandomForestClassifier(7, random_state=0), numbers, three, unseen_holes
    ),
    "RandomForestClassifier weighted": over(RandomForestClassifier(7, class_weight="balanced", random_state=0), odd),
    "GradientBoostingClassifier exponential": over(GradientBoostingClassifier(n_estimators=5, loss="exponential")),
    "HistGradientBoostingClassifier of missing": fitted(
        HistGradientBoostingClassifier(max_iter=5), lambda: holes(numbers()), three
    ),
    "MultinomialNB": fitted(MultinomialNB(), positive, three),
    "MultinomialNB of two": fitted(MultinomialNB(fit_prior=False), positive, two),
    "ComplementNB": fitted(ComplementNB(norm=True), positive, three),
    "BernoulliNB of zeros and ones": over(make_pipeline(Binarizer(), BernoulliNB(binarize=None)), three),
    **{
        f"MLPClassifier {activation}, {kind.__name__}": over(
            make_pipeline(StandardScaler(), MLPClassifier((6, 5), activation, max_iter=30, random_state=0)), kind
        )
        for activation in ("relu", "tanh", "logistic", "identity")
        for kind in (two, three)
    },
    "OneVsRestClassifier": over(OneVsRestClassifier(LogisticRegression()), three),
    "OneVsRestClassifier of margins": over(OneVsRestClassifier(LinearSVC()), odd),
    "OneVsRestClassifier of trees": over(OneVsRestClassifier(RandomForestClassifier(5, random_state=0)), three),
    "OneVsRestClassifier of boosting": over(OneVsRestClassifier(GradientBoostingClassifier(n_estimators=3)), three),
    "OneVsRestClassifier of two": over(OneVsRestClassifier(LogisticRegression()), lambda: three() == "apple"),
    **{
        f"CalibratedClassifierCV {method}, {kind.__name__}": over(
            CalibratedClassifierCV(base, method=method, cv=2), kind
        )
        for method in ("sigmoid", "isotonic")
        for kind, base in ((two, LinearSVC()), (three, DecisionTreeClassifier(max_depth=3)))
    },
    "CalibratedClassifierCV of boosting": over(
        CalibratedClassifierCV(GradientBoostingClassifier(n_estimators=3), cv=2)
    ),
    "VotingClassifier soft": over(
        VotingClassifier(
            [("a", LogisticRegression()), ("b", GaussianNB()), ("c", DecisionTreeClassifier(max_depth=3))],
            voting="soft",
        ),
        three,
    ),
    "VotingClassifier hard": over(
        VotingClassifier(
            [("a", LogisticRegression()), ("b", LinearSVC()), ("c", DecisionTreeClassifier(max_depth=3))],
            weights=[1, 2, 2],
        ),
        three,
    ),
    "StackingClassifier": over(
        StackingClassifier(
            [("a", GaussianNB()), ("b", LinearSVC()), ("c", DecisionTreeClassifier(max_depth=3))],
            LogisticRegression(),
            cv=3,
        ),
        three,
    ),
    "StackingClassifier of two": over(
        StackingClassifier(
            [("a", GaussianNB()), ("b", GradientBoostingClassifier(n_estimators=2))], cv=2, passthrough=True
        )
    ),
    "StackingClassifier of predictions": over(
        StackingClassifier([("a", GaussianNB())], stack_method="predict", cv=2), three
    ),
    "texts": fitted(
        make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, ["a", "b", "a", "c", "b", "c"], UNSEEN_TEXTS
    ),
    "texts in trees": fitted(
        make_pipeline(CountVectorizer(), RandomForestClassifier(5, random_state=0)),
        TEXTS,
        [0, 1, 0, 2, 1, 2],
        UNSEEN_TEXTS,
    ),
    "GaussianMixture full": over(GaussianMixture(3, random_state=0)),
    "GaussianMixture tied": over(GaussianMixture(3, covariance_type="tied", random_state=0)),
    "GaussianMixture diag": over(GaussianMixture(2, covariance_type="diag", random_state=0)),
    "GaussianMixture spherical": over(GaussianMixture(1, covariance_type="spherical", random_state=0)),
}

CLUSTERS: dict[str, Case] = {
    "KMeans": over(KMeans(3, random_state=0, n_init=1)),
    "MiniBatchKMeans": over(make_pipeline(StandardScaler(), MiniBatchKMeans(3, random_state=0, n_init=1))),
}

PREDICTORS = {**REGRESSORS, **CLASSIFIERS, **CLUSTERS}
