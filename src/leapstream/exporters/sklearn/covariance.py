"""Outliers by a covariance (``sklearn.covariance``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Features
from leapstream.exporters.predictors import outliers
from leapstream.exporters.sklearn.normal import squares
from leapstream.exporters.step import PredictorColumns, Step


def elliptic_envelope(step: Step, features: Features) -> PredictorColumns:
    """An outlier where the squared Mahalanobis distance from the centre is greater than the negative offset."""
    estimator, graph = step.estimator, step.graph
    # precision = root @ root.T
    values, vectors = np.linalg.eigh(estimator.get_precision())
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    centered = graph.scale(features, "centered", shift=np.asarray(estimator.location_, dtype=np.float64))
    parts = squares(graph, graph.matrix((centered,), "whitened", root))
    return outliers(step, graph.linear((parts,), "score", np.full(parts.size, -1.0), -float(estimator.offset_)))


PREDICTORS: dict[str, Predictor] = {"EllipticEnvelope": elliptic_envelope}
