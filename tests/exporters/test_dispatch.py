"""Converters of other packages, found through entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leapstream import UnsupportedOpError, from_sklearn
from leapstream.exporters import dispatch
from leapstream.exporters.dispatch import PREDICTOR_ENTRY_POINTS, TRANSFORMER_ENTRY_POINTS
from leapstream.exporters.graph import Features
from leapstream.exporters.predictors import targets
from leapstream.exporters.step import PredictorColumns, Step

X = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 9.0]])
Y = [1.0, 2.0, 4.0]


def offer(monkeypatch: pytest.MonkeyPatch, group: str, name: str, value: str) -> None:
    """Pretend that an installed package has an entry point."""
    points = EntryPoints([EntryPoint(name, value, group)])
    monkeypatch.setattr(dispatch, "entry_points", lambda **wanted: points.select(**wanted))


def own(base: type) -> Any:
    """A class of the package ``acme``."""
    return type("Own", (base,), {"__module__": "acme.estimators"})()


def doubled(step: Step, features: Features) -> Features:
    """A converter of a transformer."""
    return (step.graph.multiply(features, step.suffix, np.full(2, 2.0)),)


def summed(step: Step, features: Features) -> PredictorColumns:
    """A converter of a predictor."""
    return targets(step, (step.graph.linear(features, "sum", np.ones(2)),))


def test_a_transformer_of_another_package_has_its_own_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, TRANSFORMER_ENTRY_POINTS, "acme.Own", f"{__name__}:doubled")
    model = from_sklearn(own(StandardScaler).fit(X), X, check=False)
    assert model.predict({"features": X})[model.schema.outputs.names[0]].tolist() == (2.0 * X).tolist()


def test_a_predictor_of_another_package_has_its_own_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, PREDICTOR_ENTRY_POINTS, "acme.Own", f"{__name__}:summed")
    pipeline = make_pipeline(StandardScaler(with_mean=False, with_std=False), own(Ridge)).fit(X, Y)
    model = from_sklearn(pipeline, X, check=False)
    assert model.predict({"features": X})["prediction"].tolist() == X.sum(axis=1).tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module:convert", "'no_such_module:convert' cannot be loaded: No module named"),
        ("math:pi", "'math:pi' is not a function"),
    ],
)
def test_a_converter_that_is_none_says_why(monkeypatch: pytest.MonkeyPatch, value: str, message: str) -> None:
    offer(monkeypatch, TRANSFORMER_ENTRY_POINTS, "acme.Own", value)
    with pytest.raises(UnsupportedOpError, match=message):
        from_sklearn(own(StandardScaler).fit(X), X)


def test_without_a_converter_the_entry_point_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedOpError, match="no installed package has the entry point 'acme.Own'"):
        from_sklearn(own(StandardScaler).fit(X), X)
