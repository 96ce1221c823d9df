"""scikit-learn's estimators: each as a model that gives the same, before and after it was saved, on both executors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_transformer
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, VotingClassifier
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ExpSineSquared
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    LabelBinarizer,
    LabelEncoder,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from leapstream import SchemaError, UnsupportedOpError, from_sklearn
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema, TensorType
from leapstream.exporters.sklearn import DISPATCH
from leapstream.ops.outline import Group, outline
from tests.exporters import estimators, further_estimators
from tests.exporters.agreement import assert_agrees, reloaded

CASES = {**estimators.TRANSFORMERS, **estimators.PREDICTORS}
OWN = "ignore:MLeap's own runtime cannot run"
"""The warning for ops of leapstream's own."""
FURTHER = {**further_estimators.TRANSFORMERS, **further_estimators.PREDICTORS}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_model_gives_what_the_estimator_does(name: str, tmp_path: Path) -> None:
    estimator, rows = CASES[name]()
    model = from_sklearn(estimator, rows)
    assert_agrees(model, estimator, rows)
    for form in ("json", "protobuf"):
        assert_agrees(reloaded(model, tmp_path, form), estimator, rows)


def _few() -> dict[str, Any]:
    """Cases that have every op that there is in any: a class of Java for each case takes its time."""
    chosen, seen = {}, set[str]()
    for name in (
        "a whole pipeline",
        "StackingClassifier",
        "GaussianMixture full",
        "CalibratedClassifierCV isotonic, two",
        *CASES,
        *FURTHER,
    ):
        case = CASES.get(name) or FURTHER[name]
        ops = {node.op.op for node in from_sklearn(*case()).nodes}
        if not ops <= seen:
            seen |= ops
            chosen[name] = case
    return chosen


@pytest.mark.flink
@pytest.mark.slow
@pytest.mark.filterwarnings(OWN)
def test_the_jvm_gives_what_the_estimators_do() -> None:
    for name, case in _few().items():
        estimator, rows = case()
        try:
            assert_agrees(from_sklearn(estimator, rows, check=False), estimator, rows, "jvm")
        except Exception as error:
            raise AssertionError(name) from error


@pytest.mark.slow
def test_every_converter_is_tried() -> None:
    tried: set[str] = set()

    def note(estimator: Any) -> None:
        tried.add(type(estimator).__name__)
        for part in (*getattr(estimator, "steps", ()), *getattr(estimator, "transformer_list", ())):
            note(part[1])
        for _, part, _ in getattr(estimator, "transformers", ()):
            note(part)
        if type(estimator).__name__ == "FrozenEstimator":
            note(estimator.estimator)

    for case in (*CASES.values(), *FURTHER.values()):
        note(case()[0])
    aliases = {
        *(
            "ElasticNetCV",
            "GenericUnivariateSelect",
            "HalvingGridSearchCV",
            "HalvingRandomSearchCV",
            "LarsCV",
            "LassoCV",
            "MultiTaskElasticNetCV",
            "MultiTaskLassoCV",
        ),
        *("LassoLars", "LassoLarsCV", "LassoLarsIC", "LogisticRegressionCV", "OrthogonalMatchingPursuit"),
        *(
            "OrthogonalMatchingPursuitCV",
            "PassiveAggressiveClassifier",
            "PassiveAggressiveRegressor",
            "QuantileRegressor",
        ),
        *(
            "RFECV",
            "RandomizedSearchCV",
            "RidgeCV",
            "RidgeClassifierCV",
            "SequentialFeatureSelector",
            "TheilSenRegressor",
        ),
    }
    own_tests = {
        *("DictVectorizer", "FeatureHasher", "LGBMClassifier", "LGBMRanker", "LGBMRegressor", "LabelBinarizer"),
        "LabelEncoder",
        "_BinaryGaussianProcessClassifierLaplace",
        *("XGBClassifier", "XGBRFClassifier", "XGBRFRegressor", "XGBRanker", "XGBRegressor"),
    }
    assert {*DISPATCH.transformers, *DISPATCH.predictors} - tried == aliases | own_tests


# ---- dicts ------------------------------------------------------------------------------------------------------------

