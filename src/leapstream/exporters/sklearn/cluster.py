"""Clusters (``sklearn.cluster``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.clustering import KMeans


def k_means(step: Step, features: Features) -> PredictorColumns:
    """The number of the nearest centre."""
    centers = np.asarray(step.estimator.cluster_centers_, dtype=np.float64)
    op = KMeans(tuple(centers), centers.shape[1])
    columns = step.graph.add(op, [step.graph.vector(features).column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


PREDICTORS: dict[str, Predictor] = {"KMeans": k_means, "MiniBatchKMeans": k_means}
