"""Seconds to export, write and load 1,000 trees of scikit-learn, XGBoost and LightGBM, and the sizes of the bundles.

For each library a regressor of 1,000 trees is trained on the same made data of 20 features. Loading is ``leapstream.load``; the
first prediction of one row comes on top, and makes the plan.

Run it with ``python benchmarks/exporting.py [--trees N] [--rounds N]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import xgboost
from measure import Result
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestRegressor

import leapstream
from leapstream import Model

FEATURES = 20


def trainers(trees: int) -> dict[str, Callable[[], Any]]:
    """An estimator of each library."""
    return {
        "scikit-learn random forest, depth 10": lambda: RandomForestRegressor(
            trees, max_depth=10, n_jobs=-1, random_state=0
        ),
        "scikit-learn gradient boosting, depth 5": lambda: GradientBoostingRegressor(
            n_estimators=trees, max_depth=5, subsample=0.3, random_state=0
        ),
        "scikit-learn hist. gradient boosting, 31 leaves": lambda: HistGradientBoostingRegressor(
            max_iter=trees, early_stopping=False, random_state=0
        ),
        "XGBoost, depth 6": lambda: xgboost.XGBRegressor(n_estimators=trees, max_depth=6, random_state=0),
        "LightGBM, 31 leaves": lambda: lightgbm.LGBMRegressor(n_estimators=trees, verbose=-1, random_state=0),
    }


def export(estimator: Any) -> Model:
    """The model of an estimator."""
    exporters = {"xgboost": leapstream.from_xgboost, "lightgbm": leapstream.from_lightgbm}
    return exporters.get(type(estimator).__module__.partition(".")[0], leapstream.from_sklearn)(estimator)


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """The seconds that a call takes, and its result."""
    start = time.perf_counter()
    given = function()
    return time.perf_counter() - start, given


def main() -> None:
    """Measure all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, FEATURES))
    y = x[:, 0] * x[:, 1] + np.sin(3.0 * x[:, 2]) + rng.normal(size=len(x)) * 0.1
    result = Result("exporting", "s")
    for work, make in trainers(given.trees).items():
        estimator = make().fit(x, y)
        for _ in range(given.rounds):
            _measure(result, work, estimator, x)
    result.finish()
    for work, size in result.about.items():
        print(f"{work}: {size}")


def _measure(result: Result, work: str, estimator: Any, x: Any) -> None:
    taken, model = seconds(lambda: export(estimator))
    result.add(work, "export", [taken])
    with tempfile.TemporaryDirectory() as folder:
        for format in ("json", "protobuf"):
            bundle = Path(folder, f"{format}.zip")
            taken, _ = seconds(lambda path=bundle, form=format: leapstream.save(model, path, format=form))  # type: ignore[misc]
            result.add(work, f"write {format}", [taken])
            taken, loaded = seconds(lambda path=bundle: leapstream.load(path))  # type: ignore[misc]
            result.add(work, f"load {format}", [taken])
            result.about[f"{work}, {format}"] = f"{bundle.stat().st_size / 2**20:.1f} MiB"
        first, found = seconds(lambda: loaded.predict({"features": x[:1]}))
        result.add(work, "first prediction", [first])
        np.testing.assert_allclose(found["prediction"], estimator.predict(x[:1]), rtol=1e-6, atol=1e-6)


if __name__ == "__main__":
    main()
