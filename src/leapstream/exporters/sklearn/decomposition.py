"""Linear maps to fewer features (``sklearn.decomposition``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Features, with_sparsity
from leapstream.exporters.step import Step


def pca(step: Step, features: Features) -> Features:
    """``(x - mean) @ components.T``, with ``whiten`` divided by the standard deviations."""
    estimator = step.estimator
    matrix = estimator.components_.T.astype(np.float64)
    if estimator.whiten:
        scale = np.sqrt(estimator.explained_variance_)
        matrix = matrix / np.maximum(scale, np.finfo(scale.dtype).eps)
    centered = step.graph.scale(features, "centered", shift=np.asarray(estimator.mean_, dtype=np.float64))
    return with_sparsity((step.graph.matrix((centered,), step.suffix, matrix),), False)


def truncated_svd(step: Step, features: Features) -> Features:
    """``x @ components.T``."""
    matrix = step.estimator.components_.T.astype(np.float64)
    return with_sparsity((step.graph.matrix(features, step.suffix, matrix),), False)


TRANSFORMERS: dict[str, Transformer] = {
    "IncrementalPCA": pca,
    "PCA": pca,
    "TruncatedSVD": truncated_svd,
}
