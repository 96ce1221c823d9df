"""Steps that compare: every row falls on the side of a threshold on which it falls in scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from leapstream import from_sklearn
from tests.exporters.agreement import assert_agrees, expected, found
from tests.exporters.estimators import MAX_ABS_CLIPS

Make = Callable[[], Any]

SCALERS: dict[str, Make] = {
    "standard": StandardScaler,
    "standard without mean": lambda: StandardScaler(with_mean=False),
    "robust": RobustScaler,
    "min-max": MinMaxScaler,
    "min-max of a range": lambda: MinMaxScaler((-0.3, 0.7)),
    "min-max clipped": lambda: MinMaxScaler((0.1, 0.7), clip=True),
    "min-max clipped to 1": lambda: MinMaxScaler(clip=True),
    "max-abs": MaxAbsScaler,
    **({"max-abs clipped": lambda: MaxAbsScaler(clip=True)} if MAX_ABS_CLIPS else {}),
    "negated": lambda: FunctionTransformer(np.negative),
    "radians": lambda: FunctionTransformer(np.radians),
    "square root of the size": lambda: make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.sqrt)),
}

RISING: dict[str, Make] = {
    **{
        function.__name__: lambda f=function: FunctionTransformer(f)
        for function in (np.log, np.log2, np.log10, np.log1p)
    },
    "expm1": lambda: make_pipeline(StandardScaler(), FunctionTransformer(np.expm1)),
    "floor": lambda: FunctionTransformer(np.floor),
}
"""Functions that trees compare in place of the inputs; MLeap's own results may differ in the last bits."""

COMPARING: dict[str, Make] = {
    "histogram boosting": lambda: HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2),
    "histogram boosting of classes": lambda: HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=3),
    "forest": lambda: RandomForestClassifier(3, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(3, random_state=0),
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "vote": lambda: VotingRegressor(
        [("a", HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=2)), ("b", Ridge())]
    ),
    "bins before a tree": lambda: make_pipeline(
        KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"), DecisionTreeRegressor()
    ),
    "binarizer before a tree": lambda: make_pipeline(Binarizer(threshold=0.5), DecisionTreeRegressor()),
}


