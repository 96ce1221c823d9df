"""The defaults of params in Spark 3 and 4, for saved stages that do not mention a param.

Spark 2.3 and older save no defaults, and a param may be younger than the stage. Spark then takes the default that the class
has now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PREDICTION = {"featuresCol": "features", "predictionCol": "prediction"}
_RAW = {**_PREDICTION, "rawPredictionCol": "rawPrediction"}
_PROBABILITIES = {**_RAW, "probabilityCol": "probability"}

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "classification.DecisionTreeClassificationModel": _PROBABILITIES,
    "classification.GBTClassificationModel": {**_PROBABILITIES, "lossType": "logistic"},
    "classification.LinearSVCModel": {**_RAW, "threshold": 0.0},
    "classification.LogisticRegressionModel": {**_PROBABILITIES, "threshold": 0.5},
    "classification.MultilayerPerceptronClassificationModel": _PROBABILITIES,
    "classification.NaiveBayesModel": {**_PROBABILITIES, "modelType": "multinomial"},
    "classification.OneVsRestModel": _RAW,
    "classification.RandomForestClassificationModel": _PROBABILITIES,
    "clustering.BisectingKMeansModel": {**_PREDICTION, "distanceMeasure": "euclidean"},
    "clustering.GaussianMixtureModel": {**_PREDICTION, "probabilityCol": "probability"},
    "clustering.KMeansModel": {**_PREDICTION, "distanceMeasure": "euclidean"},
    "clustering.LocalLDAModel": {"featuresCol": "features", "topicDistributionCol": "topicDistribution"},
    "feature.Binarizer": {"threshold": 0.0},
    "feature.Bucketizer": {"handleInvalid": "error"},
    "feature.ChiSqSelectorModel": {"featuresCol": "features"},
    "feature.CountVectorizerModel": {"binary": False, "minTF": 1.0},
    "feature.DCT": {"inverse": False},
    "feature.FeatureHasher": {"numFeatures": 1 << 18},
    "feature.HashingTF": {"numFeatures": 1 << 18, "binary": False},
    "feature.ImputerModel": {"strategy": "mean", "missingValue": "NaN"},
    "feature.MinMaxScalerModel": {"min": 0.0, "max": 1.0},
    "feature.NGram": {"n": 2},
    "feature.Normalizer": {"p": 2.0},
    "feature.OneHotEncoderModel": {"handleInvalid": "error", "dropLast": True},
    "feature.PolynomialExpansion": {"degree": 2},
    "feature.RFormulaModel": {"labelCol": "label"},
    "feature.RegexTokenizer": {"pattern": r"\s+", "gaps": True, "minTokenLength": 1, "toLowercase": True},
    "feature.RobustScalerModel": {"withCentering": False, "withScaling": True},
    "feature.StandardScalerModel": {"withMean": False, "withStd": True},
    "feature.StopWordsRemover": {"caseSensitive": False},
    "feature.StringIndexerModel": {"handleInvalid": "error"},
    "feature.UnivariateFeatureSelectorModel": {"featuresCol": "features"},
    "feature.VarianceThresholdSelectorModel": {"featuresCol": "features"},
    "feature.VectorIndexerModel": {"handleInvalid": "error"},
    "recommendation.ALSModel": {"userCol": "user", "itemCol": "item", "predictionCol": "prediction"},
    "regression.AFTSurvivalRegressionModel": {
        **_PREDICTION,
        "quantileProbabilities": [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99],
    },
    "regression.DecisionTreeRegressionModel": _PREDICTION,
    "regression.GBTRegressionModel": _PREDICTION,
    "regression.GeneralizedLinearRegressionModel": {**_PREDICTION, "family": "gaussian", "variancePower": 0.0},
    "regression.IsotonicRegressionModel": {**_PREDICTION, "featureIndex": 0, "isotonic": True},
    "regression.LinearRegressionModel": _PREDICTION,
    "regression.RandomForestRegressionModel": _PREDICTION,
}
"""Defaults by class, for the params that the reader looks up."""