WEATHER = [
    {"city": "London", "degrees": 12.0},
    {"city": "Paris", "degrees": 20.5, "wind": 3},
    {"city": "Rome", "sunny": True},
    {"degrees": -1.0, "wind": 7},
]


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("sample", [WEATHER, None])
def test_the_keys_of_dicts_are_columns_whose_values_may_be_missing(sort: bool, sample: Any) -> None:
    estimator = make_pipeline(DictVectorizer(sort=sort), LogisticRegression()).fit(WEATHER, [0, 1, 1, 0])
    model = from_sklearn(estimator, sample)
    assert {(field.name, str(field.type)) for field in model.schema.inputs} == {
        ("city", "string"),
        *((name, "double") for name in ("degrees", "sunny", "wind")),
    }
    given = {"degrees": 3.0, "city": "Oslo"}
    (expected,) = estimator.predict_proba([given])
    found = model.predict({**dict.fromkeys(("sunny", "wind")), **given})
    assert found["probability"] == pytest.approx(expected.tolist(), rel=1e-12)


def test_types_of_a_schema_are_those_of_the_keys_of_dicts() -> None:
    schema = Schema([Field("city", ScalarType(BasicType.STRING)), Field("degrees", ScalarType(BasicType.DOUBLE))])
    model = from_sklearn(DictVectorizer(separator=":").fit([{"degrees": 1, "city": "a:b"}]), schema)
    assert model.predict({"city": "a:b", "degrees": 2.0}) == {"features": [1.0, 2.0]}


# ---- columns ----------------------------------------------------------------------------------------------------------


def test_without_a_sample_the_columns_have_the_names_that_the_estimator_was_fitted_with() -> None:
    data = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 5.0]})
    model = from_sklearn(LinearRegression().fit(data, [1.0, 2.0, 3.0]))
    assert model.schema.inputs.names == ("a", "b")
    assert model.schema.outputs.names == ("prediction",)


def test_nodes_know_the_steps_that_they_come_from() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0], "b": ["x", "y", "x", "y"]})
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a"]), (OneHotEncoder(), ["b"])
    )
    pipeline = make_pipeline(prepare, LogisticRegression()).fit(frame, [0, 1, 0, 1])
    prepared, classified = outline(from_sklearn(pipeline, frame).root)
    assert isinstance(prepared, Group) and isinstance(classified, Group)
    assert prepared.title == ("columntransformer", "ColumnTransformer")
    assert [member.title for member in prepared.members if isinstance(member, Group)] == [
        ("pipeline", "Pipeline"),
        ("onehotencoder", "OneHotEncoder"),
    ]
    assert classified.title == ("logisticregression", "LogisticRegression")
    assert "regex_indexer" in {node.op.op for node in classified.nodes()}


def test_without_names_there_is_one_vector() -> None:
    model = from_sklearn(LinearRegression().fit(np.eye(3), [1.0, 2.0, 3.0]))
    assert [str(field) for field in model.schema.inputs] == ["features tensor<double>[3] not null"]


def test_the_columns_of_a_sample_are_put_in_the_order_of_the_fit() -> None:
    data = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 5.0]})
    estimator = StandardScaler().fit(data)
    model = from_sklearn(estimator, data[["b", "a"]])
    assert_agrees(model, estimator, data)


def test_a_schema_says_which_columns_there_are() -> None:
    estimator = StandardScaler().fit(np.eye(3))
    schema = Schema.of([("x", ScalarType(BasicType.INT)), ("v", TensorType(BasicType.DOUBLE, (2,)))])
    model = from_sklearn(estimator, schema)
    result = model.transform({"x": np.array([1]), "v": np.array([[0.0, 0.0]])})
    np.testing.assert_allclose(result[model.schema.outputs.names[0]], estimator.transform([[1.0, 0.0, 0.0]]))


def test_columns_of_other_types_than_those_of_the_fit_are_rejected() -> None:
    frame = pd.DataFrame({"cut": ["Ideal", "Good", "Ideal"]})
    estimator = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()).fit(frame)
    with pytest.raises(SchemaError, match="SimpleImputer.*not of the types that it was fitted with: .*'Ideal'"):
        from_sklearn(estimator)


