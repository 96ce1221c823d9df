"""Pipelines of random steps over random data: the same from the library, the model, the saved model and the JVM."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from leapstream import from_sklearn
from leapstream.exporters.trees import single_precision
from tests.exporters.agreement import TOLERANCE, assert_agrees, reloaded

# Random steps may leave nothing but a constant, of which scikit-learn warns where it is fitted and where it predicts.
pytestmark = pytest.mark.filterwarnings("ignore:::sklearn.*")

_TRANSFORMERS = st.sampled_from(
    [
        StandardScaler,
        RobustScaler,
        MinMaxScaler,
        MaxAbsScaler,
        lambda: Normalizer("l1"),
        lambda: Binarizer(threshold=-0.25),
        lambda: PolynomialFeatures(2, include_bias=False),
        lambda: KBinsDiscretizer(3, encode="ordinal", strategy="uniform"),
        lambda: PCA(1),
        lambda: SelectKBest(k=1),
        lambda: make_union(StandardScaler(), Binarizer(threshold=0.3)),
    ]
)
_PREDICTORS = st.sampled_from(
    [
        Ridge,
        LogisticRegression,
        GaussianNB,
        lambda: DecisionTreeClassifier(max_depth=3, random_state=0),
        lambda: DecisionTreeRegressor(max_depth=3, random_state=0),
        lambda: RandomForestClassifier(3, max_depth=3, random_state=0),
        lambda: GradientBoostingClassifier(n_estimators=2, random_state=0),
        lambda: HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3),
        lambda: KMeans(2, n_init=1, random_state=0),
    ]
)


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[Any, npt.NDArray[np.float64]]:
    """A fitted pipeline, and rows to ask it for, which may have missing values."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    width, classes = draw(st.integers(1, 4)), draw(st.integers(2, 3))
    # No round numbers: where a scaled value hits a bin's edge, the last bit decides, in which the library and MLeap differ.
    x = rng.normal(size=(40, width))
    x[rng.random(x.shape) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    y = np.argsort(np.argsort(np.nan_to_num(x).sum(axis=1) + rng.normal(size=len(x)))) * classes // len(x)
    steps = [make() for make in draw(st.lists(_TRANSFORMERS, max_size=3))]
    labels = np.array(draw(st.sampled_from([["a", "b", "c"], [0, 1, 2], [-3, 5, 9]])))[y]
    last = draw(_PREDICTORS)()
    # Nor the mean: it is scaled to a zero that has a sign, by rounding, which a norm of one feature then decides by.
    pipeline = make_pipeline(SimpleImputer(strategy="constant", fill_value=0.2345), *steps, last)
    pipeline.fit(x, y if isinstance(last, (Ridge, DecisionTreeRegressor)) else labels)
    rows = _decided(pipeline, x[:20])
    assume(len(rows))
    return pipeline, rows


def _decided(pipeline: Any, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rows in whose probabilities no tie is broken by rounding."""
    if not hasattr(pipeline, "predict_proba"):
        return x
    probabilities = np.sort(pipeline.predict_proba(x))
    return x[probabilities[:, -1] - probabilities[:, -2] > TOLERANCE]


@pytest.mark.slow
@settings(max_examples=40)
@given(pipelines())
def test_random_pipelines_give_the_same_saved_or_not(case: tuple[Any, npt.NDArray[np.float64]]) -> None:
    pipeline, x = case
    model = from_sklearn(pipeline)
    assert_agrees(model, pipeline, x)
    with tempfile.TemporaryDirectory() as folder:
        for form in ("json", "protobuf"):
            assert_agrees(reloaded(model, Path(folder), form), pipeline, x)


@pytest.mark.flink
@pytest.mark.slow
@settings(max_examples=6)
@given(pipelines())
def test_random_pipelines_give_the_same_on_the_jvm(case: tuple[Any, npt.NDArray[np.float64]]) -> None:
    pipeline, x = case
    assert_agrees(from_sklearn(pipeline), pipeline, x, "jvm")


@given(st.floats(-1e30, 1e30), st.integers(-3, 3))
def test_a_threshold_for_float64_decides_as_float32_does(threshold: float, steps: int) -> None:
    (moved,) = single_precision(np.array([threshold]))
    for start in (threshold, float(moved), float(np.float32(threshold))):
        x = start
        for _ in range(abs(steps)):
            x = float(np.nextafter(x, np.copysign(np.inf, steps)))
        assert (np.float64(np.float32(x)) <= threshold) == (x <= moved)
