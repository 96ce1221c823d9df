"""Pipelines as people write them with scikit-learn, over its small data sets and over frames of numbers and texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold, chi2, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
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
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.exporters.estimators import Case, fitted

Data = Callable[[], tuple[Any, Any]]


@cache
def iris() -> tuple[Any, Any]:
    x, y = datasets.load_iris(return_X_y=True, as_frame=True)
    return x, y.map(dict(enumerate(["setosa", "versicolor", "virginica"])))


@cache
def wine() -> tuple[Any, Any]:
    return datasets.load_wine(return_X_y=True)


@cache
def cancer() -> tuple[Any, Any]:
    return datasets.load_breast_cancer(return_X_y=True)


@cache
def diabetes() -> tuple[Any, Any]:
    return datasets.load_diabetes(return_X_y=True, as_frame=True)


@cache
def digits() -> tuple[Any, Any]:
    x, y = datasets.load_digits(return_X_y=True)
    return x[:400], y[:400]


@cache
def _people() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    count = 300
    return pd.DataFrame(
        {
            "age": np.where(rng.random(count) < 0.2, np.nan, rng.gamma(6, 6, count).round()),
            "fare": np.exp(rng.normal(3, 1, count)).round(2),
            "family": rng.integers(0, 6, count),
            "class": rng.choice(["first", "second", "third"], count, p=[0.25, 0.2, 0.55]),
            "sex": rng.choice(["female", "male"], count),
            "port": np.where(
                rng.random(count) < 0.05, np.array(np.nan, dtype=object), rng.choice(["C", "Q", "S"], count)
            ),
        }
    )


def people() -> tuple[Any, Any]:
    """Passengers, and the survivors."""
    x = _people()
    odds = (x["sex"] == "female") * 2.0 + (x["class"] == "first") - x["age"].fillna(30) / 40
    return x, (odds + np.random.default_rng(8).normal(size=len(x)) > 0.2).astype(int)


def fares() -> tuple[Any, Any]:
    """Passengers without what they paid, and that."""
    return _people().drop(columns="fare"), _people()["fare"]


@cache
def reviews() -> tuple[Any, Any]:
    rng = np.random.default_rng(9)
    good = ["great", "lovely", "excellent", "happy", "fast", "recommend"]
    bad = ["broken", "slow", "awful", "refund", "never", "disappointed"]
    rest = ["the", "product", "and", "delivery", "was", "it", "I", "this", "shop", "very"]
    y = rng.integers(0, 2, 120)
    return [" ".join(rng.permutation([*rng.choice(good if label else bad, 3), *rng.choice(rest, 6)])) for label in y], y


def topics() -> tuple[Any, Any]:
    """Reviews with one of three topics each."""
    texts, y = reviews()
    return texts, [
        ("bad", "good", "delivery")[2 if "delivery" in text else label] for text, label in zip(texts, y, strict=True)
    ]


def of(steps: Any, data: Data) -> Case:
    """A pipeline of some data, and 40 of the rows to ask for."""
    return fitted(steps, lambda: data()[0], lambda: data()[1], lambda: data()[0][:40])


def columns(numeric: Any, categorical: Any, **options: Any) -> ColumnTransformer:
    """One step for the numbers, one for the texts, as in scikit-learn's guide."""
    return ColumnTransformer(
        [
            ("numbers", numeric, make_column_selector(dtype_include="number")),
            ("texts", categorical, make_column_selector(dtype_include=object)),
        ],
        **options,
    )


def filled(*steps: Any, **options: Any) -> Any:
    return make_pipeline(SimpleImputer(**options), *steps)


def one_hot(**options: Any) -> Any:
    return filled(OneHotEncoder(handle_unknown="ignore", **options), strategy="most_frequent")


def ordinal() -> Any:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return filled(encoder, strategy="constant", fill_value="none")


MEDIAN = {"strategy": "median"}