def test_a_dict_of_arrays_is_a_sample() -> None:
    estimator = StandardScaler().fit(np.eye(3))
    model = from_sklearn(estimator, {"v": np.zeros((1, 2)), "x": np.zeros(1)})
    assert model.schema.inputs.names == ("v", "x")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 5)), r"there are 5 features \(features\), and 3 are expected"),
        (Schema.of([("x", TensorType(BasicType.DOUBLE, None))]), "column 'x'.*neither a scalar nor a vector"),
        ({"x": np.array([object()])}, "column 'x': a value of type object has no leap type"),
        ({"x": np.zeros((2, 2, 2))}, r"column 'x': tensor<double>\[2, 2\] not null is neither"),
        (pd.DataFrame({"a": [1.0], "b": [1.0], "c": ["x"]}), "the column 'c' holds texts"),
    ],
)
def test_other_columns_than_those_of_the_fit_are_rejected(given: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        from_sklearn(StandardScaler().fit(np.eye(3)), given)


def test_a_column_that_is_missing_is_named() -> None:
    data = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 5.0]})
    with pytest.raises(SchemaError, match="no column 'b'; given: a, c"):
        from_sklearn(StandardScaler().fit(data), data.rename(columns={"b": "c"}))


def test_columns_with_the_names_of_results_are_left_alone() -> None:
    data = pd.DataFrame({"prediction": [1.0, 2.0, 4.0], "features": [0.0, 1.0, 5.0]})
    estimator = LinearRegression().fit(data, [1.0, 2.0, 3.0])
    result = from_sklearn(estimator).transform(data)
    np.testing.assert_allclose(result["prediction_2"], estimator.predict(data))


def test_the_index_of_a_class_that_is_a_text_has_a_column_of_its_own() -> None:
    estimator, rows = estimators.CLASSIFIERS["LogisticRegression, three classes"]()
    model = from_sklearn(estimator)
    assert model.schema.outputs.names == ("raw_prediction", "probability", "prediction")
    result = model.transform({"features": rows})
    assert [estimator.classes_[int(i)] for i in result["prediction_index"]] == list(result["prediction"])


def test_a_model_has_the_name_that_it_is_given() -> None:
    assert from_sklearn(StandardScaler().fit(np.eye(2)), name="sizes").name == "sizes"
    assert from_sklearn(StandardScaler().fit(np.eye(2))).name == "standardscaler"


def test_labels_become_their_indices() -> None:
    texts = LabelEncoder().fit(["b", "a", "c"])
    model = from_sklearn(texts, {"label": ["a"]})
    assert model.predict({"label": ["c", "a"]})[model.schema.outputs.names[0]].tolist() == [[2.0], [0.0]]
    with pytest.raises(Exception, match="d"):
        model.predict({"label": ["d"]})
    numbers = LabelEncoder().fit([5, 3])
    model = from_sklearn(numbers, {"label": np.array([3])})
    assert model.predict({"label": np.array([5, 3])})[model.schema.outputs.names[0]].tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize(
    ("labels", "asked", "options"),
    [
        (["b", "a", "c"], ["c", "x", "a"], {"neg_label": -1, "pos_label": 3}),
        (["yes", "no"], ["no", "yes"], {}),
        ([5, 3, 9], [9, 3, 5], {"sparse_output": True}),
    ],
)
def test_labels_become_indicators(labels: list[Any], asked: list[Any], options: dict[str, Any]) -> None:
    estimator = LabelBinarizer(**options).fit(labels)
    data = {"label": asked if isinstance(asked[0], str) else np.array(asked)}
    model = from_sklearn(estimator, data, check=False)
    wanted = estimator.transform(asked)
    found = model.predict(data)[model.schema.outputs.names[0]]
    assert np.asarray(found).tolist() == (wanted.toarray() if options.get("sparse_output") else wanted).tolist()


def test_a_category_that_is_no_longer_known_fails_as_in_the_library() -> None:
    data = pd.DataFrame({"city": ["Bern", "Oslo"], "rooms": [1, 2]})
    for encoder in (OneHotEncoder(), OrdinalEncoder()):
        model = from_sklearn(encoder.fit(data), data)
        for name, value in (("city", "Rome"), ("rooms", 3)):
            with pytest.raises(Exception, match="'(city|.*ordinal.*|.*onehot.*|features.*)'"):
                model.transform(data.assign(**{name: value}))


