"""Classes: their types and order, and the results of ``predict_proba`` and ``decision_function``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from leapstream import SchemaError, UnsupportedOpError, from_lightgbm, from_sklearn, from_xgboost
from tests.exporters.agreement import assert_agrees, columns_of
from tests.exporters.estimators import CLASSIFIERS, numbers, three, two

pytestmark = pytest.mark.slow

X = numbers()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_no_method_of_a_classifier_is_left_out(name: str) -> None:
    estimator, rows = CLASSIFIERS[name]()
    model = from_sklearn(estimator, rows)
    outputs = model.schema.outputs.names
    assert ("probability" in outputs) >= hasattr(estimator, "predict_proba")
    if not hasattr(estimator, "decision_function"):
        return
    raw = np.asarray(model.predict(columns_of(model, rows), outputs=["raw_prediction"])["raw_prediction"].tolist())
    wanted = estimator.decision_function(rows)
    if wanted.ndim == 1:
        raw = raw[:, 1]
        boosted = isinstance(estimator, (GradientBoostingClassifier, HistGradientBoostingClassifier))
        # The margin of MLeap's boosted trees is half the log odds.
        wanted = wanted / 2.0 if boosted and getattr(estimator, "loss", "") != "exponential" else wanted
    np.testing.assert_allclose(raw, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", [SVC, NuSVC])
@pytest.mark.filterwarnings("ignore:::sklearn.*")
def test_a_method_that_cannot_be_computed_is_rejected_unless_left_out(kind: Any) -> None:
    machine = make_pipeline(StandardScaler(), kind(kernel="linear", probability=True, random_state=0)).fit(X, two())
    with pytest.raises(UnsupportedOpError, match=r'^Pipeline: .*predict_proba.*outputs=\["prediction"\]'):
        from_sklearn(machine)
    search = GridSearchCV(machine, {f"{kind.__name__.lower()}__tol": [0.1]}, cv=2).fit(X, two())
    with pytest.raises(UnsupportedOpError, match="predict_proba"):
        from_sklearn(search)
    model = from_sklearn(machine, outputs=["prediction", "raw_prediction"])
    assert model.schema.outputs.names == ("raw_prediction", "prediction")
    assert model.predict({"features": X})["prediction"].tolist() == machine.predict(X).tolist()


def test_the_wanted_outputs_are_those_of_the_model() -> None:
    model = from_sklearn(LogisticRegression().fit(X, three()), outputs=["probability"])
    assert model.schema.outputs.names == ("probability",)
    with pytest.raises(
        SchemaError, match="RidgeClassifier: there is no output 'probability'; the outputs are raw_pred"
    ):
        from_sklearn(RidgeClassifier().fit(X, two()), outputs=["probability"])
    with pytest.raises(SchemaError, match="StandardScaler: outputs are chosen of predictors"):
        from_sklearn(StandardScaler().fit(X), outputs=["prediction"])


LABELS: dict[str, tuple[list[Any], str]] = {
    "integers in order": ([0, 1, 2], "int"),
    "integers": ([-3, 4, 70000], "int"),
    "integers of 64 bits": ([1, 2, 10**12], "double"),
    "truths": ([False, True], "int"),
    "texts": (["a", "b^", "c$"], "string"),
    "texts of digits": (["0", "1"], "string"),
    "floats": ([0.0, 1.0], "double"),
}


def classes_of(labels: list[Any]) -> npt.NDArray[Any]:
    """A class for each row of the numbers."""
    return np.array(labels)[np.digitize(X[:, 0], np.quantile(X[:, 0], np.arange(1, len(labels)) / len(labels)))]


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), LinearSVC(), DecisionTreeClassifier(max_depth=2)],
    ids=lambda e: type(e).__name__,
)
def test_classes_keep_their_type(name: str, estimator: Any) -> None:
    labels, kind = LABELS[name]
    estimator.fit(X, classes_of(labels))
    model = from_sklearn(estimator)
    assert str(model.schema.outputs["prediction"].type).split()[0] == kind
    found, wanted = model.predict({"features": X})["prediction"], estimator.predict(X)
    assert found.tolist() == wanted.tolist()
    assert {"int": "i", "double": "f", "string": "O"}[kind] == found.dtype.kind
    one = model.predict({"features": X[0].tolist()})["prediction"]
    assert one == wanted[0]
    assert type(one) is {"int": int, "double": float, "string": str}[kind]


def test_objects_of_one_type_are_classes_of_that_type() -> None:
    forest = RandomForestClassifier(3, random_state=0).fit(X, classes_of([3, 7]))
    forest.classes_ = np.array(forest.classes_.tolist(), dtype=object)
    assert str(from_sklearn(forest).schema.outputs["prediction"].type) == "int not null"
    forest.classes_ = np.array([3, "7"], dtype=object)
    with pytest.raises(UnsupportedOpError, match="its classes are neither texts nor numbers"):
        from_sklearn(forest)


@pytest.mark.flink
@pytest.mark.slow
def test_integers_are_ints_on_the_jvm() -> None:
    estimator = LogisticRegression().fit(X, classes_of([-3, 4, 70000]))
    found = from_sklearn(estimator).predict({"features": X[:20]}, backend="jvm")["prediction"]
    assert found.tolist() == estimator.predict(X[:20]).tolist()
    assert {type(label) for label in found.tolist()} == {int}


def test_a_single_record_with_integers_needs_no_arrays() -> None:
    from leapstream.executors.rowwise import EXECUTOR

    for labels in ([0, 1], [-3, 4, 70000]):
        model = from_sklearn(LogisticRegression().fit(X, classes_of(labels)))
        assert not EXECUTOR.missing(model.plan(outputs=["prediction"]))


def test_estimators_of_other_libraries_give_ints_and_boosters_doubles() -> None:
    xgb = XGBClassifier(n_estimators=2, n_jobs=1).fit(X, two())
    lgbm = LGBMClassifier(n_estimators=2, verbose=-1).fit(X, classes_of([5, -7]))
    models = [from_xgboost(xgb), from_lightgbm(lgbm), from_xgboost(xgb.get_booster()), from_lightgbm(lgbm.booster_)]
    kinds = [str(model.schema.outputs["prediction"].type) for model in models]
    assert kinds == ["int not null"] * 2 + ["double not null"] * 2


def test_the_number_of_a_cluster_is_an_int() -> None:
    mixture = GaussianMixture(2, random_state=0).fit(X)
    model = from_sklearn(mixture)
    assert str(model.schema.outputs["prediction"].type) == "int not null"
    assert model.predict({"features": X})["prediction"].tolist() == mixture.predict(X).tolist()


FAR = np.concatenate([X * scale for scale in (1.0, 30.0, -30.0)])
"""Rows so far from those of the fit that all classes are improbable for some of them."""


def test_where_no_class_is_probable_all_have_equal_shares() -> None:
    scored = SGDClassifier(loss="modified_huber", random_state=0).fit(X, three())
    assert (np.ptp(scored.predict_proba(FAR), axis=1) == 0.0).any()
    assert_agrees(from_sklearn(scored), scored, FAR)
    calibrated = CalibratedClassifierCV(LinearSVC(random_state=0), method="isotonic", cv=3, ensemble=False)
    calibrated.fit(X, three())
    for calibrator in calibrated.calibrated_classifiers_[0].calibrators:
        calibrator.fit([5.0, 6.0], [0.0, 1.0])
    assert (np.ptp(calibrated.predict_proba(FAR), axis=1) == 0.0).any()
    assert_agrees(from_sklearn(calibrated), calibrated, FAR)


def test_one_classifier_for_each_class_has_both_methods() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rest = OneVsRestClassifier(SGDClassifier(loss="modified_huber", random_state=0)).fit(X, three())
    assert_agrees(from_sklearn(rest), rest, FAR)
