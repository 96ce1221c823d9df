"""Converters for estimators of XGBoost and LightGBM inside scikit-learn's pipelines."""

from __future__ import annotations

from leapstream.exporters import lightgbm, xgboost
from leapstream.exporters.dispatch import Predictor

PREDICTORS: dict[str, Predictor] = {
    **dict.fromkeys(("LGBMClassifier", "LGBMRanker", "LGBMRegressor"), lightgbm.convert),
    **dict.fromkeys(
        ("XGBClassifier", "XGBRFClassifier", "XGBRFRegressor", "XGBRanker", "XGBRegressor"), xgboost.convert
    ),
}