# ---- other libraries --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["two", "three classes", "amount"])
def test_estimators_of_other_libraries_are_steps(kind: str) -> None:
    x = estimators.holes(estimators.numbers())
    y: Any = {"two": estimators.two(), "three classes": estimators.odd(), "amount": estimators.amount()}[kind]
    options: dict[str, Any] = {"n_estimators": 5, "n_jobs": 1}
    boosted: list[Any] = (
        [LGBMRegressor(verbose=-1, **options), XGBRegressor(**options)]
        if kind == "amount"
        else [LGBMClassifier(verbose=-1, **options), XGBClassifier(**options)]
    )
    for last in boosted:
        xgboost = type(last).__name__.startswith("XGB")
        labels = np.unique(y, return_inverse=True)[1] if xgboost and kind != "amount" else y
        pipeline = make_pipeline(StandardScaler(), last).fit(x, labels)
        model = from_sklearn(pipeline, x)
        assert_agrees(model, pipeline, x[:40], tolerance=2e-7 if xgboost else 1e-9)


def test_a_sparse_matrix_is_not_handed_to_xgboost() -> None:
    data = pd.DataFrame({"city": ["Bern", "Oslo", "Rome", "Oslo"], "size": [1.0, 0.0, 3.0, 0.0]})
    y = [0, 1, 0, 1]
    encoder = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough", sparse_threshold=1.0)
    sparse = make_pipeline(encoder, XGBClassifier(n_estimators=2, n_jobs=1)).fit(data, y)
    with pytest.raises(UnsupportedOpError, match="'xgbclassifier'.*sparse matrix"):
        from_sklearn(sparse, data)
    dense = make_pipeline(encoder.set_params(sparse_threshold=0), XGBClassifier(n_estimators=2, n_jobs=1)).fit(data, y)
    assert_agrees(from_sklearn(dense, data), dense, data, tolerance=2e-7)


# ---- what is rejected -------------------------------------------------------------------------------------------------

X, Y = estimators.numbers(), estimators.two()