PIPELINES: dict[str, Case] = {
    "iris, scaled logistic": of(make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)), iris),
    "iris, tree": of(DecisionTreeClassifier(max_depth=3), iris),
    "iris, PCA and SVC": of(make_pipeline(StandardScaler(), PCA(2), LinearSVC(random_state=0)), iris),
    "iris, Gaussian naive Bayes": of(GaussianNB(), iris),
    "iris, forest of scaled": of(
        make_pipeline(MinMaxScaler(), RandomForestClassifier(10, max_depth=4, random_state=0)), iris
    ),
    "iris, bins and naive Bayes": of(
        make_pipeline(KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), MultinomialNB()), iris
    ),
    "iris, clusters": of(make_pipeline(StandardScaler(), KMeans(3, n_init=2, random_state=0)), iris),
    "cancer, grid search": of(
        GridSearchCV(make_pipeline(StandardScaler(), SVC(kernel="linear")), {"svc__C": [0.5, 1.0]}, cv=2), cancer
    ),
    "wine, scaled one against the rest": of(
        make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression())), wine
    ),
    "wine, selected and SGD": of(
        make_pipeline(StandardScaler(), SelectKBest(f_classif, k=6), SGDClassifier(loss="log_loss", random_state=0)),
        wine,
    ),
    "wine, robust and boosting": of(
        make_pipeline(RobustScaler(), GradientBoostingClassifier(n_estimators=8, random_state=0)), wine
    ),
    "wine, perceptron": of(make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=40, random_state=0)), wine),
    "wine, mixture": of(make_pipeline(StandardScaler(), PCA(2), GaussianMixture(3, random_state=0)), wine),
    "wine, calibrated forest": of(
        CalibratedClassifierCV(RandomForestClassifier(5, max_depth=4, random_state=0), cv=2), wine
    ),
    "cancer, scaled logistic": of(make_pipeline(StandardScaler(), LogisticRegression()), cancer),
    "cancer, polynomial logistic": of(
        make_pipeline(
            StandardScaler(), SelectKBest(f_classif, k=4), PolynomialFeatures(2), LogisticRegression(max_iter=500)
        ),
        cancer,
    ),
    "cancer, ridge classifier": of(make_pipeline(MaxAbsScaler(), RidgeClassifier()), cancer),
    "cancer, histogram boosting": of(HistGradientBoostingClassifier(max_iter=8), cancer),
    "cancer, boosting": of(GradientBoostingClassifier(n_estimators=8, random_state=0), cancer),
    "cancer, selected by a forest": of(
        make_pipeline(SelectFromModel(ExtraTreesClassifier(10, random_state=0)), LogisticRegression(max_iter=5000)),
        cancer,
    ),
    "cancer, tanh perceptron": of(
        make_pipeline(StandardScaler(), MLPClassifier((6, 4), "tanh", max_iter=30, random_state=0)), cancer
    ),
    "cancer, vote": of(
        make_pipeline(
            StandardScaler(),
            VotingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=3))], voting="soft"),
        ),
        cancer,
    ),
    "digits, PCA and logistic": of(
        make_pipeline(VarianceThreshold(0.1), PCA(12, random_state=0), LogisticRegression(max_iter=2000)), digits
    ),
    "digits, binarized": of(make_pipeline(Binarizer(threshold=7), BernoulliNB()), digits),
    "digits, chi2 and naive Bayes": of(make_pipeline(SelectKBest(chi2, k=20), MultinomialNB()), digits),
    "digits, normalized forest": of(
        make_pipeline(Normalizer(), RandomForestClassifier(8, max_depth=6, random_state=0)), digits
    ),
    "diabetes, linear": of(make_pipeline(StandardScaler(), LinearRegression()), diabetes),
    "diabetes, polynomial lasso": of(
        make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), Lasso(1.0, max_iter=5000)), diabetes
    ),
    "diabetes, boosting": of(GradientBoostingRegressor(n_estimators=10, random_state=0), diabetes),
    "diabetes, perceptron": of(
        make_pipeline(
            StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), activation="tanh", max_iter=40, random_state=0)
        ),
        diabetes,
    ),
    "diabetes, SVR": of(make_pipeline(RobustScaler(), SVR(kernel="linear")), diabetes),
    "diabetes, stacked": of(
        StackingRegressor(
            [("ridge", Ridge()), ("forest", RandomForestRegressor(5, max_depth=4, random_state=0))], Ridge(), cv=2
        ),
        diabetes,
    ),
    "diabetes, union of PCA and selection": of(
        make_pipeline(
            StandardScaler(), FeatureUnion([("pca", PCA(3)), ("best", SelectKBest(f_classif, k=2))]), HuberRegressor()
        ),
        diabetes,
    ),
    "people, logistic": of(
        make_pipeline(columns(filled(StandardScaler(), **MEDIAN), one_hot()), LogisticRegression()), people
    ),
    "people, forest of ordinals": of(
        make_pipeline(columns(filled(**MEDIAN), ordinal()), RandomForestClassifier(10, max_depth=5, random_state=0)),
        people,
    ),
    "people, boosting with indicators": of(
        make_pipeline(
            columns(filled(add_indicator=True), one_hot(drop="first")),
            GradientBoostingClassifier(n_estimators=8, random_state=0),
        ),
        people,
    ),
    "people, histogram boosting of ordinals": of(
        make_pipeline(columns("passthrough", ordinal()), HistGradientBoostingClassifier(max_iter=8)), people
    ),
    "people, dense one-hot tree": of(
        make_pipeline(columns(filled(**MEDIAN), one_hot(sparse_output=False)), DecisionTreeClassifier(max_depth=5)),
        people,
    ),
    "people, bins and calibrated SVC": of(
        make_pipeline(
            columns(filled(KBinsDiscretizer(3, strategy="uniform"), **MEDIAN), one_hot()),
            CalibratedClassifierCV(LinearSVC(random_state=0), cv=2),
        ),
        people,
    ),
    "people, log of the fare": of(
        make_pipeline(
            ColumnTransformer(
                [
                    ("fare", make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), ["fare"]),
                    ("age", filled(StandardScaler()), ["age"]),
                    ("texts", one_hot(), ["class", "sex"]),
                ]
            ),
            LogisticRegression(),
        ),
        people,
    ),
    "people, rare ports together": of(
        make_pipeline(
            ColumnTransformer(
                [("texts", OneHotEncoder(min_frequency=30, handle_unknown="infrequent_if_exist"), ["class", "sex"])],
                remainder=filled(MinMaxScaler()),
            ),
            RidgeClassifier(),
        ),
        lambda: (people()[0].drop(columns="port"), people()[1]),
    ),
    "fares, ridge": of(
        make_pipeline(columns(filled(StandardScaler()), one_hot()), Ridge()),
        fares,
    ),
    "fares, gamma": of(
        make_pipeline(columns(filled(StandardScaler(), **MEDIAN), one_hot()), GammaRegressor(max_iter=500)), fares
    ),
    "fares, Poisson of the family": of(
        make_pipeline(columns(filled(StandardScaler()), one_hot(drop="first")), PoissonRegressor(max_iter=500)), fares
    ),
    "fares, histogram boosting": of(
        make_pipeline(columns("passthrough", ordinal()), HistGradientBoostingRegressor(max_iter=10)), fares
    ),
    "fares, vote": of(
        make_pipeline(
            columns(filled(**MEDIAN), one_hot()),
            VotingRegressor([("net", ElasticNet(0.1)), ("tree", DecisionTreeRegressor(max_depth=4))]),
        ),
        fares,
    ),
    "reviews, tf-idf and logistic": of(make_pipeline(TfidfVectorizer(), LogisticRegression()), reviews),
    "reviews, pairs and naive Bayes": of(make_pipeline(CountVectorizer(ngram_range=(2, 2)), MultinomialNB()), reviews),
    "reviews, few dimensions": of(
        make_pipeline(TfidfVectorizer(sublinear_tf=False), TruncatedSVD(5, random_state=0), LinearSVC(random_state=0)),
        reviews,
    ),
    "topics, complement naive Bayes": of(make_pipeline(TfidfVectorizer(), ComplementNB()), topics),
    "topics, forest of counts": of(
        make_pipeline(CountVectorizer(min_df=2), RandomForestClassifier(8, random_state=0)), topics
    ),
}