@st.composite
def scaled_comparisons(draw: st.DrawFn) -> tuple[Any, npt.NDArray[np.float64]]:
    """A fitted pipeline of scalers before a step that compares, and the rows of its fit, which lie on its thresholds."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    rows, width = draw(st.sampled_from([40, 300])), draw(st.integers(1, 3))
    x = rng.normal(size=(rows, width)) * draw(st.sampled_from([0.1, 1.0, 30.0])) + draw(
        st.sampled_from([0.0, 0.1, 1e4])
    )
    x = x.round(draw(st.sampled_from([0, 1, 2, 15])))
    x[rng.random(x.shape) < draw(st.sampled_from([0.0, 0.1]))] = 0.5
    y = np.argsort(np.argsort(x.sum(axis=1) + rng.normal(size=rows))) * 3 // rows
    scalers = [SCALERS[name]() for name in draw(st.lists(st.sampled_from(sorted(SCALERS)), min_size=1, max_size=2))]
    if draw(st.booleans()):
        scalers = [make_union(make_pipeline(*scalers), FunctionTransformer(np.positive))]
    estimator = COMPARING[draw(st.sampled_from(sorted(COMPARING)))]()
    return make_pipeline(*scalers, estimator).fit(x, y), x


def assert_no_row_differs(pipeline: Any, rows: Any, backend: str = "vectorized") -> None:
    """Compare the predictions of all rows, which differ by more than rounding where a row is on another side."""
    assert_agrees(from_sklearn(pipeline, rows), pipeline, rows, backend)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::sklearn.*")
@settings(max_examples=60)
@given(scaled_comparisons())
def test_scaled_values_fall_on_the_same_side_of_thresholds(case: tuple[Any, npt.NDArray[np.float64]]) -> None:
    assert_no_row_differs(*case)


@pytest.mark.flink
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::sklearn.*")
@settings(max_examples=6)
@given(scaled_comparisons())
def test_scaled_values_fall_on_the_same_side_on_the_jvm(case: tuple[Any, npt.NDArray[np.float64]]) -> None:
    assert_no_row_differs(*case, backend="jvm")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RISING)
def test_trees_behind_a_rising_function_send_every_row_to_the_same_side(name: str) -> None:
    # Of numbers below 0 and -1 logarithms are NaN, which trees treat as missing. -inf would be an error of scikit-learn.
    x = np.random.default_rng(0).normal(2.0, 1.5, size=(600, 2)).round(2)
    x[(x == 0.0) | (x == -1.0)] = 0.5
    y = np.sin(3.0 * x[:, 0]) + x[:, 1]
    for estimator in (
        HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=2),
        DecisionTreeRegressor(),
        RandomForestClassifier(3, random_state=0),
    ):
        pipeline = make_pipeline(RISING[name](), estimator).fit(x, y > 0.0 if "Class" in str(estimator) else y)
        assert_no_row_differs(pipeline, x)


def test_trees_compare_the_inputs_of_scalers() -> None:
    x, y = load_diabetes(return_X_y=True, as_frame=True)
    columns = make_column_transformer(
        (make_pipeline(StandardScaler(), MinMaxScaler(clip=True)), ["bmi", "bp"]), (RobustScaler(), ["s1"])
    )
    union = make_union(columns, make_pipeline(StandardScaler(), SelectKBest(k=3)))
    tree = make_pipeline(union, HistGradientBoostingRegressor(max_iter=5)).fit(x, y)
    assert {node.op.op for node in from_sklearn(tree).nodes} <= {
        *("vector_assembler", "vector_slicer", "elementwise_product", "gbt_regression"),
    }
    assert_no_row_differs(tree, x)


def test_a_linear_model_beside_trees_reads_the_scaled_features() -> None:
    x, y = load_diabetes(return_X_y=True)
    vote = VotingRegressor([("tree", DecisionTreeRegressor(max_depth=3)), ("line", Ridge())])
    pipeline = make_pipeline(StandardScaler(), vote).fit(x, y)
    model = from_sklearn(pipeline)
    reads = {socket.name: {given.name for given in node.inputs} for node in model.nodes for socket in node.outputs}
    (tested,) = reads["tree_prediction"]
    assert reads[tested] == {"features", "features_negative"}
    assert reads["line_prediction"] == {"features_centered_standardscaler"}
    assert_no_row_differs(pipeline, x)


def test_equal_probabilities_of_different_sums_predict_the_greater_sum() -> None:
    x = np.array([[0.0]])
    estimator = HistGradientBoostingClassifier(max_iter=1).fit(np.zeros((30, 1)), np.arange(30) % 3)
    estimator._baseline_prediction = np.array([[0.1, np.nextafter(0.1, 1.0), -0.2]])
    probability = estimator.predict_proba(x)[0]
    assert probability[0] == probability[1]
    assert estimator.predict(x).tolist() == [1]
    assert_no_row_differs(estimator, x)


def test_negative_zero_is_in_the_bin_of_zero() -> None:
    x = np.array([[-1.0], [-0.5], [0.0], [0.0], [0.5], [1.0]])
    bins = KBinsDiscretizer(2, encode="ordinal", strategy="uniform").fit(x)
    assert bins.bin_edges_[0].tolist() == [-1.0, 0.0, 1.0]
    assert_no_row_differs(bins, np.array([[-0.0], [0.0], [-1e-300]]))


DATA = {
    "diabetes": (load_diabetes, HistGradientBoostingRegressor),
    "cancer": (load_breast_cancer, HistGradientBoostingClassifier),
    "wine": (load_wine, HistGradientBoostingRegressor),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("scaler", ["max-abs", "min-max", "robust", "standard"])
def test_no_row_of_ordinary_data_differs(name: str, scaler: str) -> None:
    load, kind = DATA[name]
    x, y = load(return_X_y=True, as_frame=True)
    assert_no_row_differs(make_pipeline(SCALERS[scaler](), kind(max_iter=20)).fit(x, y), x)


def test_scalers_are_exact_to_the_last_bit() -> None:
    x = load_diabetes().data * [1.0, 10.0, 0.1, 1.0, 1.0, 1e5, 1.0, 1.0, 1.0, 1.0] + 0.1
    for name in sorted(SCALERS):
        scaler = SCALERS[name]().fit(x)
        model = from_sklearn(scaler)
        np.testing.assert_array_equal(found(model, x, [""])[""], expected(scaler, x)[""], err_msg=name)


def test_scalers_of_several_columns_fall_on_the_same_side() -> None:
    x, y = load_diabetes(return_X_y=True, as_frame=True)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["bmi", "bp"]),
        (MinMaxScaler(), ["s1", "s2"]),
        (RobustScaler(), ["bmi"]),
        remainder="passthrough",
    )
    assert_no_row_differs(make_pipeline(columns, HistGradientBoostingRegressor(max_iter=20)).fit(x, y), x)