def text_with_missing(*encoders: Any) -> Any:
    data = pd.DataFrame({"city": ["Bern", np.nan, "Rome", "Bern"]}, dtype=object)
    return make_pipeline(*encoders).fit(data), data


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: (
                make_pipeline(StandardScaler(with_mean=False), LatentDirichletAllocation(2, max_iter=1)).fit(abs(X)),
                X,
            ),
            "Pipeline > 'latentdirichletallocation'.*supported transformers: .*PCA",
        ),
        (
            lambda: (type("Own", (Ridge,), {"__module__": "sklearn.own"})().fit(X, Y), X),
            "Own.*supported predictors: .*Ridge",
        ),
        (lambda: (SVC(kernel=lambda a, b: a @ b.T).fit(X, Y), X), "SVC: the kernel <function"),
        (lambda: (KNeighborsClassifier(metric="canberra").fit(X, Y), X), "the metric 'canberra'"),
        (
            lambda: (GaussianProcessRegressor(ExpSineSquared(), alpha=9.0, optimizer=None).fit(X[:, :1], Y), X[:, :1]),
            "the kernel ExpSineSquared is not supported",
        ),
        (lambda: (DummyClassifier().fit(X, X > 0), X), "several targets"),
        (lambda: (Normalizer("max").fit(X), X), "the norm 'max'"),
        (lambda: (FunctionTransformer(np.rint).fit(X), X), "the function <ufunc 'rint'>.*expm1"),
        (lambda: (FunctionTransformer(lambda x: x).fit(X), X), "the function <function"),
        (lambda: (HashingVectorizer(ngram_range=(1, 2)).fit(["a"]), ["a"]), "ngram_range has several lengths"),
        (lambda: (FeatureHasher().fit([]), ["a"]), "it reads dicts, pairs or lists of texts"),
        (
            lambda: (DictVectorizer().fit([{"a": 1}, {"a": "x"}]), [{"a": 1}]),
            "DictVectorizer: 'a' holds both texts and numbers",
        ),
        (lambda: (CountVectorizer(analyzer=str.split).fit(["a"]), ["a"]), "analyzer is a function"),
        (lambda: (CountVectorizer(strip_accents=str.upper).fit(["ab"]), ["a"]), "strip_accents is a function"),
        (lambda: (CountVectorizer(token_pattern="(a)b").fit(["ab"]), ["a"]), "token_pattern .* it has groups"),
        (lambda: (CountVectorizer(token_pattern="^a").fit(["a"]), ["a"]), "its part AT AT_BEGINNING is not supported"),
        (lambda: (CountVectorizer(token_pattern="(?i)a").fit(["a"]), ["a"]), "token_pattern .* it has flags"),
        (
            lambda: (CountVectorizer(token_pattern="a(?P<b>b)(?(b)c)").fit(["abc"]), ["a"]),
            "token_pattern .* it has groups",
        ),
        (
            lambda: (TfidfTransformer(sublinear_tf=True).fit(abs(X)), X),
            "sublinear_tf is set, of numbers that are no counts",
        ),
        (
            lambda: (SplineTransformer(3, degree=1, extrapolation="linear").fit(X), X),
            "linear extrapolation of splines of degree 0 or 1 is supported for one feature",
        ),
        (lambda: text_with_missing(OneHotEncoder()), "missing texts are a category and unknown ones an error"),
        (lambda: text_with_missing(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), "unknown ones an error"),
        (lambda: text_with_missing(SimpleImputer(strategy="most_frequent")), "its result has the text column 'city'"),
        (
            lambda: (GradientBoostingRegressor(n_estimators=1, init=LinearRegression()).fit(X, Y), X),
            "init is a LinearRegression",
        ),
        (
            lambda: (VotingClassifier([("a", LinearSVC())]).fit(X, Y).set_params(voting="soft"), X),
            "no probabilities",
        ),
        (lambda: (OneVsRestClassifier(LogisticRegression()).fit(X, np.median(X, axis=0) < X), X), "several targets"),
    ],
)
def test_what_cannot_be_computed_is_rejected_with_the_step_and_the_reason(make: Any, message: str) -> None:
    estimator, rows = make()
    with pytest.raises(UnsupportedOpError, match=message):
        from_sklearn(estimator, rows)


def test_a_class_of_another_package_is_rejected_even_when_it_has_a_known_name() -> None:
    own = type("StandardScaler", (StandardScaler,), {"__module__": "own.scaling"})
    with pytest.raises(UnsupportedOpError, match="StandardScaler: the class is of package 'own'"):
        from_sklearn(own().fit(X))


def test_what_is_not_fitted_is_rejected() -> None:
    with pytest.raises(SchemaError, match="not fitted"):
        from_sklearn(StandardScaler(), X)
    with pytest.raises(SchemaError, match="expected a fitted scikit-learn estimator, got dict"):
        from_sklearn({})


def test_where_the_margin_is_zero_boosting_predicts_the_second_class() -> None:
    estimator = GradientBoostingClassifier(n_estimators=1).fit(np.zeros((4, 1)), [0, 1, 0, 1])
    assert estimator.predict([[0.0]]) == [1]
    assert_agrees(from_sklearn(estimator), estimator, np.zeros((1, 1)))


def test_infinities_that_json_cannot_hold_are_no_reason_to_lose_a_model(tmp_path: Path) -> None:
    # A split of what is missing from all that is not has an infinite threshold.
    x = np.array([[np.nan], [np.nan], [1.0], [2.0]])
    estimator = DecisionTreeRegressor().fit(x, [5.0, 5.0, 0.0, 0.0])
    assert_agrees(reloaded(from_sklearn(estimator), tmp_path, "json"), estimator, x)


@pytest.mark.slow
def test_importing_leapstream_imports_no_library_of_models() -> None:
    libraries = "('sklearn', 'lightgbm', 'xgboost')"
    code = f"import sys, leapstream, leapstream.exporters; print([m for m in {libraries} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    code = "import sys, leapstream; print('leapstream.exporters' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
